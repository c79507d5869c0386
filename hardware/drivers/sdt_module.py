"""The security module (SAM) inside a resident ID card reader: its commands, its answers, and the line they travel on.

The line has no sequence numbers: a late answer could be taken for the next command's. So the line is emptied before each
command, every answer must have the shape its command promises, and one bad frame spoils the whole exchange.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from hardware.drivers.sdt_frame import FrameError, FrameParser, encode

if TYPE_CHECKING:
    import threading

SAM_STATUS = bytes.fromhex("11FF")
FIND_CARD = bytes.fromhex("2001")
SELECT_CARD = bytes.fromhex("2002")
READ_CARD = bytes.fromhex("3001")
READ_ADDRESS = bytes.fromhex("3003")

STATUS_BYTES = 3
TEXT_BYTES = 256
ADDRESS_BYTES = 70
PHOTO_BYTES = 1024
SHORT_ANSWER_BYTES = 16

ANSWER_SECONDS = 0.6
# A card needs about a second for its cryptography, and 1295 bytes take 0.12 s on the line.
READ_SECONDS = 2.0
# A UART sends without pause; this is far more than a USB adapter's latency.
GAP_SECONDS = 0.25
DRAIN_SECONDS = 0.15
DRAIN_STEP_SECONDS = 0.01


class Status(IntEnum):
    """SW3 of an answer; anything else counts as UNKNOWN."""

    OK = 0x90
    FOUND = 0x9F
    BAD_CHECKSUM = 0x10
    BAD_LENGTH = 0x11
    BAD_COMMAND = 0x21
    UNKNOWN = 0x24
    CARD_REFUSED_READER = 0x31
    READER_REFUSED_CARD = 0x32
    DATA_CHECK_FAILED = 0x33
    WRONG_CARD_TYPE = 0x40
    READ_FAILED = 0x41
    RANDOM_FAILED = 0x47
    SELF_TEST_FAILED = 0x60
    NOT_AUTHORISED = 0x66
    NO_CARD = 0x80
    NO_ADDRESS = 0x91
    SELECT_FAILED = 0x81


GOOD = frozenset({Status.OK, Status.FOUND})


class LineError(Exception):
    """No usable answer came: ``silent``, ``half_frame``, ``length``, ``checksum``, ``shape``, ``refused`` or ``noise``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """The module understood and said no."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name.lower())
        self.status = status


class Port(Protocol):
    """What is needed of a serial port; both methods raise OSError when the reader is unplugged."""

    def read(self, size: int = 1) -> bytes | None:
        """At most ``size`` bytes, none if nothing came within the port's short time-out."""

    def write(self, data: bytes, /) -> int | None:
        """Send."""

    @property
    def in_waiting(self) -> int:
        """How many bytes can be read at once."""


@dataclass(frozen=True, slots=True)
class CardContent:
    """What a card gave: text (256 bytes) and photo (1024 bytes WLT, or none). Never shown: it is a person's data."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)


class SdtModule:
    """Asks the module, one command after another; raises LineError, Refused, or the port's OSError."""

    def __init__(self, port: Port, stop: threading.Event) -> None:
        self._port = port
        self._stop = stop
        self._parser = FrameParser()
        self._failed = False

    def check(self) -> None:
        """Ask whether the module works; Refused with SELF_TEST_FAILED or NOT_AUTHORISED if not."""
        self._ask(SAM_STATUS, Status.OK, ANSWER_SECONDS)

    def find(self) -> bool:
        """Look for a card on the field."""
        try:
            self._ask(FIND_CARD, Status.FOUND, ANSWER_SECONDS)
        except Refused as refused:
            if refused.status is Status.NO_CARD:
                return False
            raise
        return True

    def select(self) -> None:
        """Choose the card that was found."""
        self._ask(SELECT_CARD, Status.OK, ANSWER_SECONDS)

    def read(self) -> CardContent:
        """Read text and photo of the selected card; fingerprints are never asked for."""
        data = self._ask(READ_CARD, Status.OK, READ_SECONDS, TEXT_BYTES + PHOTO_BYTES + 4)
        text_bytes, photo_bytes = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
        if text_bytes != TEXT_BYTES or photo_bytes not in {0, PHOTO_BYTES}:
            raise LineError("shape")
        if len(data) != 4 + text_bytes + photo_bytes:
            raise LineError("shape")
        return CardContent(data[4 : 4 + text_bytes], data[4 + text_bytes :])

    def newest_address(self) -> bytes:
        """The address that was added to the card last; none where there is none."""
        try:
            data = self._ask(READ_ADDRESS, Status.OK, ANSWER_SECONDS, ADDRESS_BYTES)
        except Refused as refused:
            if refused.status is Status.NO_ADDRESS:
                return b""
            raise
        if len(data) != ADDRESS_BYTES:
            raise LineError("shape")
        return data

    def _ask(self, command: bytes, good: Status, seconds: float, longest: int = SHORT_ANSWER_BYTES) -> bytes:
        """The data of a good answer."""
        self._drain()
        self._failed = True
        self._port.write(encode(command))
        answer = self._receive(time.monotonic() + seconds)
        status = _status(answer)
        self._failed = False
        if status in {Status.BAD_CHECKSUM, Status.BAD_LENGTH, Status.BAD_COMMAND}:
            # Our commands are well formed: the line has damaged this one.
            raise LineError("refused")
        if status in GOOD and (status is not good or len(answer) - STATUS_BYTES > longest):
            # Another command's answer, come late.
            raise LineError("shape")
        if status is not good:
            raise Refused(status)
        return answer[STATUS_BYTES:]

    def _receive(self, deadline: float) -> bytes:
        """The body of the next frame; LineError at the deadline, however much noise there is."""
        heard_at: float | None = None
        while True:
            now = time.monotonic()
            chunk = self._port.read(max(1, self._port.in_waiting))
            if chunk:
                heard_at = now
                self._parser.feed(chunk)
                try:
                    body = self._parser.take()
                except FrameError as error:
                    raise LineError(error.code) from None
                if body is not None:
                    return body
            broken_off = self._parser.pending and heard_at is not None and now - heard_at > GAP_SECONDS
            if broken_off or now > deadline or self._stop.is_set():
                raise LineError(self._why(heard=heard_at is not None))

    def _why(self, *, heard: bool) -> str:
        if self._parser.pending:
            return "half_frame"
        return "noise" if heard else "silent"

    def _drain(self) -> None:
        """Throw away what is there, and after a failed exchange what still comes of its answer within a moment."""
        end = time.monotonic() + (DRAIN_SECONDS if self._failed else 0.0)
        while True:
            if waiting := self._port.in_waiting:
                self._port.read(waiting)
            if time.monotonic() >= end or self._stop.wait(DRAIN_STEP_SECONDS):
                break
        self._parser.reset()


def _status(answer: bytes) -> Status:
    if len(answer) < STATUS_BYTES:
        raise LineError("shape")
    if answer[:2] != b"\x00\x00":
        return Status.UNKNOWN
    try:
        return Status(answer[2])
    except ValueError:
        return Status.UNKNOWN
