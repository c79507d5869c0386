"""Reminding visitors of their visit (BK-08): once for each time the visit is set to, and not of a visit that is off."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete
from sqlmodel import Session, col, select

from app.core import outbox
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.messages import preferences
from app.domain.messages.models import VisitReminder
from app.domain.messages.rules import DAY, reminder_at
from app.domain.sites import repository as sites
from app.domain.sites.models import Site

BATCH = 200
KEPT = timedelta(days=30)


def remind(session: Session, now: datetime) -> int:
    """Post the reminders that are due now; running twice, late or in two processes posts none twice."""
    return sum(_remind_at(session, site, now) for site, _ in sites.policies(session))


def _remind_at(session: Session, site: Site, now: datetime) -> int:
    hours = preferences.of_site(session, site.id)
    if not hours.reminder_minutes:
        return 0
    # Quiet hours can bring a reminder forward by a day at most.
    horizon = now + timedelta(minutes=hours.reminder_minutes + DAY)
    count = 0
    for booking in _unreminded(session, site.id, now, horizon):
        moment = reminder_at(
            booking.starts_at, hours.reminder_minutes, site.time_zone, hours.quiet_from, hours.quiet_until
        )
        if moment > now:
            continue
        session.add(VisitReminder(booking_id=booking.id, starts_at=booking.starts_at, posted_at=now))
        session.flush()
        # Whoever was invited later than that has just been told; the note keeps them from standing before others.
        if booking.created_at > moment:
            continue
        payload = {"booking": booking.id, "starts_at": booking.starts_at.isoformat()}
        outbox.post(session, "visitor", "visit_reminder", site.id, payload)
        count += 1
    return count


def _unreminded(session: Session, site_id: str, now: datetime, horizon: datetime) -> list[Booking]:
    told = and_(
        col(VisitReminder.booking_id) == col(Booking.id),
        col(VisitReminder.starts_at) == col(Booking.starts_at),
    )
    query = (
        select(Booking)
        .outerjoin(VisitReminder, told)
        .where(Booking.site_id == site_id, Booking.status == BookingStatus.APPROVED)
        .where(Booking.source != BookingSource.STANDING, col(VisitReminder.booking_id).is_(None))
        .where(col(Booking.starts_at) > now, col(Booking.starts_at) <= horizon)
        .order_by(col(Booking.starts_at))
        .limit(BATCH)
        # Two processes that sweep at once wait for each other here, and the second finds the row.
        .with_for_update(of=Booking, skip_locked=True)
    )
    return list(session.exec(query).all())


def forget_old(session: Session, now: datetime) -> None:
    """Drop the notes of reminders long past."""
    session.connection().execute(delete(VisitReminder).where(col(VisitReminder.posted_at) < now - KEPT))
