"""Queries of the ledger and of what is due to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Exists, delete
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, func, select

from app.core.audit import AuditEntry
from app.core.errors import NotFound
from app.domain.admission.case_models import CaseFile
from app.domain.admission.case_rules import CaseStatus
from app.domain.admission.models import Attempt, EvidenceRow, HostConsent, Visit
from app.domain.booking.models import Booking
from app.domain.people.models import Person
from app.domain.records.models import RevealNote
from app.domain.sites.models import Unit

UNSEEN = ("automatic", "unseen")

LedgerRow = tuple[Attempt, Person | None, Unit | None, Visit | None]


def ledger(
    session: Session,
    site_id: str,
    frm: datetime,
    until: datetime,
    outcome: str = "",
    limit: int = 50,
    offset: int = 0,
) -> Sequence[LedgerRow]:
    """Attempts of a period, newest first, with visitor, unit and visit where there are any."""
    query = (
        select(Attempt, Person, Unit, Visit)
        .join(Person, col(Person.id) == Attempt.visitor_id, isouter=True)
        .join(Unit, col(Unit.id) == Attempt.unit_id, isouter=True)
        .join(Visit, col(Visit.id) == Attempt.visit_id, isouter=True)
        .where(Attempt.site_id == site_id, col(Attempt.recorded_at) >= frm, col(Attempt.recorded_at) < until)
        .order_by(col(Attempt.recorded_at).desc(), col(Attempt.id).desc())
        .limit(limit)
        .offset(offset)
    )
    if outcome:
        query = query.where(Attempt.status == outcome)
    return session.exec(query).all()


def ledger_row(session: Session, site_id: str, attempt_id: str) -> LedgerRow:
    """One attempt of a site as the ledger shows it; raises ``NotFound``."""
    query = (
        select(Attempt, Person, Unit, Visit)
        .join(Person, col(Person.id) == Attempt.visitor_id, isouter=True)
        .join(Unit, col(Unit.id) == Attempt.unit_id, isouter=True)
        .join(Visit, col(Visit.id) == Attempt.visit_id, isouter=True)
        .where(Attempt.id == attempt_id, Attempt.site_id == site_id)
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFound("attempt_unknown")
    return row


def evidence_kinds(session: Session, attempt_ids: Sequence[str]) -> dict[str, list[str]]:
    """What was presented in each of some attempts, each kind once, in order."""
    query = (
        select(EvidenceRow.attempt_id, EvidenceRow.kind)
        .where(col(EvidenceRow.attempt_id).in_(attempt_ids))
        .order_by(EvidenceRow.id)
    )
    kinds: dict[str, list[str]] = {}
    for attempt_id, kind in session.exec(query).all():
        if kind not in kinds.setdefault(attempt_id, []):
            kinds[attempt_id].append(kind)
    return kinds


def waiting_consents(
    session: Session, site_id: str, limit: int = 20
) -> Sequence[tuple[HostConsent, Attempt, Person | None, Unit | None]]:
    """Who stands at a gate of the site while the host has not answered, longest waiting first."""
    query = (
        select(HostConsent, Attempt, Person, Unit)
        .join(Attempt, col(Attempt.id) == HostConsent.attempt_id)
        .join(Person, col(Person.id) == Attempt.visitor_id, isouter=True)
        .join(Unit, col(Unit.id) == HostConsent.unit_id, isouter=True)
        .where(HostConsent.site_id == site_id, HostConsent.status == "asked", Attempt.status == "open")
        .order_by(col(HostConsent.asked_at))
        .limit(limit)
    )
    return session.exec(query).all()


def count_visits(
    session: Session, site_id: str, frm: datetime, until: datetime, *, booked: bool = False
) -> int:
    """How many visits began in a period, or of them how many had been booked."""
    query = (
        select(func.count())
        .select_from(Visit)
        .where(Visit.site_id == site_id, col(Visit.entered_at) >= frm, col(Visit.entered_at) < until)
    )
    if booked:
        query = query.where(col(Visit.booking_id).is_not(None))
    return int(session.exec(query).one())


def count_overdue(session: Session, site_id: str, now: datetime) -> int:
    """How many visits should have ended and have not."""
    query = (
        select(func.count())
        .select_from(Visit)
        .where(Visit.site_id == site_id, col(Visit.left_at).is_(None), col(Visit.due_at) < now)
    )
    return int(session.exec(query).one())


def count_attempts(session: Session, site_id: str, frm: datetime, until: datetime, status: str = "") -> int:
    """How many attempts a period has."""
    query = (
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.site_id == site_id, col(Attempt.recorded_at) >= frm, col(Attempt.recorded_at) < until)
    )
    if status:
        query = query.where(Attempt.status == status)
    return int(session.exec(query).one())


def serving_times(session: Session, site_id: str, frm: datetime, until: datetime) -> list[int]:
    """Milliseconds from presentation to admission of a period's visits, ascending."""
    query = (
        select(Visit.serving_ms)
        .where(Visit.site_id == site_id, col(Visit.entered_at) >= frm, col(Visit.entered_at) < until)
        .order_by(col(Visit.serving_ms))
    )
    return list(session.exec(query).all())


def count_exits(session: Session, site_id: str, frm: datetime, until: datetime) -> tuple[int, int]:
    """How many visits of a period ended with somebody seen leaving, and how many without (AD-16)."""
    query = (
        select(Visit.exit_kind, func.count())
        .where(Visit.site_id == site_id, col(Visit.left_at) >= frm, col(Visit.left_at) < until)
        .group_by(Visit.exit_kind)
    )
    counts = dict(session.exec(query).all())
    unseen = sum(counts.pop(kind, 0) for kind in UNSEEN)
    return sum(counts.values()), unseen


def ended_visits(
    session: Session, site_id: str, risk_class: str, before: datetime, limit: int
) -> Sequence[Visit]:
    """Visits of a class that ended before a moment and still name somebody."""
    query = (
        select(Visit)
        .where(Visit.site_id == site_id, Visit.risk_class == risk_class)
        .where(col(Visit.left_at) < before, col(Visit.purged_at).is_(None))
        .where(~_open_case(col(Visit.attempt_id)))
        .limit(limit)
    )
    return session.exec(query).all()


def old_pictures(session: Session, site_id: str, before: datetime, limit: int) -> Sequence[Attempt]:
    """Attempts closed before a moment that still keep a picture, with a visit or without."""
    query = (
        select(Attempt)
        .where(Attempt.site_id == site_id, Attempt.snapshot_id != "", col(Attempt.closed_at) < before)
        .where(~_open_case(col(Attempt.id)))
    )
    return session.exec(query.limit(limit)).all()


def stale_attempts(session: Session, site_id: str, before: datetime, limit: int) -> Sequence[Attempt]:
    """Attempts without a visit, closed before a moment, that still name somebody or keep a note."""
    query = (
        select(Attempt)
        .where(Attempt.site_id == site_id, col(Attempt.visit_id).is_(None), col(Attempt.closed_at) < before)
        .where(col(Attempt.visitor_id).is_not(None) | col(Attempt.note).is_not(None))
        .where(~_open_case(col(Attempt.id)))
        .limit(limit)
    )
    return session.exec(query).all()


def stale_bookings(session: Session, site_id: str, before: datetime, limit: int) -> Sequence[Booking]:
    """Bookings over since a moment that no visit or open case keeps alive and that still name somebody."""
    looked_at = (
        select(Attempt.id).where(Attempt.booking_id == Booking.id, _open_case(col(Attempt.id))).exists()
    )
    kept = select(Visit.id).where(Visit.booking_id == Booking.id, col(Visit.purged_at).is_(None)).exists()
    query = (
        select(Booking)
        .join(Person, col(Person.id) == Booking.visitor_id)
        .where(Booking.site_id == site_id, Booking.status != "approved", col(Booking.ends_at) < before, ~kept)
        .where(~looked_at)
        .where(Person.kind == "visitor")
        .where(
            col(Person.erased_at).is_(None)
            | col(Booking.plate).is_not(None)
            | col(Booking.link_hash).is_not(None)
        )
        .limit(limit)
    )
    return session.exec(query).all()


def has_live_business(session: Session, visitor_id: str) -> bool:
    """Whether a visitor is inside or expected, or a case about them is open, so that the name must stay."""
    inside = select(Visit.id).where(Visit.visitor_id == visitor_id, col(Visit.purged_at).is_(None)).limit(1)
    booked = select(Booking.id).where(Booking.visitor_id == visitor_id, Booking.status == "approved").limit(1)
    looked_at = (
        select(Attempt.id).where(Attempt.visitor_id == visitor_id, _open_case(col(Attempt.id))).limit(1)
    )
    return any(session.exec(query).first() is not None for query in (inside, booked, looked_at))


def _open_case(attempt_id: Mapped[str]) -> Exists:
    """Whether a case about an arrival is still open."""
    return (
        select(CaseFile.id)
        .where(CaseFile.attempt_id == attempt_id, CaseFile.status == CaseStatus.OPEN)
        .correlate_except(CaseFile)
        .exists()
    )


def audit_page(session: Session, site_id: str, limit: int, offset: int) -> Sequence[AuditEntry]:
    """Entries of the audit log, newest first."""
    query = (
        select(AuditEntry)
        .where(col(AuditEntry.site_id).in_([site_id, ""]))
        .order_by(col(AuditEntry.seq).desc())
        .limit(limit)
        .offset(offset)
    )
    return session.exec(query).all()


def audit_of(session: Session, site_id: str, prefix: str, limit: int = 20) -> Sequence[AuditEntry]:
    """A site's newest entries whose action begins with ``prefix``."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.site_id == site_id, col(AuditEntry.action).startswith(prefix, autoescape=True))
        .order_by(col(AuditEntry.seq).desc())
        .limit(limit)
    )
    return session.exec(query).all()


def reveal_notes(session: Session, site_id: str, seqs: Sequence[int]) -> Sequence[RevealNote]:
    """The notes beside some audit entries."""
    query = select(RevealNote).where(RevealNote.site_id == site_id, col(RevealNote.audit_seq).in_(seqs))
    return session.exec(query).all()


def delete_reveal_notes(session: Session, person_id: str) -> None:
    """Take out what was noted about a person."""
    session.connection().execute(delete(RevealNote).where(col(RevealNote.person_id) == person_id))


def delete_old_notes(session: Session, site_id: str, before: datetime) -> int:
    """Take out a site's notes written before a moment; returns how many."""
    done = session.connection().execute(
        delete(RevealNote).where(col(RevealNote.site_id) == site_id, col(RevealNote.written_at) < before)
    )
    return int(done.rowcount)
