"""Weighs several pictures of one person against a portrait; pure, so that its rules can be written down as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hardware.face_look import Look, most_telling
from hardware.face_ports import FaceFault, FaceOutcome, FaceVerdict, Liveness

if TYPE_CHECKING:
    from hardware.face_ports import Portrait

# So many good pictures are enough; more would only give a stranger more tries.
MOST_PICTURES = 5
# Another person is told only when so many good pictures agree: a wrong suspicion weighs more than another look.
AGREEING = 3
# One picture alone neither proves that somebody lives nor that nobody does.
LIVE_PICTURES = 2
FAKE_PICTURES = 2


def likeness(one: Portrait, two: Portrait) -> float:
    """The cosine of two portraits of one pack."""
    return float(np.dot(one.vector, two.vector))


@dataclass
class Comparison:
    """Takes looks until it is settled, then gives a verdict."""

    reference: Portrait
    same: float
    other: float
    level: str = Liveness.NONE
    scores: list[float] = field(default_factory=list)
    fakes: int = 0
    faults: list[FaceFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not -1 <= self.other <= self.same <= 1:
            raise ValueError("thresholds")

    @property
    def needs_life(self) -> bool:
        """Whether each picture must be of a living face."""
        return self.level in (Liveness.PASSIVE, Liveness.DEPTH)

    def take(self, seen: Look) -> None:
        """Count one picture."""
        if self.needs_life and seen.fault is None and seen.live is False:
            self.fakes += 1
        elif seen.fault is not None or seen.portrait is None:
            self.faults.append(seen.fault or FaceFault.NO_FACE)
        elif seen.portrait.pack.id != self.reference.pack.id:
            self.faults.append(FaceFault.OTHER_PACK)
        elif self.needs_life and seen.live is None:
            self.faults.append(FaceFault.NO_LIVENESS)
        else:
            self.scores.append(likeness(seen.portrait, self.reference))

    @property
    def is_alive(self) -> bool:
        """Whether life was asked for and seen, or not asked for."""
        return not self.needs_life or (len(self.scores) >= LIVE_PICTURES and len(self.scores) > self.fakes)

    @property
    def settled(self) -> bool:
        """Whether another picture could change nothing that matters."""
        if len(self.scores) + self.fakes >= MOST_PICTURES:
            return True
        return self.is_alive and max(self.scores, default=-2.0) >= self.same

    def verdict(self) -> FaceVerdict:
        """What came of it."""
        best = max(self.scores, default=0.0)
        if self.fakes >= FAKE_PICTURES and self.fakes >= len(self.scores):
            return self._say(FaceOutcome.SPOOFED)
        if not self.scores:
            fault = FaceFault.NO_LIVENESS if self.fakes else most_telling(self.faults)
            return self._say(FaceOutcome.UNREADABLE, fault=fault)
        if not self.is_alive:
            return self._say(FaceOutcome.UNREADABLE, fault=FaceFault.NO_LIVENESS)
        reached = self.level if self.needs_life else Liveness.NONE
        if best >= self.same:
            return self._say(FaceOutcome.SAME, best, reached)
        if best < self.other and len(self.scores) >= AGREEING:
            return self._say(FaceOutcome.OTHER, best, reached)
        return self._say(FaceOutcome.UNSURE, best, reached)

    def _say(
        self,
        outcome: FaceOutcome,
        score: float = 0.0,
        liveness: str = Liveness.NONE,
        fault: FaceFault | None = None,
    ) -> FaceVerdict:
        frames = len(self.scores) + self.fakes
        return FaceVerdict(outcome, fault, score, self.same, str(liveness), frames, self.reference.pack.id)
