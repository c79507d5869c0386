// A clock that follows the server, not the wall clock of this device.
// While the page is visible it advances by performance.now(), so a jump of the wall clock does not matter. Some devices
// stop performance.now() while they sleep: time spent hidden is therefore taken from the larger of both clocks.
const MAX_SLEEP_MS = 48 * 3600 * 1000;

export class ServerClock {
  constructor(serverMs) {
    this.hidden = typeof document !== "undefined" && document.hidden;
    this.set(serverMs);
  }

  set(serverMs) {
    this.ms = serverMs;
    this.perf = performance.now();
    this.wall = Date.now();
  }

  /** Call when the page is hidden or shown, before reading. */
  mark(hidden) {
    this.now();
    this.hidden = hidden;
  }

  now() {
    const perf = performance.now();
    const wall = Date.now();
    let passed = perf - this.perf;
    const wallPassed = wall - this.wall;
    if (this.hidden && wallPassed > passed && wallPassed < MAX_SLEEP_MS) passed = wallPassed;
    this.ms += passed;
    this.perf = perf;
    this.wall = wall;
    return this.ms;
  }
}
