"""Presenting, admitting, refusing: the only ways an attempt comes to be and comes to an end (AD-03, AD-22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, outbox
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.admission import exits, repository
from app.domain.admission.evidence import Finding, Presented, examine
from app.domain.admission.judging import gather, judge
from app.domain.admission.models import Attempt, LaneChanged, Visit
from app.domain.admission.rules import Evidence, Kind, Outcome, Reason, Result, decide, overruled
from app.domain.booking import repository as bookings
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.sites import repository as sites
from app.domain.sites.models import Lane, Site
from app.domain.sites.rules import Direction

LINGER = timedelta(seconds=60)
WALK_IN_HOURS = 4
CLOCK_SKEW = timedelta(minutes=5)
OLDEST = timedelta(days=30)


class NotAdmissible(GateError):
    """The verdict does not let this person in; carries the weightiest reason."""

    status = 409

    def __init__(self, reason: Reason) -> None:
        super().__init__("not_admissible")
        self.reason = reason


def present(session: Session, lane_id: str, item: Presented) -> Attempt:
    """Record one presented item and decide; a delivery that came before changes nothing (AD-22).

    The item joins the open arrival of the same booking at this lane, or begins a new one. What lies open at
    the lane and belongs to nobody is closed by a new item, so that a stranger cannot fill the queue.
    """
    item = replace(item, nonce=_of_lane(lane_id, item.nonce), occurred_at=_plausible(item.occurred_at))
    lane, site = sites.lock_lane(session, lane_id)
    if delivered := repository.attempt_of_nonce(session, item.nonce):
        return delivered
    now = clock.now()
    finding = examine(session, site, item, now)
    known = repository.dossier(session, finding.booking_id) if finding.booking_id else None
    inside = known.inside if known else None
    if (lingering := _lingering(session, lane, finding, inside, now)) is not None:
        _add_evidence(session, lingering, item, finding.kind, finding.result)
        return lingering
    leaving = lane.direction == Direction.OUT or (lane.direction == Direction.BOTH and inside is not None)
    waiting = repository.open_attempts(session, lane.id)
    joined = next((a for a in waiting if known and a.booking_id == known.booking.id), None)
    _take_step(session, finding, joined, leaving=leaving)
    if joined is not None:
        _add_evidence(session, joined, item, finding.kind, finding.result)
        judge(session, joined, site, known=known)
        return joined
    _close_strangers(session, waiting, now)
    attempt = new_attempt(site, lane, item.occurred_at, now, leaving=leaving)
    attempt.pass_id = finding.issued.id if finding.issued and known else None
    attempt.card_id = finding.card.id if finding.card else None
    if known is not None:
        _bind_booking(attempt, known.booking)
    if inside is not None and leaving:
        attempt.visit_id = inside.id
    judge(session, attempt, site, [Evidence(finding.kind, finding.result)], known=known)
    session.flush()  # the verdict is known before the row is first written
    _add_evidence(session, attempt, item, finding.kind, finding.result)
    return attempt


def _take_step(session: Session, finding: Finding, joined: Attempt | None, *, leaving: bool) -> None:
    """Use up the code's step, so that the same code opens one lane once (S-16)."""
    if finding.kind is not Kind.CODE or finding.result is not Result.OK or finding.issued is None:
        return
    if access.use_step(session, finding.issued.id, finding.step, leaving=leaving):
        return
    # The camera still sees the phone of the arrival being served: that is no replay.
    if joined is None:
        finding.result = Result.REPLAYED


def _lingering(
    session: Session, lane: Lane, finding: Finding, inside: Visit | None, now: datetime
) -> Attempt | None:
    """The arrival just closed here, when its phone or card is merely still before the reader."""
    if inside is not None and inside.lane_in == lane.id and now - inside.entered_at < LINGER:
        return repository.attempt(session, inside.attempt_id)
    if finding.result is Result.ENDED and finding.booking_id:
        last = repository.latest_closed(session, lane.id)
        recent = last is not None and last.closed_at is not None and now - last.closed_at < LINGER
        if last is not None and recent and last.booking_id == finding.booking_id and last.status == "left":
            return last
    return None


def close_strangers(session: Session, lane_id: str, now: datetime) -> None:
    """Close what lies open at a lane and belongs to nobody."""
    _close_strangers(session, repository.open_attempts(session, lane_id), now)


def _close_strangers(session: Session, waiting: Sequence[Attempt], now: datetime) -> None:
    for other in waiting:
        if other.booking_id is None:
            status = "refused" if other.outcome == Outcome.REFUSE else "set_aside"
            repository.claim(session, other, status, now, SYSTEM.kind)


def new_attempt(site: Site, lane: Lane, occurred_at: datetime, now: datetime, *, leaving: bool) -> Attempt:
    """A new open row for an arrival at a lane."""
    return Attempt(
        id=new_id(),
        site_id=site.id,
        lane_id=lane.id,
        leaving=leaving,
        status=repository.OPEN,
        outcome="",
        reasons=[],
        missing=[],
        occurred_at=occurred_at,
        recorded_at=now,
    )


def _bind_booking(attempt: Attempt, booking: Booking) -> None:
    attempt.booking_id, attempt.visitor_id, attempt.unit_id = booking.id, booking.visitor_id, booking.unit_id
    attempt.visitor_type, attempt.purpose = booking.visitor_type, booking.purpose
    attempt.head_count = booking.head_count
    attempt.walk_in = booking.source == BookingSource.DESK


def _plausible(moment: datetime) -> datetime:
    # A device's clock may be wrong by anything; what lies far off is kept only within bounds that make sense.
    now = clock.now()
    return max(min(moment, now + CLOCK_SKEW), now - OLDEST)


def _of_lane(lane_id: str, nonce: str) -> str:
    """A nonce is unique within its lane; devices elsewhere may count alike."""
    return f"{lane_id}:{nonce}"


def _add_evidence(session: Session, attempt: Attempt, item: Presented, kind: Kind, result: Result) -> None:
    # Two deliveries of one item at the same moment do not meet here: they queued for the lane.
    repository.add_evidence(
        session,
        {
            "id": new_id(),
            "attempt_id": attempt.id,
            "nonce": item.nonce,
            "kind": kind,
            "result": result,
            "device_id": item.device_id,
            "occurred_at": item.occurred_at,
            "recorded_at": clock.now(),
        },
    )


def find_by_name(session: Session, actor: Actor, lane_id: str, booking_id: str, nonce: str) -> Attempt:
    """Begin an arrival from a booking that the guard looked up: the equal way without a code (S-18)."""
    lane, site = sites.lock_lane(session, lane_id)
    actor.require(Right.DESK_USE, site.id)
    booking = bookings.booking(session, booking_id)
    if booking.site_id != site.id:
        raise NotAllowed("not_allowed")
    now, nonce = clock.now(), _of_lane(lane.id, nonce)
    if known := repository.attempt_of_nonce(session, nonce):
        return known
    waiting = repository.open_attempts(session, lane.id)
    attempt = next((a for a in waiting if a.booking_id == booking.id), None)
    if attempt is None:
        _close_strangers(session, waiting, now)
        attempt = new_attempt(site, lane, now, now, leaving=False)
        issued = access.of_booking(session, booking.id)
        attempt.pass_id = issued.id if issued else None
        _bind_booking(attempt, booking)
        session.add(attempt)
        session.flush()
    _add_evidence(session, attempt, Presented("name", "", nonce, now), Kind.NAME, Result.OK)
    judge(session, attempt, site)
    return attempt


def see(session: Session, actor: Actor, attempt_id: str, kind: Kind, result: Result, nonce: str) -> Attempt:
    """Record what the guard saw with own eyes: a document, a work permit."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    if kind not in {Kind.DOCUMENT, Kind.PERMIT} or result not in {Result.OK, Result.ABNORMAL}:
        raise InvalidInput("choice_wrong", "kind")
    if attempt.status != repository.OPEN:
        raise Conflict("attempt_closed")
    nonce, fresh = _of_lane(attempt.lane_id, nonce), False
    if repository.attempt_of_nonce(session, nonce) is None:
        now, fresh = clock.now(), True
        _add_evidence(session, attempt, Presented(kind, "", nonce, now), kind, result)
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


def admit(session: Session, actor: Actor, attempt_id: str, note: str = "") -> Visit:
    """Let the person in, or out when the arrival is an exit: ONE transaction, decided anew inside it.

    Raises ``NotAdmissible`` unless the verdict is ADMIT; a supervisor may overrule doubts with a note.
    Raises ``Conflict`` when somebody else was faster or the key was pressed twice.
    """
    attempt = repository.attempt(session, attempt_id)
    _require_lane_right(actor, attempt)
    now = clock.now()
    site = sites.site(session, attempt.site_id)
    if attempt.status != repository.OPEN:
        raise Conflict("attempt_closed")
    known = repository.dossier(session, attempt.booking_id, lock=True) if attempt.booking_id else None
    facts = gather(session, attempt, site, now, known=known)
    decision = decide(facts, now)
    if decision.outcome is not Outcome.ADMIT:
        if (
            repository.visit_of_attempt(session, attempt.id) is not None
        ):  # the same key, pressed a moment before
            raise Conflict("attempt_taken")
        overrule = decision.outcome is Outcome.REVIEW and not attempt.leaving and actor.has(Right.DESK_REVIEW)
        if (
            not overrule
            or not inputs.text(note, "note")
            or decide(overruled(facts), now).outcome is not Outcome.ADMIT
        ):
            raise NotAdmissible(decision.reasons[0])
        attempt.forced_by = actor.account_id
        crypto.seal(attempt, "note", inputs.text(note, "note"))
        session.add(attempt)
    if attempt.leaving:
        visit = repository.visit(session, attempt.visit_id or "")
        return exits.leave(session, actor, visit.id, attempt.lane_id, "scan", attempt_id=attempt.id)
    if known is None:
        raise NotAdmissible(Reason.DETAILS_MISSING)
    visit = _new_visit(session, actor, attempt, known.booking, facts.risk, now)
    claimed = repository.claim(
        session,
        attempt,
        "admitted",
        now,
        visit.admitted_by,
        outcome=decision.outcome,
        reasons=decision.reasons,
        visit_id=visit.id,
        pass_id=visit.pass_id,
    )
    if not claimed:
        raise Conflict("attempt_taken")
    repository.add_visit(session, visit)
    audit.record(
        session,
        actor,
        "visit.admit",
        "visit",
        visit.id,
        site_id=site.id,
        reason=decision.reasons[0],
        details={"attempt": attempt.id, "forced": bool(attempt.forced_by)},
    )
    outbox.post(session, "inbox", "visitor_arrived", site.id, {"visit": visit.id})
    announce(session, LaneChanged(site.id, attempt.lane_id, attempt.id))
    return visit


def _new_visit(
    session: Session, actor: Actor, attempt: Attempt, booking: Booking, risk: str, now: datetime
) -> Visit:
    due, pass_id = booking.ends_at, attempt.pass_id
    if attempt.walk_in:
        pass_id = access_service.issue_pass(session, attempt.site_id, booking.id, now, due).id
    if booking.source != BookingSource.STANDING:
        repository.set_booking_status(session, booking.id, BookingStatus.ARRIVED)
    return Visit(
        id=new_id(),
        site_id=attempt.site_id,
        attempt_id=attempt.id,
        booking_id=booking.id,
        pass_id=pass_id,
        visitor_id=attempt.visitor_id,
        unit_id=attempt.unit_id,
        visitor_type=attempt.visitor_type,
        purpose=attempt.purpose,
        head_count=attempt.head_count,
        risk_class=risk,
        lane_in=attempt.lane_id,
        entered_at=now,
        due_at=due,
        admitted_by=actor.account_id or actor.kind,
        serving_ms=max(0, int((now - attempt.recorded_at).total_seconds() * 1000)),
    )


def refuse(session: Session, actor: Actor, attempt_id: str, note: str = "") -> None:
    """Turn the person away, with an optional note; the row stays in the ledger."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    text = inputs.text(note, "note")
    if not repository.claim(session, attempt, "refused", clock.now(), actor.account_id):
        raise Conflict("attempt_taken")
    if text:
        crypto.seal(attempt, "note", text)
        session.add(attempt)
    audit.record(
        session,
        actor,
        "attempt.refuse",
        "attempt",
        attempt.id,
        site_id=attempt.site_id,
        reason=attempt.reasons[0] if attempt.reasons else "",
    )
    announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))


def set_aside(session: Session, actor: Actor, attempt_id: str) -> None:
    """Clear an arrival that came to nothing from the desk; it stays in the ledger."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    if repository.claim(session, attempt, "set_aside", clock.now(), actor.account_id):
        audit.record(session, actor, "attempt.set_aside", "attempt", attempt.id, site_id=attempt.site_id)
        announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))


def _require_lane_right(actor: Actor, attempt: Attempt) -> None:
    if actor.has(Right.LANE_PRESENT) and actor.lane_id == attempt.lane_id:
        return
    actor.require(Right.DESK_USE, attempt.site_id)
