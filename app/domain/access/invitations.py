"""An invitation and its pass come and go together, in one transaction."""

from __future__ import annotations

from sqlmodel import Session

from app.core.actor import Actor
from app.domain.access import repository, service
from app.domain.access.models import VisitorPass
from app.domain.access.rules import PassStatus
from app.domain.booking import service as booking_service
from app.domain.booking.models import Booking
from app.domain.booking.service import Invitation


def invite(session: Session, actor: Actor, form: Invitation) -> tuple[Booking, VisitorPass, str]:
    """Book a guest and issue the pass; returns the link's secret too (BK-01, BK-07)."""
    booking, secret = booking_service.invite(session, actor, form)
    issued = service.issue_pass(session, booking.site_id, booking.id, booking.starts_at, booking.ends_at)
    return booking, issued, secret


def cancel(session: Session, actor: Actor, booking_id: str) -> Booking:
    """Withdraw an invitation and revoke its pass."""
    booking = booking_service.cancel(session, actor, booking_id)
    _revoke(session, booking)
    return booking


def withdraw(session: Session, actor: Actor, booking_id: str) -> Booking:
    """The same for another system or a manager, whose right the caller has looked at."""
    booking = booking_service.withdraw(session, actor, booking_id)
    _revoke(session, booking)
    return booking


def change(
    session: Session, actor: Actor, booking_id: str, form: Invitation, host_id: str | None
) -> tuple[Booking, bool]:
    """Change a booking and let its pass follow: moved with the time, and for somebody else closed and issued anew (I-10)."""
    booking, other = booking_service.change(session, actor, booking_id, form, host_id)
    issued = repository.of_booking(session, booking.id)
    if other or issued is None or issued.status != PassStatus.ACTIVE:
        _revoke(session, booking)
        service.issue_pass(session, booking.site_id, booking.id, booking.starts_at, booking.ends_at)
    else:
        issued.not_before, issued.not_after = booking.starts_at, booking.ends_at
        session.add(issued)
    session.flush()
    return booking, other


def _revoke(session: Session, booking: Booking) -> None:
    issued = repository.of_booking(session, booking.id)
    if issued is not None:
        service.end_pass(session, issued, PassStatus.REVOKED)
