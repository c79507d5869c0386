"""All queries on attempts, visits and consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from app.core.errors import NotFound
from app.domain.access.models import Card, VisitorPass
from app.domain.admission.models import Attempt, EvidenceRow, HostConsent, PassLoss, Visit
from app.domain.booking.models import Booking
from app.domain.people.models import Person, UnitMember
from app.domain.sites.models import Lane, Unit, VisitorType

OPEN = "open"


def attempt(session: Session, attempt_id: str) -> Attempt:
    """One attempt; raises ``NotFound``."""
    found = session.get(Attempt, attempt_id)
    if found is None:
        raise NotFound("attempt_unknown")
    return found


def attempt_of_nonce(session: Session, nonce: str) -> Attempt | None:
    """The attempt that a delivery belongs to, when it was delivered before."""
    query = select(Attempt).join(EvidenceRow, col(EvidenceRow.attempt_id) == Attempt.id)
    return session.exec(query.where(EvidenceRow.nonce == nonce)).first()


def open_attempts(session: Session, lane_id: str, limit: int = 20) -> Sequence[Attempt]:
    """What waits at a lane, oldest first: it survives a restart because it is nowhere but here."""
    query = (
        select(Attempt)
        .where(Attempt.lane_id == lane_id, Attempt.status == OPEN)
        .order_by(Attempt.id)
        .limit(limit)
    )
    return session.exec(query).all()


def latest_closed(session: Session, lane_id: str) -> Attempt | None:
    """The newest attempt of a lane that is no longer open."""
    query = (
        select(Attempt)
        .where(Attempt.lane_id == lane_id, Attempt.status != OPEN)
        .order_by(col(Attempt.id).desc())
        .limit(1)
    )
    return session.exec(query).first()


def evidence_of(session: Session, attempt_id: str) -> Sequence[EvidenceRow]:
    """What was presented in an attempt, in order."""
    query = select(EvidenceRow).where(EvidenceRow.attempt_id == attempt_id).order_by(EvidenceRow.id)
    return session.exec(query).all()


def open_attempt_for(session: Session, lane_id: str, booking_id: str) -> Attempt | None:
    """The arrival at this lane that a further item of the same booking belongs to."""
    query = select(Attempt).where(
        Attempt.lane_id == lane_id, Attempt.booking_id == booking_id, Attempt.status == OPEN
    )
    return session.exec(query).first()


def open_attempts_of_booking(session: Session, booking_id: str) -> Sequence[Attempt]:
    """Arrivals of one booking at any lane that are not closed."""
    query = select(Attempt).where(Attempt.booking_id == booking_id, Attempt.status == OPEN)
    return session.exec(query).all()


def booking_and_type(
    session: Session, booking_id: str, *, lock: bool = False
) -> tuple[Booking, VisitorType, Unit]:
    """A booking with its visitor type and unit in one statement; ``lock`` keeps others off the booking meanwhile."""
    query = (
        select(Booking, VisitorType, Unit)
        .join(
            VisitorType,
            (col(VisitorType.site_id) == Booking.site_id) & (VisitorType.code == Booking.visitor_type),
        )
        .join(Unit, col(Unit.id) == Booking.unit_id)
        .where(Booking.id == booking_id)
    )
    if lock:
        query = query.with_for_update(of=Booking, key_share=True).execution_options(populate_existing=True)
    row = session.exec(query).first()
    if row is None:
        raise NotFound("booking_unknown")
    return row


def claim(session: Session, attempt_id: str, status: str, now: datetime, by: str) -> bool:
    """Close an open attempt; False when somebody else was faster or pressed twice."""
    done = session.connection().execute(
        update(Attempt)
        .where(col(Attempt.id) == attempt_id, col(Attempt.status) == OPEN)
        .values(status=status, closed_at=now, closed_by=by)
    )
    return bool(done.rowcount)


def consent_of(session: Session, attempt_id: str) -> HostConsent | None:
    """The question put to the host in an attempt."""
    return session.exec(select(HostConsent).where(HostConsent.attempt_id == attempt_id)).first()


def consent(session: Session, consent_id: str) -> HostConsent:
    """One question; raises ``NotFound``."""
    found = session.get(HostConsent, consent_id)
    if found is None:
        raise NotFound("consent_unknown")
    return found


def answer(session: Session, consent_id: str, status: str, now: datetime, by: str, channel: str) -> bool:
    """Answer an open question once; False when it is answered, timed out or withdrawn."""
    done = session.connection().execute(
        update(HostConsent)
        .where(col(HostConsent.id) == consent_id, col(HostConsent.status) == "asked")
        .values(status=status, answered_at=now, answered_by=by, channel=channel)
    )
    return bool(done.rowcount)


def waiting_for(session: Session, person_id: str) -> Sequence[tuple[HostConsent, Attempt]]:
    """Who stands at a gate for one of a person's units, longest waiting first."""
    query = (
        select(HostConsent, Attempt)
        .join(Attempt, col(Attempt.id) == HostConsent.attempt_id)
        .join(UnitMember, col(UnitMember.unit_id) == HostConsent.unit_id)
        .where(UnitMember.person_id == person_id, HostConsent.status == "asked", Attempt.status == OPEN)
        .order_by(HostConsent.asked_at)
        .limit(5)
    )
    return session.exec(query).all()


def unanswered(session: Session, before: datetime) -> Sequence[HostConsent]:
    """Questions asked before a moment and still open."""
    query = (
        select(HostConsent)
        .where(HostConsent.status == "asked", col(HostConsent.asked_at) <= before)
        .limit(200)
    )
    return session.exec(query).all()


def visit(session: Session, visit_id: str) -> Visit:
    """One visit; raises ``NotFound``."""
    found = session.get(Visit, visit_id)
    if found is None:
        raise NotFound("visit_unknown")
    return found


def inside_of_booking(session: Session, booking_id: str) -> Visit | None:
    """The visit of a booking whose visitor is inside."""
    query = select(Visit).where(Visit.booking_id == booking_id, col(Visit.left_at).is_(None))
    return session.exec(query).first()


def inside_of_pass(session: Session, pass_id: str) -> Visit | None:
    """The visit of a pass whose bearer is inside."""
    return session.exec(select(Visit).where(Visit.pass_id == pass_id, col(Visit.left_at).is_(None))).first()


def visit_of_attempt(session: Session, attempt_id: str) -> Visit | None:
    """The visit that an attempt led to."""
    return session.exec(select(Visit).where(Visit.attempt_id == attempt_id)).first()


def inside(
    session: Session, site_id: str, limit: int = 50
) -> Sequence[tuple[Visit, Person | None, Unit | None]]:
    """Who is inside, the longest overdue first."""
    query = (
        select(Visit, Person, Unit)
        .join(Person, col(Person.id) == Visit.visitor_id, isouter=True)
        .join(Unit, col(Unit.id) == Visit.unit_id, isouter=True)
        .where(Visit.site_id == site_id, col(Visit.left_at).is_(None))
        .order_by(Visit.due_at)
        .limit(limit)
    )
    return session.exec(query).all()


def count_inside(session: Session, site_id: str) -> int:
    """How many people are inside, companions included."""
    query = select(func.coalesce(func.sum(Visit.head_count), 0)).where(
        Visit.site_id == site_id, col(Visit.left_at).is_(None)
    )
    return int(session.exec(query).one())


def inside_of_visitors(session: Session, site_id: str, visitor_ids: Sequence[str]) -> Sequence[Visit]:
    """Present visits of the visitors that a search found."""
    query = select(Visit).where(
        Visit.site_id == site_id, col(Visit.visitor_id).in_(visitor_ids), col(Visit.left_at).is_(None)
    )
    return session.exec(query.limit(20)).all()


def loss_of(session: Session, visit_id: str) -> PassLoss | None:
    """The loss recorded for a visit."""
    return session.exec(select(PassLoss).where(PassLoss.visit_id == visit_id)).first()


def card(session: Session, card_id: str) -> Card | None:
    """One card."""
    return session.get(Card, card_id)


def visitor_pass(session: Session, pass_id: str) -> VisitorPass | None:
    """One pass."""
    return session.get(VisitorPass, pass_id)


def lane_and_entrance_names(session: Session) -> dict[str, str]:
    """Lane names by id."""
    return {lane.id: lane.name for lane in session.exec(select(Lane)).all()}


def newest_moment(session: Session) -> datetime | None:
    """The latest time on record, against which a clock that was set back shows (S-17)."""
    return session.exec(select(func.max(Attempt.recorded_at))).one()
