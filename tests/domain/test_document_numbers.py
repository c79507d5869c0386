"""Numbers of documents: the standard's example, everything that can be wrong, and every kind's shape."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity.numbers import (
    CHECK_CHARACTERS,
    DocumentKind,
    NumberFault,
    NumberWarning,
    check,
    check_character,
    normalise,
)

TODAY = date(2026, 11, 22)
RESIDENT = DocumentKind.RESIDENT_ID
EXAMPLE = "11010519491231002X"


def with_check(digits: str) -> str:
    """The number that ISO 7064 MOD 11-2 makes of seventeen digits, computed the recursive way of that standard."""
    rest = 0
    for digit in digits:
        rest = (rest + int(digit)) * 2 % 11
    value = (12 - rest) % 11
    return digits + ("X" if value == 10 else str(value))


@pytest.mark.parametrize(
    ("number", "birth", "sex"),
    [
        # The two examples of GB 11643-1999.
        (EXAMPLE, date(1949, 12, 31), "female"),
        ("440524188001010014", date(1880, 1, 1), "male"),
        (with_check("31010120000229001"), date(2000, 2, 29), "male"),
        (with_check("65010120261122002"), TODAY, "female"),
    ],
)
def test_a_good_number_tells_birth_and_sex(number: str, birth: date, sex: str) -> None:
    found = check(RESIDENT, number, TODAY)
    assert (found.holds, found.warnings, found.birth, found.sex) == (True, frozenset(), birth, sex)
    assert (found.number, found.successor) == (number, "")


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002×",
        "11010519491231002Х",
        "11010519491231002χ",
    ],
)
def test_however_it_is_typed_it_is_the_same_number(typed: str) -> None:
    assert check(RESIDENT, typed, TODAY) == check(RESIDENT, EXAMPLE, TODAY)
    assert normalise(typed) == EXAMPLE


@pytest.mark.parametrize(
    ("number", "faults"),
    [
        ("", {"shape"}),
        ("1101051949123100", {"shape"}),
        (EXAMPLE + "0", {"shape"}),
        ("01010519491231002X", {"shape"}),
        ("9" + EXAMPLE[1:], {"shape"}),
        ("1101051949123100XX", {"shape"}),
        ("11010519491231OO2X", {"shape"}),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", {"shape"}),
        ("110105194912310020", {"check_character"}),
        ("11010519491231003X", {"check_character"}),
        ("11015019491231002X", {"check_character"}),
        (with_check("11010520010229001"), {"date"}),
        (with_check("11010519001301001"), {"date"}),
        (with_check("11010500000101001"), {"date"}),
        (with_check("11010520261123001"), {"future"}),
        (with_check("11010518751231001"), {"age"}),
        ("110105200102290011", {"date", "check_character"}),
    ],
)
def test_what_is_wrong_is_named(number: str, faults: set[str]) -> None:
    assert check(RESIDENT, number, TODAY).faults == faults


def test_an_unknown_region_is_a_warning_and_no_fault() -> None:
    found = check(RESIDENT, with_check("16010519491231002"), TODAY)
    assert (found.holds, found.warnings) == (True, {NumberWarning.REGION_UNKNOWN})


@pytest.mark.parametrize("region", ["330113", "133100", "513521"])
def test_regions_that_came_or_went_are_good(region: str) -> None:
    found = check(RESIDENT, with_check(region + "19900101001"), TODAY)
    assert (found.holds, found.warnings) == (True, frozenset())


def test_an_old_number_is_refused_and_its_successor_told() -> None:
    found = check(RESIDENT, "110105491231002", TODAY)
    assert found.faults == {NumberFault.LEGACY}
    assert (found.successor, found.birth, found.sex) == (EXAMPLE, date(1949, 12, 31), "female")
    assert check(RESIDENT, found.successor, TODAY).holds


def test_an_old_number_with_an_impossible_date_has_no_successor() -> None:
    found = check(RESIDENT, "110105010229002", TODAY)
    assert (found.faults, found.successor, found.birth) == ({"legacy", "date"}, "", None)


@pytest.mark.parametrize(
    ("kind", "number", "faults"),
    [
        ("hmt_residence_permit", with_check("81000019900215001"), set()),
        ("hmt_residence_permit", with_check("82000019900215001"), set()),
        ("hmt_residence_permit", with_check("83000019900215001"), set()),
        ("hmt_residence_permit", EXAMPLE, {"shape"}),
        ("hmt_residence_permit", with_check("81000020010229001"), {"date"}),
        ("foreign_permanent_resident", with_check("91112419740812002"), set()),
        ("foreign_permanent_resident", with_check("91112420010229002"), {"date"}),
        ("foreign_permanent_resident", "911124197408120020", {"check_character"}),
        ("foreign_permanent_resident", "SWE110074081201", set()),
        ("foreign_permanent_resident", "swe 1100 74081201", set()),
        ("foreign_permanent_resident", "SWE11007408120", {"shape"}),
        ("foreign_permanent_resident", EXAMPLE, {"shape"}),
        ("home_return_permit", "H12345678", set()),
        ("home_return_permit", "m1234567801", set()),
        ("home_return_permit", "C12345678", {"shape"}),
        ("home_return_permit", "H123456789", {"shape"}),
        ("taiwan_travel_permit", "12345678", set()),
        ("taiwan_travel_permit", "1234567801", set()),
        ("taiwan_travel_permit", "123456789", {"shape"}),
        ("chinese_passport", "E12345678", set()),
        ("chinese_passport", "EA1234567", set()),
        ("chinese_passport", "G1234567", set()),
        ("chinese_passport", "123456789", {"shape"}),
        ("foreign_passport", "L898902C3", set()),
        ("foreign_passport", "A123", {"shape"}),
        ("foreign_passport", "张12345678", {"shape"}),
    ],
)
def test_each_kind_has_its_shape(kind: str, number: str, faults: set[str]) -> None:
    assert check(DocumentKind(kind), number, TODAY).faults == faults


def test_a_foreigners_number_tells_the_birthday_and_no_sex() -> None:
    found = check(DocumentKind.FOREIGN_PERMANENT_RESIDENT, with_check("91112419740812002"), TODAY)
    assert (found.birth, found.sex, found.warnings) == (date(1974, 8, 12), "", frozenset())


def test_a_check_does_not_show_the_person() -> None:
    shown = repr(check(RESIDENT, EXAMPLE, TODAY)) + repr(check(RESIDENT, "110105491231002", TODAY))
    assert not [secret for secret in ("110105", "1949", "female") if secret in shown]


seventeen = st.text("0123456789", min_size=17, max_size=17)


@given(seventeen)
def test_the_check_character_is_that_of_iso_7064(digits: str) -> None:
    assert digits + check_character(digits) == with_check(digits)


@given(
    st.dates(date(1880, 1, 1), TODAY),
    st.integers(0, 999),
    st.integers(0, 17),
    st.sampled_from(CHECK_CHARACTERS),
)
def test_one_wrong_character_never_passes(born: date, order: int, at: int, wrong: str) -> None:
    number = with_check(f"110105{born:%Y%m%d}{order:03}")
    spoilt = number[:at] + wrong + number[at + 1 :]
    assert check(RESIDENT, number, TODAY).holds
    assert check(RESIDENT, spoilt, TODAY).holds == (spoilt == number)


@given(st.sampled_from(list(DocumentKind)), st.text() | st.text("0123456789X", min_size=14, max_size=19))
def test_no_text_makes_checking_fail(kind: DocumentKind, text: str) -> None:
    check(kind, text, TODAY)
