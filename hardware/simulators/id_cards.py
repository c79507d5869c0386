"""Cards of the resident ID family for the emulated reader: what a card's chip holds, written from plain fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware.drivers.id_card_text import LAYOUTS, LONG_TERM, TYPE_LETTERS, DocumentKind

PHOTO_BYTES = 1024


@dataclass(frozen=True, slots=True)
class IdCard:
    """A card that can be laid on the emulated reader."""

    text: bytes = field(repr=False)
    photo: bytes = field(default=bytes(PHOTO_BYTES), repr=False)
    newest_address: bytes = field(default=b"", repr=False)


def make_card(kind: DocumentKind, values: dict[str, str], photo: bytes = bytes(PHOTO_BYTES)) -> IdCard:
    """A card with these fields, named as in the layout; what is too long is cut as the issuer would, KeyError for no field."""
    left = dict(values)
    letter = next(letter for letter, other in TYPE_LETTERS.items() if other is kind)
    left["_type"] = letter
    text = b""
    for name, width in LAYOUTS[kind]:
        value = left.get(name, "") if name.startswith("_") else left.pop(name, "")
        encoded = value.encode("utf-16-le")[:width]
        text += encoded + b" \0" * ((width - len(encoded)) // 2)
    unknown = set(left) - {"_type"}
    if unknown:
        raise KeyError(*sorted(unknown))
    return IdCard(text, photo)


# Nobody's: the number is the example of GB 11643-1999, whose birthday is 1949-12-31.
SPECIMEN = make_card(
    DocumentKind.RESIDENT_ID,
    {
        "name": "张三",
        "sex": "2",
        "ethnic_code": "01",
        "birth": "19491231",
        "address": "北京市朝阳区样证路1号",
        "number": "11010519491231002X",
        "issuer": "北京市公安局朝阳分局",
        "valid_from": "20170305",
        "valid_to": "长期",
    },
)


def card_of(name: str) -> IdCard:
    """A good card in somebody's name, of a citizen or, for a name in Latin letters, of a foreign permanent resident.

    The numbers are made up: their regions, 110000 and 911000, are issued to nobody.
    """
    dates = {"birth": "19870412", "valid_from": "20200101", "valid_to": LONG_TERM}
    if name.isascii():
        *given, family = name.upper().split()
        latin = f"{family}, {' '.join(given)}" if given else family
        foreign = {"name_latin": latin, "sex": "2", "number": "91100019870412002X", "nationality": "SWE"}
        return make_card(DocumentKind.FOREIGN_PERMANENT_RESIDENT_2023, foreign | dates)
    citizen = {"name": name, "sex": "2", "ethnic_code": "01", "number": "11000019870412002X"}
    return make_card(DocumentKind.RESIDENT_ID, citizen | dates)
