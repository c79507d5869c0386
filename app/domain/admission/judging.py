"""Gathering the facts of an attempt and writing down the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import clock
from app.core.database import announce
from app.domain.admission import repository, statements
from app.domain.admission.arrival import Arrival, Dossier
from app.domain.admission.evidence import withdrawn
from app.domain.admission.face_evidence import without_withdrawn
from app.domain.admission.models import Attempt, LaneChanged
from app.domain.admission.rules import (
    DOCUMENT_REASONS,
    BookingFacts,
    Consent,
    Decision,
    Evidence,
    Facts,
    Kind,
    Outcome,
    Result,
    Risk,
    decide,
)
from app.domain.sites import repository as sites
from app.domain.sites.rules import stricter

CUES = {
    Outcome.ADMIT: "admit",
    Outcome.NEEDS: "attention",
    Outcome.REVIEW: "attention",
    Outcome.REFUSE: "alarm",
}
DOCUMENT_ALARMS = frozenset(DOCUMENT_REASONS.values())


class Place(Protocol):
    """What a site says of decisions."""

    @property
    def risk_class(self) -> str:
        """Its class where no area has a stricter one."""

    @property
    def time_zone(self) -> str:
        """Its IANA zone."""


def gather(
    session: Session,
    attempt: Attempt | Arrival,
    site: Place,
    now: datetime,
    evidence: Sequence[Evidence] | None = None,
    *,
    known: Dossier | None = None,
) -> Facts:
    """The facts of an attempt as the database holds them now; ``known`` is what was read of its booking already."""
    if evidence is None:
        rows = statements.evidence_of(session, attempt.id)
        read = [Evidence(Kind(kind), Result(result)) for kind, result in rows]
        evidence = withdrawn(session, read, attempt.pass_id, attempt.card_id)
        evidence = without_withdrawn(session, attempt, evidence, now)
    risk = site.risk_class
    booking_facts: BookingFacts | None = None
    inside = needs_permit = False
    if attempt.booking_id:
        found = known or statements.dossier(session, attempt.booking_id)
        risk = stricter(site.risk_class, found.area_class)
        inside = found.inside is not None
        needs_permit = found.needs_permit
        if not attempt.walk_in:
            booking_facts = _booking_facts(found, site, now)
    consent = repository.consent_of(session, attempt.id) if attempt.walk_in else None
    return Facts(
        risk=Risk(risk),
        leaving=attempt.leaving,
        evidence=tuple(evidence),
        booking=booking_facts,
        walk_in=attempt.walk_in,
        missing_fields=tuple(attempt.missing),
        needs_permit=needs_permit,
        consent=Consent(consent.status) if consent else Consent.NONE,
        inside=inside,
        clock_trusted=clock.current().trusted(),
    )


def _booking_facts(known: Dossier, site: Place, now: datetime) -> BookingFacts:
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    return BookingFacts(
        status=known.status,
        starts_at=known.starts_at,
        ends_at=known.ends_at,
        early=timedelta(minutes=known.early_minutes),
        late=timedelta(minutes=known.late_minutes),
        standing=known.source == "standing",
        renewed=not known.daily_renewal or known.renewed_on == today,
    )


def weigh(
    session: Session,
    attempt: Attempt | Arrival,
    site: Place,
    evidence: Sequence[Evidence] | None = None,
    *,
    cue: bool = True,
    known: Dossier | None = None,
) -> Decision:
    """Decide on an open attempt, put the verdict into it, and tell the desks of its lane; writes nothing."""
    now = clock.now()
    decision = decide(gather(session, attempt, site, now, evidence, known=known), now)
    changed = attempt.outcome != decision.outcome
    attempt.outcome = decision.outcome
    attempt.reasons = [reason.value for reason in decision.reasons]
    sound = _sound(decision) if cue and changed else ""
    announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id, sound))
    return decision


def _sound(decision: Decision) -> str:
    # A document that does not fit is an alarm, though only a supervisor can say what it means (AD-18).
    if decision.outcome is Outcome.REVIEW and not DOCUMENT_ALARMS.isdisjoint(decision.reasons):
        return "alarm"
    return CUES[decision.outcome]


def judge(
    session: Session, attempt: Attempt, site: Place, *, cue: bool = True, known: Dossier | None = None
) -> Decision:
    """Decide on an attempt that is written already, and keep the verdict with it."""
    decision = weigh(session, attempt, site, cue=cue, known=known)
    session.add(attempt)
    return decision


def rejudge_booking(session: Session, booking_id: str) -> None:
    """Decide anew on every open arrival of a booking that was changed or cancelled meanwhile."""
    for attempt in repository.open_attempts_of_booking(session, booking_id):
        judge(session, attempt, sites.site(session, attempt.site_id))


def rejudge_lane(session: Session, lane_id: str) -> None:
    """Decide anew on what waits at a lane, after a change of policy."""
    for attempt in repository.open_attempts(session, lane_id):
        judge(session, attempt, sites.site(session, attempt.site_id), cue=False)
