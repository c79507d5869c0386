"""Documents that a guard types or scans at the desk: the same evidence as a read card, and less proof (ID-05).

A typed document is worth what the guard's look is worth. It cannot undo what a reader found, a finding of its own needs a
supervisor like a reader's, and typing it again corrects a mistake.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import audit, clock
from app.core.actor import Actor
from app.core.errors import Conflict, InvalidInput
from app.core.permissions import Right
from app.domain.admission import documents, presenting, repository, statements
from app.domain.admission.arrival import OPEN, Arrival, Post, of
from app.domain.admission.evidence import Presented
from app.domain.admission.judging import judge
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Result
from app.domain.people.models import Person


def enter(session: Session, actor: Actor, lane_id: str, item: Presented, attempt_id: str = "") -> Arrival:
    """Take a document from the desk: against the arrival that is being served, or as if a reader had read it.

    A delivery that came before changes nothing. Raises ``Conflict`` where it would undo a reader's finding.
    """
    post = statements.lock_lane(session, lane_id)
    actor.require(Right.DESK_USE, post.site_id)
    if item.document is None or item.device_id or not item.source:
        raise InvalidInput("choice_wrong", "document")
    nonce = presenting.of_lane(lane_id, item.nonce)
    if delivered := statements.delivered(session, nonce):
        return of(repository.attempt(session, delivered))
    attempt = _serving(session, post, attempt_id)
    person = session.get(Person, attempt.visitor_id) if attempt and attempt.visitor_id else None
    if attempt is None or person is None:
        arrival = presenting.present(session, lane_id, item)
        attempt, result = repository.attempt(session, arrival.id), _last(session, arrival.id)
    else:
        today = clock.now().astimezone(ZoneInfo(post.time_zone)).date()
        result = documents.compare_person(item.document, person, today)
        presenting.add_entered(session, attempt, item, result)
        judge(session, attempt, post)
    if result is Result.OK and presenting.reading_doubts(session, attempt.id, typed=False):
        # Whatever was written goes with the transaction.
        raise Conflict("document_doubted")
    audit.record(
        session,
        actor,
        "evidence.document",
        "attempt",
        attempt.id,
        site_id=post.site_id,
        result="ok" if result is Result.OK else "abnormal",
        details={"source": item.source},
    )
    return of(attempt)


def _serving(session: Session, post: Post, attempt_id: str) -> Attempt | None:
    """The arrival that the desk shows, if it still waits to come in at this lane."""
    if not attempt_id:
        return None
    attempt = repository.attempt(session, attempt_id)
    if attempt.lane_id != post.lane_id or attempt.leaving:
        return None
    if attempt.status != OPEN:
        raise Conflict("attempt_closed")
    return attempt


def _last(session: Session, attempt_id: str) -> Result:
    return next(
        Result(row.result)
        for row in reversed(repository.evidence_of(session, attempt_id))
        if row.kind == Kind.DOCUMENT
    )
