"""Drivers whose only work is to fail, fall silent or speak when a test wants it."""

from __future__ import annotations

import time

from hardware.ports import (
    DeviceConfig,
    DeviceError,
    DeviceStatus,
    DriverContext,
    DriverUnavailable,
    EventKind,
)

POLL_SECONDS = 0.05


class Failing:
    """Fails `failures` times, says something each time, and runs after that."""

    def __init__(self, config: DeviceConfig) -> None:
        self._failures = int(config.settings.get("failures", 0))
        self.runs: list[float] = []

    def run(self, context: DriverContext) -> None:
        self.runs.append(time.monotonic())
        context.emit(EventKind.CODE, {"text": str(len(self.runs))})
        if len(self.runs) <= self._failures:
            raise DeviceError("cable_loose", DeviceStatus.OFFLINE)
        context.report(DeviceStatus.ONLINE)
        while not context.stop.wait(POLL_SECONDS):
            context.beat()


class Broken:
    """Has a mistake in it."""

    def __init__(self, config: DeviceConfig) -> None:
        pass

    def run(self, context: DriverContext) -> None:
        raise ZeroDivisionError


class Missing:
    """Needs a library that nobody has."""

    def __init__(self, config: DeviceConfig) -> None:
        pass

    def run(self, context: DriverContext) -> None:
        raise DriverUnavailable("library_missing")


class Silent:
    """Beats, hangs for a while, and beats again."""

    def __init__(self, config: DeviceConfig) -> None:
        self._seconds = float(config.settings["seconds"])

    def run(self, context: DriverContext) -> None:
        context.report(DeviceStatus.ONLINE)
        context.beat()
        context.stop.wait(self._seconds)
        while not context.stop.wait(POLL_SECONDS):
            context.beat()
