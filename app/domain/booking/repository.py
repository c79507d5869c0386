"""All queries on bookings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.core import crypto
from app.core.errors import NotFound
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from app.domain.people.models import Person
from app.domain.sites.models import Unit

Row = tuple[Booking, Person, Unit]


def _rows() -> Any:
    return (
        select(Booking, Person, Unit)
        .join(Person, col(Person.id) == Booking.visitor_id)
        .join(Unit, col(Unit.id) == Booking.unit_id)
    )


_FULL = _rows().where(Booking.id == bindparam("booking"))


def booking(session: Session, booking_id: str) -> Booking:
    """One booking; raises ``NotFound``."""
    found = session.get(Booking, booking_id)
    if found is None:
        raise NotFound("booking_unknown")
    return found


def locked(session: Session, booking_id: str) -> Booking:
    """One booking, kept as it is until this transaction ends; raises ``NotFound``."""
    query = select(Booking).where(Booking.id == booking_id).with_for_update(key_share=True)
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("booking_unknown")
    return found


def full(session: Session, booking_id: str) -> Row:
    """A booking with its visitor and unit; raises ``NotFound``."""
    row = session.exec(_FULL, params={"booking": booking_id}).first()
    if row is None:
        raise NotFound("booking_unknown")
    return cast(Row, row)


def by_link(session: Session, secret: str) -> Booking | None:
    """The booking that a link leads to; others who try it queue, so that each wrong answer counts."""
    query = select(Booking).where(Booking.link_hash == crypto.hash_secret(secret))
    return session.exec(query.with_for_update(key_share=True)).first()


def of_link(session: Session, secret: str) -> Booking | None:
    """The booking that a link leads to, only looked at."""
    return session.exec(select(Booking).where(Booking.link_hash == crypto.hash_secret(secret))).first()


def of_host(session: Session, host_id: str, since: datetime, limit: int = 20) -> Sequence[Row]:
    """A host's present and coming bookings, soonest first."""
    query = (
        _rows()
        .where(Booking.host_id == host_id, col(Booking.ends_at) >= since)
        .where(col(Booking.status).in_([BookingStatus.APPROVED, BookingStatus.ARRIVED]))
        .order_by(Booking.starts_at)
        .limit(limit)
    )
    return cast(Sequence[Row], session.exec(query).all())


def expected(
    session: Session, site_id: str, frm: datetime, until: datetime, limit: int = 50
) -> Sequence[Row]:
    """Who is expected and has not come yet, soonest first."""
    query = (
        _rows()
        .where(Booking.site_id == site_id, Booking.status == BookingStatus.APPROVED)
        .where(Booking.source != "standing")
        .where(col(Booking.ends_at) > frm, col(Booking.starts_at) < until)
        .order_by(Booking.starts_at)
        .limit(limit)
    )
    return cast(Sequence[Row], session.exec(query).all())


def count_expected(session: Session, site_id: str, frm: datetime, until: datetime) -> int:
    """How many are still expected."""
    query = (
        select(func.count())
        .select_from(Booking)
        .where(
            Booking.site_id == site_id, Booking.status == BookingStatus.APPROVED, Booking.source != "standing"
        )
        .where(col(Booking.ends_at) > frm, col(Booking.starts_at) < until)
    )
    return int(session.exec(query).one())


def of_visitors(session: Session, site_id: str, visitor_ids: Sequence[str], since: datetime) -> Sequence[Row]:
    """Live bookings of the visitors that a search found."""
    query = (
        _rows()
        .where(Booking.site_id == site_id, col(Booking.visitor_id).in_(visitor_ids))
        .where(Booking.status == BookingStatus.APPROVED, col(Booking.ends_at) >= since)
        .order_by(Booking.starts_at)
        .limit(20)
    )
    return cast(Sequence[Row], session.exec(query).all())


def overdue(session: Session, now: datetime, limit: int = 200) -> Sequence[Booking]:
    """Approved bookings whose window has ended."""
    query = (
        select(Booking)
        .where(Booking.status == BookingStatus.APPROVED, col(Booking.ends_at) < now)
        .order_by(col(Booking.ends_at))
        .limit(limit)
    )
    return session.exec(query).all()


def next_end(session: Session, now: datetime) -> datetime | None:
    """When the next booking window ends: the scheduler's next alarm."""
    query = select(func.min(Booking.ends_at)).where(
        Booking.status == BookingStatus.APPROVED, col(Booking.ends_at) >= now
    )
    return session.exec(query).one()
