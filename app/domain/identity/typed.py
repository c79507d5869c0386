"""A document that somebody typed from the paper: what is wrong with it, field by field. Pure.

Everything is a hint until it is sent: a document may really be expired, or false.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from app.domain.identity.numbers import DocumentKind, NumberCheck, NumberFault, check

LONG_TERM = "长期"  # literal: what is printed on the card
LONG_WORDS = frozenset({LONG_TERM, "長期", "LONG-TERM", "LONG TERM", "PERMANENT"})  # literal: what is printed
# Only the resident ID card is ever valid without end.
MAY_BE_LONG = frozenset({DocumentKind.RESIDENT_ID})
# Year, month and day in this order, as all of these documents have them; without signs between them eight digits.
DATE = re.compile(r"(\d{4})(?:(\d{2})(\d{2})|\D(\d{1,2})\D(\d{1,2})\D?)", re.ASCII)


class TypedFault(StrEnum):
    """Why a field cannot be right, or what it tells."""

    NAME_MISSING = "name_missing"
    NUMBER_MISSING = "number_missing"
    NUMBER_SHAPE = "number_shape"
    NUMBER_CHECK_CHARACTER = "number_check_character"
    NUMBER_DATE = "number_date"
    NUMBER_FUTURE = "number_future"
    NUMBER_AGE = "number_age"
    NUMBER_LEGACY = "number_legacy"
    VALID_MISSING = "valid_missing"
    VALID_DATE = "valid_date"
    VALID_LONG = "valid_long"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, repr=False)
class TypedDocument:
    """What was typed, read: ``faults`` in the order of the form. Its ``repr`` says nothing of the person."""

    kind: DocumentKind
    name: str
    number: NumberCheck = field(repr=False)
    valid_to: date | None
    long_term: bool
    faults: tuple[TypedFault, ...]

    def __repr__(self) -> str:
        return f"<TypedDocument {self.kind} {[str(fault) for fault in self.faults]}>"


def read(kind: DocumentKind, name: str, number: str, valid_to: str, today: date) -> TypedDocument:
    """Read a form; never raises."""
    checked = check(kind, number, today)
    day, long_term, validity = read_validity(kind, valid_to, today)
    faults = [
        *(() if name.strip() else (TypedFault.NAME_MISSING,)),
        *number_faults(checked),
        *validity,
    ]
    return TypedDocument(kind, " ".join(name.split()), checked, day, long_term, tuple(faults))


def number_faults(checked: NumberCheck) -> tuple[TypedFault, ...]:
    """What is wrong with a number, in one word each."""
    if not checked.number:
        return (TypedFault.NUMBER_MISSING,)
    return tuple(TypedFault(f"number_{fault}") for fault in NumberFault if fault in checked.faults)


def read_validity(
    kind: DocumentKind, text: str, today: date
) -> tuple[date | None, bool, tuple[TypedFault, ...]]:
    """The last day, or that there is none, and what is wrong with it."""
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    if not plain:
        return None, False, (TypedFault.VALID_MISSING,)
    if plain in LONG_WORDS:
        return None, True, () if kind in MAY_BE_LONG else (TypedFault.VALID_LONG,)
    day = _day(plain)
    if day is None:
        return None, False, (TypedFault.VALID_DATE,)
    return day, False, (TypedFault.EXPIRED,) if day < today else ()


def _day(text: str) -> date | None:
    match = DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
    except ValueError:
        return None
