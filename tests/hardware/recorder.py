"""Collects what a hardware service says and lets a test wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware.ports import DeviceEvent, DeviceHealth, DeviceStatus, EventKind


class Recorder:
    """Both sinks of a service; waiting ends with the condition, not with a guess of time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.events: list[DeviceEvent] = []
        self.states: list[DeviceHealth] = []

    def on_event(self, event: DeviceEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def on_health(self, health: DeviceHealth) -> None:
        with self._changed:
            self.states.append(health)
            self._changed.notify_all()

    def wait(self, condition: Callable[[], object], timeout: float = 8.0) -> float:
        """Wait until the condition holds; returns how long it took."""
        started = time.monotonic()
        with self._changed:
            assert self._changed.wait_for(condition, timeout), (self.of(), self.said())
        return time.monotonic() - started

    def of(self, kind: EventKind | None = None) -> list[dict[str, str]]:
        return [dict(event.payload) for event in self.events if kind in (None, event.kind)]

    def said(self, device_id: str = "dev") -> list[tuple[str, str]]:
        return [(str(h.status), h.detail) for h in self.states if h.device_id == device_id]

    def wait_status(
        self, status: DeviceStatus, detail: str = "", timeout: float = 8.0, device_id: str = "dev"
    ) -> float:
        """Wait until the last said state of the device is this one."""
        return self.wait(lambda: self.said(device_id)[-1:] == [(str(status), detail)], timeout)

    def wait_event(self, kind: EventKind, count: int = 1, timeout: float = 8.0) -> list[dict[str, str]]:
        self.wait(lambda: len(self.of(kind)) >= count, timeout)
        return self.of(kind)

    def quiet(self, seconds: float, condition: Callable[[], object]) -> None:
        """Assert that the condition does not come true in this time."""
        with self._changed:
            assert not self._changed.wait_for(condition, seconds), (self.of(), self.said())


def eventually(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Wait for a state that nobody announces."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        pause.wait(0.01)
