"""Inviting, cancelling, and the link that the visitor gets."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, outbox, search
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooMany
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.booking import repository
from app.domain.booking.models import Booking, BookingChanged
from app.domain.booking.rules import HEADS, BookingSource, BookingStatus, Purpose, window_fault
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import Rule, VisitorField, VisitorKind

LINK_FAILURES = 5
LINK_LOCK = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a host fills in: texts as typed, moments aware."""

    unit_id: str
    name: str
    phone: str
    starts_at: datetime
    ends_at: datetime
    purpose: str = Purpose.FAMILY
    head_count: str | int = 1
    plate: str = ""
    visitor_type: str = VisitorKind.GUEST


def invite(session: Session, actor: Actor, form: Invitation) -> tuple[Booking, str]:
    """Book a guest (BK-01) and return the booking with the link's secret; the pass is issued beside it."""
    actor.require(Right.BOOK)
    unit = next((u for u in people.units_of(session, actor.person_id) if u.id == form.unit_id), None)
    if unit is None:
        raise NotAllowed("not_your_unit")
    return create(session, actor, form, BookingSource.HOST, host_id=actor.person_id)


def create(
    session: Session, actor: Actor, form: Invitation, source: BookingSource, host_id: str | None = None
) -> tuple[Booking, str]:
    """A checked booking with its visitor; every field obeys the policy of the unit's class (SI-03)."""
    unit = sites.unit(session, form.unit_id)
    site = sites.site(session, unit.site_id)
    if source is BookingSource.STANDING and actor.kind != "system":
        actor.require(Right.PEOPLE_EDIT, site.id)
    kind = sites.visitor_type(session, site.id, form.visitor_type)
    if not kind.bookable:
        raise InvalidInput("visitor_type_unbookable", "visitor_type")
    now = clock.now()
    if fault := window_fault(form.starts_at, form.ends_at, now, kind.max_hours):
        raise InvalidInput(fault, "window", hours=kind.max_hours)
    if form.purpose not in set(Purpose):
        raise InvalidInput("choice_wrong", "purpose")
    policy = sites_service.field_policy(session, site, form.visitor_type, unit.area_id)
    plate = inputs.plate(form.plate) if policy[VisitorField.PLATE] != Rule.OFF else ""
    phone = inputs.phone(form.phone, required=policy[VisitorField.PHONE] == Rule.REQUIRED)
    visitor = people_service.add_person(
        session,
        site.id,
        people_service.VISITOR,
        form.name,
        phone if policy[VisitorField.PHONE] != Rule.OFF else "",
        more_spellings=search.plate_spellings(plate),
    )
    booking = Booking(
        id=new_id(),
        site_id=site.id,
        unit_id=unit.id,
        host_id=host_id,
        visitor_id=visitor.id,
        visitor_type=kind.code,
        source=source,
        status=BookingStatus.APPROVED,
        starts_at=form.starts_at,
        ends_at=form.ends_at,
        purpose=form.purpose,
        head_count=inputs.count(form.head_count, "head_count", *HEADS),
        created_by=actor.account_id or actor.kind,
        created_at=now,
    )
    crypto.seal(booking, "plate", plate)
    secret = link_secret(booking)
    booking.link_hash = crypto.hash_secret(secret)
    session.add(booking)
    session.flush()
    audit.record(
        session, actor, "booking.create", "booking", booking.id, site_id=site.id, details={"source": source}
    )
    announce(session, BookingChanged(site.id, booking.id))
    return booking, secret


def link_secret(booking: Booking) -> str:
    """The secret in the visitor's link: derived, so that the host can send it again; only its hash is stored."""
    mac = crypto.keyring().sign("link", f"{booking.id}|{booking.link_version}".encode())
    return base64.urlsafe_b64encode(mac[:18]).decode()


def send_link(session: Session, actor: Actor, booking_id: str) -> None:
    """Have the link sent to the visitor's phone through the outbox."""
    booking = own_booking(session, actor, booking_id)
    outbox.post(session, "sms", "pass_link", booking.site_id, {"booking": booking.id})
    audit.record(session, actor, "booking.send", "booking", booking.id, site_id=booking.site_id)


def own_booking(session: Session, actor: Actor, booking_id: str) -> Booking:
    """A booking of the acting host; another's looks as if it did not exist."""
    actor.require(Right.BOOK)
    booking = repository.booking(session, booking_id)
    if booking.host_id != actor.person_id:
        raise NotFound("booking_unknown")
    return booking


def cancel(session: Session, actor: Actor, booking_id: str) -> Booking:
    """Withdraw an invitation; whoever stands at the gate with it is refused from now on."""
    own_booking(session, actor, booking_id)
    booking = repository.locked(session, booking_id)
    if booking.status == BookingStatus.CANCELLED:
        return booking
    if booking.status != BookingStatus.APPROVED:
        raise Conflict("booking_over")
    booking.status = BookingStatus.CANCELLED
    session.add(booking)
    outbox.post(session, "sms", "booking_cancelled", booking.site_id, {"booking": booking.id})
    audit.record(session, actor, "booking.cancel", "booking", booking.id, site_id=booking.site_id)
    announce(session, BookingChanged(booking.site_id, booking.id))
    return booking


def renew(session: Session, actor: Actor, booking_id: str, day: date) -> None:
    """Renew a temporary worker for one day (SI-06)."""
    booking = repository.booking(session, booking_id)
    actor.require(Right.PEOPLE_EDIT, booking.site_id)
    booking.renewed_on = day
    session.add(booking)
    audit.record(session, actor, "booking.renew", "booking", booking.id, site_id=booking.site_id)


def open_link(session: Session, secret: str, phone_tail: str) -> Booking | None:
    """The booking behind a link once the phone's last four digits fit (S-19); None after a wrong answer.

    Five wrong answers lock the link for half an hour; the caller commits either way, or the count is lost.
    """
    booking = repository.by_link(session, secret)
    if booking is None:
        raise NotFound("link_unknown")
    now = clock.now()
    if booking.link_locked_until and booking.link_locked_until > now:
        raise TooMany("link_locked", minutes=int(LINK_LOCK.total_seconds() // 60))
    phone = crypto.reveal(people.person(session, booking.visitor_id), "phone")
    actor = Actor(kind="visitor", site_id=booking.site_id)
    if phone and phone[-4:] != inputs.digits(phone_tail):
        booking.link_failures += 1
        if booking.link_failures >= LINK_FAILURES:
            booking.link_failures, booking.link_locked_until = 0, now + LINK_LOCK
        session.add(booking)
        audit.record(
            session, actor, "link.fail", "booking", booking.id, result="refused", reason="phone_tail"
        )
        return None
    booking.link_failures, booking.link_locked_until = 0, None
    session.add(booking)
    audit.record(session, actor, "link.open", "booking", booking.id)
    return booking
