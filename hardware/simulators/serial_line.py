"""A serial line without a cable: a pseudo-terminal under a lasting name, at the pace of a real line when asked."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# 8N1: a start bit and a stop bit around each byte.
BITS_PER_BYTE = 10
# USB-serial adapters hand over what they received in packets of this size.
PACKET_BYTES = 64
LOOK_SECONDS = 0.02
JOIN_SECONDS = 3.0


class SerialLine:
    """The device's end of the line. `receive` is called in the line's thread with each piece that arrived, and may send.

    While the line is open `path` leads to the other end; closing it is what pulling the cable is to whoever has it open.
    """

    def __init__(
        self, path: Path, receive: Callable[[bytes], None], baud: int | None = None, name: str = "card-line"
    ) -> None:
        self._path = path
        self._receive = receive
        self._seconds_per_byte = BITS_PER_BYTE / baud if baud else 0.0
        self._closing = threading.Event()
        self._sending = threading.Lock()
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        path.symlink_to(os.ttyname(self._theirs))
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the cable is being pulled."""
        return self._closing.is_set()

    def send(self, data: bytes, packet: int = PACKET_BYTES) -> None:
        """Send in packets; returns early when the line is closed. From one thread at a time."""
        for start in range(0, len(data), packet):
            # A line that is being closed must not be written to: its number may belong to another file by then.
            with self._sending:
                self._send_packet(data[start : start + packet])

    def pause(self, seconds: float) -> None:
        """Let time pass, or the line be closed."""
        self._closing.wait(seconds)

    def close(self) -> None:
        """Pull the cable."""
        self._closing.set()
        self._path.unlink(missing_ok=True)
        self._thread.join(JOIN_SECONDS)
        with self._sending:
            os.close(self._ours)
            os.close(self._theirs)

    def _run(self) -> None:
        while not self.closed:
            if select.select([self._ours], [], [], LOOK_SECONDS)[0]:
                data = os.read(self._ours, PACKET_BYTES)
                self.pause(len(data) * self._seconds_per_byte)
                self._receive(data)

    def _send_packet(self, data: bytes) -> None:
        started = time.monotonic()
        # Nobody may read: then the terminal's buffer is full and stays so.
        while data and not self.closed:
            if select.select([], [self._ours], [], LOOK_SECONDS)[1]:
                sent = os.write(self._ours, data)
                self.pause(sent * self._seconds_per_byte - (time.monotonic() - started))
                started, data = time.monotonic(), data[sent:]
