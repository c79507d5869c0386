"""How an attempt comes to its end: admitted, refused or set aside (AD-03). How it begins is ``presenting``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, outbox
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, GateError
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.access import service as access_service
from app.domain.admission import exits, repository, statements
from app.domain.admission.arrival import OPEN, Arrival, Dossier
from app.domain.admission.judging import gather
from app.domain.admission.models import Attempt, LaneChanged, Visit, VisitAdmitted
from app.domain.admission.rules import Decision, Outcome, Reason, decide, overruled
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.sites import repository as sites
from app.domain.sites import webhooks
from app.domain.sites.rules import stricter


class NotAdmissible(GateError):
    """The verdict does not let this person in; carries the weightiest reason."""

    status = 409

    def __init__(self, reason: Reason) -> None:
        super().__init__("not_admissible")
        self.reason = reason


def admit(session: Session, actor: Actor, attempt_id: str, note: str = "") -> Visit:
    """Let the person in, or out when the arrival is an exit: ONE transaction, decided anew inside it.

    Raises ``NotAdmissible`` unless the verdict is ADMIT; a supervisor may overrule doubts with a note.
    Raises ``Conflict`` when somebody else was faster or the key was pressed twice.
    """
    attempt = repository.attempt(session, attempt_id)
    require_lane_right(actor, attempt)
    now = clock.now()
    site = sites.site(session, attempt.site_id)
    if attempt.status != OPEN:
        raise Conflict("attempt_closed")
    known = statements.dossier(session, attempt.booking_id, lock=True) if attempt.booking_id else None
    facts = gather(session, attempt, site, now, known=known)
    decision = decide(facts, now)
    if decision.outcome is not Outcome.ADMIT:
        if repository.visit_of_attempt(session, attempt.id) is not None:
            raise Conflict("attempt_taken")  # the same key, pressed a moment before
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
        return exits.leave(
            session, actor, attempt.visit_id or "", attempt.lane_id, "scan", attempt_id=attempt.id
        )
    if known is None:
        raise NotAdmissible(Reason.DETAILS_MISSING)
    if known.inside is not None:
        exits.leave_unseen(session, actor, known.inside.visit_id, now)
    visit = make_visit(session, actor, attempt, known, site.risk_class, now)
    claimed = statements.claim(
        session,
        attempt,
        "admitted",
        now,
        visit["admitted_by"],
        outcome=decision.outcome,
        reasons=decision.reasons,
        visit_id=visit["id"],
        pass_id=visit["pass_id"],
    )
    if not claimed:
        raise Conflict("attempt_taken")
    enter(session, actor, attempt, visit, decision, forced=bool(attempt.forced_by))
    return repository.visit(session, visit["id"])


def make_visit(
    session: Session, actor: Actor, attempt: Attempt | Arrival, known: Dossier, site_class: str, now: datetime
) -> dict[str, Any]:
    """The row of a visit that begins now; a walk-in gets the pass that the booked have already."""
    pass_id = attempt.pass_id
    if attempt.walk_in:
        pass_id = access_service.issue_pass(session, attempt.site_id, known.booking_id, now, known.ends_at).id
    if known.source != BookingSource.STANDING:
        statements.set_booking_status(session, known.booking_id, BookingStatus.ARRIVED)
    return {
        "id": new_id(),
        "site_id": attempt.site_id,
        "attempt_id": attempt.id,
        "booking_id": known.booking_id,
        "pass_id": pass_id,
        "visitor_id": attempt.visitor_id,
        "unit_id": attempt.unit_id,
        "visitor_type": attempt.visitor_type,
        "purpose": attempt.purpose,
        "head_count": attempt.head_count,
        "risk_class": stricter(site_class, known.area_class),
        "lane_in": attempt.lane_id,
        "entered_at": now,
        "due_at": known.ends_at,
        "admitted_by": actor.account_id or actor.kind,
        "serving_ms": max(0, int((now - attempt.recorded_at).total_seconds() * 1000)),
    }


def enter(
    session: Session,
    actor: Actor,
    attempt: Attempt | Arrival,
    visit: dict[str, Any],
    decision: Decision,
    *,
    forced: bool = False,
) -> None:
    """Write the visit of an attempt that is closed as admitted, say who did it, and tell the host."""
    statements.insert_visit(session, visit)
    audit.record(
        session,
        actor,
        "visit.admit",
        "visit",
        visit["id"],
        site_id=attempt.site_id,
        reason=decision.reasons[0],
        details={"attempt": attempt.id, "forced": forced},
    )
    outbox.post(session, "inbox", "visitor_arrived", attempt.site_id, {"visit": visit["id"]})
    told = {"booking": visit["booking_id"], "visit": visit["id"], "lane": visit["lane_in"]}
    webhooks.emit(session, attempt.site_id, "visit.checked_in", told)
    announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))
    announce(session, VisitAdmitted(attempt.site_id, attempt.lane_id, visit["id"]))


def refuse(session: Session, actor: Actor, attempt_id: str, note: str = "") -> None:
    """Turn the person away, with an optional note; the row stays in the ledger."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    text = inputs.text(note, "note")
    if not statements.claim(session, attempt, "refused", clock.now(), actor.account_id):
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
    if statements.claim(session, attempt, "set_aside", clock.now(), actor.account_id):
        audit.record(session, actor, "attempt.set_aside", "attempt", attempt.id, site_id=attempt.site_id)
        announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))


def require_lane_right(actor: Actor, attempt: Attempt | Arrival) -> None:
    """Refuse whoever may not serve the lane of an attempt."""
    if actor.has(Right.LANE_PRESENT) and actor.lane_id == attempt.lane_id:
        return
    actor.require(Right.DESK_USE, attempt.site_id)
