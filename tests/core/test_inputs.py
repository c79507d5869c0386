"""What people type, made comparable."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import inputs
from app.core.errors import InvalidInput


@pytest.mark.req("BK-01")
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("138 0013 8001", "13800138001"),
        ("+86 138-0013-8001", "13800138001"),
        ("008613800138001", "13800138001"),
        ("8613800138001", "13800138001"),
        ("１３８００１３８００１", "13800138001"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+852 9876 5432", "+85298765432"),
        ("010-1234 5678", "01012345678"),
        ("+86 10 1234 5678", "01012345678"),
        ("(0755) 1234567", "07551234567"),
        ("400-123-4567", "4001234567"),
    ],
)
def test_a_phone_is_kept_in_one_form(typed: str, stored: str) -> None:
    assert inputs.phone(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1380013800",
        "12800138001",
        "13٠٠٠٠٠٠٠٠٠",
        "138001380011",
        "+0123456789",
        "tel",
        "+861380013800",
        "12345678",
        "01380013800",
    ],
)
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        inputs.phone(typed)


@pytest.mark.req("BK-01")
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("京A·8C56Z", "京A8C56Z"),
        ("粤b d12345", "粤BD12345"),
        ("粤Z1234港", "粤Z1234港"),
        ("沪A1234学", "沪A1234学"),
        ("使123456", "使123456"),
        ("京Ａ８Ｃ５６Ｚ", "京A8C56Z"),
        ("HK·AB 1234", "HKAB1234"),
        ("京A12", "京A12"),
        ("", ""),
    ],
)
def test_a_plate_is_kept_in_one_form(typed: str, stored: str) -> None:
    assert inputs.plate(typed) == stored


@pytest.mark.parametrize("typed", ["京", "使12345٦", "京A8C56Z8C56Z", "A?B", "X" * 10_000])
def test_what_is_no_plate_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        inputs.plate(typed)


@pytest.mark.req("EV-01")
@given(st.text(max_size=300))
def test_cleaned_text_has_no_control_or_direction_character_and_stays_as_it_is(text: str) -> None:
    cleaned = inputs.clean(text)
    assert not any(
        ord(c) < 32 or c in "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2069\ufeff"
        for c in cleaned
    )
    assert cleaned == cleaned.strip()
    assert inputs.clean(cleaned) == cleaned


@given(st.text())
def test_no_text_makes_a_check_fail_in_another_way(text: str) -> None:
    for check in (inputs.name, inputs.phone, inputs.plate, lambda value: inputs.count(value, "n", 1, 50)):
        with contextlib.suppress(InvalidInput):
            check(text)
