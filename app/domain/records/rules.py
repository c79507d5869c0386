"""Pure rules of looking behind a mask (RE-05, S-12)."""

from __future__ import annotations

from enum import StrEnum

SHORTEST_NOTE = 4


class RevealReason(StrEnum):
    """Why somebody may be unmasked: a closed list, because the reason stands in clear in the audit log."""

    EMERGENCY = "emergency"
    POLICE = "police"
    CONTACT = "contact"
    COMPLAINT = "complaint"
    LOST_PROPERTY = "lost_property"
    CORRECTION = "correction"
    OTHER = "other"


def note_fault(reason: str, note: str) -> str:
    """The code of what is wrong with a reason and its note, empty when they will do; ``other`` has to be explained."""
    if reason not in set(RevealReason):
        return "choice_wrong"
    return "note_missing" if reason == RevealReason.OTHER and len(note) < SHORTEST_NOTE else ""
