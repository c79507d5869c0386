"""Faces at the lane: what a comparison found, and what the guard saw on the two pictures (ID-02, ID-06).

A comparison is evidence like every other item: written once, weighed by ``decide``. No picture comes here.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.core import audit, clock
from app.core.actor import Actor
from app.core.errors import Conflict
from app.core.permissions import Right
from app.domain.admission import repository, statements
from app.domain.admission.arrival import OPEN
from app.domain.admission.evidence import Presented
from app.domain.admission.face_evidence import BOOKING_PHOTO, COMPARED, is_doubted, standing
from app.domain.admission.judging import judge
from app.domain.admission.models import Attempt
from app.domain.admission.presenting import add_evidence
from app.domain.admission.rules import Kind, Result
from app.domain.identity import booking_photos, face_policy
from app.domain.sites import repository as sites

# What an engine says, and what of it the decision hears; one it does not know is no finding.
RESULTS = {
    "same": Result.OK,
    "unsure": Result.UNSURE,
    "other": Result.OTHER_FACE,
    "spoofed": Result.SPOOFED,
    "unreadable": Result.UNREADABLE,
}


def record_comparison(
    session: Session,
    attempt_id: str,
    outcome: str,
    nonce: str,
    camera_id: str,
    at: datetime,
    source: str = "",
) -> bool:
    """Write down once what came of a comparison with a picture; False where the arrival is over or it is known.

    ``source`` says what it was held against: empty for a document's photo. Nothing is written where the site has
    switched comparing off meanwhile, or the visitor's consent to the own picture was taken back.
    """
    attempt = repository.attempt(session, attempt_id)
    statements.lock_lane(session, attempt.lane_id)
    session.refresh(attempt)
    nonce = f"{attempt.lane_id}:{COMPARED}:{nonce}"
    if attempt.status != OPEN or statements.delivered(session, nonce) is not None:
        return False
    if not face_policy.of_site(session, attempt.site_id).verify:
        return False
    result = RESULTS.get(outcome, Result.UNREADABLE)
    if source == BOOKING_PHOTO:
        if attempt.booking_id is None or booking_photos.usable(session, attempt.booking_id) is None:
            return False
        if result is Result.OK and is_doubted(repository.evidence_of(session, attempt.id), of_documents=True):
            result = Result.UNSURE  # a picture that somebody sent does not undo what a document said
    item = Presented("face", "", nonce, at, camera_id, source=source)
    add_evidence(session, attempt.id, item, Kind.FACE, result)
    judge(session, attempt, sites.site(session, attempt.site_id))
    return True


def look(
    session: Session, actor: Actor, attempt_id: str, *, same: bool, nonce: str, source: str = ""
) -> Attempt:
    """Record what the guard saw on the two pictures; ``source`` as of a comparison.

    What a comparison found against somebody is not undone by a look: another comparison does, or a supervisor (AD-18).
    """
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    statements.lock_lane(session, attempt.lane_id)
    session.refresh(attempt)
    if attempt.status != OPEN:
        raise Conflict("attempt_closed")
    if same and is_doubted(
        standing(session, attempt.visitor_id, repository.evidence_of(session, attempt.id))
    ):
        raise Conflict("face_doubted")
    nonce = f"{attempt.lane_id}:{nonce}"
    fresh = statements.delivered(session, nonce) is None
    if fresh:
        item = Presented("face", "", nonce, clock.now(), source=source)
        add_evidence(session, attempt.id, item, Kind.FACE, Result.OK if same else Result.OTHER_FACE)
    judge(session, attempt, sites.site(session, attempt.site_id))
    if fresh:
        audit.record(
            session,
            actor,
            "evidence.face",
            "attempt",
            attempt.id,
            site_id=attempt.site_id,
            result="ok" if same else "abnormal",
        )
    return attempt
