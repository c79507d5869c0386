"""A scanner on a pseudo-terminal: sends what is held before it, whole, in pieces, or as noise."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from pathlib import Path

from hardware.simulators.serial_line import SerialLine

JOIN_SECONDS = 3.0
BABBLE = random.Random(9303).randbytes(4096)


class ScannerEmulator:
    """Scans texts; the real driver reads them through a real serial port. `baud` makes it as slow as a real line."""

    def __init__(self, name: str = "", *, baud: int | None = None) -> None:  # noqa: ARG002 - every emulator is made with its device's name
        self._baud = baud
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._line: SerialLine | None = None
        self._calm = threading.Event()
        self._babbler: threading.Thread | None = None

    @property
    def port(self) -> str:
        """What to open; the same whenever the scanner is plugged in, as a udev rule would have it."""
        if self._folder is None:
            raise RuntimeError("not started")
        return str(self._folder / "scanner")

    @property
    def connected(self) -> bool:
        """Whether the cable is in."""
        return self._line is not None

    def start(self) -> None:
        """Plug the scanner in."""
        self._folder = Path(tempfile.mkdtemp(prefix="scanner-"))
        self.plug()

    def stop(self) -> None:
        """Take the scanner away."""
        self.unplug()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def plug(self) -> None:
        """Plug the cable in."""
        with self._lock:
            if self._line is None:
                self._line = SerialLine(Path(self.port), _deaf, self._baud, name="scanner-line")

    def unplug(self) -> None:
        """Pull the cable, even in the middle of a line."""
        self._calm.set()
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.close()

    def scan(self, text: str, ending: str = "\r", encoding: str = "utf-8") -> None:
        """Hold a code before the scanner."""
        self.send((text + ending).encode(encoding))

    def send(self, data: bytes, packet: int = 64) -> None:
        """Send bytes as they are, in packets of this size."""
        line = self._line
        if line is not None:
            line.send(data, packet)

    def babble(self) -> None:
        """Send noise without end, until `calm` or `unplug`; returns at once."""
        self._calm.clear()
        self._babbler = threading.Thread(target=self._babble, name="scanner-babble", daemon=True)
        self._babbler.start()

    def calm(self) -> None:
        """End the noise; what is sent afterwards comes after it."""
        self._calm.set()
        if self._babbler is not None:
            self._babbler.join(JOIN_SECONDS)

    def _babble(self) -> None:
        line = self._line
        while line is not None and not line.closed and not self._calm.is_set():
            line.send(BABBLE)


def _deaf(_: bytes) -> None:
    """Scanners are not talked to."""
