"""Scanned bytes become codes and zones, whatever the line does to them."""

from __future__ import annotations

import itertools
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.drivers.scanner_lines import (
    HALF_LINE_SECONDS,
    MAX_LINE_BYTES,
    ZONE_SECONDS,
    Item,
    Kind,
    LineReader,
    ZoneKeeper,
)

pytestmark = pytest.mark.req("ID-01")

PASSPORT = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
CODE = "V1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOP"


class Line:
    """Reader and keeper behind one another, and a clock."""

    def __init__(self, **settings: str | float) -> None:
        self.reader = LineReader(**settings)  # type: ignore[arg-type]
        self.keeper = ZoneKeeper()
        self.now = 100.0

    def feed(self, data: bytes) -> list[Item]:
        return [
            done for item in self.reader.feed(data, self.now) for done in self.keeper.take(item, self.now)
        ]

    def wait(self, seconds: float) -> list[Item]:
        self.now += seconds
        lines = [done for item in self.reader.look(self.now) for done in self.keeper.take(item, self.now)]
        return lines + list(self.keeper.look(self.now))


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        ("any", b"HELLO\r"),
        ("any", b"HELLO\n"),
        ("any", b"HELLO\r\n"),
        ("cr", b"HELLO\r"),
        ("cr", b"HELLO\r\n"),
        ("lf", b"HELLO\n"),
        ("lf", b"HELLO\r\n"),
        ("any", b"\r\n\r\nHELLO\r\n"),
        ("any", b"\x02HELLO\x03\r"),
    ],
)
def test_a_line_ends_as_the_scanner_is_set(ending: str, data: bytes) -> None:
    line = Line(ending=ending)
    assert line.feed(data) == [Item(Kind.CODE, "HELLO")]
    # The second half of CR LF is no line of its own.
    assert line.wait(HALF_LINE_SECONDS) == []


def test_without_an_ending_a_pause_ends_the_line() -> None:
    line = Line(ending="none", gap=0.1)
    assert line.feed(b"HEL") == []
    assert line.wait(0.05) == []
    assert line.feed(b"LO") == []
    assert line.wait(0.11) == [Item(Kind.CODE, "HELLO")]
    assert line.wait(5) == []


def test_single_bytes_make_the_same_line() -> None:
    line = Line()
    found = [item for byte in (CODE + "\r").encode() for item in line.feed(bytes([byte]))]
    assert found == [Item(Kind.CODE, CODE)]


def test_prefix_and_suffix_are_taken_off_once() -> None:
    line = Line(prefix="]Q1", suffix="#")
    assert line.feed(b"]Q1]Q1AB##\r") == [Item(Kind.CODE, "]Q1AB#")]
    assert line.feed(b"AB\r") == [Item(Kind.CODE, "AB")]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_other_scripts_come_in_the_scanners_encoding(encoding: str) -> None:
    line = Line(encoding=encoding)
    assert line.feed("访客𠮷\r".encode(encoding)) == [Item(Kind.CODE, "访客𠮷")]


def test_what_is_no_text_in_the_encoding_is_noise() -> None:
    line = Line(encoding="ascii")
    assert line.feed("访客\r".encode()) == [Item(Kind.NOISE)]
    assert line.feed(b"\x01\x07A\r") == [Item(Kind.NOISE)]
    assert line.feed(b"AB\r") == [Item(Kind.CODE, "AB")]


def test_half_a_line_is_told_once_and_never_joined_to_the_next() -> None:
    line = Line()
    assert line.feed(b"V1ABC") == []
    assert line.wait(HALF_LINE_SECONDS) == [Item(Kind.HALF)]
    assert line.wait(HALF_LINE_SECONDS) == []
    assert line.feed(b"HELLO\r") == [Item(Kind.CODE, "HELLO")]


def test_a_line_that_never_ends_is_told_once_and_skipped_to_its_end() -> None:
    line = Line()
    told = [item for _ in range(1000) for item in line.feed(b"A" * 100)]
    assert told == [Item(Kind.TOO_LONG)]
    assert line.feed(b"AAA\rHELLO\r") == [Item(Kind.CODE, "HELLO")]
    assert line.feed(b"B" * (MAX_LINE_BYTES + 1) + b"\r") == [Item(Kind.TOO_LONG)]
    assert line.feed(b"B" * MAX_LINE_BYTES + b"\r") == [Item(Kind.CODE, "B" * MAX_LINE_BYTES)]


# --- zones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [PASSPORT, CARD], ids=["passport", "card"])
@pytest.mark.parametrize("between", ["\r", "\n", "\r\n"])
def test_the_lines_of_a_zone_in_one_burst_are_one_zone(zone: tuple[str, ...], between: str) -> None:
    line = Line()
    assert line.feed((between.join(zone) + between).encode()) == [Item(Kind.ZONE, "\n".join(zone))]


@pytest.mark.parametrize("zone", [PASSPORT, CARD], ids=["passport", "card"])
def test_the_lines_of_a_zone_may_come_one_by_one(zone: tuple[str, ...]) -> None:
    line = Line()
    for text in zone[:-1]:
        assert line.feed(text.encode() + b"\r") == []
        assert line.wait(ZONE_SECONDS * 0.9) == []
    assert line.feed(zone[-1].encode() + b"\r") == [Item(Kind.ZONE, "\n".join(zone))]


def test_a_zone_with_breaks_inside_of_a_burst_without_ending_is_one_zone() -> None:
    line = Line(ending="none")
    assert line.feed("\r".join(PASSPORT).encode()) == []
    assert line.wait(0.2) == [Item(Kind.ZONE, "\n".join(PASSPORT))]


def test_a_zone_without_a_break_is_a_zone() -> None:
    assert Line().feed(("".join(PASSPORT) + "\r").encode()) == [Item(Kind.ZONE, "".join(PASSPORT))]


def test_a_zone_that_is_not_completed_is_half_a_zone_and_never_a_code() -> None:
    line = Line()
    assert line.feed(PASSPORT[0].encode() + b"\r") == []
    assert line.wait(ZONE_SECONDS) == [Item(Kind.HALF_ZONE)]
    assert line.feed(PASSPORT[0].encode() + b"\r") == []
    assert line.feed(b"HELLO\r") == [Item(Kind.HALF_ZONE), Item(Kind.CODE, "HELLO")]


@pytest.mark.parametrize("text", [CODE, "04A1B2C3D4E5F6", "0123456789", "A" * 44, "C" + "1" * 29, "123456"])
def test_codes_and_card_numbers_are_codes(text: str) -> None:
    assert Line().feed(text.encode() + b"\r") == [Item(Kind.CODE, text)]


# --- anything --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["any", "cr", "lf", "none"])
def test_ten_thousand_damaged_lines_raise_nothing_and_take_no_memory(ending: str) -> None:
    dice = random.Random(44)
    line = Line(ending=ending)
    good = ["\r".join(PASSPORT), "\r".join(CARD), CODE, "04A1B2C3"]
    tracemalloc.start()
    for _ in range(10_000):
        data = bytearray((dice.choice(good) + dice.choice(["\r", "\n", "\r\n", ""])).encode())
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        for item in line.feed(bytes(data[: dice.randrange(len(data) + 1)])) + line.wait(dice.random()):
            assert item.text or item.kind not in {Kind.CODE, Kind.ZONE}
            assert len(item.text) <= MAX_LINE_BYTES
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
    line.wait(60)
    line.feed(b"\r\n")
    line.wait(60)
    found = line.feed(b"HELLO\r\n") + line.wait(60)
    assert Item(Kind.CODE, "HELLO") in found


@given(
    pieces=st.lists(st.binary(max_size=700), max_size=8), ending=st.sampled_from(["any", "cr", "lf", "none"])
)
def test_any_stream_ends_and_holds_one_line_at_most(pieces: list[bytes], ending: str) -> None:
    line = Line(ending=ending)
    for piece in pieces:
        line.feed(piece)
        assert len(line.reader._buffer) <= MAX_LINE_BYTES + 1
        assert len(line.keeper._held) <= 2


@given(st.text(alphabet="ABC123-", min_size=1, max_size=40), st.lists(st.integers(0, 41), max_size=5))
def test_where_a_line_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    data = text.encode() + b"\r"
    line = Line()
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    found = [item for a, b in itertools.pairwise(places) for item in line.feed(data[a:b])]
    assert found == [Item(Kind.CODE, text)]


def test_what_was_scanned_is_not_in_its_repr() -> None:
    assert "HELLO" not in repr(Item(Kind.CODE, "HELLO"))
