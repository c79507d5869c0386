"""Signs of life: a challenge of turned heads, and distances that a device measures (ID-03). What each is worth: docs/faces.md.

Both are pure: pictures, distances and times are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hardware.face_ports import Ability, Box, Prompt

if TYPE_CHECKING:
    import random

    import numpy.typing as npt

    from hardware.face_look import Look
    from hardware.face_quality import Pose

STEPS = 2
TRIES = 2
STEP_SECONDS = 6.0
# Degrees from where the person looked before.
STRAIGHT = 12.0
TURN = 18.0
NOD = 12.0
EYES_SHUT = 0.6
EYES_AGAIN = 0.8
# The same face overlaps with itself from one picture to the next.
OVERLAP = 0.2


class Challenge:
    """Asks for a few movements in random order; limited in tries and time.

    A flat photo that is turned does not pass: its nose does not move against its eyes. A film of the person may.
    """

    def __init__(self, abilities: frozenset[Ability], chance: random.Random, now: float) -> None:
        self._chance = chance
        self._choice = [Prompt.TURN_LEFT, Prompt.TURN_RIGHT, Prompt.NOD]
        if Ability.EYES in abilities:
            self._choice.append(Prompt.CLOSE_EYES)
        self._tries = 0
        self._left: list[Prompt] = []
        self._rest: Pose | None = None
        self._eyes: float | None = None
        self._moved = False
        self._box: Box | None = None
        self._until = now
        self._begin(now)

    @property
    def longest(self) -> float:
        """How long it can take."""
        return TRIES * (STEPS + 1) * STEP_SECONDS

    @property
    def prompt(self) -> Prompt:
        """What to do now."""
        return self._left[0] if self._left and self._rest is not None else Prompt.LOOK

    @property
    def done(self) -> bool:
        """Whether all was done as asked."""
        return not self._left

    @property
    def over(self) -> bool:
        """Whether it is done, or the tries are used up."""
        return self.done or self._tries >= TRIES

    def take(self, seen: Look, now: float) -> None:
        """Follow one picture."""
        if self.wait(now):
            return
        if seen.face is None or seen.pose is None:
            # A face that is lost while it turns may be found again; another face then is noticed by its place.
            return
        if self._box is not None and overlap(self._box, seen.face.box) < OVERLAP:
            self.refuse(now)
            return
        self._box = seen.face.box
        self._follow(seen.pose, seen.eyes, now)

    def wait(self, now: float) -> bool:
        """Let time pass; true when there is nothing more to see in this picture."""
        if not self.over and now > self._until:
            self.refuse(now)
            return True
        return self.over

    def refuse(self, now: float) -> None:
        """Count a try that came to nothing, and begin anew with other movements."""
        self._tries += 1
        if not self.over:
            self._begin(now)

    def _follow(self, pose: Pose, eyes: float | None, now: float) -> None:
        if self._rest is None:
            if abs(pose.yaw) <= STRAIGHT:
                self._rest, self._eyes, self._moved = pose, eyes, False
                self._until = now + STEP_SECONDS
            return
        done = self._did(self._left[0], pose, eyes)
        if done is None:
            self.refuse(now)
        elif done:
            self._left.pop(0)
            self._rest = None
            self._until = now + STEP_SECONDS

    def _did(self, asked: Prompt, pose: Pose, eyes: float | None) -> bool | None:
        """Whether it was done; None for the opposite of what was asked."""
        assert self._rest is not None
        if asked in (Prompt.TURN_LEFT, Prompt.TURN_RIGHT):
            turned = (pose.yaw - self._rest.yaw) * (1 if asked is Prompt.TURN_LEFT else -1)
            return None if turned <= -TURN else turned >= TURN
        if asked is Prompt.NOD:
            nodded = abs(pose.pitch - self._rest.pitch)
            back, self._moved = self._moved and nodded < NOD / 2, self._moved or nodded >= NOD
            return back
        if eyes is None or self._eyes is None:
            return False
        back, self._moved = (
            self._moved and eyes > EYES_AGAIN * self._eyes,
            self._moved or eyes < EYES_SHUT * self._eyes,
        )
        return back

    def _begin(self, now: float) -> None:
        self._left = self._chance.sample(self._choice, STEPS)
        self._rest = None
        self._box = None
        self._until = now + STEP_SECONDS


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    wide = min(one.x + one.width, two.x + two.width) - max(one.x, two.x)
    tall = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
    if wide <= 0 or tall <= 0:
        return 0.0
    common = wide * tall
    return common / (one.width * one.height + two.width * two.height - common)


@dataclass(frozen=True, slots=True)
class DepthPatch:
    """Distances to the points of a face's box in millimetres, 0 where the device has none."""

    millimetres: npt.NDArray[np.float32]


class DepthSource(Protocol):
    """The contract of an adapter for a depth camera or a terminal: it looks where the colour camera looks.

    A device that only says "alive" or not returns that instead of distances.
    """

    def read(self, box: Box) -> DepthPatch | bool | None:
        """What the device measures in this part of the picture now; None when it has nothing."""


# A face stands out from the plane through it by so much (root mean square), and by no more.
RELIEF = (6.0, 60.0)
DISTANCES = (200.0, 2500.0)
MEASURED_SHARE = 0.6
FEWEST_POINTS = 25


def judge_depth(patch: DepthPatch | bool | None) -> bool | None:
    """Whether distances are those of a face: in reach and not flat. None when too few were measured."""
    if patch is None or isinstance(patch, bool):
        return patch
    distances = np.asarray(patch.millimetres, dtype=np.float64)
    valid = np.isfinite(distances) & (distances > 0)
    if valid.sum() < FEWEST_POINTS or valid.mean() < MEASURED_SHARE:
        return None
    rows, columns = np.nonzero(valid)
    measured = distances[valid]
    if not DISTANCES[0] <= np.median(measured) <= DISTANCES[1]:
        return False
    places = np.column_stack([rows, columns, np.ones(len(rows))])
    plane, *_ = np.linalg.lstsq(places, measured, rcond=None)
    relief = float(np.sqrt(np.mean((measured - places @ plane) ** 2)))
    return RELIEF[0] <= relief <= RELIEF[1]
