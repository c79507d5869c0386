"""A lane's code says who stood there a moment ago, and nothing made elsewhere or long ago passes for one (AD-06)."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.admission import lane_codes
from app.domain.admission.lane_codes import LaneCodeFault

LANE = "0195c7a0b1c27d3e8f90a1b2c3d4e5f6"
NOW = datetime(2026, 11, 25, 8, 0, 30, tzinfo=UTC)


def sign(body: bytes) -> bytes:
    return hmac.digest(b"k" * 32, body, "sha256")


def other(body: bytes) -> bytes:
    return hmac.digest(b"o" * 32, body, "sha256")


@pytest.mark.req("AD-06")
@pytest.mark.parametrize(
    ("after", "filling", "expected"),
    [
        (timedelta(0), False, LANE),
        (timedelta(minutes=3), False, LANE),
        (timedelta(minutes=3, seconds=30), False, LaneCodeFault.STALE),
        (timedelta(minutes=20), True, LANE),
        (timedelta(minutes=20, seconds=30), True, LaneCodeFault.STALE),
        (timedelta(minutes=-1), False, LANE),
        (timedelta(minutes=-2), False, LaneCodeFault.STALE),
        (timedelta(days=400), True, LaneCodeFault.STALE),
    ],
)
def test_a_code_opens_for_minutes_and_may_be_filled_in_for_longer(
    after: timedelta, filling: bool, expected: str
) -> None:
    code = lane_codes.make(LANE, NOW, sign)
    assert lane_codes.read(code, NOW + after, sign, filling=filling) == expected


@pytest.mark.req("AD-06")
def test_a_code_changes_by_the_minute_and_is_another_for_each_lane() -> None:
    assert lane_codes.make(LANE, NOW, sign) == lane_codes.make(LANE, NOW + timedelta(seconds=20), sign)
    later, elsewhere = NOW + timedelta(minutes=1), LANE[::-1]
    made = {
        lane_codes.make(LANE, NOW, sign),
        lane_codes.make(LANE, later, sign),
        lane_codes.make(elsewhere, NOW, sign),
    }
    assert len(made) == 3


@pytest.mark.req("AD-06")
def test_a_code_of_another_installation_is_unknown() -> None:
    assert lane_codes.read(lane_codes.make(LANE, NOW, other), NOW, sign) is LaneCodeFault.UNKNOWN


@given(st.text(max_size=60))
def test_no_text_raises_or_passes(text: str) -> None:
    assert lane_codes.read(text, NOW, sign) is LaneCodeFault.UNKNOWN


@given(
    st.integers(0, 42), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
)
def test_one_character_changed_makes_it_unknown(place: int, letter: str) -> None:
    code = lane_codes.make(LANE, NOW, sign)
    forged = code[:place] + letter + code[place + 1 :]
    if lane_codes.read(forged, NOW, sign) == LANE:
        # The last character carries two bits that mean nothing.
        assert forged == code or place == 42
