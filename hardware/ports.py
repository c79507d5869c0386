"""What the rest of the system may know about devices: value types, states and the contracts of drivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from hardware.camera_feed import CameraFeed as CameraFeed
from hardware.jobs import JobQueue as JobQueue

if TYPE_CHECKING:
    import threading
    from datetime import datetime


class DeviceStatus(StrEnum):
    """The closed vocabulary of device states; UNKNOWN is never shown as fine."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"
    FAULT = "fault"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"


class EventKind(StrEnum):
    """What a device can tell a lane."""

    CODE = "code"
    CARD = "card"
    CARD_REMOVED = "card_removed"
    DOCUMENT = "document"
    FACE = "face"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One thing that happened at a device; `nonce` lets a receiver ignore repeats, across restarts too.

    The payload may be about a person (a document, a card): `repr` leaves it out, so that no log line can hold it.
    """

    lane_id: str
    device_id: str
    kind: EventKind
    payload: Mapping[str, str] = field(repr=False)
    at: datetime
    seq: int
    boot: str

    @property
    def nonce(self) -> str:
        """Name this event uniquely for ever."""
        return f"{self.device_id}:{self.boot}:{self.seq}"


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """How a device is right now; `detail` is a stable code or empty, never a sentence."""

    device_id: str
    lane_id: str
    status: DeviceStatus
    detail: str
    at: datetime
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """What an operator configured for one device."""

    id: str
    lane_id: str
    driver: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True


class HardwareError(Exception):
    """Root of all hardware errors; `code` is what the interface translates."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DeviceError(HardwareError):
    """The device failed; the supervisor shows `status` and starts the driver again after a pause."""

    def __init__(self, code: str, status: DeviceStatus = DeviceStatus.FAULT) -> None:
        super().__init__(code)
        self.status = status


class DriverUnavailable(HardwareError):
    """The driver cannot work on this machine (library missing); it is not started again by itself."""


EventSink = Callable[[DeviceEvent], None]
HealthSink = Callable[[DeviceHealth], None]


@runtime_checkable
class Emulator(Protocol):
    """A stand-in device that the supervisor owns; it outlives restarts of the driver, as a real device would."""

    def start(self) -> None:
        """Begin to serve; called once, never at import."""

    def stop(self) -> None:
        """End all threads."""


class DriverContext(Protocol):
    """What the supervisor lends a driver for one run."""

    @property
    def config(self) -> DeviceConfig:
        """The device to run."""

    @property
    def stop(self) -> threading.Event:
        """Set when the driver must return."""

    @property
    def feed(self) -> CameraFeed:
        """The picture slot of this device; it survives restarts, so that viewers stay attached."""

    @property
    def emulator(self) -> Emulator | None:
        """The stand-in device, if the configuration asks for one."""

    @property
    def jobs(self) -> JobQueue:
        """What the application asks of this device."""

    def emit(self, kind: EventKind, payload: Mapping[str, str]) -> None:
        """Hand an event to the lane."""

    def report(self, status: DeviceStatus, detail: str = "") -> None:
        """Tell how the device is; repeating the same is free."""

    def beat(self) -> None:
        """Prove that the device is being watched."""

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter that is shown with the device's health."""


class Driver(Protocol):
    """Speaks one device's protocol in a thread of the supervisor."""

    def run(self, context: DriverContext) -> None:
        """Serve until `context.stop`; raise DeviceError to be started again, DriverUnavailable to be left alone."""
