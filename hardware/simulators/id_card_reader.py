"""A resident ID card reader on a pseudo-terminal that speaks the SDT protocol byte by byte, and fails when told to."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.drivers.sdt_frame import PREAMBLE, FrameError, FrameParser, encode
from hardware.drivers.sdt_module import FIND_CARD, READ_ADDRESS, READ_CARD, SAM_STATUS, SELECT_CARD, Status
from hardware.simulators.serial_line import SerialLine

if TYPE_CHECKING:
    from hardware.simulators.id_cards import IdCard

LATE_SECONDS = 0.9
HALF = 20
BABBLE = random.Random(467).randbytes(4096)


class Fault(Enum):
    """What the emulated reader can do wrong with an answer."""

    CHECKSUM = auto()
    """One bit of the checksum is wrong."""
    LENGTH = auto()
    """The length says more than any frame has."""
    NOISE = auto()
    """Before the answer comes noise with the beginning of a preamble in it."""
    FALSE_PREAMBLE = auto()
    """Before the answer comes a whole preamble that no frame follows."""
    HALF_FRAME = auto()
    """The end of the answer is missing."""
    DRIP = auto()
    """The answer comes byte by byte."""
    LATE = auto()
    """The answer comes when nobody waits for it any more."""
    SILENT = auto()
    """No answer."""
    BABBLE = auto()
    """Noise without end, until `calm` or `unplug`."""


class IdCardReaderEmulator:
    """Lays cards on an emulated reader; the real driver reads them through a real serial port.

    `baud` makes it as slow as a real line. A reader that `finds_again` finds a card as long as it lies there, the other
    kind only once; both are on the market.
    """

    def __init__(
        self,
        name: str = "",  # noqa: ARG002 - every emulator is made with its device's name
        *,
        baud: int | None = None,
        finds_again: bool = False,
    ) -> None:
        self.finds_again = finds_again
        self.module_status = Status.OK
        self._baud = baud
        self._lock = threading.RLock()
        self._folder: Path | None = None
        self._line: SerialLine | None = None
        self._parser = FrameParser()
        self._cards: tuple[IdCard, ...] = ()
        self._selected = False
        self._done = False
        self._pull_on: bytes | None = None
        self._faults: dict[bytes, list[Fault]] = {}
        self._refusals: dict[bytes, list[Status]] = {}
        self._calm = threading.Event()
        self.answered = 0

    @property
    def port(self) -> str:
        """What to open; the same whenever the reader is plugged in, as a udev rule would have it."""
        if self._folder is None:
            raise RuntimeError("not started")
        return str(self._folder / "reader")

    def start(self) -> None:
        """Plug the reader in."""
        self._folder = Path(tempfile.mkdtemp(prefix="id-card-reader-"))
        self.plug()

    def stop(self) -> None:
        """Take card and reader away."""
        self.lift()
        self.unplug()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def plug(self) -> None:
        """Plug the cable in."""
        # The lock keeps the line's thread from answering before the line is known here.
        with self._lock:
            if self._line is None:
                self._parser = FrameParser()
                self._line = SerialLine(Path(self.port), self._receive, self._baud)

    def unplug(self) -> None:
        """Pull the cable, even in the middle of an answer."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def lay(self, *cards: IdCard) -> None:
        """Lay cards on the reader in place of what lies there; with two at once none can be selected."""
        with self._lock:
            self._cards, self._selected, self._done = cards, False, False

    def lift(self) -> None:
        """Take the cards away."""
        self.lay()

    def pull_on(self, command: bytes) -> None:
        """Have the card taken away at the moment this command arrives."""
        with self._lock:
            self._pull_on = command

    def tear(self, card: IdCard) -> None:
        """Lay a card and pull it away in the moment it is to be read."""
        self.pull_on(READ_CARD)
        self.lay(card)

    def inject(self, fault: Fault, on: bytes, times: int = 1) -> None:
        """Answer the next such commands wrongly."""
        with self._lock:
            self._calm.clear()
            self._faults[on] = [fault] * times

    def refuse(self, command: bytes, status: Status, times: int = 1) -> None:
        """Answer the next such commands with this status."""
        with self._lock:
            self._refusals[command] = [status] * times

    def calm(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()
            self._refusals.clear()
            self._calm.set()

    def _receive(self, data: bytes) -> None:
        self._parser.feed(data)
        while True:
            try:
                command = self._parser.take()
            except FrameError as error:
                self._send(_status(Status.BAD_LENGTH if error.code == "length" else Status.BAD_CHECKSUM), b"")
                continue
            if command is None:
                return
            with self._lock:
                answer = self._answer(command)
            self._send(answer, command)
            self.answered += 1

    def _answer(self, command: bytes) -> bytes:
        if command == self._pull_on:
            self._pull_on = None
            self.lift()
        if refusals := self._refusals.get(command):
            return _status(refusals.pop())
        if command == SAM_STATUS:
            return _status(self.module_status)
        if self.module_status is not Status.OK:
            return _status(self.module_status)
        answers = {
            FIND_CARD: self._find,
            SELECT_CARD: self._select,
            READ_CARD: self._read,
            READ_ADDRESS: self._address,
        }
        handler = answers.get(command)
        return handler() if handler else _status(Status.BAD_COMMAND)

    def _find(self) -> bytes:
        self._selected = False
        if not self._cards or self._done:
            return _status(Status.NO_CARD)
        return _status(Status.FOUND) + bytes(4)

    def _select(self) -> bytes:
        if len(self._cards) != 1 or self._done:
            return _status(Status.SELECT_FAILED)
        self._selected = True
        return _status(Status.OK) + bytes(8)

    def _read(self) -> bytes:
        if not self._selected or len(self._cards) != 1:
            return _status(Status.READ_FAILED)
        self._selected, self._done = False, not self.finds_again
        card = self._cards[0]
        sizes = len(card.text).to_bytes(2) + len(card.photo).to_bytes(2)
        return _status(Status.OK) + sizes + card.text + card.photo

    def _address(self) -> bytes:
        address = self._cards[0].newest_address if len(self._cards) == 1 else b""
        return _status(Status.OK) + address if address else _status(Status.NO_ADDRESS)

    def _send(self, body: bytes, command: bytes) -> None:
        with self._lock:
            line = self._line
            waiting = self._faults.get(command)
            fault = waiting.pop() if waiting else None
        if line is None:
            return
        frame = encode(body)
        if fault is Fault.BABBLE:
            while not line.closed and not self._calm.is_set():
                line.send(BABBLE)
        elif fault is Fault.LATE:
            line.pause(LATE_SECONDS)
            line.send(frame)
        elif fault is not Fault.SILENT:
            line.send(_spoilt(frame, fault), packet=1 if fault is Fault.DRIP else 64)


def _spoilt(frame: bytes, fault: Fault | None) -> bytes:
    """The bytes that go over the line instead of a good frame."""
    if fault is Fault.CHECKSUM:
        return frame[:-1] + bytes((frame[-1] ^ 1,))
    if fault is Fault.LENGTH:
        return PREAMBLE + b"\xff\xff" + frame[len(PREAMBLE) + 2 :]
    if fault is Fault.NOISE:
        return b"\x00\xaa\x13" + PREAMBLE[:4] + frame
    if fault is Fault.FALSE_PREAMBLE:
        return PREAMBLE + b"\x00\x05" + frame
    if fault is Fault.HALF_FRAME:
        return frame[: -min(HALF, len(frame) // 2)]
    return frame


def _status(status: Status) -> bytes:
    return bytes((0, 0, status))
