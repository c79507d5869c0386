"""Documents that a reader has read: whose arrival they belong to, and whether they fit it (ID-01, AD-18).

Nothing of a document is stored but the result. What is compared is in hand for the length of one call.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from app.core import crypto, search
from app.domain.access import repository as access
from app.domain.admission.arrival import OPEN, Post
from app.domain.admission.evidence import Finding, Presented
from app.domain.admission.models import Attempt, Visit
from app.domain.admission.rules import Kind, Result
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from app.domain.identity.names import parts
from app.domain.identity.read_document import ReadDocument
from app.domain.people.models import Person

UNREADABLE = "document"
MOST_NAMESAKES = 200


def concerns(item: Presented) -> bool:
    """Whether an item is a document, read or not."""
    return item.document is not None or (item.kind == "unreadable" and item.text.startswith(UNREADABLE))


def compare(document: ReadDocument, name: str, tail: str, today: date) -> Result:
    """What a document says of the person it is held against; an empty name or tail asks nothing.

    The gravest finding alone: another name, another number, expired, and what cannot be right about the document itself.
    """
    if name and document.names and not document.names_person(name):
        return Result.OTHER_NAME
    if not document.ends_in(tail):
        return Result.OTHER_NUMBER
    if document.has_expired(today):
        return Result.EXPIRED
    return Result.ABNORMAL if document.is_doubtful(today) else Result.OK


def compare_person(document: ReadDocument, person: Person, today: date) -> Result:
    """The same against somebody on record."""
    return compare(document, crypto.reveal(person, "name"), crypto.reveal(person, "document_tail"), today)


def examine(session: Session, post: Post, item: Presented, now: datetime) -> Finding:
    """Whose document it is and what came of it; writes nothing.

    It belongs to whoever waits at the lane: the one it names, else the one who has waited longest, whom it then does not
    fit. With nobody waiting it finds today's booking of that name, if there is only one.
    """
    waiting = _waiting(session, post.lane_id)
    today = now.astimezone(ZoneInfo(post.time_zone)).date()
    if item.document is None:
        return Finding(Kind.DOCUMENT, Result.UNREADABLE, waiting[0][0].booking_id if waiting else None)
    if waiting:
        found = [(attempt, compare_person(item.document, person, today)) for attempt, person in waiting]
        attempt, result = next((pair for pair in found if pair[1] is not Result.OTHER_NAME), found[0])
        return Finding(Kind.DOCUMENT, result, attempt.booking_id, attempt.pass_id)
    return examine_alone(session, post, item, now)


def examine_alone(session: Session, post: Post, item: Presented, now: datetime) -> Finding:
    """The same without regard to who waits at the lane: today's booking of that name, if there is only one."""
    if item.document is None:
        return Finding(Kind.DOCUMENT, Result.UNREADABLE)
    today = now.astimezone(ZoneInfo(post.time_zone)).date()
    finding = Finding(Kind.DOCUMENT, compare(item.document, "", "", today))
    finding.booking_id = _booking_of(session, post, item.document, today)
    issued = access.of_booking(session, finding.booking_id) if finding.booking_id else None
    finding.pass_id = issued.id if issued else None
    return finding


def _waiting(session: Session, lane_id: str) -> list[tuple[Attempt, Person]]:
    """Who wants in at a lane and is known by name, longest waiting first."""
    query = (
        select(Attempt, Person)
        .join(Person, col(Person.id) == Attempt.visitor_id)
        .where(Attempt.lane_id == lane_id, Attempt.status == OPEN, col(Attempt.leaving).is_(False))
        .order_by(col(Attempt.id))
        .limit(20)
    )
    return list(session.exec(query).all())


def _booking_of(session: Session, post: Post, document: ReadDocument, today: date) -> str | None:
    """The one booking of today that the document fits, of somebody expected or inside; None for none or several."""
    fitting = {
        booking.id
        for booking, person in _namesakes(session, post, document, today)
        if document.names_person(crypto.reveal(person, "name"))
        and document.ends_in(crypto.reveal(person, "document_tail"))
    }
    return fitting.pop() if len(fitting) == 1 else None


def _namesakes(
    session: Session, post: Post, document: ReadDocument, today: date
) -> list[tuple[Booking, Person]]:
    """Today's bookings of people whose name is, or begins with, a part of a name on the document."""
    spellings = {"".join(parts(name.text)) for name in document.names}
    spellings |= {part for name in document.names for part in parts(name.text)}
    tokens = search.tokens_of(post.site_id, spellings)
    if not tokens:
        return []
    midnight = datetime.combine(today, time.min, ZoneInfo(post.time_zone))
    query = (
        select(Booking, Person)
        .join(Person, col(Person.id) == Booking.visitor_id)
        .join(search.SearchToken, col(search.SearchToken.object_id) == Person.id)
        .join(Visit, (col(Visit.booking_id) == Booking.id) & col(Visit.left_at).is_(None), isouter=True)
        .where(Booking.site_id == post.site_id, col(search.SearchToken.token).in_(tokens))
        .where(or_(Booking.status == BookingStatus.APPROVED, col(Visit.id).is_not(None)))
        .where(col(Booking.ends_at) > midnight, col(Booking.starts_at) < midnight + timedelta(days=1))
        .limit(MOST_NAMESAKES)
    )
    return list(session.exec(query).all())
