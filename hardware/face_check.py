"""One comparison at a camera from beginning to end: pictures, thresholds, and the level of liveness asked for."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from hardware.face_capture import capture
from hardware.face_liveness import Challenge, judge_depth
from hardware.face_ports import Ability, FaceFault, FaceOutcome, FaceVerdict, Liveness, Prompt
from hardware.face_verify import Comparison, likeness

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from hardware.camera_feed import CameraFeed
    from hardware.face_liveness import DepthSource
    from hardware.face_look import Look
    from hardware.face_ports import Frame, Portrait
    from hardware.face_quality import Limits

CHANCE = random.SystemRandom()


class Looker(Protocol):
    """What a check needs of the service."""

    def look(self, frame: Frame, limits: Limits = ..., *, live: bool = False, eyes: bool = False) -> Look:
        """One look at one picture for the one face meant."""

    def signs(self, frame: Frame) -> Look:
        """How the one face of a picture is turned."""

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the pack can do."""


@dataclass(frozen=True)
class Check:
    """Compares who stands there, asks for signs of life, and compares again."""

    looker: Looker
    feed: CameraFeed
    reference: Portrait
    same: float
    other: float
    level: Liveness
    seconds: float
    stop: threading.Event | None
    prompt: Callable[[Prompt], None] | None
    depth: DepthSource | None

    def hindrance(self, abilities: frozenset[Ability]) -> FaceFault | None:
        """Why the level of liveness asked for cannot be reached here; a lower one is never taken in its place."""
        missing = (
            (self.level is Liveness.PASSIVE and Ability.PASSIVE not in abilities)
            or (self.level is Liveness.DEPTH and self.depth is None)
            or (self.level is Liveness.CHALLENGE and self.prompt is None)
        )
        return FaceFault.NO_LIVENESS if missing else None

    def run(self) -> FaceVerdict:
        """Do it, and say what came of it."""
        verdict = self._compare()
        if self.level is not Liveness.CHALLENGE or verdict.outcome is not FaceOutcome.SAME:
            return verdict
        if not self._challenge():
            return replace(verdict, outcome=FaceOutcome.UNREADABLE, fault=FaceFault.NOT_DONE)
        # Somebody else may have stepped in to turn the head.
        self._say(Prompt.LOOK)
        again = self._compare()
        reached = Liveness.NONE if again.outcome is FaceOutcome.UNREADABLE else Liveness.CHALLENGE
        return replace(again, liveness=reached, frames=verdict.frames + again.frames)

    def _compare(self) -> FaceVerdict:
        found = Comparison(self.reference, self.same, self.other, self.level)

        def take(frame: Frame) -> bool:
            found.take(self._look(frame))
            return found.settled

        capture(self.feed, take, self.seconds, self.stop)
        return found.verdict()

    def _look(self, frame: Frame) -> Look:
        seen = self.looker.look(frame, live=self.level is Liveness.PASSIVE)
        if (
            self.depth is not None
            and self.level is Liveness.DEPTH
            and seen.face is not None
            and not seen.fault
        ):
            return replace(seen, live=judge_depth(self.depth.read(seen.face.box)))
        return seen

    def _challenge(self) -> bool:
        challenge = Challenge(self.looker.abilities, CHANCE, time.monotonic())
        told: list[Prompt] = []

        def take(frame: Frame) -> bool:
            self._follow(challenge, frame)
            self._tell(challenge, told)
            return challenge.over

        self._tell(challenge, told)
        capture(self.feed, take, challenge.longest, self.stop)
        return challenge.done

    def _follow(self, challenge: Challenge, frame: Frame) -> None:
        if challenge.prompt is not Prompt.LOOK:
            challenge.take(self.looker.signs(frame), time.monotonic())
            return
        # Each movement begins at the face of the portrait, so that nobody else can lend a head for all of them.
        seen = self.looker.look(frame, eyes=True)
        if seen.portrait is None:
            challenge.wait(time.monotonic())
        elif likeness(seen.portrait, self.reference) < self.other:
            challenge.refuse(time.monotonic())
        else:
            challenge.take(seen, time.monotonic())

    def _tell(self, challenge: Challenge, told: list[Prompt]) -> None:
        if not challenge.over and challenge.prompt not in told[-1:]:
            told.append(challenge.prompt)
            self._say(challenge.prompt)

    def _say(self, what: Prompt) -> None:
        if self.prompt is not None:
            self.prompt(what)
