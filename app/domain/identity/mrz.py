"""The machine-readable zone of passports and cards (ICAO 9303 parts 3 to 6), as typed, pasted or sent by a reader.

Pure. A zone is read as far as it can be; what does not hold is named field by field, so that the guard looks at that field
of the document again. The check digits prove that nothing was mistyped, and nothing about the document being genuine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations

from app.domain.identity.mrz_lines import (
    FILLER,
    LAYOUTS,
    Layout,
    MrzFormat,
    Span,
    check_digit,
    to_lines,
)

# What eyes, cameras and fingers take for each other. Applied where a position holds digits only, or letters only.
TO_DIGIT = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
TO_LETTER = {"0": "O", "1": "I", "2": "Z", "5": "S", "8": "B"}
# Where both stand, only O and 0 are tried, and not more of them than can be told apart by one check digit.
MAX_SWAPS = 6
FIRST_LETTERS = {MrzFormat.TD1: "ACI", MrzFormat.TD2: "ACI", MrzFormat.TD3: "P"}
CENTURIES = (1900, 2000, 2100)


class MrzField(StrEnum):
    """The parts that can fail."""

    CODE = "code"
    ISSUER = "issuer"
    NAME = "name"
    NUMBER = "number"
    NATIONALITY = "nationality"
    BIRTH = "birth"
    SEX = "sex"
    EXPIRY = "expiry"
    OPTIONAL = "optional"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class Change:
    """A character that was taken for another; line and place count from 1."""

    line: int
    place: int
    was: str
    now: str


@dataclass(frozen=True, slots=True, repr=False)
class Mrz:
    """What a zone says.

    ``failed`` names the fields that do not hold: wrong check digit, impossible date, digit in a name. ``repaired`` names
    those where a character was taken for another to make them hold (O and 0): to be compared with the document, and
    ``changes`` where they stand.
    ``birth`` is None also where the issuer left day or month unknown, which is no failure. ``name_cut``: the name fills
    its field, so it may be longer than the zone. Fillers are gone; ``sex`` is M, F or empty.
    """

    format: MrzFormat
    code: str
    issuer: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth: date | None
    sex: str
    expiry: date | None
    optional: str
    name_cut: bool
    failed: frozenset[MrzField]
    repaired: frozenset[MrzField]
    changes: tuple[Change, ...] = ()

    def __repr__(self) -> str:
        return f"<Mrz {self.format} failed={sorted(self.failed)}>"

    @property
    def holds(self) -> bool:
        """Whether every check digit and every field is right."""
        return not self.failed


def parse(text: str, today: date) -> Mrz:
    """Read a zone of two or three lines, or all in one; MrzError for what has not the shape of one.

    ``today`` decides the century of two-digit years: nobody was born after it, and no document ends more than 50 years
    from it.
    """
    kind, flat = to_lines(text)
    return _Reader(LAYOUTS[kind], flat, today).read(kind)


class _Reader:
    """Reads one zone and notes what failed and what was repaired."""

    def __init__(self, layout: Layout, flat: str, today: date) -> None:
        self._layout = layout
        self._given = flat
        self._chars = list(flat)
        self._today = today
        self._failed: set[MrzField] = set()
        self._repaired: set[MrzField] = set()

    def read(self, kind: MrzFormat) -> Mrz:
        layout = self._layout
        code = self._letters(MrzField.CODE, layout.code)
        if code[:1] not in set(FIRST_LETTERS[kind]):
            self._failed.add(MrzField.CODE)
        issuer = self._letters(MrzField.ISSUER, layout.issuer)
        nationality = self._letters(MrzField.NATIONALITY, layout.nationality)
        names = self._letters(MrzField.NAME, layout.names)
        surname, _, given = names.partition(FILLER * 2)
        self._check_optional()
        number, optional = self._number()
        birth = self._date(MrzField.BIRTH, layout.birth, self._birth)
        expiry = self._date(MrzField.EXPIRY, layout.expiry, self._expiry)
        sex = self._sex()
        self._check_composite()
        for name, value in (
            (MrzField.NAME, surname),
            (MrzField.ISSUER, issuer),
            (MrzField.NATIONALITY, nationality),
        ):
            if not value:
                self._failed.add(name)
        return Mrz(
            format=kind,
            code=code,
            issuer=issuer,
            surname=_words(surname),
            given_names=_words(given),
            number=number,
            nationality=nationality,
            birth=birth,
            sex=sex,
            expiry=expiry,
            optional=optional,
            name_cut=self._chars[layout.names.stop - 1] != FILLER,
            failed=frozenset(self._failed),
            repaired=frozenset(self._repaired - self._failed),
            changes=self._changes(),
        )

    def _changes(self) -> tuple[Change, ...]:
        width = self._layout.width
        return tuple(
            Change(at // width + 1, at % width + 1, was, now)
            for at, (was, now) in enumerate(zip(self._given, self._chars, strict=True))
            if was != now
        )

    def _text(self, span: Span) -> str:
        return "".join(self._chars[span.start : span.stop])

    def _letters(self, name: MrzField, span: Span) -> str:
        for at in span:
            self._put(name, at, TO_LETTER.get(self._chars[at], self._chars[at]))
        text = self._text(span)
        if any(character.isdigit() for character in text):
            self._failed.add(name)
        return text.rstrip(FILLER)

    def _digits(self, name: MrzField, span: Span) -> None:
        for at in span:
            self._put(name, at, TO_DIGIT.get(self._chars[at], self._chars[at]))

    def _put(self, name: MrzField, at: int, character: str) -> None:
        if self._chars[at] != character:
            self._chars[at] = character
            self._repaired.add(name)

    def _number(self) -> tuple[str, str]:
        """Document number and the rest of the optional data."""
        layout = self._layout
        body, check, optional = list(layout.number), layout.number.stop, list(layout.optional)
        if self._chars[check] == FILLER and layout.long_number:
            # A number of more than nine characters goes on in the optional data and ends with its check digit.
            more = self._text(layout.optional).partition(FILLER)[0]
            if more:
                body += optional[: len(more) - 1]
                check = optional[len(more) - 1]
                optional = optional[len(more) :]
        self._digits(MrzField.NUMBER, range(check, check + 1))
        self._settle(MrzField.NUMBER, body, check)
        number = "".join(self._chars[at] for at in body).rstrip(FILLER)
        if not number:
            self._failed.add(MrzField.NUMBER)
        second = self._text(layout.second_optional)
        rest = ("".join(self._chars[at] for at in optional), second)
        return number, " ".join(filter(None, (_words(part) for part in rest)))

    def _settle(self, name: MrzField, body: list[int], check: int) -> None:
        """Make the check digit fit by taking O for 0 or 0 for O, if there is exactly one way to."""

        def fits() -> bool:
            return check_digit("".join(self._chars[at] for at in body)) == self._chars[check]

        if fits():
            return
        doubtful = [at for at in body if self._chars[at] in "O0"]
        ways = []
        for count in range(1, len(doubtful) + 1 if len(doubtful) <= MAX_SWAPS else 1):
            for chosen in combinations(doubtful, count):
                self._swap(chosen)
                if fits():
                    ways.append(chosen)
                self._swap(chosen)
        if len(ways) == 1:
            self._swap(ways[0])
            self._repaired.add(name)
        else:
            self._failed.add(name)

    def _swap(self, places: tuple[int, ...]) -> None:
        for at in places:
            self._chars[at] = "0" if self._chars[at] == "O" else "O"

    def _date(self, name: MrzField, span: Span, choose: Callable[[str], date | None]) -> date | None:
        self._digits(name, range(span.start, span.stop + 1))
        text = self._text(span)
        found = None if FILLER in text else choose(text)
        # Day and month may be unknown, and are fillers then.
        known = text.rstrip(FILLER)
        partly = name is MrzField.BIRTH and FILLER in text and len(known) % 2 == 0
        readable = found is not None or (partly and (known.isdigit() or not known))
        if not readable or check_digit(text) != self._chars[span.stop]:
            self._failed.add(name)
        return found

    def _birth(self, text: str) -> date | None:
        past = [day for day in _possible(text) if day <= self._today]
        return max(past, default=None)

    def _expiry(self, text: str) -> date | None:
        return min(_possible(text), key=lambda day: abs(day - self._today), default=None)

    def _sex(self) -> str:
        sex = self._chars[self._layout.sex]
        if sex not in {"M", "F", FILLER}:
            self._failed.add(MrzField.SEX)
        return sex if sex in {"M", "F"} else ""

    def _check_optional(self) -> None:
        if self._layout.optional_check is None:
            return
        check = self._layout.optional_check
        empty = not self._text(self._layout.optional).strip(FILLER)
        if empty and self._chars[check] == FILLER:
            return
        self._digits(MrzField.OPTIONAL, range(check, check + 1))
        self._settle(MrzField.OPTIONAL, list(self._layout.optional), check)

    def _check_composite(self) -> None:
        at = self._layout.composite
        self._digits(MrzField.COMPOSITE, range(at, at + 1))
        covered = "".join(self._text(span) for span in self._layout.covered)
        if check_digit(covered) != self._chars[at]:
            self._failed.add(MrzField.COMPOSITE)


def _possible(text: str) -> list[date]:
    """The dates that YYMMDD may stand for."""
    found: list[date] = []
    if not text.isdigit():
        return found
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    for century in CENTURIES:
        try:
            found.append(date(century + year, month, day))
        except ValueError:
            continue
    return found


def _words(text: str) -> str:
    return " ".join(text.replace(FILLER, " ").split())
