"""One configured device: its driver's thread, its restarts and what is known of its health."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hardware.jobs import JobQueue, refused
from hardware.ports import DeviceError, DeviceEvent, DeviceHealth, DeviceStatus, DriverUnavailable, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from typing import Any

    from hardware.camera_feed import CameraFeed
    from hardware.jobs import JobAnswer
    from hardware.ports import DeviceConfig, Driver, Emulator
    from hardware.registry import DriverType

logger = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.25
STABLE_SECONDS = 10.0
JOIN_SECONDS = 5.0
BOOT_BYTES = 4


class ManagedDevice:
    """Runs a driver again and again until stopped, and keeps its state."""

    def __init__(
        self,
        config: DeviceConfig,
        driver_type: DriverType,
        feed: CameraFeed,
        emulator: Emulator | None,
        on_event: Callable[[DeviceEvent], None],
        on_change: Callable[[DeviceHealth], None],
    ) -> None:
        self.config = config
        self.driver_type = driver_type
        self.feed = feed
        self.emulator = emulator
        self.boot = ""
        self._on_event = on_event
        self._on_change = on_change
        self._lock = threading.Lock()
        self._status = DeviceStatus.UNKNOWN
        self._detail = ""
        self._silent = False
        self._last_beat = time.monotonic()
        self._beating = False
        self._sequence = 0
        self._counters: dict[str, int] = {"events": 0, "restarts": 0}
        self.stop_requested = threading.Event()
        self.jobs = JobQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to run the driver."""
        self._thread = threading.Thread(target=self._run, name=f"device-{self.config.id}", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the driver after `stop_requested` was set; a driver stuck in a library is left behind."""
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)
            if self._thread.is_alive():
                logger.warning("Device %s did not stop in time", self.config.id)

    @property
    def health(self) -> DeviceHealth:
        """How the device is now."""
        with self._lock:
            return self._health()

    def emit(self, kind: EventKind, payload: Mapping[str, str]) -> None:
        """Number an event and hand it on."""
        with self._lock:
            self._sequence += 1
            self._counters["events"] += 1
            event = DeviceEvent(
                lane_id=self.config.lane_id,
                device_id=self.config.id,
                kind=kind,
                payload=dict(payload),
                at=datetime.now(UTC),
                seq=self._sequence,
                boot=self.boot,
            )
        self._on_event(event)

    def report(self, status: DeviceStatus, detail: str = "") -> None:
        """Take over what the driver says; only a change is told."""
        with self._lock:
            if (status, detail) == (self._status, self._detail):
                return
            self._status, self._detail = status, detail
            if not self._silent:
                self._on_change(self._health())

    def beat(self) -> None:
        """Note that the driver is alive; one that was given up as silent is back."""
        with self._lock:
            self._last_beat = time.monotonic()
            if self._silent:
                self._silent = False
                self._on_change(self._health())

    def ask(self, body: Any, seconds: float) -> Future[JobAnswer]:
        """Hand work to the driver; a device that does not work now refuses it at once, with the code of its state."""
        health = self.health
        if health.status is not DeviceStatus.ONLINE:
            return refused(health.detail or str(health.status))
        return self.jobs.put(body, seconds)

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + amount

    def check_heartbeat(self) -> None:
        """Turn a driver that runs but no longer beats into OFFLINE; called by the watchdog."""
        with self._lock:
            late = time.monotonic() - self._last_beat > self.driver_type.heartbeat_seconds
            if self._beating and late and not self._silent:
                self._silent = True
                self._on_change(self._health())

    def _health(self) -> DeviceHealth:
        status, detail = (
            (DeviceStatus.OFFLINE, "no_heartbeat") if self._silent else (self._status, self._detail)
        )
        counters = {**self._counters, **(self.feed.counters if self.driver_type.kind == "camera" else {})}
        return DeviceHealth(
            device_id=self.config.id,
            lane_id=self.config.lane_id,
            status=status,
            detail=detail,
            at=datetime.now(UTC),
            counters=counters,
        )

    def _run(self) -> None:
        self.report(DeviceStatus.STARTING)
        driver = self._make_driver()
        if driver is None:
            return
        backoff = FIRST_BACKOFF_SECONDS
        while not self.stop_requested.is_set():
            started = time.monotonic()
            if not self._run_once(driver):
                return
            if time.monotonic() - started > STABLE_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            self.count("restarts")
            if self.stop_requested.wait(backoff):
                return
            backoff = min(backoff * 2, self.driver_type.max_backoff_seconds)

    def _make_driver(self) -> Driver | None:
        try:
            return self.driver_type.make_driver(self.config)
        except ImportError:
            self.report(DeviceStatus.UNAVAILABLE, "driver_missing")
        except Exception:
            logger.exception("Driver %s of device %s cannot be made", self.config.driver, self.config.id)
            self.report(DeviceStatus.FAULT, "driver_failed")
        return None

    def _run_once(self, driver: Driver) -> bool:
        """Run the driver once; False means that it shall not run again."""
        with self._lock:
            self.boot = secrets.token_hex(BOOT_BYTES)
            self._sequence = 0
            self._last_beat = time.monotonic()
            self._beating = True
        try:
            driver.run(_Lease(self))
        except DriverUnavailable as error:
            logger.warning("Device %s is unavailable (%s)", self.config.id, error.code)
            self.report(DeviceStatus.UNAVAILABLE, error.code)
            return False
        except DeviceError as error:
            self.report(error.status, error.code)
        except Exception:
            logger.exception("Driver of device %s failed", self.config.id)
            self.report(DeviceStatus.FAULT, "driver_failed")
        finally:
            with self._lock:
                self._beating = False
                self._silent = False
            self.jobs.refuse("stopped")
        return True


class _Lease:
    """The DriverContext of one run: nothing a driver could use to touch other devices."""

    def __init__(self, device: ManagedDevice) -> None:
        self.config = device.config
        self.stop = device.stop_requested
        self.feed = device.feed
        self.emulator = device.emulator
        self.jobs = device.jobs
        self.emit = device.emit
        self.report = device.report
        self.beat = device.beat
        self.count = device.count
