"""Scanner on a serial port: tells the codes, card numbers and machine-readable zones that it reads.

Whatever it reads names somebody at best: codes are checked where passes are known, zones where documents are. Nothing that
was read is logged or counted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from hardware.drivers.scanner_lines import Item, Kind, LineReader, ZoneKeeper
from hardware.drivers.serial_port import open_port
from hardware.ports import DeviceError, DeviceStatus, EventKind

if TYPE_CHECKING:
    from hardware.drivers.serial_port import PortSource
    from hardware.ports import DeviceConfig, DriverContext

DEFAULT_PORT = "/dev/ttyACM0"
DEFAULT_BAUD = 9_600
DEFAULT_GAP_MS = 100
CHUNK_BYTES = 256
CHUNK_SECONDS = 0.02
# A scanner held before one code sends it again and again: it is news after this pause.
SAME_CODE_SECONDS = 1.0
# So many lines of noise in a row mean a wrong speed, and one of them is enough to tell the guard.
NOISY_LINES = 5
COMPLAIN_SECONDS = 2.0
REASONS = {
    Kind.NOISE: ("code_damaged", EventKind.CODE),
    Kind.TOO_LONG: ("code_too_long", EventKind.CODE),
    Kind.HALF: ("code_half", EventKind.CODE),
    Kind.HALF_ZONE: ("zone_half", EventKind.DOCUMENT),
}


class Scanner:
    """Reads lines until told to stop; a scanner that was unplugged is opened anew by the supervisor."""

    def __init__(self, config: DeviceConfig) -> None:
        settings = config.settings
        self._emulated = bool(settings.get("emulated", False))
        self._port = str(settings.get("port") or DEFAULT_PORT)
        self._baud = int(settings.get("baud") or DEFAULT_BAUD)
        self._lines = LineReader(
            str(settings.get("ending") or "any"),
            int(settings.get("gap_ms") or DEFAULT_GAP_MS) / 1000,
            str(settings.get("encoding") or "utf-8"),
            str(settings.get("prefix") or ""),
            str(settings.get("suffix") or ""),
        )
        self._zones = ZoneKeeper()
        self._last: tuple[Item, float] | None = None
        self._complained_at = float("-inf")
        self._noisy = 0

    def run(self, context: DriverContext) -> None:
        """Report what is scanned until told to stop."""
        name = cast("PortSource", context.emulator).port if self._emulated else self._port
        port = open_port(name, self._baud, CHUNK_SECONDS)
        try:
            # What came before we listened may be the end of a line, what we kept the beginning of another.
            port.reset_input_buffer()
            self._lines.reset()
            self._zones.reset()
            context.report(DeviceStatus.ONLINE)
            self._serve(context, port)
        except OSError:
            raise DeviceError("reader_absent", DeviceStatus.OFFLINE) from None
        finally:
            port.close()

    def _serve(self, context: DriverContext, port: Any) -> None:
        while not context.stop.is_set():
            context.beat()
            data = port.read(min(max(1, port.in_waiting), CHUNK_BYTES))
            now = time.monotonic()
            for line in (*self._lines.feed(data, now), *self._lines.look(now)):
                for item in self._zones.take(line, now):
                    self._tell(context, item, now)
            for item in self._zones.look(now):
                self._tell(context, item, now)

    def _tell(self, context: DriverContext, item: Item, now: float) -> None:
        if item.kind in REASONS:
            self._complain(context, item.kind, now)
            return
        self._noisy = 0
        context.report(DeviceStatus.ONLINE)
        again = self._last is not None and self._last[0] == item and now - self._last[1] < SAME_CODE_SECONDS
        self._last = item, now
        if again:
            context.count("repeats")
        elif item.kind is Kind.ZONE:
            context.emit(EventKind.DOCUMENT, {"kind": "zone", "zone": item.text})
        else:
            context.emit(EventKind.CODE, {"text": item.text})

    def _complain(self, context: DriverContext, kind: Kind, now: float) -> None:
        """Tell of what could not be read, once however long it goes on."""
        context.count("unreadable")
        self._noisy += kind in {Kind.NOISE, Kind.TOO_LONG}
        if self._noisy == NOISY_LINES:
            context.report(DeviceStatus.FAULT, "garbled")
        reason, source = REASONS[kind]
        if self._noisy < NOISY_LINES and now - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = now
            context.emit(EventKind.UNREADABLE, {"reason": reason, "source": str(source)})
