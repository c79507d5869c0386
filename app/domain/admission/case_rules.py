"""Pure rules of cases: which findings make one, and how it ends (AD-18)."""

from __future__ import annotations

from enum import StrEnum

from app.domain.admission.rules import DOCUMENT_REASONS, FACE_REASONS, Kind, Reason, Result


class CaseStatus(StrEnum):
    """Whether somebody still has to look at it."""

    OPEN = "open"
    CLOSED = "closed"


class CaseOutcome(StrEnum):
    """How a case ended."""

    RELEASED = "released"
    REFUSED = "refused"
    POLICE = "police"
    FALSE_ALARM = "false_alarm"
    OTHER = "other"


class PictureState(StrEnum):
    """What became of the picture of the moment; all but the first two say why there is none."""

    PENDING = "pending"
    KEPT = "kept"
    NO_CAMERA = "no_camera"
    NO_PICTURE = "no_picture"
    COMPUTER_AWAY = "computer_away"
    COMPUTER_OLD = "computer_old"
    DISK_FULL = "disk_full"
    DISK_FAILED = "disk_failed"
    MISSED = "missed"
    EXPIRED = "expired"


ALARMS = {Kind.DOCUMENT: DOCUMENT_REASONS, Kind.FACE: FACE_REASONS}


def alarm_of(kind: Kind, result: Result) -> Reason | None:
    """The reason by which a finding makes a case; None for one that does not."""
    return ALARMS.get(kind, {}).get(result)


def title_of(year: int, number: int) -> str:
    """How a case is called."""
    return f"{year}-{number:04d}"
