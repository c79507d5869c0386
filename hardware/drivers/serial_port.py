"""Opening a serial port: what can go wrong, in codes."""

from __future__ import annotations

import errno
from typing import Any, Protocol

from hardware.ports import DeviceError, DeviceStatus, DriverUnavailable

WRITE_SECONDS = 1.0
PORT_FAULTS = {errno.EACCES: "port_denied", errno.EPERM: "port_denied", errno.EAGAIN: "port_busy"}


class PortSource(Protocol):
    """A stand-in device: the name of the port it listens on."""

    @property
    def port(self) -> str:
        """What to open."""


def open_port(name: str, baud: int, chunk_seconds: float) -> Any:
    """The open port, 8N1, for nobody else; reading waits for ``chunk_seconds`` at most."""
    try:
        from serial import Serial
    except ImportError:
        raise DriverUnavailable("pyserial_missing") from None
    try:
        return Serial(name, baud, timeout=chunk_seconds, write_timeout=WRITE_SECONDS, exclusive=True)
    except (OSError, ValueError) as error:
        # A speed that the port has not is a ValueError; to whoever waits for the reader it is just not there.
        fault = PORT_FAULTS.get(getattr(error, "errno", None) or 0, "reader_absent")
        raise DeviceError(fault, DeviceStatus.OFFLINE) from None
