"""Documents typed from the paper: each fault by name, and what the gate takes from them."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity import mrz, typed
from app.domain.identity.mrz_lines import MrzError, is_zone
from app.domain.identity.numbers import DocumentKind
from app.domain.identity.romanised import romanises
from app.domain.identity.shown_document import from_typed, from_zone, of_zone
from app.domain.identity.typed import TypedFault as Fault

TODAY = date(2026, 3, 2)
PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
NUMBER = "11010519491231002X"
RESIDENT, CHINESE = DocumentKind.RESIDENT_ID, DocumentKind.CHINESE_PASSPORT

pytestmark = pytest.mark.req("ID-05")


def zone(surname: str, given: str, number: str = "E12345678", expiry: str = "300101") -> str:
    """A good Chinese passport's zone."""
    first = f"P<CHN{surname}<<{given}".ljust(44, "<")
    digit = mrz.check_digit
    body = f"{number}{digit(number)}CHN900101{digit('900101')}F{expiry}{digit(expiry)}{'<' * 14}<"
    covered = body[:10] + body[13:20] + body[21:43]
    return f"{first}\n{body}{digit(covered)}"


@pytest.mark.parametrize(
    ("kind", "number", "faults"),
    [
        (RESIDENT, NUMBER, ()),
        (RESIDENT, "11010519491231002x", ()),
        (RESIDENT, "110105194912310021", (Fault.NUMBER_CHECK_CHARACTER,)),
        (RESIDENT, "11010520010229002X", (Fault.NUMBER_CHECK_CHARACTER, Fault.NUMBER_DATE)),
        (RESIDENT, "1101051949123100", (Fault.NUMBER_SHAPE,)),
        (RESIDENT, "110105491231002", (Fault.NUMBER_LEGACY,)),
        (RESIDENT, "", (Fault.NUMBER_MISSING,)),
        (DocumentKind.HMT_RESIDENCE_PERMIT, "810000199002150013", ()),
        (DocumentKind.HMT_RESIDENCE_PERMIT, NUMBER, (Fault.NUMBER_SHAPE,)),
        (DocumentKind.HOME_RETURN_PERMIT, "H12345678", ()),
        (DocumentKind.HOME_RETURN_PERMIT, "H1234567", (Fault.NUMBER_SHAPE,)),
        (DocumentKind.TAIWAN_TRAVEL_PERMIT, "12345678", ()),
        (CHINESE, "EA1234567", ()),
        (CHINESE, "12", (Fault.NUMBER_SHAPE,)),
        (DocumentKind.FOREIGN_PASSPORT, "L898902C3", ()),
    ],
)
def test_a_number_that_cannot_be_right_says_why(
    kind: DocumentKind, number: str, faults: tuple[Fault, ...]
) -> None:
    read = typed.read(kind, "周婷婷", number, "20300101", TODAY)
    assert set(read.faults) == set(faults)
    assert from_typed(read).sound is (not faults)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20280305", date(2028, 3, 5)),
        ("2028-03-05", date(2028, 3, 5)),
        ("2028.3.5", date(2028, 3, 5)),
        ("2028/3/5", date(2028, 3, 5)),
        ("2028年3月5日", date(2028, 3, 5)),
        ("２０２８０３０５", date(2028, 3, 5)),
        ("20280229", date(2028, 2, 29)),
    ],
)
def test_a_last_day_is_read_in_every_way_it_is_written(text: str, day: date) -> None:
    assert typed.read_validity(RESIDENT, text, TODAY) == (day, False, ())


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        (RESIDENT, "20010229", Fault.VALID_DATE),
        (RESIDENT, "20301301", Fault.VALID_DATE),
        (RESIDENT, "soon", Fault.VALID_DATE),
        (RESIDENT, "2028030", Fault.VALID_DATE),
        (RESIDENT, " ", Fault.VALID_MISSING),
        (RESIDENT, "20260301", Fault.EXPIRED),
        (CHINESE, "长期", Fault.VALID_LONG),
    ],
)
def test_a_last_day_that_cannot_be_right_says_why(kind: DocumentKind, text: str, fault: Fault) -> None:
    assert typed.read_validity(kind, text, TODAY)[2] == (fault,)


@pytest.mark.parametrize("text", ["长期", " 长期 ", "長期", "long-term"])
def test_a_resident_id_may_be_valid_without_end(text: str) -> None:
    assert typed.read_validity(RESIDENT, text, TODAY) == (None, True, ())
    assert not from_typed(typed.read(RESIDENT, "周婷婷", NUMBER, text, TODAY)).is_doubtful(TODAY)


def test_an_expired_document_is_expired_and_a_mistyped_one_in_doubt() -> None:
    old = from_typed(typed.read(RESIDENT, "周婷婷", NUMBER, "20260301", TODAY))
    assert old.has_expired(TODAY)
    assert not old.is_doubtful(TODAY)
    wrong = from_typed(typed.read(RESIDENT, "周婷婷", "110105194912310021", "20300101", TODAY))
    assert wrong.is_doubtful(TODAY)
    assert not wrong.has_expired(TODAY)


def test_of_a_number_only_its_last_four_characters_go_on() -> None:
    read = typed.read(RESIDENT, "周婷婷", NUMBER, "长期", TODAY)
    document = from_typed(read)
    assert document.tails == ("002X",)
    assert NUMBER[:-4] not in repr(document) + repr(read) + repr(read.number)
    assert "周婷婷" not in repr(document) + repr(read)


@pytest.mark.parametrize(
    ("typed_name", "booked", "same"),
    [
        ("ERIKSSON ANNA MARIA", "Anna Maria Eriksson", True),
        ("Eriksson, Anna Maria", "ANNA MARIA ERIKSSON", True),
        ("Anna Eriksson", "Anna Maria Eriksson", False),
        ("𠮷野家", "𠮷野家", True),
        ("𠮷野家", "吉野家", False),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提", True),
        ("Müller", "MUELLER", True),
    ],
)
def test_names_of_all_scripts_are_compared_as_written(typed_name: str, booked: str, same: bool) -> None:
    document = from_typed(
        typed.read(DocumentKind.FOREIGN_PASSPORT, typed_name, "L898902C3", "20300101", TODAY)
    )
    assert document.names_person(booked) is same


@given(st.sampled_from(list(DocumentKind)), st.text(max_size=40), st.text(max_size=40), st.text(max_size=30))
def test_whatever_is_typed_is_read_and_raises_nothing(
    kind: DocumentKind, name: str, number: str, valid_to: str
) -> None:
    read = typed.read(kind, name, number, valid_to, TODAY)
    document = from_typed(read)
    assert document.sound is (not set(read.faults) - {Fault.EXPIRED})


# --- zones -----------------------------------------------------------------------------------------------------------


def test_a_zone_gives_name_tail_and_last_day() -> None:
    document = of_zone(PASSPORT, date(2012, 1, 1))
    assert [name.text for name in document.names] == ["ERIKSSON ANNA MARIA"]
    assert (document.tails, document.valid_to) == (("02C3",), date(2012, 4, 15))
    assert document.names_person("Anna Maria Eriksson")
    assert not document.is_doubtful(date(2012, 1, 1))
    assert document.has_expired(TODAY)


def test_a_zone_whose_check_digits_fail_is_in_doubt() -> None:
    assert of_zone(PASSPORT.replace("7408122", "7408123"), date(2012, 1, 1)).is_doubtful(date(2012, 1, 1))


def test_an_o_for_a_zero_is_repaired_and_told_where_it_stands() -> None:
    read = mrz.parse(PASSPORT.replace("L898902C3", "L8989O2C3"), date(2012, 1, 1))
    assert read.changes == (mrz.Change(line=2, place=6, was="O", now="0"),)
    assert read.repaired == {mrz.MrzField.NUMBER}
    assert from_zone(read).sound
    assert mrz.parse(PASSPORT, date(2012, 1, 1)).changes == ()


@pytest.mark.parametrize(
    ("name", "latin", "same"),
    [
        ("周婷婷", "ZHOU TINGTING", True),
        ("张三", "ZHANG SAN", True),
        ("章三", "ZHANG SAN", True),  # a homophone passes: the zone cannot tell
        ("张四", "ZHANG SAN", False),
        ("吕布", "LYU BU", True),
        ("吕布", "LV BU", True),
        ("女娲", "NYU WA", True),
        ("单雄信", "SHAN XIONGXIN", True),
        ("欧阳建国", "OUYANG JIANGUO", True),
        ("陈大文", "CHAN TAI MAN", False),  # another romanisation: the guard types the characters
        ("张", "ZHANG", False),
        ("Anna", "ANNA", False),
        ("张三", "", False),
    ],
)
def test_a_chinese_name_is_held_against_its_pinyin(name: str, latin: str, same: bool) -> None:
    assert romanises(name, latin) is same


def test_the_pinyin_counts_for_zones_alone() -> None:
    assert of_zone(zone("ZHOU", "TINGTING"), TODAY).names_person("周婷婷")
    latin = from_typed(typed.read(CHINESE, "ZHOU TINGTING", "E12345678", "20300101", TODAY))
    assert not latin.names_person("周婷婷")


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        (PASSPORT, True),
        (PASSPORT.splitlines()[0], True),
        (PASSPORT.replace("\n", ""), True),
        ("V1" + "A" * 48, False),
        ("A" * 44, False),
        ("HELLO<WORLD", False),
        ("", False),
    ],
)
def test_a_scanned_text_is_a_zone_or_is_none(text: str, whether: bool) -> None:
    assert is_zone(text) is whether


def test_ten_thousand_damaged_zones_raise_nothing_but_their_own_error() -> None:
    dice = random.Random(9303)
    for _ in range(10_000):
        text = list(PASSPORT)
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(text))
            text[at] = dice.choice(["", "\n", "<", "O", "0", chr(dice.randrange(0x20, 0x3000))])
        with suppress(MrzError):
            of_zone("".join(text), TODAY)
        is_zone("".join(text))
