"""What the gate takes from a document that a reader has read: as much as it must compare, and no more (SI-03).

The number itself, address, birthday, sex and photo end here: of numbers four characters go on, and whether they hold. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.identity.names import same_name
from app.domain.identity.numbers import DocumentKind, check
from app.domain.identity.romanised import romanises

KINDS = {
    "resident_id": DocumentKind.RESIDENT_ID,
    "hmt_residence_permit": DocumentKind.HMT_RESIDENCE_PERMIT,
    "foreign_permanent_resident_2017": DocumentKind.FOREIGN_PERMANENT_RESIDENT,
    "foreign_permanent_resident_2023": DocumentKind.FOREIGN_PERMANENT_RESIDENT,
}
# So many UTF-16 units of a name fit on a card of any kind; one that fills them may go on.
ROOM = {"name": 15, "name_latin": 46}
GRAVE_FAULTS = {"number", "birth", "valid_from", "valid_to"}
TAIL = 4


@dataclass(frozen=True, slots=True)
class CardName:
    """One of the names on a document; ``cut`` where it fills its field and may go on.

    ``romanised``: the document has other characters, and where it was read only these letters.
    """

    text: str
    cut: bool = False
    romanised: bool = False

    def names(self, person: str) -> bool:
        """Whether this is that person's name."""
        if same_name(person, self.text, cut=self.cut):
            return True
        return self.romanised and romanises(person, self.text, cut=self.cut)


@dataclass(frozen=True, slots=True, repr=False)
class ReadDocument:
    """A document in so far as the gate compares it.

    ``sound`` is false where something on it cannot be right: a number whose check character fails, a date that is none.
    ``names`` is empty where no name could be read. Its ``repr`` says nothing of the person.
    """

    names: tuple[CardName, ...]
    tails: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    long_term: bool
    sound: bool

    def __repr__(self) -> str:
        return "<ReadDocument>"

    def names_person(self, name: str) -> bool:
        """Whether one of its names is this one."""
        return any(own.names(name) for own in self.names)

    def ends_in(self, tail: str) -> bool:
        """Whether one of its numbers ends so; an empty tail asks nothing."""
        return not tail or tail.upper() in self.tails

    def has_expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return not self.long_term and self.valid_to is not None and self.valid_to < today

    def is_doubtful(self, today: date) -> bool:
        """Whether it cannot be right as it is: unsound, without a name, not valid yet, or valid nobody knows how long."""
        unknown_end = not self.long_term and self.valid_to is None
        not_yet = self.valid_from is not None and self.valid_from > today
        return not self.sound or not self.names or unknown_end or not_yet


def take(payload: Mapping[str, str], today: date) -> ReadDocument:
    """From a reader's event (see docs/identity.md) to what the gate keeps in hand; never raises."""
    faults = set(payload.get("faults", "").split())
    names = tuple(
        CardName(text, cut)
        for field, room in ROOM.items()
        if (text := payload.get(field, ""))
        and ((cut := len(text.encode("utf-16-le", "replace")) // 2 >= room) or field not in faults)
    )
    kind = KINDS.get(payload.get("kind", ""))
    checked = check(kind, payload.get("number", ""), today) if kind else None
    birth = _day(payload.get("birth", ""))
    sound = (
        checked is not None
        and checked.holds
        and not faults & GRAVE_FAULTS
        and (checked.birth is None or checked.birth == birth)
    )
    numbers = (checked.number if checked else "", payload.get("permit_number", ""))
    return ReadDocument(
        names=names,
        tails=tuple(number[-TAIL:].upper() for number in numbers if len(number) > TAIL),
        valid_from=_day(payload.get("valid_from", "")),
        valid_to=_day(payload.get("valid_to", "")),
        long_term=bool(payload.get("long_term")),
        sound=sound,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
