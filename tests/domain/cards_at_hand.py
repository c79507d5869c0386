"""Cards of the resident ID family as the driver hands them over, made from the bytes on a chip."""

from __future__ import annotations

from datetime import date

from app.domain.identity.read_document import ReadDocument, take
from hardware.drivers.id_card_text import DocumentKind, decode, payload
from hardware.simulators.id_cards import IdCard, card_of, make_card

TODAY = date(2026, 3, 2)
CITIZEN = {
    "name": "周婷婷",
    "sex": "2",
    "ethnic_code": "01",
    "birth": "19491231",
    "address": "北京市朝阳区样证路1号",
    "number": "11010519491231002X",
    "issuer": "北京市公安局朝阳分局",
    "valid_from": "20170305",
    "valid_to": "20270305",
}


def card(kind: DocumentKind = DocumentKind.RESIDENT_ID, **changes: str) -> IdCard:
    """A citizen's card, but for the changes; an empty one leaves the field out."""
    return make_card(kind, {name: value for name, value in (CITIZEN | changes).items() if value})


def event(made: IdCard) -> dict[str, str]:
    """What the driver says of it."""
    return payload(decode(made.text))


def document(**changes: str) -> ReadDocument:
    """What the gate takes from a citizen's card."""
    return take(event(card(**changes)), TODAY)


def document_of(name: str) -> ReadDocument:
    """What the gate takes from a good card in this name."""
    return take(event(card_of(name)), TODAY)
