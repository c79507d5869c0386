"""Keeps the configured devices running and tells the application what happens at them."""

from __future__ import annotations

import logging
import queue
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from hardware.camera_feed import CameraFeed
from hardware.delivery import GuardedSink
from hardware.device import ManagedDevice
from hardware.jobs import refused
from hardware.ports import DeviceHealth, DeviceStatus
from hardware.registry import DRIVERS, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future
    from typing import Any

    from hardware.jobs import JobAnswer
    from hardware.ports import DeviceConfig, Emulator, EventSink, HealthSink
    from hardware.simulators.badge_printer import BadgePrinterEmulator
    from hardware.simulators.camera import CameraEmulator
    from hardware.simulators.id_card_reader import IdCardReaderEmulator
    from hardware.simulators.reader import ReaderEmulator
    from hardware.simulators.scanner import ScannerEmulator

    AnyEmulator = (
        BadgePrinterEmulator | CameraEmulator | IdCardReaderEmulator | ReaderEmulator | ScannerEmulator
    )

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
REFRESH_SECONDS = 30.0
JOIN_SECONDS = 5.0


class HardwareService:
    """All devices of this process; sinks are called from device threads and must return quickly."""

    def __init__(self, on_event: EventSink, on_health: HealthSink) -> None:
        self._on_event = GuardedSink("events", on_event)
        self._on_health = GuardedSink("health", on_health)
        self._lock = threading.RLock()
        self._configs: dict[str, DeviceConfig] = {}
        self._devices: dict[str, ManagedDevice] = {}
        self._idle: dict[str, DeviceHealth] = {}
        self._emulators: dict[str, Emulator] = {}
        self._feeds: dict[str, CameraFeed] = {}
        self._changes: queue.SimpleQueue[DeviceHealth | None] = queue.SimpleQueue()
        self._watchdog: threading.Thread | None = None

    def start(self) -> None:
        """Start the watchdog and all configured devices; never called at import, the process may fork."""
        with self._lock:
            if self._watchdog is not None:
                return
            self._changes = queue.SimpleQueue()
            self._watchdog = threading.Thread(target=self._watch, name="hardware-watchdog", daemon=True)
            self._watchdog.start()
            self._launch(self._configs.values())

    def stop(self) -> None:
        """Stop every device, stand-in and thread; the service can be started again."""
        with self._lock:
            watchdog, self._watchdog = self._watchdog, None
            if watchdog is None:
                return
            self._halt(list(self._devices))
            self._idle = {
                key: _still(config, DeviceStatus.UNKNOWN, "stopped") for key, config in self._configs.items()
            }
            self._feeds.clear()
            self._changes.put(None)
        watchdog.join(JOIN_SECONDS)

    def apply(self, configs: Sequence[DeviceConfig]) -> None:
        """Make the running devices match; only what changed is stopped and started. Blocks while devices stop."""
        with self._lock:
            wanted = {config.id: config for config in configs}
            old, self._configs = self._configs, wanted
            if self._watchdog is None:
                return
            changed = [key for key, config in wanted.items() if old.get(key) != config]
            gone = [key for key in old if key not in wanted]
            self._halt([*gone, *changed])
            for key in gone:
                self._idle.pop(key, None)
                self._feeds.pop(key, None)
            self._launch(wanted[key] for key in changed)

    def health(self) -> dict[str, DeviceHealth]:
        """How every configured device is now."""
        # Copies instead of the lock here and below: `apply` holds it for seconds while devices stop, and sinks that
        # run in those devices' threads may ask for health or a picture.
        running = {key: device.health for key, device in self._devices.copy().items()}
        return {**self._idle.copy(), **running}

    def camera(self, device_id: str) -> CameraFeed | None:
        """The picture slot of a camera; it stays the same while the device is configured."""
        return self._feeds.get(device_id)

    def ask(self, device_id: str, body: Any, seconds: float) -> Future[JobAnswer]:
        """Hand work to a device and return at once; the answer comes within `seconds`, or the work is not done.

        Nothing is kept for later: a device that does not work now refuses, and what waited too long is dropped. A
        driver that never looks leaves the answer open: whoever waits gives up after `seconds` and cancels.
        """
        device = self._devices.get(device_id)
        if device is None:
            resting = self._idle.get(device_id)
            return refused((resting.detail or str(resting.status)) if resting else "device_unknown")
        return device.ask(body, seconds)

    def of_lane(self, lane_id: str, driver: str) -> str:
        """The first switched-on device of a kind at a lane, by the order it was configured in; empty for none."""
        wanted = (lane_id, driver, True)
        found = (c.id for c in self._configs.copy().values() if (c.lane_id, c.driver, c.enabled) == wanted)
        return next(found, "")

    def emulator(self, device_id: str) -> AnyEmulator | None:
        """The stand-in of an emulated device, to press its buttons."""
        found = self._emulators.get(device_id)
        return cast("AnyEmulator | None", found)

    def _launch(self, configs: Iterable[DeviceConfig]) -> None:
        for config in configs:
            errors = validate(config)
            if not config.enabled:
                self._rest(config, DeviceStatus.DISABLED, "")
            elif errors:
                logger.warning("Device %s is configured wrongly (%s)", config.id, ", ".join(errors))
                self._rest(config, DeviceStatus.FAULT, errors[0].partition(":")[0])
            else:
                self._launch_one(config)

    def _launch_one(self, config: DeviceConfig) -> None:
        driver_type = DRIVERS[config.driver]
        feed = self._feeds.get(config.id) or CameraFeed()
        if driver_type.kind == "camera":
            self._feeds[config.id] = feed
        try:
            emulator = driver_type.make_emulator(config)
            if emulator is not None:
                emulator.start()
                self._emulators[config.id] = emulator
        except ImportError:
            self._rest(config, DeviceStatus.UNAVAILABLE, "emulator_missing")
            return
        except OSError:
            logger.exception("Emulator of device %s cannot start", config.id)
            self._rest(config, DeviceStatus.FAULT, "emulator_failed")
            return
        device = ManagedDevice(config, driver_type, feed, emulator, self._on_event, self._changes.put)
        self._devices[config.id] = device
        self._idle.pop(config.id, None)
        device.start()

    def _rest(self, config: DeviceConfig, status: DeviceStatus, detail: str) -> None:
        health = _still(config, status, detail)
        self._idle[config.id] = health
        self._changes.put(health)

    def _halt(self, keys: Iterable[str]) -> None:
        devices = [self._devices.pop(key) for key in keys if key in self._devices]
        # All are told before any is waited for: ten cameras stop as fast as one.
        for device in devices:
            self._idle[device.config.id] = _still(device.config, DeviceStatus.UNKNOWN, "stopped")
            device.stop_requested.set()
        for device in devices:
            device.join()
            emulator = self._emulators.pop(device.config.id, None)
            if emulator is not None:
                emulator.stop()

    def _watch(self) -> None:
        """Deliver health in order from one thread, and look for devices that fell silent."""
        looked = refreshed = time.monotonic()
        while True:
            try:
                change = self._changes.get(timeout=WATCH_SECONDS)
            except queue.Empty:
                pass
            else:
                if change is None:
                    return
                self._on_health(change)
            now = time.monotonic()
            if now - looked >= WATCH_SECONDS:
                looked = now
                for device in self._devices.copy().values():
                    device.check_heartbeat()
            if now - refreshed >= REFRESH_SECONDS:
                refreshed = now
                for health in self.health().values():
                    self._on_health(health)


def _still(config: DeviceConfig, status: DeviceStatus, detail: str) -> DeviceHealth:
    return DeviceHealth(
        device_id=config.id,
        lane_id=config.lane_id,
        status=status,
        detail=detail,
        at=datetime.now(UTC),
        counters={},
    )
