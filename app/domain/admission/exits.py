"""Leaving: by scan or search, the pass taken back, or its loss recorded with a fee (AD-16)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from app.core import audit, clock, crypto, inputs, outbox
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.access import service as access_service
from app.domain.access.rules import PassStatus
from app.domain.admission import repository, statements
from app.domain.admission.models import LaneChanged, PassLoss, Visit
from app.domain.booking import photos
from app.domain.booking import repository as bookings
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.sites import repository as sites
from app.domain.sites import webhooks

EXIT_KINDS = frozenset({"scan", "search", "lost"})


def leave(
    session: Session,
    actor: Actor,
    visit_id: str,
    lane_id: str,
    kind: str,
    *,
    attempt_id: str = "",
    pass_status: PassStatus = PassStatus.RETURNED,
) -> Visit:
    """End a visit once; the pass is taken back and the booking is done. Raises ``Conflict`` the second time."""
    visit = repository.visit(session, visit_id)
    if not (actor.has(Right.LANE_PRESENT) and actor.lane_id == lane_id):
        actor.require(Right.DESK_USE, visit.site_id)
    if sites.lane(session, lane_id).site_id != visit.site_id:
        raise NotAllowed("not_allowed")
    if kind not in EXIT_KINDS:
        raise InvalidInput("choice_wrong", "kind")
    now = clock.now()
    done = session.connection().execute(
        update(Visit)
        .where(col(Visit.id) == visit.id, col(Visit.left_at).is_(None))
        .values(left_at=now, lane_out=lane_id, exit_kind=kind)
    )
    if not done.rowcount:
        raise Conflict("visit_over")
    session.refresh(visit)
    if attempt_id:
        statements.claim(
            session, repository.attempt(session, attempt_id), "left", now, actor.account_id or actor.kind
        )
    issued = repository.visitor_pass(session, visit.pass_id) if visit.pass_id else None
    if issued is not None:
        access_service.end_pass(session, issued, pass_status)
    if visit.booking_id:
        booking = bookings.booking(session, visit.booking_id)
        if booking.source != BookingSource.STANDING:
            booking.status = BookingStatus.COMPLETED
            session.add(booking)
            photos.end_visit(session, actor, booking.id, "left")
    audit.record(
        session, actor, "visit.leave", "visit", visit.id, site_id=visit.site_id, details={"how": kind}
    )
    outbox.post(session, "inbox", "visitor_left", visit.site_id, {"visit": visit.id})
    told = {"booking": visit.booking_id or "", "visit": visit.id, "lane": lane_id, "how": kind}
    webhooks.emit(session, visit.site_id, "visit.checked_out", told)
    announce(session, LaneChanged(visit.site_id, lane_id, attempt_id, "admit" if attempt_id else ""))
    return visit


def leave_unseen(session: Session, actor: Actor, visit_id: str, now: datetime) -> None:
    """End the visit of somebody who is let in again: they left and nobody saw it. The pass stays theirs."""
    session.connection().execute(
        update(Visit)
        .where(col(Visit.id) == visit_id, col(Visit.left_at).is_(None))
        .values(left_at=now, exit_kind="unseen")
    )
    audit.record(session, actor, "visit.leave", "visit", visit_id, details={"how": "unseen"})


def lose_pass(
    session: Session,
    actor: Actor,
    visit_id: str,
    lane_id: str,
    reason: str,
    *,
    identity_seen: bool,
    paid: bool,
) -> PassLoss:
    """Let somebody out whose pass is lost: identity again, the reason, the fee for a new one.

    Nobody is held back for the fee: unpaid is a fact on the row, not a closed gate.
    """
    if not identity_seen:
        raise InvalidInput("identity_again", "identity_seen")
    text = inputs.text(reason, "reason")
    if not text:
        raise InvalidInput("reason_missing", "reason")
    visit = leave(session, actor, visit_id, lane_id, "lost", pass_status=PassStatus.LOST)
    loss = PassLoss(
        id=new_id(),
        visit_id=visit.id,
        fee_fen=get_settings().lost_pass_fee_fen,
        paid=paid,
        recorded_by=actor.account_id,
        recorded_at=clock.now(),
    )
    crypto.seal(loss, "reason", text)
    session.add(loss)
    audit.record(
        session, actor, "pass.lost", "visit", visit.id, site_id=visit.site_id, details={"paid": paid}
    )
    return loss
