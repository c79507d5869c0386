"""Visitors without a booking: details, the host's consent, and nothing without it (AD-08)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, outbox
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.admission import cases, documents, repository, statements
from app.domain.admission.arrival import OPEN, Arrival
from app.domain.admission.evidence import Presented
from app.domain.admission.judging import judge, weigh
from app.domain.admission.models import HostConsent, LaneChanged
from app.domain.admission.presenting import add_evidence, close_strangers
from app.domain.admission.rules import Consent, Evidence, Kind, Result
from app.domain.booking.models import Booking
from app.domain.booking.rules import HEADS, BookingSource, BookingStatus, Purpose
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.people.models import InboxChanged
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites import webhooks
from app.domain.sites.rules import LIMITS, Rule, VisitorField, VisitorKind

WALK_IN_HOURS = 4


@dataclass(frozen=True, slots=True)
class WalkInForm:
    """What the guard enters or reads, as typed."""

    unit_id: str
    name: str
    phone: str = ""
    purpose: str = Purpose.OTHER
    head_count: str | int = 1
    plate: str = ""
    company: str = ""
    document_tail: str = ""
    visitor_type: str = VisitorKind.SHORT_TERM


def register(
    session: Session,
    actor: Actor,
    lane_id: str,
    form: WalkInForm,
    snapshot_id: str = "",
    *,
    laid: Presented | None = None,
) -> Arrival:
    """Enter an unbooked visitor. Fields that the policy switches off are not stored even when sent (SI-03).

    ``laid`` is a document read at the lane a moment ago; if it is this visitor's, it counts as evidence.
    """
    post = statements.lock_lane(session, lane_id)
    actor.require(Right.DESK_USE, post.site_id)
    site = sites.site(session, post.site_id)
    unit = sites.unit(session, form.unit_id) if form.unit_id else None
    if unit is None or unit.site_id != site.id:
        raise InvalidInput("unit_missing", "unit")
    kind = sites.visitor_type(session, site.id, form.visitor_type)
    if form.purpose not in set(Purpose):
        raise InvalidInput("choice_wrong", "purpose")
    policy = sites_service.field_policy(session, site, kind.code, unit.area_id)
    values = _obey(policy, form)
    now = clock.now()
    visitor = people_service.add_person(
        session,
        site.id,
        people_service.VISITOR,
        form.name,
        inputs.phone(values["phone"], required=policy[VisitorField.PHONE] == Rule.REQUIRED),
        company=values["company"],
        document_tail=values["document_tail"],
    )
    booking = Booking(
        id=new_id(),
        site_id=site.id,
        unit_id=unit.id,
        host_id=None,
        visitor_id=visitor.id,
        visitor_type=kind.code,
        source=BookingSource.DESK,
        # Not APPROVED: nobody may come in with it, it only carries the visit if the host agrees.
        status=BookingStatus.ARRIVED,
        starts_at=now,
        ends_at=now + timedelta(hours=min(WALK_IN_HOURS, kind.max_hours)),
        purpose=form.purpose,
        head_count=inputs.count(form.head_count, "head_count", *HEADS),
        created_by=actor.account_id,
        created_at=now,
    )
    crypto.seal(booking, "plate", inputs.plate(values["plate"]))
    session.add(booking)
    session.flush()
    close_strangers(session, lane_id, now)
    attempt = Arrival(site.id, lane_id, now, now)
    attempt.walk_in, attempt.booking_id, attempt.visitor_id = True, booking.id, visitor.id
    attempt.unit_id, attempt.visitor_type, attempt.purpose = unit.id, kind.code, form.purpose
    attempt.head_count, attempt.snapshot_id = booking.head_count, snapshot_id
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    result = _result_of(laid, form.name, values["document_tail"], today)
    weigh(session, attempt, site, [Evidence(Kind.DOCUMENT, result)] if result else [], cue=False)
    statements.insert_arrival(session, attempt)
    if laid is not None and result is not None:
        before = statements.delivered(session, f"{lane_id}:{laid.nonce}")
        cases.carry_over(session, before, attempt.id)
        seen = replace(laid, nonce=f"{lane_id}:walk_in:{attempt.id}")
        add_evidence(session, attempt.id, seen, Kind.DOCUMENT, result)
    audit.record(session, actor, "walk_in.register", "attempt", attempt.id, site_id=site.id)
    return attempt


def _result_of(laid: Presented | None, name: str, tail: str, today: date) -> Result | None:
    """What the document says of the visitor; None where there is none, or it is somebody else's that lay there before."""
    if laid is None or laid.document is None:
        return None
    result = documents.compare(laid.document, inputs.clean(name), tail, today)
    return None if result is Result.OTHER_NAME else result


def _obey(policy: dict[str, Rule], form: WalkInForm) -> dict[str, str]:
    values = {}
    for name in (VisitorField.PHONE, VisitorField.PLATE, VisitorField.COMPANY, VisitorField.DOCUMENT_TAIL):
        value = inputs.clean(getattr(form, name))
        if policy[name] == Rule.REQUIRED and not value:
            raise InvalidInput("field_missing", name)
        values[name.value] = "" if policy[name] == Rule.OFF else value
    return values


def ask_host(session: Session, actor: Actor, attempt_id: str) -> HostConsent:
    """Put the question to everyone of the unit; asking twice is asking once."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    if not attempt.walk_in or attempt.status != OPEN:
        raise Conflict("attempt_closed")
    row = repository.consent_of(session, attempt.id)
    if row is not None and row.status in {Consent.ASKED, Consent.AGREED, Consent.DECLINED}:
        return row
    row = row or HostConsent(
        id=new_id(),
        attempt_id=attempt.id,
        site_id=attempt.site_id,
        unit_id=attempt.unit_id or "",
        status=Consent.ASKED,
        asked_at=clock.now(),
    )
    row.status, row.asked_at, row.answered_at = Consent.ASKED, clock.now(), None
    row.answered_by = row.channel = ""
    session.add(row)
    session.flush()
    for _, person in people.members(session, row.unit_id):
        announce(session, InboxChanged(person.id))
    judge(session, attempt, sites.site(session, attempt.site_id), cue=False)
    outbox.post(session, "inbox", "consent_asked", attempt.site_id, {"attempt": attempt.id})
    told = {"booking": attempt.booking_id or "", "attempt": attempt.id}
    webhooks.emit(session, attempt.site_id, "visit.requested", told)
    audit.record(session, actor, "consent.ask", "attempt", attempt.id, site_id=attempt.site_id)
    return row


def answer(session: Session, actor: Actor, consent_id: str, *, agree: bool, note: str = "") -> None:
    """The resident's own answer on the phone; the first one counts."""
    row = repository.consent(session, consent_id)
    actor.require(Right.CONSENT_ANSWER, row.site_id)
    if all(unit.id != row.unit_id for unit in people.units_of(session, actor.person_id)):
        raise NotAllowed("not_your_unit")
    _settle(session, actor, row, agree=agree, by=actor.person_id, channel="portal", note=note)


def record_call(
    session: Session, actor: Actor, attempt_id: str, *, agree: bool, who: str, channel: str
) -> None:
    """What a member of the household said by phone or intercom, with who and how, entered by the guard."""
    attempt = repository.attempt(session, attempt_id)
    actor.require(Right.DESK_USE, attempt.site_id)
    if channel not in {"phone", "intercom", "in_person"}:
        raise InvalidInput("choice_wrong", "channel")
    member = next((m for m, _ in people.members(session, attempt.unit_id or "") if m.person_id == who), None)
    if member is None:
        raise InvalidInput("host_missing", "who")
    row = repository.consent_of(session, attempt.id) or ask_host(session, actor, attempt.id)
    if row.status == Consent.TIMED_OUT:
        row = ask_host(session, actor, attempt.id)
    _settle(session, actor, row, agree=agree, by=who, channel=channel, note="")


def _settle(
    session: Session, actor: Actor, row: HostConsent, *, agree: bool, by: str, channel: str, note: str
) -> None:
    text = inputs.text(note, "note")
    status = Consent.AGREED if agree else Consent.DECLINED
    session.flush()
    if not repository.answer(session, row.id, status, clock.now(), by, channel):
        raise Conflict("consent_answered")
    session.refresh(row)
    if text:
        crypto.seal(row, "note", text)
        session.add(row)
    attempt = repository.attempt(session, row.attempt_id)
    if attempt.status == OPEN:
        judge(session, attempt, sites.site(session, attempt.site_id))
    event = "visit.approved" if agree else "visit.rejected"
    told = {"booking": attempt.booking_id or "", "attempt": attempt.id}
    webhooks.emit(session, attempt.site_id, event, told)
    audit.record(
        session,
        actor,
        f"consent.{status}",
        "attempt",
        row.attempt_id,
        site_id=row.site_id,
        details={"channel": channel, "by": by},
    )
    for _, person in people.members(session, row.unit_id):
        announce(session, InboxChanged(person.id))


def time_out(session: Session, now: datetime) -> int:
    """Close the questions nobody answered; the verdict then asks for a supervisor."""
    allowed = {site.id: timedelta(seconds=policy.consent_seconds) for site, policy in sites.policies(session)}
    shortest = timedelta(seconds=LIMITS["consent_seconds"].low)
    asked = repository.unanswered(session, now - shortest)
    rows = [row for row in asked if row.asked_at <= now - allowed[row.site_id]]
    for row in rows:
        if not repository.answer(session, row.id, Consent.TIMED_OUT, now, SYSTEM.kind, "timeout"):
            continue
        session.refresh(row)
        attempt = repository.attempt(session, row.attempt_id)
        if attempt.status == OPEN:
            judge(session, attempt, sites.site(session, attempt.site_id))
        else:
            announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))
        outbox.post(session, "inbox", "consent_timed_out", row.site_id, {"attempt": row.attempt_id})
        for _, person in people.members(session, row.unit_id):
            announce(session, InboxChanged(person.id))
    return len(rows)
