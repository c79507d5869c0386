"""Pictures that visitors added to their bookings: deleted with the visit, and with whatever ends it earlier (F-13, L-10).

The file goes in the transaction of the act that ends it. Should that be rolled back, the row names a file that is gone,
and nobody is shown anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from app.core import audit, vault
from app.core.actor import Actor
from app.core.database import announce
from app.domain.booking import links
from app.domain.booking.models import Booking, BookingCompletion, BookingPhoto, PhotoGone
from app.domain.booking.rules import EXIT_GRACE, BookingStatus

BATCH = 200
LIVING = (BookingStatus.APPROVED, BookingStatus.ARRIVED)


def of_booking(session: Session, booking_id: str) -> BookingPhoto | None:
    """The picture of a booking."""
    return session.exec(select(BookingPhoto).where(BookingPhoto.booking_id == booking_id)).first()


def of_consent(session: Session, consent_id: str) -> Sequence[BookingPhoto]:
    """The pictures that hang on a consent: one at most."""
    return session.exec(select(BookingPhoto).where(BookingPhoto.consent_id == consent_id)).all()


def count(session: Session) -> int:
    """How many pictures the whole installation holds now."""
    return int(session.exec(select(func.count()).select_from(BookingPhoto)).one())


def forget(session: Session, actor: Actor, rows: Iterable[BookingPhoto], reason: str) -> int:
    """Delete pictures with their files; returns how many."""
    gone = 0
    for row in list(rows):
        vault.delete(row.file_id)
        session.delete(row)
        session.flush()
        announce(session, PhotoGone(row.site_id, row.booking_id, row.id))
        audit.record(
            session, actor, "photo.delete", "booking", row.booking_id, site_id=row.site_id, reason=reason
        )
        gone += 1
    return gone


def end_visit(session: Session, actor: Actor, booking_id: str, reason: str) -> None:
    """The visit is over, or will not be: its picture has served."""
    row = of_booking(session, booking_id)
    if row is not None:
        forget(session, actor, [row], reason)


def over(session: Session, now: datetime) -> Sequence[BookingPhoto]:
    """A batch of pictures whose visit is over by its state or by the clock."""
    query = (
        select(BookingPhoto, Booking)
        .join(Booking, col(Booking.id) == BookingPhoto.booking_id)
        # Who is inside keeps it for the way out; those must not stand before the ones that are due.
        .where(
            col(Booking.status).not_in(LIVING)
            | (col(Booking.ends_at) < now - EXIT_GRACE)
            | ((col(Booking.status) == BookingStatus.APPROVED) & (col(Booking.ends_at) < now))
        )
        .order_by(col(BookingPhoto.id))
        .limit(BATCH)
    )
    return [
        photo
        for photo, booking in session.exec(query).all()
        if booking.status not in LIVING or now >= links.until(session, booking)
    ]


def completion(session: Session, booking_id: str) -> BookingCompletion | None:
    """What the visitor added to a booking."""
    return session.get(BookingCompletion, booking_id)
