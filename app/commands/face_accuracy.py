"""How well scores tell people apart: error rates with exact intervals, and the threshold for a wanted rate (ID-04).

A pair of one person is genuine, a pair of two is an impostor pair. FAR is the share of impostor pairs at or above a threshold,
FRR the share of genuine pairs below it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Scores = npt.NDArray[np.float64]

CONFIDENCE = 0.95
# Thresholds have four places after the point, as a person writes them down.
STEP = 10_000
CURVE_POINTS = 201
LOWEST = -1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of errors with its Clopper-Pearson interval."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.errors / self.trials if self.trials else math.nan


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a set of pairs says at one wanted FAR."""

    wanted: float
    threshold: float
    threshold_low: float
    # None where even no error at all would not prove the wanted rate.
    threshold_high: float | None
    far: Rate
    frr: Rate
    impostors_needed: int

    @property
    def is_supported(self) -> bool:
        """Whether there are enough impostor pairs to speak of the wanted rate at all."""
        return self.threshold_high is not None


def rate(errors: int, trials: int) -> Rate:
    """A rate with its exact interval; nothing is known of no trials."""
    from scipy.stats import beta

    rest = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(rest, errors, trials - errors + 1)) if errors else 0.0
    high = float(beta.ppf(1 - rest, errors + 1, trials - errors)) if errors < trials else 1.0
    return Rate(errors, trials, low, high)


def far(impostors: Scores, threshold: float) -> Rate:
    """How many impostor pairs would pass."""
    return rate(int((impostors >= threshold).sum()), len(impostors))


def frr(genuine: Scores, threshold: float) -> Rate:
    """How many genuine pairs would not."""
    return rate(int((genuine < threshold).sum()), len(genuine))


def needed(wanted: float) -> int:
    """The fewest impostor pairs that can prove a FAR: with no error among them its interval ends at the wanted rate."""
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log1p(-wanted))


def assess(genuine: Scores, impostors: Scores, wanted: float) -> Accuracy:
    """The lowest threshold that keeps the wanted FAR, between those of the ends of its interval."""
    count = len(impostors)
    threshold = above(impostors, math.floor(wanted * count + 1e-9))
    surest = _most_errors(count, lambda errors: rate(errors, count).high <= wanted)
    hopeful = _most_errors(count, lambda errors: rate(errors, count).low <= wanted)
    return Accuracy(
        wanted,
        threshold,
        above(impostors, hopeful),
        above(impostors, surest) if surest >= 0 else None,
        far(impostors, threshold),
        frr(genuine, threshold),
        needed(wanted),
    )


def above(impostors: Scores, errors: int) -> float:
    """The lowest threshold, in four places, that at most so many impostor pairs reach."""
    if errors >= len(impostors):
        return LOWEST
    highest_refused = float(np.partition(impostors, len(impostors) - errors - 1)[len(impostors) - errors - 1])
    threshold = (math.floor(highest_refused * STEP) + 1) / STEP
    # A score that is a multiple of the step may come out on either side of it.
    return threshold if threshold > highest_refused else threshold + 1 / STEP


def _most_errors(count: int, holds: Callable[[int], bool]) -> int:
    """The highest number of errors for which a statement holds that ceases to hold as they grow; -1 for none."""
    low, high = -1, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def curve(genuine: Scores, impostors: Scores) -> list[tuple[float, Rate, Rate]]:
    """FAR and FRR over the range of the scores."""
    scores = np.concatenate([genuine, impostors])
    low, high = math.floor(scores.min() * STEP) / STEP, math.ceil(scores.max() * STEP + 1) / STEP
    grid = [round(float(each), 4) for each in np.linspace(low, high, CURVE_POINTS)]
    return [(each, far(impostors, each), frr(genuine, each)) for each in grid]
