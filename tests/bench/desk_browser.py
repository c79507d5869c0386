"""From a driver's event to the verdict before the guard's eyes: a real Chromium on a real desk page.

Guests present their codes one after the other; the page notes when the verdict is in it and when it was painted, then presses
the button that lets in. The browser reads the same machine's clock as the feeder. `BENCH_ARRIVALS` and the seconds between
two, `BENCH_GAP`, can be set. The page must be built (`make build`).
"""

from __future__ import annotations

import json
import os
import sys
import time

import httpx
from playwright.sync_api import Page, sync_playwright

from app.commands import frontend
from tests.bench import desk
from tests.bench.community import guests
from tests.bench.tables import quantile, show
from tests.plugins.browser import FLAGS, chromium_path

ARRIVALS = int(os.environ.get("BENCH_ARRIVALS", "60"))
GAP = float(os.environ.get("BENCH_GAP", "1.0"))
READY_MS = 30_000
# A title that says "may enter" where none was before is an arrival. Painted: the task after the next frame's callbacks.
WATCH = """() => {
  const clock = () => performance.timeOrigin + performance.now();
  const note = { seen: [], painted: [] };
  window.arrivals = note;
  let shown = false;
  const look = () => {
    const ready = document.querySelector(".verdict.ok h1") !== null
      && document.querySelector(".arrival-acts .btn.admit") !== null;
    if (ready && !shown) {
      note.seen.push(clock());
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => note.painted.push(clock());
        channel.port2.postMessage(0);
      });
      setTimeout(() => document.querySelector(".arrival-acts .btn.admit")?.click(), 150);
    }
    shown = ready;
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
}"""


def watch(page: Page, url: str, start: object) -> dict[str, list[float]]:
    """Open the desk, have the feeder begin, and give back the page's notes in milliseconds since 1970."""
    page.goto(f"{url}/desk/")
    page.locator(".verdict h1").wait_for(timeout=READY_MS)
    page.evaluate(WATCH)
    start()  # type: ignore[operator]
    until = time.monotonic() + ARRIVALS * GAP + 15
    while time.monotonic() < until and len(page.evaluate("window.arrivals.painted")) < ARRIVALS:
        page.wait_for_timeout(500)
    noted: dict[str, list[float]] = page.evaluate("window.arrivals")
    return noted


def main() -> None:
    """Measure and print."""
    if not frontend.is_built():
        raise RuntimeError("the pages are not built: run make build")
    desk.DESKS = 1
    community, names = desk.prepare()
    lane = community.lanes[0].id
    work = [[lane, issued.booking_id] for issued in guests(community, ARRIVALS)]
    (community.folder / "work.json").write_text(json.dumps(work))
    community.database.close()
    with desk.serving(int(ARRIVALS * GAP)) as (url, _), sync_playwright() as playwright:
        answer = httpx.post(f"{url}/api/session", data={"username": names[0], "password": "Bench-1234"})
        browser = playwright.chromium.launch(executable_path=chromium_path(), headless=True, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        context.add_cookies([{"name": "gatehouse", "value": answer.cookies["gatehouse"], "url": url}])
        noted = watch(context.new_page(), url, (community.folder / "start").touch)
        browser.close()
    sent: list[float] = json.loads((community.folder / "sent.json").read_text())[lane]
    if len(noted["seen"]) != len(sent):
        sys.stdout.write(f"seen {len(noted['seen'])} of {len(sent)}: not matched\n")
        raise RuntimeError("the page missed some")
    rows = []
    for name, moments in (("in the page", noted["seen"]), ("painted", noted["painted"])):
        late = [at - begun * 1000 for begun, at in zip(sent, moments, strict=True)]
        rows.append(
            (name, str(len(late)), *(f"{quantile(late, q):.1f}" for q in (0.5, 0.95)), f"{max(late):.1f}")
        )
    show(
        f"Driver event to verdict in Chromium: {ARRIVALS} guests, one each {GAP:g} s, each let in by the page",
        ("verdict", "samples", "p50 ms", "p95 ms", "worst ms"),
        rows,
    )


if __name__ == "__main__":
    main()
