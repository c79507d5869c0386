"""Forgetting in time: what the class allows is kept, then the person is taken out and the figures stay (RE-04)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, search, vault
from app.core.actor import SYSTEM
from app.domain.admission import repository as admission
from app.domain.admission.models import Attempt, Visit
from app.domain.booking.models import Booking
from app.domain.people import repository as people
from app.domain.records import repository
from app.domain.sites.rules import RETENTION_DAYS, RiskClass

BATCH = 200
SNAPSHOT_DAYS = 7


def purge(session: Session, now: datetime) -> int:
    """Anonymise one batch of what is due; returns how many rows changed, 0 when nothing is left to do."""
    changed = 0
    for risk in RiskClass:
        due = now - timedelta(days=RETENTION_DAYS[risk])
        for visit in repository.ended_visits(session, risk, due, BATCH):
            _forget_visit(session, visit, now)
            changed += 1
    for attempt in repository.old_pictures(session, now - timedelta(days=SNAPSHOT_DAYS), BATCH):
        _forget_picture(session, attempt)
        changed += 1
    due = now - timedelta(days=RETENTION_DAYS[RiskClass.LOW])
    for attempt in repository.stale_attempts(session, due, BATCH):
        _forget_attempt(session, attempt, now)
        changed += 1
    for booking in repository.stale_bookings(session, due, BATCH):
        _forget_booking(session, booking, now)
        changed += 1
    if changed:
        audit.record(session, SYSTEM, "retention.purge", "visit", "", details={"rows": changed})
    return changed


def _forget_visit(session: Session, visit: Visit, now: datetime) -> None:
    visit.purged_at = now
    visitor_id, visit.visitor_id = visit.visitor_id, None
    session.add(visit)
    attempt = session.get(Attempt, visit.attempt_id)
    if attempt is not None:
        _forget_words(session, attempt)
    loss = admission.loss_of(session, visit.id)
    if loss is not None:
        loss.reason = None
        session.add(loss)
    booking = session.get(Booking, visit.booking_id) if visit.booking_id else None
    if booking is not None and booking.status != "approved":
        booking.plate, booking.link_hash = None, None
        session.add(booking)
    session.flush()
    if visitor_id:
        erase_person(session, visitor_id, now)


def _forget_attempt(session: Session, attempt: Attempt, now: datetime) -> None:
    visitor_id = attempt.visitor_id
    _forget_words(session, attempt)
    session.flush()
    if visitor_id:
        erase_person(session, visitor_id, now)


def _forget_booking(session: Session, booking: Booking, now: datetime) -> None:
    booking.plate, booking.link_hash = None, None
    session.add(booking)
    erase_person(session, booking.visitor_id, now)


def _forget_words(session: Session, attempt: Attempt) -> None:
    _forget_picture(session, attempt)
    attempt.visitor_id, attempt.note = None, None
    consent = admission.consent_of(session, attempt.id)
    if consent is not None:
        consent.note = None
        session.add(consent)


def _forget_picture(session: Session, attempt: Attempt) -> None:
    if attempt.snapshot_id:
        vault.delete(attempt.snapshot_id)
        attempt.snapshot_id = ""
    session.add(attempt)


def erase_person(session: Session, person_id: str, now: datetime) -> None:
    """Take out everything that names a visitor, search spellings included, unless business is still open."""
    if repository.has_live_business(session, person_id):
        return
    person = people.person(session, person_id)
    person.name = person.phone = person.company = person.document_tail = person.phone_index = None
    person.erased_at = now
    session.add(person)
    search.remove(session, person_id)
