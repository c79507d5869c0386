"""Issuing passes and cards and taking them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.errors import Conflict, NotFound
from app.core.ids import new_code_id, new_id, new_short_code
from app.core.permissions import Right
from app.domain.access import card_numbers, repository
from app.domain.access.models import Card, VisitorPass
from app.domain.access.rules import (
    BADGE,
    CARD_MOVES,
    DYNAMIC,
    CardStatus,
    Code,
    PassStatus,
    is_genuine,
    make,
    step_at,
)
from app.domain.booking import repository as bookings
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, BookingStatus

SHORT_CODE_TRIES = 20
MAX_LABEL = 30


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


def secret_of(row: VisitorPass | repository.PassKey) -> bytes:
    """The secret from which this pass's codes are made."""
    return crypto.keyring().pass_secret(row.kid, row.site_id, row.code_id)


def code_now(row: VisitorPass, moment: datetime) -> str:
    """The dynamic code that the visitor's page shows at ``moment``; the demo panel shows it in its stead."""
    return make(DYNAMIC, secret_of(row), row.kid, row.code_id, step_at(moment.timestamp()))


def badge_code(row: VisitorPass) -> str:
    """The fixed code of the printed badge."""
    return make(BADGE, secret_of(row), row.kid, row.code_id, 0)


def genuine(row: VisitorPass | repository.PassKey, code: Code) -> bool:
    """Whether a code was made from this pass's secret."""
    return code.kid == row.kid and is_genuine(code, secret_of(row))


def issue_card(
    session: Session,
    actor: Actor,
    site_id: str,
    booking_id: str,
    uid: str,
    label: str = "",
    *,
    backwards: bool = False,
) -> Card:
    """Bind an IC card to a standing booking (SI-06); ``uid`` as typed, see ``card_numbers``.

    Raises ``InvalidInput`` for a number that names no card, and ``Conflict`` for a card that is out: with somebody
    else, or with this person already. Only a card that was handed back is issued anew.
    """
    if actor.kind != "system":
        actor.require(Right.PEOPLE_EDIT, site_id)
    number = card_numbers.number(uid, backwards=backwards)
    title = inputs.text(label, "label", MAX_LABEL)
    booking = bookings.locked(session, booking_id)
    if booking.site_id != site_id:
        raise NotFound("booking_unknown")
    if booking.source != BookingSource.STANDING or booking.status != BookingStatus.APPROVED:
        raise Conflict("permit_over")
    known = repository.card(session, site_id, number)
    _require_free(session, booking, known)
    # The same card, typed with its bytes the other way round: a number that two cards share by chance is rarer.
    _require_free(session, booking, repository.card(session, site_id, card_numbers.turned(number)))
    now = clock.now()
    card = known or Card(
        id=new_id(),
        site_id=site_id,
        uid_index=repository.card_index(site_id, number),
        uid_tail=number[-4:],
        booking_id=booking_id,
        status=CardStatus.ACTIVE,
        issued_at=now,
        changed_at=now,
    )
    card.booking_id, card.status, card.issued_at, card.changed_at = booking_id, CardStatus.ACTIVE, now, now
    crypto.seal(card, "label", title)
    session.add(card)
    _flush_card(session)
    audit.record(
        session, actor, "card.issue", "card", card.id, site_id=site_id, details={"booking": booking_id}
    )
    return card


def _require_free(session: Session, booking: Booking, known: Card | None) -> None:
    if known is None or known.status == CardStatus.RETURNED:
        return
    holder = bookings.booking(session, known.booking_id)
    raise Conflict("card_own" if holder.visitor_id == booking.visitor_id else "card_taken")


def _flush_card(session: Session) -> None:
    # Two desks may issue one card in the same moment: the database keeps the first.
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise Conflict("card_taken") from error


def set_card_status(session: Session, actor: Actor, card: Card, status: CardStatus) -> None:
    """Block, find again, lose or take back a card; raises ``Conflict`` for a step its state does not allow."""
    actor.require(Right.PEOPLE_EDIT, card.site_id)
    if status not in CARD_MOVES[CardStatus(card.status)]:
        raise Conflict("card_state")
    _move_card(session, actor, card, status)


def block_cards(session: Session, actor: Actor, booking_id: str) -> None:
    """Put every card in use of a permit that ends out of use; each stays out until it is handed back."""
    for card in repository.cards_of(session, [booking_id]).get(booking_id, ()):
        if card.status == CardStatus.ACTIVE:
            _move_card(session, actor, card, CardStatus.BLOCKED)


def _move_card(session: Session, actor: Actor, card: Card, status: CardStatus) -> None:
    card.status, card.changed_at = status, clock.now()
    session.add(card)
    audit.record(session, actor, f"card.{status}", "card", card.id, site_id=card.site_id)
