"""All queries on attempts, visits and consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, func, select

from app.core.audit import AuditEntry
from app.core.clock import ACCEPTED as CLOCK_ACCEPTED
from app.core.errors import NotFound
from app.domain.access.models import Card, VisitorPass
from app.domain.admission.arrival import OPEN
from app.domain.admission.models import Attempt, EvidenceRow, HostConsent, PassLoss, Visit
from app.domain.people.models import Person, UnitMember
from app.domain.sites.models import Lane, Unit

# The statements of every arrival are built once: building one anew costs more than running it.
_OPEN_AT_LANE = (
    select(Attempt)
    .where(Attempt.lane_id == bindparam("lane"), Attempt.status == OPEN)
    .order_by(col(Attempt.id))
    .limit(20)
)
_LATEST_CLOSED = (
    select(Attempt)
    .where(Attempt.lane_id == bindparam("lane"), Attempt.status != OPEN)
    .order_by(col(Attempt.id).desc())
    .limit(1)
)
_EVIDENCE = (
    select(EvidenceRow).where(EvidenceRow.attempt_id == bindparam("attempt")).order_by(col(EvidenceRow.id))
)


def attempt(session: Session, attempt_id: str) -> Attempt:
    """One attempt; raises ``NotFound``."""
    found = session.get(Attempt, attempt_id)
    if found is None:
        raise NotFound("attempt_unknown")
    return found


def open_attempts(session: Session, lane_id: str) -> Sequence[Attempt]:
    """What waits at a lane, oldest first: it survives a restart because it is nowhere but here."""
    return session.exec(_OPEN_AT_LANE, params={"lane": lane_id}).all()


def latest_closed(session: Session, lane_id: str) -> Attempt | None:
    """The newest attempt of a lane that is no longer open."""
    return session.exec(_LATEST_CLOSED, params={"lane": lane_id}).first()


def evidence_of(session: Session, attempt_id: str) -> Sequence[EvidenceRow]:
    """What was presented in an attempt, in order."""
    return session.exec(_EVIDENCE, params={"attempt": attempt_id}).all()


def open_attempts_of_booking(session: Session, booking_id: str) -> Sequence[Attempt]:
    """Arrivals of one booking at any lane that are not closed."""
    query = select(Attempt).where(Attempt.booking_id == booking_id, Attempt.status == OPEN)
    return session.exec(query).all()


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
        .order_by(col(HostConsent.asked_at))
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
        .order_by(col(Visit.due_at))
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
    """The latest time on record, against which a clock that was set back shows (S-17).

    What was recorded before an operator accepted the clock counts no more: it may have run ahead by mistake.
    """
    accepted: int | None = session.exec(
        select(func.max(AuditEntry.seq)).where(AuditEntry.action == CLOCK_ACCEPTED)
    ).one()
    logged = select(func.max(AuditEntry.at)).where(col(AuditEntry.seq) >= (accepted or 0))
    moments: list[datetime | None] = [session.exec(logged).one()]
    if accepted is None:
        moments.append(session.exec(select(func.max(Attempt.recorded_at))).one())
    return max((moment for moment in moments if moment is not None), default=None)
