"""Issuing passes and cards and taking them back."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.core import audit, clock, crypto
from app.core.actor import Actor
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.ids import new_code_id, new_id, new_short_code
from app.core.permissions import Right
from app.domain.access import repository
from app.domain.access.models import Card, VisitorPass
from app.domain.access.rules import BADGE, DYNAMIC, CardStatus, Code, PassStatus, is_genuine, make, step_at
from app.domain.booking import repository as bookings

SHORT_CODE_TRIES = 20


def issue_pass(
    session: Session, site_id: str, booking_id: str, start: datetime, end: datetime
) -> VisitorPass:
    """A new active pass; its secret is derived, never stored (S-15)."""
    ring = crypto.keyring()
    row = VisitorPass(
        id=new_id(),
        site_id=site_id,
        booking_id=booking_id,
        code_id=new_code_id(),
        kid=ring.newest,
        status=PassStatus.ACTIVE,
        not_before=start,
        not_after=end,
        issued_at=clock.now(),
    )
    for _ in range(SHORT_CODE_TRIES):
        digits = new_short_code()
        if repository.by_short_code(session, site_id, digits) is None:
            crypto.seal(row, "short_code", digits)
            row.short_index = ring.index("short_code", f"{site_id}|{digits}")
            break
    session.add(row)
    session.flush()
    return row


def end_pass(session: Session, row: VisitorPass, status: PassStatus) -> None:
    """Take a pass out of use; its six digits become free."""
    if row.status == PassStatus.ACTIVE:
        row.status, row.ended_at = status, clock.now()
        row.short_code, row.short_index = None, None
        session.add(row)


def secret_of(row: VisitorPass) -> bytes:
    """The secret from which this pass's codes are made."""
    return crypto.keyring().pass_secret(row.kid, row.site_id, row.code_id)


def code_now(row: VisitorPass, moment: datetime) -> str:
    """The dynamic code that the visitor's page shows at ``moment``; the demo panel shows it in its stead."""
    return make(DYNAMIC, secret_of(row), row.kid, row.code_id, step_at(moment.timestamp()))


def badge_code(row: VisitorPass) -> str:
    """The fixed code of the printed badge."""
    return make(BADGE, secret_of(row), row.kid, row.code_id, 0)


def genuine(row: VisitorPass, code: Code) -> bool:
    """Whether a code was made from this pass's secret."""
    return code.kid == row.kid and is_genuine(code, secret_of(row))


def issue_card(session: Session, actor: Actor, site_id: str, booking_id: str, uid: str) -> Card:
    """Bind an IC card to a standing booking; a card that changes its number at each read cannot be one."""
    if actor.kind != "system":
        actor.require(Right.PEOPLE_EDIT, site_id)
    number = uid.replace(" ", "").upper()
    if len(number) not in {8, 14, 20} or any(c not in "0123456789ABCDEF" for c in number):
        raise InvalidInput("card_uid_wrong", "uid")
    if len(number) == 8 and number.startswith("08"):
        raise InvalidInput("card_random", "uid")
    if bookings.booking(session, booking_id).site_id != site_id:
        raise NotFound("booking_unknown")
    known = repository.card(session, site_id, number)
    if known is not None and known.status == CardStatus.ACTIVE:
        raise Conflict("card_taken")
    card = known or Card(
        id=new_id(),
        site_id=site_id,
        uid_index=crypto.keyring().index("card", f"{site_id}|{number}"),
        uid_tail=number[-4:],
        booking_id=booking_id,
        status=CardStatus.ACTIVE,
        issued_at=clock.now(),
    )
    card.booking_id, card.status, card.issued_at = booking_id, CardStatus.ACTIVE, clock.now()
    session.add(card)
    session.flush()
    audit.record(session, actor, "card.issue", "card", card.id, site_id=site_id)
    return card


def set_card_status(session: Session, actor: Actor, card: Card, status: CardStatus) -> None:
    """Block, return or lose a card."""
    actor.require(Right.PEOPLE_EDIT, card.site_id)
    card.status = status
    session.add(card)
    audit.record(session, actor, f"card.{status}", "card", card.id, site_id=card.site_id)
