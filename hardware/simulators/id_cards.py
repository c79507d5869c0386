"""Cards of the resident ID family for the emulated reader: what a card's chip holds, written from plain fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware.drivers.id_card_text import LAYOUTS, TYPE_LETTERS, DocumentKind

PHOTO_BYTES = 1024


@dataclass(frozen=True, slots=True)
class IdCard:
    """A card that can be laid on the emulated reader."""

    text: bytes = field(repr=False)
    photo: bytes = field(default=bytes(PHOTO_BYTES), repr=False)


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
