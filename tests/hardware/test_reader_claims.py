"""Two devices whose patterns fit the same reader: its card opens one lane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.drivers.reader_claims import ReaderClaims, fits

ACR = "ACS ACR122U PICC Interface [ACR122U] 00 00"


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("pattern", "reader", "expected"),
    [
        ("*", ACR, True),
        (ACR, ACR, True),
        (ACR.lower(), ACR, True),
        ("ACS ACR122U*", ACR, True),
        ("ACS ACR122U* 0? 00", ACR, True),
        ("*[ACR122U]*", ACR, True),
        ("*[xyz]*", ACR, False),
        ("ACS ACR1252*", ACR, False),
        ("", ACR, False),
    ],
)
def test_names_fit_with_stars_and_brackets_stand_for_themselves(
    pattern: str, reader: str, *, expected: bool
) -> None:
    assert fits(pattern, reader) is expected


@pytest.mark.req("AD-02")
@given(st.text(alphabet=st.characters(exclude_characters="*?", exclude_categories=["Cs"]), min_size=1))
def test_every_name_fits_itself(name: str) -> None:
    assert fits(name, name)


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("patterns", "owner"),
    [
        ({"a": "*", "b": ACR}, "b"),
        ({"a": "ACS*", "b": "*"}, "a"),
        ({"a": "*", "b": "ACS ACR122U*", "c": "ACS*"}, "b"),
        ({"a": "*", "b": "*"}, "a"),
        ({"b": "*", "a": "*"}, "b"),
        ({"a": "Other*"}, None),
        ({}, None),
    ],
)
def test_the_narrowest_pattern_has_the_reader(patterns: dict[str, str], owner: str | None) -> None:
    claims = ReaderClaims()
    for device, pattern in patterns.items():
        claims.enter(device, pattern)
    assert claims.owner(ACR) == owner


@pytest.mark.req("AD-02")
def test_a_device_that_stops_hands_its_reader_on() -> None:
    claims = ReaderClaims()
    claims.enter("a", ACR)
    claims.enter("b", "*")
    claims.leave("a")
    assert claims.owner(ACR) == "b"
    claims.leave("a")
    claims.leave("b")
    assert claims.owner(ACR) is None
