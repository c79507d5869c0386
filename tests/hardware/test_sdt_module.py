"""Answers of the security module: each must be what its command promises, or the exchange has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hardware.drivers.sdt_frame import PREAMBLE, encode
from hardware.drivers.sdt_module import CardContent, LineError, Refused, SdtModule, Status

TEXT, PHOTO = bytes(range(256)), bytes(1024)
SIZES = bytes.fromhex("0100 0400")


class Scripted:
    """A port that answers the next command with these bytes, whatever it is, and may have old bytes lying in it."""

    def __init__(self, answer: bytes, lying: bytes = b"") -> None:
        self._answer = answer
        self._bytes = lying
        self.sent: list[bytes] = []

    @property
    def in_waiting(self) -> int:
        return len(self._bytes)

    def read(self, size: int = 1) -> bytes:
        taken, self._bytes = self._bytes[:size], self._bytes[size:]
        return taken

    def write(self, data: bytes) -> int:
        self.sent.append(data)
        self._bytes += self._answer
        return len(data)


def module(answer: bytes, lying: bytes = b"") -> SdtModule:
    return SdtModule(Scripted(answer, lying), threading.Event())


def good(status: Status, data: bytes = b"") -> bytes:
    return encode(bytes((0, 0, status)) + data)


def test_commands_are_those_of_the_papers() -> None:
    port = Scripted(good(Status.FOUND, bytes(4)))
    assert SdtModule(port, threading.Event()).find()
    assert [sent.hex() for sent in port.sent] == ["aaaaaa96690003200122"]


def test_text_and_photo_are_told_apart() -> None:
    assert module(good(Status.OK, SIZES + TEXT + PHOTO)).read() == CardContent(TEXT, PHOTO)
    assert module(good(Status.OK, bytes.fromhex("0100 0000") + TEXT)).read() == CardContent(TEXT, b"")


def test_what_lay_in_the_line_before_the_command_is_no_answer() -> None:
    assert not module(good(Status.NO_CARD), lying=good(Status.FOUND, bytes(4))).find()


FIND, SELECT, READ = SdtModule.find, SdtModule.select, SdtModule.read


@pytest.mark.parametrize(
    ("ask", "answer", "code"),
    [
        (FIND, b"", "silent"),
        (FIND, b"\x13\x37" * 20, "noise"),
        (FIND, good(Status.FOUND, bytes(4))[:-3], "half_frame"),
        (FIND, good(Status.FOUND, bytes(4))[:-1] + b"\0", "checksum"),
        (FIND, PREAMBLE + b"\xff\xff", "length"),
        (FIND, encode(b"\x00\x9f"), "shape"),
        (FIND, good(Status.BAD_CHECKSUM), "refused"),
        # Answers of other commands, come late.
        (FIND, good(Status.OK, bytes(8)), "shape"),
        (FIND, good(Status.OK, SIZES + TEXT + PHOTO), "shape"),
        (SELECT, good(Status.FOUND, bytes(4)), "shape"),
        (SELECT, good(Status.OK, SIZES + TEXT + PHOTO), "shape"),
        (READ, good(Status.FOUND, bytes(4)), "shape"),
        (READ, good(Status.OK, bytes(8)), "shape"),
        # Texts that are none.
        (READ, good(Status.OK), "shape"),
        (READ, good(Status.OK, SIZES + TEXT + PHOTO[:-1]), "shape"),
        (READ, good(Status.OK, SIZES + TEXT + PHOTO + b"\0"), "shape"),
        (READ, good(Status.OK, bytes.fromhex("0101 0400") + TEXT + b"\0" + PHOTO), "shape"),
        (READ, good(Status.OK, bytes.fromhex("0100 0200") + TEXT + PHOTO[:512]), "shape"),
        # A damaged frame with a good one inside of it.
        (
            READ,
            good(Status.OK, SIZES + TEXT + good(Status.NO_CARD).ljust(1024, b"\0"))[:-1] + b"\7",
            "checksum",
        ),
    ],
)
def test_what_is_no_answer_to_the_command_fails_by_code(
    ask: Callable[[SdtModule], object], answer: bytes, code: str
) -> None:
    with pytest.raises(LineError) as caught:
        ask(module(answer))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (good(Status.READ_FAILED), Status.READ_FAILED),
        (good(Status.NOT_AUTHORISED), Status.NOT_AUTHORISED),
        (encode(b"\x00\x00\x55"), Status.UNKNOWN),
        # The first two status bytes of a good answer are zero.
        (encode(b"\x00\x01\x90" + bytes(8)), Status.UNKNOWN),
    ],
)
def test_a_refusal_is_told_with_its_status(answer: bytes, status: Status) -> None:
    with pytest.raises(Refused) as caught:
        module(answer).select()
    assert caught.value.status is status


def test_being_told_to_stop_ends_the_wait() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(LineError):
        SdtModule(Scripted(b""), stop).find()


def test_what_a_card_gave_is_not_shown() -> None:
    assert repr(CardContent(TEXT, PHOTO)) == "CardContent()"


def test_the_newest_address_is_seventy_bytes_or_none() -> None:
    address = "某市某路3号".encode("utf-16-le").ljust(70, b" ")
    assert module(good(Status.OK, address)).newest_address() == address
    assert module(good(Status.NO_ADDRESS)).newest_address() == b""
    for data in (address[:-1], address + b" ", b""):
        with pytest.raises(LineError):
            module(good(Status.OK, data)).newest_address()
    with pytest.raises(Refused):
        module(good(Status.READ_FAILED)).newest_address()
