"""Frames of the ID card reader's protocol: found whatever comes before, between and inside of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.drivers.sdt_frame import (
    HEADER_BYTES,
    MAX_LENGTH,
    PREAMBLE,
    FrameError,
    FrameParser,
    checksum,
    encode,
)

bodies = st.binary(min_size=2, max_size=60) | st.binary(min_size=1000, max_size=MAX_LENGTH - 1)
# Noise that knows what hurts: pieces of preambles and lengths among other bytes.
noise = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        [PREAMBLE, PREAMBLE[:3], b"\xaa", PREAMBLE + b"\x05\x08", PREAMBLE + b"\xff\xff", PREAMBLE + b"\0\3"]
    ),
    max_size=12,
).map(b"".join)


def drain(parser: FrameParser) -> tuple[list[bytes], list[str]]:
    """Take until nothing is left: the bodies and the codes of what was wrong, and a proof that it ends."""
    found: list[bytes] = []
    wrong: list[str] = []
    for _ in range(100_000):
        try:
            body = parser.take()
        except FrameError as error:
            wrong.append(error.code)
            continue
        if body is None:
            return found, wrong
        found.append(body)
    raise AssertionError("taking does not end")


def parse(data: bytes, piece: int = 0) -> tuple[list[bytes], list[str]]:
    parser = FrameParser()
    found: list[bytes] = []
    wrong: list[str] = []
    for start in range(0, len(data), piece or max(1, len(data))):
        parser.feed(data[start : start + (piece or len(data))])
        bodies, codes = drain(parser)
        found += bodies
        wrong += codes
    return found, wrong


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        ("11ff", "aaaaaa9669000311ffed"),
        ("12ff", "aaaaaa9669000312ffee"),
        ("2001", "aaaaaa96690003200122"),
        ("2002", "aaaaaa96690003200221"),
        ("3001", "aaaaaa96690003300132"),
        ("3010", "aaaaaa96690003301023"),
        ("00009f00000000", "aaaaaa9669000800009f0000000097"),
        ("000080", "aaaaaa9669000400008084"),
    ],
)
def test_frames_are_those_of_the_papers(body: str, frame: str) -> None:
    assert encode(bytes.fromhex(body)).hex() == frame
    assert parse(bytes.fromhex(frame)) == ([bytes.fromhex(body)], [])


def test_the_answer_with_text_and_photo_is_1295_bytes() -> None:
    body = bytes.fromhex("000090 0100 0400") + bytes(256 + 1024)
    frame = encode(body)
    assert len(frame) == 1295
    assert frame[:14].hex() == "aaaaaa9669" + "0508" + "000090" + "01000400"
    assert parse(frame) == ([body], [])


@pytest.mark.parametrize("length", [0, 1, 2, MAX_LENGTH + 1, 0xFFFF])
def test_an_impossible_length_is_told_at_once(length: int) -> None:
    assert parse(PREAMBLE + length.to_bytes(2)) == ([], ["length"])


@pytest.mark.parametrize("size", [0, 1, MAX_LENGTH])
def test_a_body_that_no_frame_holds_is_not_sent(size: int) -> None:
    with pytest.raises(ValueError, match="body length"):
        encode(bytes(size))


def test_one_wrong_bit_anywhere_behind_the_preamble_spoils_the_frame() -> None:
    frame = encode(bytes.fromhex("00009f01020304"))
    for position in range(len(PREAMBLE), len(frame)):
        for bit in range(8):
            spoilt = bytearray(frame)
            spoilt[position] ^= 1 << bit
            found, _ = parse(bytes(spoilt))
            assert found == [], (position, bit)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_a_frame_in_pieces_with_preambles_inside_is_one_frame(piece: int) -> None:
    inner = encode(bytes.fromhex("00009f00000000"))
    body = b"\x00\x00\x90" + inner + PREAMBLE + b"\xaa\xaa"
    assert parse(encode(body) * 3, piece) == ([body] * 3, [])


def test_a_preamble_with_more_of_its_first_byte_before_it_is_found() -> None:
    assert parse(b"\xaa" * 9 + encode(b"\x20\x01")) == ([b"\x20\x01"], [])


def test_after_a_bad_frame_the_next_is_found() -> None:
    good = encode(b"\x00\x00\x80")
    bad = good[:-1] + bytes((good[-1] ^ 1,))
    assert parse(bad + good) == ([b"\x00\x00\x80"], ["checksum"])


def test_a_cut_frame_hides_the_next_ones_only_until_its_length_is_full() -> None:
    good = encode(b"\x00\x00\x80")
    cut = encode(bytes(60))[:30]
    found, wrong = parse(cut + good * 6)
    assert wrong == ["checksum"]
    assert found == [b"\x00\x00\x80"] * 6


def test_an_error_holds_nothing_of_the_card() -> None:
    frame = bytearray(encode("公民身份号码".encode("utf-16-le")))
    frame[-1] ^= 1
    parser = FrameParser()
    parser.feed(bytes(frame))
    with pytest.raises(FrameError) as caught:
        parser.take()
    assert (str(caught.value), caught.value.args) == ("checksum", ("checksum",))


@given(noise, bodies, st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_a_frame_behind_any_noise_is_found(before: bytes, sent: bytes, piece: int) -> None:
    # A false beginning may claim as many bytes as the longest frame has, and one time in 256 its checksum fits: what
    # comes within these bytes is lost with it, what comes behind them never.
    found, _ = parse(before + bytes(HEADER_BYTES + MAX_LENGTH) + encode(sent), piece)
    assert found[-1] == sent


@given(st.lists(bodies, max_size=4), st.integers(1, 300))
@settings(max_examples=200, deadline=None)
@example([PREAMBLE + b"\0\4\0\0\x80\x84", PREAMBLE], 1)
def test_frames_without_noise_are_all_found_however_cut(sent: list[bytes], piece: int) -> None:
    assert parse(b"".join(encode(body) for body in sent), piece) == (sent, [])


@given(st.lists(noise | st.binary(max_size=200), max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_stream_raises_nothing_else_and_ends(pieces: list[bytes]) -> None:
    parser = FrameParser()
    for piece in pieces:
        parser.feed(piece)
        found, _ = drain(parser)
        assert all(len(body) >= 2 for body in found)
        # What waits is the beginning of one frame at most.
        assert len(parser._buffer) < HEADER_BYTES + MAX_LENGTH


def test_ten_thousand_damaged_frames_are_told_or_waited_for_and_never_taken_for_the_good_one() -> None:
    chance = random.Random(2001_02_29)
    taken = told = 0
    for _ in range(10_000):
        body = b"\x00\x00\x90" + chance.randbytes(chance.choice((0, 4, 8, 64, 1284)))
        frame = bytearray(encode(body))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(max(1, len(frame)))
            match chance.randrange(4):
                case 0:
                    frame[at : at + 1] = chance.randbytes(1)
                case 1:
                    del frame[at : at + chance.randint(1, 9)]
                case 2:
                    frame[at:at] = chance.choice((PREAMBLE, PREAMBLE[:4], chance.randbytes(5)))
                case _:
                    frame = frame[: at + 1]
        found, wrong = parse(bytes(frame), chance.choice((0, 64)))
        told += bool(wrong)
        # Only whole frames with a good checksum come out; the damage was outside of them, or hits one time in 256.
        taken += bool(found)
        assert all(encode(each)[len(PREAMBLE) :] in bytes(frame) for each in found)
    assert told > 3000
    assert taken < 2000


def test_noise_without_end_takes_no_memory() -> None:
    parser = FrameParser()
    for number in range(50_000):
        parser.feed(bytes((number * 37 % 256, 0xAA)))
        assert parser.take() is None
    assert len(parser._buffer) < len(PREAMBLE)
    parser.feed(encode(b"\x20\x01"))
    assert parser.take() == b"\x20\x01"
    assert not parser.pending


@given(st.binary(max_size=50))
def test_the_checksum_of_a_frame_with_its_checksum_is_zero(body: bytes) -> None:
    assert checksum(encode(b"\0\0" + body)[len(PREAMBLE) :]) == 0
