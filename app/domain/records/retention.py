"""Forgetting in time: what the class allows is kept, then the person is taken out and the figures stay (RE-04)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, search, vault
from app.core.actor import SYSTEM
from app.domain.access import permit_queries
from app.domain.admission import repository as admission
from app.domain.admission import self_queries
from app.domain.admission.models import Attempt, Visit
from app.domain.booking.models import Booking
from app.domain.identity import consents
from app.domain.messages import preferences
from app.domain.people import repository as people
from app.domain.people.service import VISITOR
from app.domain.records import case_retention, repository
from app.domain.sites import repository as sites
from app.domain.sites.rules import RiskClass
from app.domain.sites.times import retention_days

BATCH = 200
# What was noted about somebody who is not forgotten goes with the log's own clock: half a year at least (L-14).
NOTE_DAYS = 200


def purge(session: Session, site_id: str, now: datetime) -> int:
    """Anonymise one batch of what is due at a site; returns how many rows changed, 0 when nothing is left to do."""
    policy = sites.policy(session, site_id)
    changed = 0
    for risk in RiskClass:
        due = now - timedelta(days=retention_days(policy, risk))
        for visit in repository.ended_visits(session, site_id, risk, due, BATCH):
            _forget_visit(session, visit, now)
            changed += 1
    due = now - timedelta(days=policy.picture_days)
    for attempt in repository.old_pictures(session, site_id, due, BATCH):
        _forget_picture(session, attempt)
        changed += 1
    due = now - timedelta(days=retention_days(policy, RiskClass.LOW))
    for attempt in repository.stale_attempts(session, site_id, due, BATCH):
        _forget_attempt(session, attempt, now)
        changed += 1
    for booking in repository.stale_bookings(session, site_id, due, BATCH):
        _forget_booking(session, booking, now)
        changed += 1
    changed += self_queries.forget_old(session, site_id, due)
    changed += case_retention.purge(session, policy, now)
    noted = now - timedelta(days=NOTE_DAYS)
    changed += repository.delete_old_notes(session, site_id, noted)
    changed += consents.forget_guardians(session, site_id, noted)
    if changed:
        audit.record(
            session, SYSTEM, "retention.purge", "visit", "", site_id=site_id, details={"rows": changed}
        )
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
    """Take out everything that names a visitor, search spellings and notes included, unless business is still open."""
    if repository.has_live_business(session, person_id):
        return
    person = people.person(session, person_id)
    if person.kind != VISITOR:
        return  # who lives or works here has a card, and is forgotten by other rules than a visit's
    person.name = person.phone = person.company = person.document_tail = person.phone_index = None
    person.document_number = None
    person.erased_at = now
    session.add(person)
    consents.forget_person(session, person_id)
    preferences.forget(session, person_id)
    for card in permit_queries.cards_of_person(session, person_id):
        card.label = None
        session.add(card)
    search.remove(session, person_id)
    repository.delete_reveal_notes(session, person_id)
