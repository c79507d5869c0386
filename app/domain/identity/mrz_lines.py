"""From what was typed to the lines of a machine-readable zone, and where its fields stand (ICAO 9303 parts 4, 5, 6)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

FILLER = "<"
WEIGHTS = (7, 3, 1)
# Marks that phones, keyboards and input methods give for the filler; a double one stands for two.
MARKS = str.maketrans({"«": "<<", "《": "<<", "‹": "<", "〈": "<", "˂": "<", "≪": "<<"})
FOREIGN = re.compile(r"[^A-Z0-9<]", re.ASCII)

Span = range


class MrzFormat(StrEnum):
    """The size of a document: card, larger card, passport."""

    TD1 = "td1"
    TD2 = "td2"
    TD3 = "td3"


class MrzError(Exception):
    """No zone at all: ``empty``, ``line_count``, ``line_length``, ``character`` or ``visa``; ``line`` counts from 1, 0 for all."""

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(code, line)
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields stand when the lines are put one behind the other; a field's check digit follows it."""

    width: int
    lines: int
    code: Span
    issuer: Span
    names: Span
    number: Span
    nationality: Span
    birth: Span
    sex: int
    expiry: Span
    optional: Span
    second_optional: Span
    optional_check: int | None
    composite: int
    covered: tuple[Span, ...]
    # A number may go on in the optional data.
    long_number: bool
    # Lines that end in fillers, which people leave out when they type.
    may_be_short: frozenset[int]


LAYOUTS = {
    MrzFormat.TD1: Layout(
        width=30,
        lines=3,
        code=range(2),
        issuer=range(2, 5),
        number=range(5, 14),
        optional=range(15, 30),
        birth=range(30, 36),
        sex=37,
        expiry=range(38, 44),
        nationality=range(45, 48),
        second_optional=range(48, 59),
        optional_check=None,
        composite=59,
        names=range(60, 90),
        covered=(range(5, 30), range(30, 37), range(38, 45), range(48, 59)),
        long_number=True,
        may_be_short=frozenset({0, 2}),
    ),
    MrzFormat.TD2: Layout(
        width=36,
        lines=2,
        code=range(2),
        issuer=range(2, 5),
        names=range(5, 36),
        number=range(36, 45),
        nationality=range(46, 49),
        birth=range(49, 55),
        sex=56,
        expiry=range(57, 63),
        optional=range(64, 71),
        second_optional=range(0),
        optional_check=None,
        composite=71,
        covered=(range(36, 46), range(49, 56), range(57, 71)),
        long_number=True,
        may_be_short=frozenset({0}),
    ),
    MrzFormat.TD3: Layout(
        width=44,
        lines=2,
        code=range(2),
        issuer=range(2, 5),
        names=range(5, 44),
        number=range(44, 53),
        nationality=range(54, 57),
        birth=range(57, 63),
        sex=64,
        expiry=range(65, 71),
        optional=range(72, 86),
        second_optional=range(0),
        optional_check=86,
        composite=87,
        covered=(range(44, 54), range(57, 64), range(65, 87)),
        long_number=False,
        may_be_short=frozenset({0}),
    ),
}


def check_digit(text: str) -> str:
    """The check digit of a field: values 0 to 9, A to Z as 10 to 35, filler 0; weights 7 3 1; modulo 10 (9303-3, 4.9)."""
    return str(sum(_value(c) * WEIGHTS[at % 3] for at, c in enumerate(text)) % 10)


def is_zone(text: str) -> bool:
    """Whether a scanned text can only be a zone or a part of one: its lines have the length, and fillers in the first."""
    lines = _plain(text).split()
    widths = {len(line) for line in lines}
    whole = {layout.width for layout in LAYOUTS.values()} | {
        layout.width * layout.lines for layout in LAYOUTS.values()
    }
    return (
        len(widths) == 1
        and widths <= whole
        and FILLER in lines[0]
        and not any(FOREIGN.search(line) for line in lines)
    )


def to_lines(text: str) -> tuple[MrzFormat, str]:
    """The format and the lines put together; MrzError for what has not the shape of a zone.

    Spaces are taken away where the line is whole without them; else they are the fillers of somebody who found no ``<``.
    """
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    if not lines:
        raise MrzError("empty")
    for number, line in enumerate(lines, 1):
        if FOREIGN.search(_without(line)):
            raise MrzError("character", number)
    if lines[0][0] == "V":
        # A visa has another layout and is no document of identity.
        raise MrzError("visa")
    return _in_one(lines[0]) if len(lines) == 1 else _in_lines(lines)


def _in_one(line: str) -> tuple[MrzFormat, str]:
    for text in (_without(line), _filled(line)):
        for kind, layout in LAYOUTS.items():
            if len(text) == layout.width * layout.lines:
                return kind, text
    raise MrzError("line_count")


def _in_lines(lines: list[str]) -> tuple[MrzFormat, str]:
    kinds = [kind for kind, layout in LAYOUTS.items() if layout.lines == len(lines)]
    if not kinds:
        raise MrzError("line_count")
    wrong = 0
    for kind in kinds:
        layout = LAYOUTS[kind]
        fitted = [
            _fit(line, layout.width, may_be_short=at in layout.may_be_short) for at, line in enumerate(lines)
        ]
        if None not in fitted:
            return kind, "".join(line or "" for line in fitted)
        wrong = fitted.index(None) + 1
    raise MrzError("line_length", wrong)


def _fit(line: str, width: int, *, may_be_short: bool) -> str | None:
    """The line with exactly this width, None if it has no such reading."""
    bare, filled = _without(line), _filled(line)
    for text in (bare, filled):
        if len(text) == width:
            return text
    if may_be_short:
        for text in (filled, bare):
            if len(text) < width:
                return text.ljust(width, FILLER)
    return None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(MARKS)).translate(MARKS).upper()


def _without(line: str) -> str:
    return "".join(line.split())


def _filled(line: str) -> str:
    return "".join(FILLER if character.isspace() else character for character in line)


def _value(character: str) -> int:
    return 0 if character == FILLER else int(character, 36)
