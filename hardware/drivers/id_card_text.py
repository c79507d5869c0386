"""The 256 bytes of text on a card of the resident ID family, decoded into a typed record.

Fields have fixed widths and are UTF-16LE, padded with spaces. The character at byte 248 tells the layout: a space for the
resident ID card, ``J`` for the residence permit of Hong Kong, Macau and Taiwan residents, ``I`` and ``Y`` for the foreign
permanent resident card of 2017 and of 2023.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from hardware.drivers.id_card_codes import ETHNIC_GROUPS, SEXES, Sex

TEXT_BYTES = 256
TYPE_OFFSET = 248
LONG_TERM = "长期"
DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
DATES = ("birth", "valid_from", "valid_to")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
PADDING = " \0\u3000"


class DocumentKind(StrEnum):
    """Which card it is."""

    RESIDENT_ID = "resident_id"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGN_PERMANENT_RESIDENT_2017 = "foreign_permanent_resident_2017"
    FOREIGN_PERMANENT_RESIDENT_2023 = "foreign_permanent_resident_2023"


Layout = tuple[tuple[str, int], ...]

_PERSON: Layout = (
    ("name", 30),
    ("sex", 2),
    ("ethnic_code", 4),
    ("birth", 16),
    ("address", 70),
    ("number", 36),
    ("issuer", 30),
    ("valid_from", 16),
    ("valid_to", 16),
)
# Widths in bytes. Names that begin with an underscore hold nothing that is kept.
LAYOUTS: dict[DocumentKind, Layout] = {
    DocumentKind.RESIDENT_ID: (*_PERSON, ("_rest", 36)),
    DocumentKind.HMT_RESIDENCE_PERMIT: (
        *_PERSON,
        ("permit_number", 18),
        ("issue_count", 4),
        ("_reserved", 6),
        ("_type", 2),
        ("_reserved", 6),
    ),
    DocumentKind.FOREIGN_PERMANENT_RESIDENT_2017: (
        ("name_latin", 120),
        ("sex", 2),
        ("number", 30),
        ("nationality", 6),
        ("name", 30),
        ("valid_from", 16),
        ("valid_to", 16),
        ("birth", 16),
        ("version", 4),
        ("issuer", 8),
        ("_type", 2),
        ("_reserved", 6),
    ),
    DocumentKind.FOREIGN_PERMANENT_RESIDENT_2023: (
        ("name", 30),
        ("sex", 2),
        ("issue_count", 4),
        ("birth", 16),
        ("name_latin", 70),
        ("number", 36),
        ("_reserved", 30),
        ("valid_from", 16),
        ("valid_to", 16),
        ("name_latin_rest", 22),
        ("nationality", 6),
        ("_type", 2),
        ("previous_reference", 6),
    ),
}
TYPE_LETTERS = {
    " ": DocumentKind.RESIDENT_ID,
    "J": DocumentKind.HMT_RESIDENCE_PERMIT,
    "I": DocumentKind.FOREIGN_PERMANENT_RESIDENT_2017,
    "Y": DocumentKind.FOREIGN_PERMANENT_RESIDENT_2023,
}


class TextError(Exception):
    """This is no card text: ``text_length`` or ``text_type``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, repr=False)
class CardText:
    """What stands on the card; fields that the card has not are empty. Its ``repr`` says the kind and no more.

    ``faults`` names the fields whose content cannot be right (a date like 20010229, an unknown sex code, a broken
    character); such a date is None. ``valid_to`` is None too when ``long_term`` is set. An ethnic code outside of the
    table is kept as it is and is no fault: cards carry codes that no table lists.
    """

    kind: DocumentKind
    name: str
    sex: Sex
    birth: date | None
    number: str
    valid_from: date | None
    valid_to: date | None
    long_term: bool = False
    name_latin: str = ""
    ethnic_code: str = ""
    address: str = ""
    issuer: str = ""
    nationality: str = ""
    permit_number: str = ""
    issue_count: str = ""
    version: str = ""
    previous_reference: str = ""
    faults: frozenset[str] = field(default_factory=frozenset)

    def __repr__(self) -> str:
        return f"<CardText {self.kind}>"

    @property
    def ethnic_group(self) -> str:
        """The group's Chinese name, empty for a missing or unknown code."""
        return ETHNIC_GROUPS.get(self.ethnic_code, "")


def decode(text: bytes) -> CardText:
    """Decode the text of a card; TextError for anything that no card holds."""
    if len(text) != TEXT_BYTES:
        raise TextError("text_length")
    kind = TYPE_LETTERS.get(text[TYPE_OFFSET : TYPE_OFFSET + 2].decode("utf-16-le", "replace"))
    if kind is None:
        raise TextError("text_type")
    values = _split(text, LAYOUTS[kind])
    latin = (values.pop("name_latin", "") + values.pop("name_latin_rest", "")).strip(PADDING)
    sex = SEXES.get(values.pop("sex"))
    long_term = values["valid_to"] == LONG_TERM
    dates = {name: _date(values.pop(name)) for name in DATES}
    faults = {name for name, value in {**values, "name_latin": latin}.items() if REPLACEMENT in value}
    faults |= {name for name, day in dates.items() if day is None and not (name == "valid_to" and long_term)}
    faults |= {"sex"} if sex is None else set()
    faults |= set() if values["number"] else {"number"}
    faults |= set() if values["name"] or latin else {"name"}
    return CardText(
        kind=kind,
        sex=sex or Sex.UNKNOWN,
        name_latin=latin,
        long_term=long_term,
        faults=frozenset(faults),
        birth=dates["birth"],
        valid_from=dates["valid_from"],
        valid_to=dates["valid_to"],
        **values,
    )


def decode_address(data: bytes) -> str:
    """An address that was added to a card, in the form of the address field."""
    return CONTROL.sub(REPLACEMENT, data.decode("utf-16-le", "replace").strip(PADDING))


def payload(card: CardText) -> dict[str, str]:
    """The record as an event carries it: text only, empty fields left out, dates as YYYY-MM-DD, faults in a row."""
    found = {entry.name: getattr(card, entry.name) for entry in fields(card)}
    found |= {
        "ethnic_group": card.ethnic_group,
        "long_term": "1" if card.long_term else "",
        "faults": " ".join(sorted(card.faults)),
    }
    return {name: str(value) for name, value in found.items() if value}


def _split(text: bytes, layout: Layout) -> dict[str, str]:
    """The fields by name; what is no character, such as half of a pair at a cut name's end, becomes U+FFFD."""
    values: dict[str, str] = {}
    offset = 0
    for name, width in layout:
        raw = text[offset : offset + width].decode("utf-16-le", "replace")
        offset += width
        if not name.startswith("_"):
            # A Latin name goes on in a second field: a space at the first one's end may stand inside of the name.
            kept = raw.rstrip("\0") if name == "name_latin" else raw.strip(PADDING)
            values[name] = CONTROL.sub(REPLACEMENT, kept)
    return values


def _date(text: str) -> date | None:
    match = DATE.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
