"""Presenting: how an attempt comes to be. Every item held before a reader is a row, and is decided on (AD-03, AD-22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, clock
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.access import repository as access
from app.domain.admission import cases, checkouts, documents, repository, service, statements
from app.domain.admission.arrival import OPEN, Arrival, Dossier, Post, of
from app.domain.admission.evidence import Finding, Presented, examine
from app.domain.admission.face_evidence import is_doubted, standing
from app.domain.admission.judging import gather, judge, weigh
from app.domain.admission.models import Attempt, LaneChanged
from app.domain.admission.rules import SILENT, Evidence, Kind, Outcome, Result, decide
from app.domain.sites import repository as sites
from app.domain.sites import webhooks
from app.domain.sites.rules import Direction

LINGER = timedelta(seconds=60)
DOCUMENT_LINGER = timedelta(seconds=30)
CLOCK_SKEW = timedelta(minutes=5)
OLDEST = timedelta(days=30)


def present(session: Session, lane_id: str, item: Presented) -> Arrival:
    """Record one presented item and decide; a delivery that came before changes nothing (AD-22).

    The item joins the open arrival of the same booking at this lane, or begins a new one. What lies open at
    the lane and belongs to nobody is closed by a new item, so that a stranger cannot fill the queue; a document
    laid a moment ago stays beside it until another is laid, so that one person's card and another's code both show.
    """
    return _present(session, lane_id, item, None)


def check_in(session: Session, actor: Actor, lane_id: str, item: Presented) -> tuple[Arrival, bool]:
    """Present and, where the verdict allows it, let the person in or out, in the same transaction.

    Returns the arrival and whether it is through. Somebody who was faster is no error: the first one counts.
    """
    arrival = _present(session, lane_id, item, actor)
    if arrival.status == OPEN and arrival.outcome == Outcome.ADMIT:
        try:
            service.admit(session, actor, arrival.id)
        except Conflict:
            return arrival, False
        return arrival, True
    return arrival, arrival.is_through


def present_late(session: Session, lane_id: str, item: Presented) -> Arrival:
    """Record what was presented while its lane was cut off, closed at once: nobody stands there any more.

    The verdict is the one of its own moment. It joins no arrival that is open now, takes no code's step, calls nobody.
    """
    item = replace(item, nonce=of_lane(lane_id, item.nonce), occurred_at=_plausible(item.occurred_at))
    post = statements.lock_lane(session, lane_id)
    if delivered := statements.delivered(session, item.nonce):
        return of(repository.attempt(session, delivered))
    then, now = item.occurred_at, clock.now()
    look = documents.examine_alone if documents.concerns(item) else _examine_there
    finding = look(session, post, item, then)
    known = statements.dossier(session, finding.booking_id) if finding.booking_id else None
    arrival = Arrival(post.site_id, lane_id, then, now, leaving=_is_leaving(post, known))
    arrival.card_id = finding.card_id
    if known is not None:
        arrival.pass_id = finding.pass_id
        arrival.bind(known)
    facts = gather(session, arrival, post, then, [Evidence(finding.kind, finding.result)], known=known)
    decision = decide(facts, then)
    arrival.outcome, arrival.reasons = decision.outcome, [reason.value for reason in decision.reasons]
    arrival.status = "refused" if decision.outcome is Outcome.REFUSE else "set_aside"
    arrival.closed_at, arrival.closed_by = now, SYSTEM.kind
    statements.insert_arrival(session, arrival)
    add_evidence(session, arrival.id, item, finding.kind, finding.result)
    announce(session, LaneChanged(arrival.site_id, arrival.lane_id, arrival.id, ""))
    return arrival


def _examine_there(session: Session, post: Post, item: Presented, now: datetime) -> Finding:
    return examine(session, post.site_id, item, now)


def _present(session: Session, lane_id: str, item: Presented, admitter: Actor | None) -> Arrival:
    item = replace(item, nonce=of_lane(lane_id, item.nonce), occurred_at=_plausible(item.occurred_at))
    post = statements.lock_lane(session, lane_id)
    if delivered := statements.delivered(session, item.nonce):
        return of(repository.attempt(session, delivered))
    now = clock.now()
    if documents.concerns(item):
        finding = documents.examine(session, post, item, now)
    else:
        finding = examine(session, post.site_id, item, now)
    booking_id = finding.booking_id
    known = statements.dossier(session, booking_id, lock=admitter is not None) if booking_id else None
    if (lingering := _lingering(session, post, finding, known, now)) is not None:
        add_evidence(session, lingering.id, item, finding.kind, finding.result)
        return of(lingering)
    leaving = _is_leaving(post, known)
    waiting = statements.waiting_at(session, lane_id)
    joined = next((w.attempt_id for w in waiting if known and w.booking_id == known.booking_id), None)
    _take_step(session, finding, leaving=leaving, joins=joined is not None)
    if joined is not None:
        return _join(session, post, joined, item, finding, known)
    _close_strangers(session, waiting, now, by=finding.kind)
    arrival = Arrival(post.site_id, lane_id, item.occurred_at, now, leaving=leaving)
    arrival.card_id = finding.card_id
    if known is not None:
        arrival.pass_id = finding.pass_id
        arrival.bind(known)
        if known.inside is not None and leaving:
            arrival.visit_id = known.inside.visit_id
        if not leaving:
            told = {"booking": known.booking_id, "attempt": arrival.id, "lane": lane_id}
            webhooks.emit(session, post.site_id, "visit.arrived", told)
    decision = weigh(session, arrival, post, [Evidence(finding.kind, finding.result)], known=known)
    at_once = admitter is not None and known is not None and not leaving and decision.outcome is Outcome.ADMIT
    if at_once and admitter is not None and known is not None:
        service.require_lane_right(admitter, arrival)
        visit = service.make_visit(session, admitter, arrival, known, post.risk_class, now)
        arrival.status, arrival.closed_at, arrival.closed_by = "admitted", now, visit["admitted_by"]
        arrival.visit_id, arrival.pass_id = visit["id"], visit["pass_id"]
        statements.insert_arrival(session, arrival)
        service.enter(session, admitter, arrival, visit, decision)
    else:
        statements.insert_arrival(session, arrival)
    add_evidence(session, arrival.id, item, finding.kind, finding.result)
    return _late_exit(session, arrival)


def _late_exit(session: Session, arrival: Arrival) -> Arrival:
    """What did not fit may be the way out of a visit that was closed because nobody saw it end (AD-16)."""
    doubtful = arrival.booking_id is not None and arrival.outcome in {Outcome.REVIEW, Outcome.REFUSE}
    if doubtful and checkouts.recognise(session, arrival.id):
        return of(repository.attempt(session, arrival.id))
    return arrival


def _join(
    session: Session, post: Post, attempt_id: str, item: Presented, finding: Finding, known: Dossier | None
) -> Arrival:
    attempt = repository.attempt(session, attempt_id)
    result = finding.result
    if (
        finding.kind is Kind.FACE
        and result is Result.OK
        and is_doubted(standing(session, attempt.visitor_id, repository.evidence_of(session, attempt_id)))
    ):
        # Whoever stands in the picture beside it does not undo what the comparison with the document found.
        result = Result.UNSURE
    add_evidence(session, attempt_id, item, finding.kind, result)
    judge(session, attempt, post, known=known)
    return of(attempt)


def _is_leaving(post: Post, known: Dossier | None) -> bool:
    inside = known is not None and known.inside is not None
    return post.direction == Direction.OUT or (post.direction == Direction.BOTH and inside)


def _take_step(session: Session, finding: Finding, *, leaving: bool, joins: bool) -> None:
    """Use up the code's step, so that the same code opens one lane once (S-16)."""
    if finding.kind is not Kind.CODE or finding.result is not Result.OK or finding.pass_id is None:
        return
    if access.use_step(session, finding.pass_id, finding.step, leaving=leaving):
        return
    # The camera still sees the phone of the arrival being served: that is no replay.
    if not joins:
        finding.result = Result.REPLAYED


def _lingering(
    session: Session, post: Post, finding: Finding, known: Dossier | None, now: datetime
) -> Attempt | None:
    """The arrival just closed here, when its phone or card is merely still before the reader."""
    inside = known.inside if known else None
    if inside is not None and inside.lane_in == post.lane_id and now - inside.entered_at < LINGER:
        return repository.attempt(session, inside.attempt_id)
    if finding.result is Result.ENDED and finding.booking_id:
        last = repository.latest_closed(session, post.lane_id)
        recent = last is not None and last.closed_at is not None and now - last.closed_at < LINGER
        if last is not None and recent and last.booking_id == finding.booking_id and last.status == "left":
            return last
    return None


def close_strangers(session: Session, lane_id: str, now: datetime) -> None:
    """Close what lies open at a lane and belongs to nobody."""
    _close_strangers(session, statements.waiting_at(session, lane_id), now)


def _close_strangers(
    session: Session, waiting: Sequence[statements.Waiting], now: datetime, by: Kind = Kind.DOCUMENT
) -> None:
    for other in waiting:
        if other.booking_id is None and not (by is not Kind.DOCUMENT and _just_laid(session, other, now)):
            status = "refused" if other.outcome == Outcome.REFUSE else "set_aside"
            statements.close(session, other.attempt_id, status, now, SYSTEM.kind)


def _just_laid(session: Session, other: statements.Waiting, now: datetime) -> bool:
    """Whether somebody's document was read a moment ago: a code of another must not sweep it off the desk (AD-18)."""
    if other.outcome == Outcome.REFUSE:
        return False  # with a document nobody is refused outright who is not known
    return any(
        row.kind == Kind.DOCUMENT
        and Result(row.result) not in SILENT
        and now - row.recorded_at < DOCUMENT_LINGER
        for row in repository.evidence_of(session, other.attempt_id)
    )


def _plausible(moment: datetime) -> datetime:
    # A device's clock may be wrong by anything; what lies far off is kept only within bounds that make sense.
    now = clock.now()
    return max(min(moment, now + CLOCK_SKEW), now - OLDEST)


def of_lane(lane_id: str, nonce: str) -> str:
    """A nonce is unique within its lane; devices elsewhere may count alike."""
    return f"{lane_id}:{nonce}"


def add_evidence(session: Session, attempt_id: str, item: Presented, kind: Kind, result: Result) -> None:
    """Put down what was presented in an attempt that is written already; keeps nothing of the item itself.

    A document or face that does not fit opens a case with it, or adds to the arrival's (AD-18).
    """
    # Two deliveries of one item at the same moment do not meet here: they queued for the lane.
    statements.insert_evidence(
        session,
        {
            "id": new_id(),
            "attempt_id": attempt_id,
            "nonce": item.nonce,
            "kind": kind,
            "result": result,
            "device_id": item.device_id,
            "source": item.source,
            "occurred_at": item.occurred_at,
            "recorded_at": clock.now(),
        },
    )
    cases.note_finding(session, attempt_id, kind, result, item.device_id, item.occurred_at)


def add_entered(session: Session, attempt: Attempt, item: Presented, result: Result) -> None:
    """Put down a document that was entered at the desk for this very arrival."""
    named = replace(item, nonce=of_lane(attempt.lane_id, item.nonce))
    add_evidence(session, attempt.id, named, Kind.DOCUMENT, result)


def find_by_name(session: Session, actor: Actor, lane_id: str, booking_id: str, nonce: str) -> Arrival:
    """Begin an arrival from a booking that the guard looked up: the equal way without a code (S-18)."""
    post = statements.lock_lane(session, lane_id)
    actor.require(Right.DESK_USE, post.site_id)
    known = statements.dossier(session, booking_id)
    if known.site_id != post.site_id:
        raise NotAllowed("not_allowed")
    item = Presented("name", "", of_lane(lane_id, nonce), clock.now())
    if delivered := statements.delivered(session, item.nonce):
        return of(repository.attempt(session, delivered))
    finding = Finding(Kind.NAME, Result.OK, booking_id)
    waiting = statements.waiting_at(session, lane_id)
    if joined := next((w.attempt_id for w in waiting if w.booking_id == booking_id), None):
        return _join(session, post, joined, item, finding, known)
    _close_strangers(session, waiting, item.occurred_at)
    arrival = Arrival(post.site_id, lane_id, item.occurred_at, item.occurred_at)
    issued = access.of_booking(session, booking_id)
    arrival.pass_id = issued.id if issued else None
    arrival.bind(known)
    weigh(session, arrival, post, [Evidence(Kind.NAME, Result.OK)], known=known)
    statements.insert_arrival(session, arrival)
    add_evidence(session, arrival.id, item, finding.kind, finding.result)
    return _late_exit(session, arrival)


def see(session: Session, actor: Actor, attempt_id: str, kind: Kind, result: Result, nonce: str) -> Attempt:
    """Record what the guard saw with own eyes: a document, a work permit.

    What a reader found wrong with a document is not undone by a look: a fitting document is, or a supervisor (AD-18).
    """
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    if kind not in {Kind.DOCUMENT, Kind.PERMIT} or result not in {Result.OK, Result.ABNORMAL}:
        raise InvalidInput("choice_wrong", "kind")
    if attempt.status != OPEN:
        raise Conflict("attempt_closed")
    if kind is Kind.DOCUMENT and result is Result.OK and reading_doubts(session, attempt.id):
        raise Conflict("document_doubted")
    nonce, fresh = of_lane(attempt.lane_id, nonce), False
    if statements.delivered(session, nonce) is None:
        now, fresh = clock.now(), True
        add_evidence(session, attempt.id, Presented(kind, "", nonce, now), kind, result)
    judge(session, attempt, sites.site(session, attempt.site_id))
    if fresh:
        audit.record(
            session,
            actor,
            f"evidence.{kind}",
            "attempt",
            attempt.id,
            site_id=attempt.site_id,
            result="ok" if result is Result.OK else "abnormal",
        )
    return attempt


def reading_doubts(session: Session, attempt_id: str, *, typed: bool = True) -> bool:
    """Whether the last document that was read did not fit; without ``typed``, of those that a reader has read."""
    read = [
        row.result
        for row in repository.evidence_of(session, attempt_id)
        if row.kind == Kind.DOCUMENT
        and row.result != Result.UNREADABLE
        and (row.device_id or (typed and row.source))
    ]
    return bool(read) and read[-1] != Result.OK
