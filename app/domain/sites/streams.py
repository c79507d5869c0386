"""The rule of ordered delivery from a lane's computer: a pure function of what is recorded and what came.

A computer numbers its events 1, 2, 3 … within a *stream*, which is one start of its program. What came before changes
nothing, what would leave a gap is refused with the number that is due, and the same number with another body is a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.errors import Conflict

# More than one batch, so that each repeated number can still be compared.
KEPT = 128
BATCH = 64


class OutOfOrder(Conflict):
    """A number is missing between what is recorded and what came; ``expected`` is the one that is due."""

    def __init__(self, expected: int) -> None:
        super().__init__("agent_gap", expected=expected)
        self.expected = expected


class Contradiction(Conflict):
    """A number came again with another body."""

    def __init__(self, seq: int) -> None:
        super().__init__("agent_conflict", seq=seq)
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream is recorded, and the digests of the last of its events, newest last."""

    last_seq: int = 0
    recent: tuple[str, ...] = ()

    def digest(self, seq: int) -> str:
        """What is known of a recorded number; empty when it is too long ago."""
        place = seq - self.last_seq - 1 + len(self.recent)
        return self.recent[place] if 0 <= place < len(self.recent) else ""

    def advanced(self, digests: Sequence[str]) -> Progress:
        """The same after so many more."""
        return Progress(self.last_seq + len(digests), (*self.recent, *digests)[-KEPT:])


def fresh_from(progress: Progress, numbered: Sequence[tuple[int, str]]) -> int:
    """The place in a batch from which on it is news; its length when all of it is a repeat.

    Raises ``OutOfOrder`` and ``Contradiction``; then nothing of the batch counts.
    """
    due = progress.last_seq + 1
    fresh = len(numbered)
    for place, (seq, digest) in enumerate(numbered):
        if place and seq != numbered[place - 1][0] + 1:
            raise OutOfOrder(due)
        if seq < due:
            known = progress.digest(seq)
            if known and known != digest:
                raise Contradiction(seq)
        elif fresh == len(numbered):
            if seq != due:
                raise OutOfOrder(due)
            fresh = place
    return fresh
