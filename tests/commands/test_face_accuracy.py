"""Error rates, their exact intervals and the threshold for a wanted rate, against counting and against the binomial sum (ID-04)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.commands import face_accuracy
from app.commands.face_accuracy import assess, far, frr, needed, rate

pytestmark = pytest.mark.req("ID-04")


def at_most(errors: int, trials: int, share: Fraction) -> Fraction:
    """The chance of so many errors or fewer, summed up exactly."""
    return sum(
        (math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(errors + 1)),
        Fraction(0),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_ends_where_the_binomial_leaves_two_and_a_half_percent(case: tuple[int, int]) -> None:
    errors, trials = case
    found = rate(errors, trials)
    assert 0 <= found.low <= found.value <= found.high <= 1
    if errors < trials:
        assert float(at_most(errors, trials, Fraction(found.high))) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1
    if errors:
        assert float(1 - at_most(errors - 1, trials, Fraction(found.low))) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0


def test_known_intervals() -> None:
    assert rate(0, 100).high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert (rate(5, 100).low, rate(5, 100).high) == pytest.approx((0.0164319, 0.1128349), abs=1e-6)
    assert needed(0.0001) == 36_887
    assert rate(0, 36_887).high <= 0.0001 < rate(0, 36_886).high


SCORES = st.lists(
    st.one_of(st.floats(-1, 1), st.sampled_from([0.1, 0.1234, 0.5, 1.0])), min_size=1, max_size=120
)


@settings(deadline=None)
@given(SCORES, SCORES, st.sampled_from([0.001, 0.01, 0.1, 0.3, 0.9]))
def test_the_threshold_is_the_lowest_that_keeps_the_wanted_rate(
    genuine: list[float], impostors: list[float], wanted: float
) -> None:
    found = assess(np.array(genuine), np.array(impostors), wanted)
    passing = sum(score >= found.threshold for score in impostors)
    assert passing <= wanted * len(impostors) + 1e-9
    assert found.far.errors == passing
    assert found.frr.errors == sum(score < found.threshold for score in genuine)
    lower = found.threshold - 1.01 / face_accuracy.STEP
    if lower > -1:
        assert sum(score >= lower for score in impostors) > wanted * len(impostors) - 1e-9
    assert found.threshold_low <= found.threshold
    if found.threshold_high is None:
        assert not found.is_supported
        assert len(impostors) < found.impostors_needed
    else:
        assert found.threshold <= found.threshold_high
        assert rate(sum(score >= found.threshold_high for score in impostors), len(impostors)).high <= wanted
        assert len(impostors) >= found.impostors_needed


def test_the_interval_of_the_threshold_covers_the_truth_about_as_often_as_it_says() -> None:
    # Impostor scores uniform on 0 … 1: the threshold for a FAR of 10 % is 0.9.
    chance, inside = np.random.default_rng(11), 0
    for _ in range(200):
        found = assess(np.array([1.0]), chance.uniform(0, 1, 400), 0.1)
        assert found.threshold_high is not None
        inside += found.threshold_low <= 0.9 <= found.threshold_high
    assert inside >= 180


def test_the_curve_falls_and_rises_and_agrees_with_counting() -> None:
    chance = np.random.default_rng(5)
    genuine, impostors = chance.normal(0.6, 0.1, 300), chance.normal(0.1, 0.1, 500)
    points = face_accuracy.curve(genuine, impostors)
    fars, frrs = [point[1].errors for point in points], [point[2].errors for point in points]
    assert fars == sorted(fars, reverse=True)
    assert frrs == sorted(frrs)
    assert (fars[0], fars[-1], frrs[0], frrs[-1]) == (500, 0, 0, 300)
    for threshold, refused, missed in points[::20]:
        assert refused == far(impostors, threshold)
        assert missed == frr(genuine, threshold)
        assert refused.errors == sum(1 for score in impostors if score >= threshold)
