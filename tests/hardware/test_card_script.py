"""Scripts for cards that carry a number in a file: what is wrong is said when they are kept, and what they read holds."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.drivers.card_script import CardScript, NotThisCard, ScriptError, faults, parse
from hardware.ports import DeviceConfig
from hardware.registry import validate
from hardware.simulators.card_transport import VirtualCard

pytestmark = pytest.mark.req("ID-01")

FILE, OTHER = bytes.fromhex("3F05"), bytes.fromhex("3F06")
SELECT = "00A4000C023F05"
SCRIPT = f"{SELECT} = 9000|61xx ; 00B0000010"


def script(**settings: Any) -> CardScript:
    made = parse({"script": SCRIPT, **settings})
    assert made is not None
    return made


def read(content: bytes, name: bytes = FILE, **settings: Any) -> str:
    return script(**settings).run(VirtualCard(b"", files={name: content}).answer)


def said(*answers: str) -> Callable[[bytes], bytes]:
    """A card that gives these answers in turn."""
    waiting = [bytes.fromhex(answer) for answer in answers]
    return lambda _: waiting.pop(0)


@pytest.mark.parametrize(
    ("content", "settings", "number"),
    [
        (b"20230001\0\0\0\0\0\0\0\0", {}, "20230001"),
        (b"AB12    ", {}, "AB12"),
        (b"xx20230001yy", {"number_bytes": "3-10"}, "20230001"),
        (bytes.fromhex("6222021234567890123F"), {"number_encoding": "bcd"}, "6222021234567890123"),
        (bytes.fromhex("0012345678"), {"number_encoding": "bcd", "number_bytes": "2-5"}, "12345678"),
        (bytes.fromhex("04A1B2C3"), {"number_encoding": "hex"}, "04A1B2C3"),
        (b"#20230001#", {"number_strip": "#"}, "20230001"),
    ],
)
def test_the_number_is_taken_from_where_it_stands(
    content: bytes, settings: dict[str, Any], number: str
) -> None:
    assert read(content, **settings) == number


def test_the_number_may_stand_in_an_earlier_answer() -> None:
    made = parse({"script": "00B0000004; 00B0000404", "number_bytes": "1:1-4"})
    assert made is not None
    assert made.run(said("31323334 9000", "FFFFFFFF 9000")) == "1234"


def test_a_card_of_another_kind_is_told_apart() -> None:
    with pytest.raises(NotThisCard) as caught:
        read(b"20230001", OTHER)
    assert caught.value.code == "status"


@pytest.mark.parametrize(
    ("content", "settings", "code"),
    [
        (b"", {}, "short"),
        (b"2023", {"number_bytes": "1-8"}, "short"),
        (b"\0\0\0\0", {}, "no_number"),
        (b"\xff\xff\xff\xff", {"number_encoding": "hex"}, "no_number"),
        (b"00000000", {}, "no_number"),
        (b"20 23", {}, "no_number"),
        (b"\xe9\xe9ab", {}, "no_number"),
        (bytes.fromhex("12A4"), {"number_encoding": "bcd"}, "no_number"),
    ],
)
def test_a_file_without_a_number_is_no_number(content: bytes, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(NotThisCard) as caught:
        read(content, **settings)
    assert caught.value.code == code


def test_answers_in_pieces_and_wrong_lengths_are_followed() -> None:
    made = parse({"script": "00B0000000"})
    assert made is not None
    assert made.run(said("6C04", "31323334 9000")) == "1234"
    assert made.run(said("3132 6102", "3334 9000")) == "1234"
    with pytest.raises(NotThisCard):
        made.run(said(*["31 6101"] * 20))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"script": "00B00000XX"}, "script_not_hex:script"),
        ({"script": "00B000001"}, "script_odd:script"),
        ({"script": "00B0"}, "script_length:script"),
        ({"script": "00A40400 07 A000"}, "script_length:script"),
        ({"script": "00B0000010 = 90"}, "script_status:script"),
        ({"script": "00B0000010 = 9000|"}, "script_status:script"),
        ({"script": ";".join(["00B0000010"] * 17)}, "script_long:script"),
        ({"script": SCRIPT, "number_bytes": "8"}, "number_bytes_wrong:number_bytes"),
        ({"script": SCRIPT, "number_bytes": "0-7"}, "number_bytes_wrong:number_bytes"),
        ({"script": SCRIPT, "number_bytes": "8-1"}, "number_bytes_wrong:number_bytes"),
        ({"script": SCRIPT, "number_bytes": "3:1-8"}, "number_step_wrong:number_bytes"),
        ({"number_bytes": "1-8"}, "script_missing:script"),
        ({"script": SCRIPT, "number_encoding": "ebcdic"}, "bad_choice:number_encoding"),
    ],
)
def test_each_mistake_has_its_own_code_when_the_device_is_saved(settings: dict[str, Any], fault: str) -> None:
    assert validate(DeviceConfig("dev", "lane", "pcsc", "Reader", settings)) == [fault]


def test_a_good_script_and_none_at_all_are_kept() -> None:
    assert faults({"script": SCRIPT, "number_bytes": "2:1-8"}) == []
    assert faults({"script": f"{SELECT}\n00 B0 00 00 10"}) == []
    assert parse({}) is None


@given(st.text(max_size=60), st.text(max_size=12))
def test_any_text_is_a_script_or_refused_by_code(source: str, where: str) -> None:
    with suppress(ScriptError):
        parse({"script": source, "number_bytes": where})


def test_ten_thousand_answers_of_any_card_raise_nothing_but_their_own_error() -> None:
    dice = random.Random(7816)
    scripts = [script(number_encoding=encoding) for encoding in ("ascii", "bcd", "hex")]
    for _ in range(10_000):
        with suppress(NotThisCard):
            dice.choice(scripts).run(
                lambda _: dice.randbytes(dice.randrange(20)) + dice.choice([b"\x90\0", b""])
            )
