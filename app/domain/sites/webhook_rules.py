"""Which events there are, and what follows from a receiver's answer (I-1, I-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# In the order of a visit; a test message is sent by hand and cannot be subscribed to.
EVENTS = (
    "visit.requested",
    "visit.approved",
    "visit.rejected",
    "visit.changed",
    "visit.cancelled",
    "visit.arrived",
    "visit.checked_in",
    "visit.checked_out",
    "device.down",
    "device.up",
    "consent.withdrawn",
)
TEST_EVENT = "test.ping"
LONGEST_WAIT = timedelta(days=1)
GONE = 410
WAITS = frozenset({429, 503})


class Fate(StrEnum):
    """What becomes of a message after an answer."""

    TAKEN = "taken"
    LATER = "later"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or the code of why there is none."""

    status: int = 0
    error: str = ""
    retry_after: str = ""


def fate(answer: Answer) -> Fate:
    """Taken with any 2xx, gone for good with 410, everything else is tried again."""
    if 200 <= answer.status < 300:
        return Fate.TAKEN
    return Fate.GONE if answer.status == GONE else Fate.LATER


def asked_wait(answer: Answer) -> timedelta | None:
    """For how long a busy receiver asked to be left alone, a day at most; None where it said nothing that can be read."""
    text = answer.retry_after.strip()
    if answer.status not in WAITS or not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
