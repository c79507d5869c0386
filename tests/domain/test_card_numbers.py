"""One card, however a reader or a person writes its number."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.domain.access import card_numbers

UIDS = st.sampled_from([4, 7, 10]).flatmap(lambda n: st.binary(min_size=n, max_size=n))


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    "text",
    [
        "04A1B2C3D4E580",
        "04a1b2c3d4e580",
        "04 A1 B2 C3 D4 E5 80",
        "04:a1:b2:c3:d4:e5:80",
        "04-A1-B2-C3-D4-E5-80",
        "0x04A1B2C3D4E580",
        "０４Ａ１Ｂ２Ｃ３Ｄ４Ｅ５８０",
        "  04A1B2C3D4E580\n",
        str(0x04A1B2C3D4E580),
    ],
)
def test_every_spelling_is_one_number(text: str) -> None:
    assert card_numbers.number(text) == "04A1B2C3D4E580"


@pytest.mark.req("AD-02")
def test_ten_decimal_digits_are_a_uid_of_four_bytes() -> None:
    assert card_numbers.number("2712847316") == "A1B2C3D4"
    assert card_numbers.number("0012345678") == "00BC614E"


@pytest.mark.req("AD-02")
def test_a_reader_that_types_the_last_byte_first_is_turned_round() -> None:
    assert card_numbers.number("D4C3B2A1", backwards=True) == "A1B2C3D4"
    assert card_numbers.number("80E5D4C3B2A104", backwards=True) == "04A1B2C3D4E580"
    assert card_numbers.number(str(0xD4C3B2A1), backwards=True) == "A1B2C3D4"


@given(UIDS)
def test_a_number_of_its_own_spelling_stays(uid: bytes) -> None:
    written = uid.hex().upper()
    assert card_numbers.normal(written) == written
    assert card_numbers.turned(card_numbers.turned(written)) == written


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused_by_name(text: str) -> None:
    codes = set()
    with suppress(InvalidInput):
        codes.add(len(bytes.fromhex(card_numbers.number(text))))
    assert codes <= {4, 7, 10}


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "card_uid_wrong"),
        ("123,45678", "card_uid_wrong"),  # Wiegand 26 keeps three bytes of the UID
        ("4294967296", "card_uid_wrong"),  # more than four bytes hold
        ("12345", "card_uid_wrong"),
        ("00000000", "card_uid_wrong"),
        ("FFFFFFFFFFFFFF", "card_uid_wrong"),
        ("04A1B2C3D4E5", "card_uid_wrong"),
        ("京A12345", "card_uid_wrong"),
        ("08A1B2C3", "card_random"),
        (f"{0x08A1B2C3:010d}", "card_random"),
    ],
)
def test_what_is_no_whole_number_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        card_numbers.number(text)
    assert (caught.value.code, caught.value.field) == (code, "uid")


@pytest.mark.req("AD-02")
def test_a_random_uid_is_known_in_either_byte_order() -> None:
    with pytest.raises(InvalidInput) as caught:
        card_numbers.number("C3B2A108", backwards=True)
    assert caught.value.code == "card_random"


@pytest.mark.req("AD-02", "ID-01")
@pytest.mark.parametrize("text", ["#6222020001", " #6222 0200 01", "＃6222020001"])
def test_a_number_in_a_cards_file_keeps_its_mark_and_its_order(text: str) -> None:
    assert card_numbers.number(text) == "#6222020001"
    assert card_numbers.number(text, backwards=True) == "#6222020001"
    assert card_numbers.turned("#6222020001") == "#6222020001"


@pytest.mark.req("ID-01")
def test_a_number_in_a_file_is_never_taken_for_a_uid() -> None:
    assert card_numbers.on_file("04A1B2C3") == "#04A1B2C3" != card_numbers.number("04A1B2C3")
    assert card_numbers.on_file("2712847316") == card_numbers.number("#2712847316") == "#2712847316"


@pytest.mark.parametrize("text", ["#", "#" + "1" * 33, "##1", "1#2"])
def test_a_mark_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        card_numbers.number(text)
