"""The way to a printer: a TCP port, a USB printer that the system's own driver serves, or a device file.

All three are one file descriptor, written and read with a deadline. Nothing but a device is ever opened for writing: the
address is edited in the browser, and whoever may edit it shall not be able to overwrite files of this computer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import socket
import stat
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.ports import DeviceError, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECT_SECONDS = 1.5
STEP_SECONDS = 0.2
PORT = 9100
USB = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})", re.IGNORECASE)
NETWORK = re.compile(r"(?:tcp://)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?")
SYSFS = Path("/sys/class/usbmisc")
GONE = {
    errno.ENODEV,
    errno.ENXIO,
    errno.EIO,
    errno.EPIPE,
    errno.ECONNRESET,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
}


class LineError(DeviceError):
    """The line is gone or does not take any more; `code` says which."""


class PrinterLine:
    """An open line; `alive` is called while it waits, so that a slow printer is not taken for a hung driver."""

    def __init__(self, fd: int, alive: Callable[[], None], keep: socket.socket | None = None) -> None:
        self._fd = fd
        self._alive = alive
        self._keep = keep
        os.set_blocking(fd, False)

    def send(self, data: bytes, deadline: float) -> None:
        """Write all of it; raises when the line breaks, or is not through by the deadline."""
        view = memoryview(data)
        while view:
            self._wait(deadline, writing=True)
            with _told():
                try:
                    view = view[os.write(self._fd, view) :]
                except BlockingIOError:
                    continue

    def read(self, seconds: float) -> bytes:
        """What the printer says within this time, empty when it is silent; raises when it hung up."""
        try:
            self._wait(time.monotonic() + seconds, writing=False)
        except LineError as error:
            if error.code == "print_slow":
                return b""
            raise
        with _told():
            try:
                data = os.read(self._fd, 64)
            except BlockingIOError:
                return b""
        if not data:
            raise LineError("unreachable", DeviceStatus.OFFLINE)
        return data

    def drain(self) -> None:
        """Throw away what the printer said unasked."""
        while select.select([self._fd], [], [], 0)[0] and self.read(0):
            pass

    def spoil(self) -> None:
        """Have what is still on its way thrown away when the line is closed."""
        if self._keep is not None:
            self._keep.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        """Let the line go."""
        if self._keep is not None:
            self._keep.close()
        else:
            os.close(self._fd)

    def _wait(self, deadline: float, *, writing: bool) -> None:
        while True:
            left = deadline - time.monotonic()
            self._alive()
            ours = [self._fd]
            ready = select.select(
                [] if writing else ours, ours if writing else [], [], max(0.0, min(left, STEP_SECONDS))
            )
            if ready[1 if writing else 0]:
                return
            if left <= 0:
                raise LineError("print_slow")


def open_line(address: str, alive: Callable[[], None], sysfs: Path = SYSFS) -> PrinterLine:
    """Open `host:port`, `usb:vendor:product` or the path of a device; raises DeviceError with a code."""
    address = address.strip()
    if address.startswith("/"):
        return _open_file(Path(address), alive)
    if usb := USB.fullmatch(address):
        return _open_file(_usb_path(usb[1].lower(), usb[2].lower(), sysfs), alive)
    if network := NETWORK.fullmatch(address):
        return _open_network(network[1].strip("[]"), int(network[2] or PORT), alive)
    raise DeviceError("bad_address")


def _open_network(host: str, port: int, alive: Callable[[], None]) -> PrinterLine:
    alive()
    try:
        made = socket.create_connection((host, port), CONNECT_SECONDS)
    except (OSError, OverflowError):
        raise DeviceError("unreachable", DeviceStatus.OFFLINE) from None
    # A printer that never answers questions is missed by the system's own: a pulled cable shows within three seconds.
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        # Little is kept on this side, so that what is sent is about what the printer has.
        (socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
    ):
        with contextlib.suppress(OSError):
            made.setsockopt(level, option, value)
    return PrinterLine(made.fileno(), alive, made)


def _usb_path(vendor: str, product: str, sysfs: Path) -> Path:
    """The device file that the system's printer driver gave a USB printer; the number in it may change, this does not."""
    for entry in sorted(sysfs.glob("lp*")):
        interface = (entry / "device").resolve()
        with contextlib.suppress(OSError):
            found = [
                (interface.parent / name).read_text("ascii").strip() for name in ("idVendor", "idProduct")
            ]
            if found == [vendor, product]:
                return Path("/dev/usb", entry.name)
    raise DeviceError("printer_absent", DeviceStatus.OFFLINE)


def _open_file(path: Path, alive: Callable[[], None]) -> PrinterLine:
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            raise DeviceError("not_a_device")
        return PrinterLine(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY), alive)
    except FileNotFoundError:
        raise DeviceError("printer_absent", DeviceStatus.OFFLINE) from None
    except PermissionError:
        raise DeviceError("port_denied", DeviceStatus.OFFLINE) from None
    except OSError as error:
        code = "port_busy" if error.errno == errno.EBUSY else "printer_absent"
        raise DeviceError(code, DeviceStatus.OFFLINE) from None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        raise LineError(
            "unreachable" if error.errno in GONE else "printer_error", DeviceStatus.OFFLINE
        ) from None
