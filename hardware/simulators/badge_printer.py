"""A receipt printer on a TCP port: decodes what a driver sends back into a picture, and fails when told to."""

from __future__ import annotations

import io
import selectors
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

LOOK_SECONDS = 0.05
JOIN_SECONDS = 3.0
CHUNK = 4096
DLE, ESC, GS = 0x10, 0x1B, 0x1D
ASK, FORGET = 0x04, 0x05
REAL_TIME = {bytes((DLE, ASK)), bytes((DLE, FORGET))}


class BadgePrinterEmulator:
    """Prints in memory. Only the last badge is kept: what is printed here names people.

    `bytes_per_second` makes it as slow as a printer on a serial line; `mute` makes it answer no question, as cheap ones do.
    """

    def __init__(
        self,
        name: str = "",  # noqa: ARG002 - every emulator is made with its device's name
        *,
        bytes_per_second: int | None = None,
        mute: bool = False,
    ) -> None:
        self.bytes_per_second = bytes_per_second
        self.mute = mute
        self.hung = False
        self.prints = 0
        self._changed = threading.Condition()
        self._last: Image.Image | None = None
        self._strips: list[tuple[int, bytes]] = []
        self._buffer = bytearray()
        self._paper = True
        self._low = False
        self._lines_left: int | None = None
        self._port = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._line: socket.socket | None = None

    @property
    def address(self) -> str:
        """What to open; the same whenever the printer is plugged in."""
        return f"127.0.0.1:{self._port}"

    @property
    def connected(self) -> bool:
        """Whether its cable is in."""
        return self._thread is not None

    @property
    def has_paper(self) -> bool:
        """Whether there is paper in it."""
        return self._paper

    def start(self) -> None:
        """Switch it on."""
        self.plug()

    def stop(self) -> None:
        """Switch it off."""
        self.unplug()

    def plug(self) -> None:
        """Put the cable in."""
        if self._thread is None:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            self._listener.setblocking(False)
            # Printers take in little at a time; what a large buffer swallowed would come out long after.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
            self._port = self._listener.getsockname()[1]
            self._ending.clear()
            self._thread = threading.Thread(target=self._serve, name="badge-printer", daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """Pull the cable, even in the midst of a badge."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            thread.join(JOIN_SECONDS)

    def take_paper(self, after_lines: int | None = None) -> None:
        """Take the paper out now, or have it end after so many more lines of dots."""
        with self._changed:
            self._lines_left = after_lines
            self._paper = after_lines is not None

    def load_paper(self) -> None:
        """Put a new roll in; what was not printed before comes out now, as from a real printer."""
        with self._changed:
            self._paper, self._lines_left = True, None
            self._work()

    def picture(self) -> bytes | None:
        """The last badge as a PNG."""
        with self._changed:
            if self._last is None:
                return None
            made = io.BytesIO()
            self._last.save(made, "PNG")
            return made.getvalue()

    def wait(self, prints: int, seconds: float = 10.0) -> bool:
        """Wait until so many badges are out."""
        with self._changed:
            return self._changed.wait_for(lambda: self.prints >= prints, seconds)

    def _serve(self) -> None:
        listener = self._listener
        assert listener is not None
        with selectors.DefaultSelector() as selector, listener:
            selector.register(listener, selectors.EVENT_READ)
            while not self._ending.is_set():
                for key, _ in selector.select(LOOK_SECONDS):
                    if key.fileobj is listener:
                        self._accept(selector, listener)
                    elif not self.hung:
                        self._read(selector)
                if self.hung:
                    self._ending.wait(LOOK_SECONDS)
            self._hang_up(selector)

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        made, _ = listener.accept()
        self._hang_up(selector)  # it serves one at a time
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line = made
        selector.register(made, selectors.EVENT_READ)

    def _hang_up(self, selector: selectors.BaseSelector) -> None:
        line, self._line = self._line, None
        if line is not None:
            selector.unregister(line)
            line.close()

    def _read(self, selector: selectors.BaseSelector) -> None:
        line = self._line
        if line is None:
            return
        try:
            data = line.recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            self._hang_up(selector)
            return
        if self.bytes_per_second:
            self._ending.wait(len(data) / self.bytes_per_second)
        with self._changed:
            # In the midst of something, or without paper, it still hears questions and the order to forget.
            if self._buffer and data[:2] in REAL_TIME:
                self._at_once(data)
            else:
                self._buffer += data
                self._work()

    def _at_once(self, data: bytes) -> None:
        while data[:2] in REAL_TIME and len(data) > 2:
            if data[1] == FORGET:
                self._buffer.clear()
            self._real_time(data[1], data[2])
            data = data[3:]
        self._buffer += data

    def _work(self) -> None:
        while self._buffer and (self._paper or self._buffer[0] == DLE):
            taken = self._step(self._buffer)
            if not taken:
                return
            del self._buffer[:taken]

    def _step(self, data: bytearray) -> int:
        """Do the first command; returns its length, 0 when it is not all there."""
        first = data[0]
        if first == DLE:
            return self._three(data)
        if first == ESC and len(data) > 1:
            return self._escape(data)
        if first == GS and len(data) > 1:
            return self._group(data)
        return 0 if first in {ESC, GS} else 1

    def _three(self, data: bytearray) -> int:
        if len(data) < 3:
            return 0
        self._real_time(data[1], data[2])
        return 3

    def _escape(self, data: bytearray) -> int:
        if data[1] == ord("@"):
            self._strips.clear()
            return 2
        return 3 if len(data) > 2 else 0

    def _group(self, data: bytearray) -> int:
        if data[1] == ord("v"):
            return self._raster(data)
        if len(data) < 3:
            return 0
        if data[1] == ord("V"):
            self._cut()
        elif data[1] == ord("r"):
            self._answer(0x00)
        return 3

    def _raster(self, data: bytearray) -> int:
        if len(data) < 8:
            return 0
        width, height = data[4] + 256 * data[5], data[6] + 256 * data[7]
        whole = 8 + width * height
        if len(data) < whole:
            return 0
        if self._lines_left is not None:
            if height > self._lines_left:
                self._paper = False
                return 0
            self._lines_left -= height
        self._strips.append((width, bytes(data[8:whole])))
        return whole

    def _cut(self) -> None:
        from PIL import Image

        if not self._strips:
            return
        width = self._strips[0][0]
        body = b"".join(rows for _, rows in self._strips)
        turned = bytes(255 - byte for byte in body)
        self._last = Image.frombytes("1", (width * 8, len(body) // width), turned)
        self._strips.clear()
        self.prints += 1
        self._changed.notify_all()

    def _real_time(self, kind: int, which: int) -> None:
        if kind == FORGET:
            self._strips.clear()
        elif kind == ASK:
            missing = not self._paper
            self._answer({2: 0x32 if missing else 0x12, 4: 0x72 if missing else 0x12}.get(which, 0x12))

    def _answer(self, byte: int) -> None:
        line = self._line
        if line is not None and not self.mute:
            try:
                line.sendall(bytes((byte,)))
            except OSError:
                return
