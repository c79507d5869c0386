"""What the gate takes from a document that a person holds up: its machine-readable zone, or what was typed from it.

As with a read card, numbers end here: four characters go on, and whether they hold (SI-03).
"""

from __future__ import annotations

from datetime import date

from app.domain.identity.mrz import Mrz, parse
from app.domain.identity.read_document import TAIL, CardName, ReadDocument
from app.domain.identity.typed import TypedDocument, TypedFault


def of_zone(text: str, today: date) -> ReadDocument:
    """From the lines of a zone; MrzError for what is none."""
    return from_zone(parse(text, today))


def from_zone(zone: Mrz) -> ReadDocument:
    """From a zone that was parsed; one whose check digits do not hold is unsound."""
    name = f"{zone.surname} {zone.given_names}".strip()
    return ReadDocument(
        names=(CardName(name, zone.name_cut, romanised=True),) if name else (),
        tails=_tails(zone.number),
        valid_from=None,
        valid_to=zone.expiry,
        long_term=False,
        sound=zone.holds,
    )


def from_typed(typed: TypedDocument) -> ReadDocument:
    """From what was typed; an expired document is sound, and expired."""
    return ReadDocument(
        names=(CardName(typed.name),) if typed.name else (),
        tails=_tails(typed.number.number),
        valid_from=None,
        valid_to=typed.valid_to,
        long_term=typed.long_term,
        sound=not set(typed.faults) - {TypedFault.EXPIRED},
    )


def _tails(number: str) -> tuple[str, ...]:
    return (number[-TAIL:].upper(),) if len(number) > TAIL else ()
