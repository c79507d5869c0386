"""From what a device read to evidence: which pass, card or booking it is, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.rules import BADGE, CardStatus, PassStatus, parse, step_fault
from app.domain.admission.rules import Evidence, Kind, Result
from app.domain.identity import faces
from app.domain.identity.read_document import ReadDocument

# How a document was read where no chip was: by its machine-readable zone, or by somebody who typed it.
ZONE, TYPED = "zone", "typed"


@dataclass(frozen=True, slots=True)
class Presented:
    """Something held before a reader: ``code`` text, ``card`` UID, ``face`` that was recognised (the id of its template),
    ``document`` or ``unreadable``; nonce from the device.

    ``source`` says how a document was read where no chip was: its ``zone``, or ``typed`` from it.
    """

    kind: str
    text: str
    nonce: str
    occurred_at: datetime
    device_id: str = ""
    document: ReadDocument | None = field(default=None, repr=False)
    source: str = ""


@dataclass(slots=True)
class Finding:
    """What it turned out to be."""

    kind: Kind
    result: Result
    booking_id: str | None = None
    pass_id: str | None = None
    card_id: str | None = None
    step: int = 0


OF_PASS = {Kind.CODE, Kind.SHORT_CODE, Kind.BADGE}
PASS_RESULTS = {
    PassStatus.ACTIVE: Result.OK,
    PassStatus.LOST: Result.LOST,
    PassStatus.RETURNED: Result.ENDED,
    PassStatus.REVOKED: Result.ENDED,
    PassStatus.EXPIRED: Result.ENDED,
}
CARD_RESULTS = {
    CardStatus.ACTIVE: Result.OK,
    CardStatus.BLOCKED: Result.BLOCKED,
    CardStatus.LOST: Result.LOST,
    CardStatus.RETURNED: Result.ENDED,
}


def examine(session: Session, site_id: str, item: Presented, now: datetime) -> Finding:
    """Resolve one presented item; writes nothing. A forged code speaks for no booking."""
    if item.kind == "card":
        return _examine_card(session, site_id, item.text)
    if item.kind == "code":
        return _examine_code(session, site_id, item.text, now)
    if item.kind == "short_code":
        issued = access.by_short_code(session, site_id, item.text)
        if issued is None:
            return Finding(Kind.SHORT_CODE, Result.UNKNOWN)
        return Finding(Kind.SHORT_CODE, PASS_RESULTS[PassStatus(issued.status)], issued.booking_id, issued.id)
    if item.kind == "face":
        return _examine_face(session, site_id, item.text, now)
    kind = Kind.CARD if item.text.startswith("card") else Kind.CODE
    return Finding(kind, Result.UNREADABLE)


def withdrawn(
    session: Session, evidence: Sequence[Evidence], pass_id: str | None, card_id: str | None
) -> Sequence[Evidence]:
    """The evidence as it stands now: a pass or card that was taken back since it was read is no longer good."""
    kinds = {item.kind for item in evidence if item.result is Result.OK}
    changed: dict[Kind, Result] = {}
    if pass_id and kinds & OF_PASS:
        status = access.pass_status(session, pass_id)
        changed |= dict.fromkeys(kinds & OF_PASS, PASS_RESULTS[PassStatus(status)])
    if card_id and Kind.CARD in kinds:
        changed[Kind.CARD] = CARD_RESULTS[CardStatus(access.card_status(session, card_id))]
    return [Evidence(e.kind, changed.get(e.kind, e.result)) if e.result is Result.OK else e for e in evidence]


def _examine_card(session: Session, site_id: str, uid: str) -> Finding:
    card = access.card(session, site_id, uid)
    if card is None:
        return Finding(Kind.CARD, Result.UNKNOWN)
    return Finding(Kind.CARD, CARD_RESULTS[CardStatus(card.status)], card.booking_id, card_id=card.id)


def _examine_face(session: Session, site_id: str, template_id: str, now: datetime) -> Finding:
    # The database says whether a face may be used, not the index that found it. One that was taken back a moment ago
    # is no finding against anybody (F-7).
    booking_id = faces.permit_of(session, site_id, template_id, now)
    return Finding(Kind.FACE, Result.OK if booking_id else Result.UNREADABLE, booking_id)


def _examine_code(session: Session, site_id: str, text: str, now: datetime) -> Finding:
    code = parse(text)
    if code is None:
        return Finding(Kind.CODE, Result.FOREIGN)
    kind = Kind.BADGE if code.kind == BADGE else Kind.CODE
    issued = access.by_code(session, site_id, code.code_id)
    if issued is None:
        return Finding(kind, Result.UNKNOWN)
    if not access_service.genuine(issued, code):
        return Finding(kind, Result.FORGED)
    if issued.status != PassStatus.ACTIVE:
        return Finding(kind, PASS_RESULTS[PassStatus(issued.status)], issued.booking_id, issued.id)
    if kind is Kind.BADGE:
        return Finding(kind, Result.OK, issued.booking_id, issued.id)
    if step_fault(code.step, now.timestamp()) is not None:
        return Finding(kind, Result.STALE, issued.booking_id, issued.id, step=code.step)
    return Finding(kind, Result.OK, issued.booking_id, issued.id, step=code.step)
