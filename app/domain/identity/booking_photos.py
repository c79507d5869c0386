"""The picture that a visitor adds for one visit, by separate consent, or does not: both ways are alike (BK-04, ID-06, F-7).

It is what the person at the lane is held against where no document's photo is there. The visitor's consent to the present
notice carries it; taken back, it is deleted in the same transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.core import audit, clock
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.booking import links, photos
from app.domain.booking import repository as bookings
from app.domain.booking.models import Booking, BookingPhoto, PhotoAdded
from app.domain.booking.rules import BookingStatus
from app.domain.identity import consents, face_policy, repository, templates
from app.domain.identity.consents import Declared, Notice
from app.domain.identity.models import ConsentRecord
from app.domain.identity.rules import Channel, Purpose
from app.domain.sites import repository as sites


def notice(session: Session, site_id: str, locale: str) -> Notice:
    """What a visitor is told before adding a picture."""
    return consents.notice(Purpose.FACE_VISIT, locale, site=sites.site(session, site_id).name, days=0)


def is_offered(session: Session, booking: Booking) -> bool:
    """Whether a picture may be added: the site compares, and the visitor has not come yet."""
    now = clock.now()
    expected = booking.status == BookingStatus.APPROVED and now < booking.ends_at
    return expected and face_policy.of_site(session, booking.site_id).verify


def require_offered(session: Session, actor: Actor) -> Booking:
    """The acting visitor's booking, kept as it is until this transaction ends; raises ``Conflict`` where nothing is asked."""
    actor.require(Right.PASS_OWN)
    booking = bookings.locked(session, actor.booking_id)
    if not is_offered(session, booking):
        raise Conflict("photo_not_asked")
    return booking


def add(
    session: Session, actor: Actor, file_id: str, locale: str, declared: Declared, *, checked: bool
) -> BookingPhoto:
    """Put down a picture with the consent it hangs on, in place of an earlier one of both.

    Raises ``InvalidInput`` while the age is not declared or nobody answers for a child, ``Conflict`` where no picture
    is asked for. ``checked``: the models have seen one face in it.
    """
    booking = require_offered(session, actor)
    shown = notice(session, booking.site_id, locale)
    consent = consents.give_own(session, actor, shown, declared)
    row = BookingPhoto(
        id=new_id(),
        site_id=booking.site_id,
        booking_id=booking.id,
        consent_id=consent.id,
        file_id=file_id,
        checked=checked,
        added_at=clock.now(),
    )
    session.add(row)
    session.flush()
    audit.record(session, actor, "photo.add", "booking", booking.id, site_id=booking.site_id)
    templates.count_up(session)
    announce(session, PhotoAdded(booking.site_id, booking.id))
    return row


def withdraw(session: Session, actor: Actor) -> None:
    """Take the visitor's own consent back: the picture is deleted with it. Without one there is nothing to do."""
    actor.require(Right.PASS_OWN)
    row = agreed(session, bookings.booking(session, actor.booking_id).visitor_id)
    if row is not None:
        consents.withdraw(session, actor, row.id, Channel.LINK)


def agreed(session: Session, visitor_id: str) -> ConsentRecord | None:
    """The consent that stands for a picture of this visitor."""
    row = repository.newest_consent(session, visitor_id, Purpose.FACE_VISIT)
    return row if consents.in_force(row) else None


def usable(session: Session, booking_id: str) -> BookingPhoto | None:
    """The picture that may be compared now; None without consent to the present notice, or where the site does not compare."""
    row = photos.of_booking(session, booking_id)
    if row is None or not consents.in_force(repository.consent(session, row.consent_id)):
        return None
    booking = bookings.booking(session, booking_id)
    if links.end_of(session, booking) is not None:
        return None
    return row if face_policy.of_site(session, row.site_id).verify else None


def sweep(session: Session, now: datetime) -> int:
    """Delete one batch of pictures that have no reason to be there; returns how many, 0 when none is left.

    The visit is over or will not be, the notice changed since, or the site compares no more.
    """
    due = {row.id: row for row in (*photos.over(session, now), *repository.photos_without_ground(session))}
    return photos.forget(session, SYSTEM, due.values(), "due")
