"""What a message says to whom, looked up at the moment it is sent: masked values, the receiver's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from app.core import clock, crypto, i18n
from app.core.errors import NotFound
from app.core.masking import mask_name, mask_phone
from app.core.outbox import Message, Outcome, Result
from app.core.settings import get_settings
from app.domain.admission import repository as admission
from app.domain.admission.case_models import CaseFile
from app.domain.admission.case_rules import title_of
from app.domain.booking import repository as bookings
from app.domain.booking.links import link_secret
from app.domain.booking.rules import BookingStatus
from app.domain.messages import preferences, rules, templates
from app.domain.messages.rules import EVENTS, Audience
from app.domain.people import repository as people
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites.models import Site

TEST = "test"
GROUPS = frozenset({"wecom", "dingtalk", "feishu"})
TOLD_WHILE_APPROVED = frozenset({"pass_link", "booking_changed", "visit_reminder"})


@dataclass(frozen=True, slots=True)
class Calendar:
    """A visit as an entry of a calendar."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    place: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to go; the address stays out of every log and ``repr``."""

    event: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    values: dict[str, str] = field(repr=False)
    calendar: Calendar | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Facts:
    """What is known of a message before it has words."""

    values: dict[str, str]
    person: Person | None = None
    begins: datetime | None = None
    gone: str = ""
    calendar: Calendar | None = None


def compose(session: Session, message: Message) -> Letter | Outcome:
    """The letter of a message, or why there is none: nobody to send it to, no longer true, or quiet hours."""
    try:
        site = sites.site(session, message.site_id)
        if message.topic == TEST:
            return _test_letter(session, message, site)
        facts = _facts(session, message, site)
    except NotFound:
        return Outcome(Result.SKIPPED, "gone")
    if facts.gone:
        return Outcome(Result.SKIPPED, facts.gone)
    held = _held(session, message, site, facts)
    if held is not None:
        return Outcome(Result.HELD, "quiet_hours", until=held)
    to = _address(session, message.channel, facts.person)
    if not to:
        return Outcome(Result.SKIPPED, "no_address")
    locale = _locale(session, facts.person)
    text = rules.fill(templates.text(session, site.id, message.topic, locale), facts.values)
    subject = i18n.text(locale, f"messages.subject.{message.topic}", site=site.name)
    return Letter(message.topic, to, subject, text, facts.values, facts.calendar)


def receiver(session: Session, message: Message) -> tuple[str, str]:
    """Masked name and masked address of who gets a message, for those who look after messages."""
    try:
        site = sites.site(session, message.site_id)
        person = (
            people.person(session, str(message.payload["person"]))
            if "person" in message.payload
            else _facts(session, message, site).person
        )
    except (NotFound, KeyError):
        return "", ""
    if person is None or message.channel in GROUPS:
        return "", ""
    to = _address(session, message.channel, person)
    shown = f"{to[:1]}***{to[to.find('@') :]}" if "@" in to else mask_phone(to)
    return mask_name(crypto.reveal(person, "name")), shown


def _facts(session: Session, message: Message, site: Site) -> _Facts:
    audience = EVENTS[message.topic].audience if message.topic in EVENTS else None
    makers: dict[Audience, Callable[[Session, Message, Site], _Facts]] = {
        Audience.VISITOR: _of_booking,
        Audience.HOST: _of_visit,
        Audience.STAFF: _of_case,
    }
    if audience is None:
        raise NotFound("message_unknown")
    return makers[audience](session, message, site)


def _of_booking(session: Session, message: Message, site: Site) -> _Facts:
    booking, visitor, unit = bookings.full(session, str(message.payload["booking"]))
    now = clock.now()
    gone = "" if visitor.erased_at is None else "gone"
    if message.topic in TOLD_WHILE_APPROVED and booking.status != BookingStatus.APPROVED:
        gone = "visit_over"
    if message.topic == "visit_reminder":
        moved = booking.starts_at.isoformat() != message.payload.get("starts_at")
        gone = gone or ("visit_moved" if moved else "too_late" if booking.starts_at <= now else "")
    cancelled = booking.status == BookingStatus.CANCELLED
    values = {
        "name": mask_name(crypto.reveal(visitor, "name")),
        "site": site.name,
        "unit": unit.label,
        "window": i18n.format_window(
            booking.starts_at, booking.ends_at, now, site.time_zone, _locale(session, visitor)
        ),
        "link": f"{get_settings().base_url}/v/{link_secret(booking)}",
    }
    calendar = Calendar(
        booking.id, booking.starts_at, booking.ends_at, f"{site.name} {unit.label}", cancelled
    )
    return _Facts(values, visitor, booking.starts_at, gone, calendar)


def _of_visit(session: Session, message: Message, site: Site) -> _Facts:
    """Of an arrival or a visit: who it is stays masked, even to the host, once it leaves the house."""
    payload = message.payload
    if "visit" in payload:
        visit = admission.visit(session, str(payload["visit"]))
        visitor_id, unit_id = visit.visitor_id, visit.unit_id
        left = message.topic == "visitor_left"
        moment = (visit.left_at if left else visit.entered_at) or visit.entered_at
        lane = (visit.lane_out if left else visit.lane_in) or visit.lane_in
    else:
        attempt = admission.attempt(session, str(payload["attempt"]))
        visitor_id, unit_id, lane = attempt.visitor_id, attempt.unit_id, attempt.lane_id
        moment = attempt.recorded_at
    visitor = people.person(session, visitor_id) if visitor_id else None
    gone = "" if visitor is not None else "gone"
    if message.topic == "consent_asked":
        asked = admission.consent_of(session, str(payload["attempt"]))
        gone = gone or ("" if asked is not None and asked.status == "asked" else "answered")
    values = {
        "visitor": mask_name(crypto.reveal(visitor, "name")) if visitor else "",
        "site": site.name,
        "unit": sites.unit(session, unit_id).label if unit_id else "",
        "gate": _gate(session, site.id, lane),
        "time": i18n.format_time(moment, site.time_zone),
        "link": f"{get_settings().base_url}/home",
    }
    return _Facts(values, people.person(session, str(payload["person"])), gone=gone)


def _of_case(session: Session, message: Message, site: Site) -> _Facts:
    case = session.get(CaseFile, str(message.payload["case"]))
    if case is None:
        raise NotFound("case_unknown")
    values = {
        "case": title_of(case.year, case.number),
        "site": site.name,
        "gate": _gate(session, site.id, case.lane_id),
        "time": i18n.format_time(case.opened_at, site.time_zone),
        "link": f"{get_settings().base_url}/console/cases?case={case.id}",
    }
    return _Facts(values)


def _test_letter(session: Session, message: Message, site: Site) -> Letter | Outcome:
    person = people.person(session, str(message.payload["person"]))
    to = _address(session, message.channel, person)
    if not to:
        return Outcome(Result.SKIPPED, "no_address")
    locale = _locale(session, person)
    text = i18n.text(locale, "messages.test_text", site=site.name)
    return Letter(TEST, to, text, text, {"site": site.name})


def _held(session: Session, message: Message, site: Site, facts: _Facts) -> datetime | None:
    """Until when quiet hours hold a message back; what a visitor needs before they end is not held."""
    if EVENTS[message.topic].urgent:
        return None
    hours = preferences.of_site(session, site.id)
    until = rules.quiet_until(clock.now(), site.time_zone, hours.quiet_from, hours.quiet_until)
    if until is None or (facts.begins is not None and facts.begins <= until):
        return None
    return until


def _address(session: Session, channel: str, person: Person | None) -> str:
    if channel in GROUPS:
        return channel
    if person is None or person.erased_at is not None:
        return ""
    return (
        preferences.address_of(session, person.id) if channel == "email" else crypto.reveal(person, "phone")
    )


def _locale(session: Session, person: Person | None) -> str:
    account = people.accounts_of(session, [person.id]).get(person.id) if person is not None else None
    chosen = account.locale if account is not None else ""
    return chosen if chosen in i18n.LOCALES else i18n.DEFAULT


def _gate(session: Session, site_id: str, lane_id: str) -> str:
    names = {lane.id: door.name for lane, door in sites.lanes(session, site_id)}
    return names.get(lane_id, "")
