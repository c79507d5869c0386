"""What a form says of a licence plate that looks odd: a word beside the field, never a refusal (N-5)."""

from __future__ import annotations

import reflex as rx

from app.core.i18n import text
from app.domain.vehicles.rules import PlateClass, classify, normalise
from state.shell import locale_of

MOST = 30


async def plate_note(state: rx.State, value: str) -> str:
    """The hint for what was typed; empty for a plate of a known class, and for none."""
    typed = value[:MOST]
    if not normalise(typed) or classify(typed) is not PlateClass.UNKNOWN:
        return ""
    return text(await locale_of(state), "plate_note.unknown")
