"""Inviting, cancelling, and the standing permits of those who come every day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, outbox, search
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.booking import links, photos, repository
from app.domain.booking.models import Booking, BookingChanged
from app.domain.booking.rules import (
    DAY_HOURS,
    HEADS,
    BookingSource,
    BookingStatus,
    Purpose,
    is_early,
    permit_hours,
    window_fault,
)
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites import webhooks
from app.domain.sites.models import Site, Unit
from app.domain.sites.rules import Rule, UnitKind, VisitorField, VisitorKind


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
    company: str = ""
    document: str = field(
        default="", repr=False
    )  # the whole number of an identity document, checked by the caller
    urgent: bool = False  # booked by proxy before the window opens (BK-02)


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
    standing = source is BookingSource.STANDING
    hours = permit_hours(kind.max_hours) if standing else kind.max_hours
    check_window(form.starts_at, form.ends_at, now, hours)
    if not standing:
        _check_opening(session, unit, form, now)
    if form.purpose not in set(Purpose):
        raise InvalidInput("choice_wrong", "purpose")
    asked = _as_policy(session, site, unit, form)
    visitor = people_service.add_person(
        session,
        site.id,
        people_service.VISITOR,
        form.name,
        asked.phone,
        company=asked.company,
        document_tail=asked.document_tail,
        document_number=asked.document_number,
        more_spellings=search.plate_spellings(asked.plate),
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
        urgent=form.urgent and not standing,
        created_by=actor.account_id or actor.kind,
        created_at=now,
    )
    crypto.seal(booking, "plate", asked.plate)
    # A permit has a card and no pass, so there is nothing that a link of it could lead to.
    secret = "" if standing else links.link_secret(booking)
    booking.link_hash = crypto.hash_secret(secret) if secret else None
    return _entered(session, actor, booking), secret


def stand(
    session: Session,
    actor: Actor,
    person: Person,
    unit_id: str,
    kind_code: str,
    starts_at: datetime,
    ends_at: datetime,
) -> Booking:
    """The standing permit of somebody who is known already: a resident, a member of staff (SI-06).

    Nothing is asked of them, so no field policy applies; raises ``InvalidInput`` for a window that makes no sense.
    """
    actor.require(Right.PEOPLE_EDIT, person.site_id)
    unit = sites.unit(session, unit_id)
    if unit.site_id != person.site_id:
        raise NotFound("unit_unknown")
    kind = sites.visitor_type(session, person.site_id, kind_code)
    now = clock.now()
    check_window(starts_at, ends_at, now, permit_hours(kind.max_hours))
    booking = Booking(
        id=new_id(),
        site_id=person.site_id,
        unit_id=unit.id,
        # The person is the own host: nobody else is told of every coming and going.
        host_id=person.id,
        visitor_id=person.id,
        visitor_type=kind.code,
        source=BookingSource.STANDING,
        status=BookingStatus.APPROVED,
        starts_at=starts_at,
        ends_at=ends_at,
        purpose=Purpose.OTHER,
        created_by=actor.account_id or actor.kind,
        created_at=now,
    )
    return _entered(session, actor, booking)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a form the site's policy lets in."""

    phone: str
    company: str
    plate: str
    document_tail: str
    document_number: str


def _as_policy(session: Session, site: Site, unit: Unit, form: Invitation) -> _Asked:
    policy = sites_service.field_policy(session, site, form.visitor_type, unit.area_id)
    phone = inputs.phone(form.phone, required=policy[VisitorField.PHONE] == Rule.REQUIRED)
    keep_number = policy[VisitorField.DOCUMENT_NUMBER] != Rule.OFF
    keep_tail = keep_number or policy[VisitorField.DOCUMENT_TAIL] != Rule.OFF
    return _Asked(
        phone=phone if policy[VisitorField.PHONE] != Rule.OFF else "",
        company=form.company if policy[VisitorField.COMPANY] != Rule.OFF else "",
        plate=inputs.plate(form.plate) if policy[VisitorField.PLATE] != Rule.OFF else "",
        document_tail=form.document[-4:] if keep_tail else "",
        document_number=form.document if keep_number else "",
    )


def _check_opening(session: Session, unit: Unit, form: Invitation, now: datetime) -> None:
    company = unit.kind == UnitKind.COMPANY
    if not company:
        return
    hours = sites.policy(session, unit.site_id).booking_hours
    if is_early(form.starts_at, now, hours, company=company, urgent=form.urgent):
        raise InvalidInput("window_early", "window", hours=hours)


def change(
    session: Session, actor: Actor, booking_id: str, form: Invitation, host_id: str | None
) -> tuple[Booking, bool]:
    """Give a booking another time, place or visitor; returns it and whether somebody else comes now.

    Who may do it is the caller's to say. The pass beside it is the caller's to move with it, in the same transaction.
    Raises ``Conflict`` once the visitor has come, or the booking is over.
    """
    booking = repository.locked(session, booking_id)
    if booking.status != BookingStatus.APPROVED or booking.source == BookingSource.STANDING:
        raise Conflict("booking_over")
    unit = sites.unit(session, form.unit_id)
    if unit.site_id != booking.site_id:
        raise NotFound("unit_unknown")
    kind = sites.visitor_type(session, booking.site_id, form.visitor_type)
    if not kind.bookable:
        raise InvalidInput("visitor_type_unbookable", "visitor_type")
    now = clock.now()
    # A visit that has begun keeps its beginning: only its end can be moved then.
    begun = form.starts_at == booking.starts_at and form.starts_at < now
    check_window(now if begun else form.starts_at, form.ends_at, now, kind.max_hours)
    if not begun:
        _check_opening(session, unit, form, now)
    if form.purpose not in set(Purpose):
        raise InvalidInput("choice_wrong", "purpose")
    asked = _as_policy(session, sites.site(session, unit.site_id), unit, form)
    kept = photos.completion(session, booking.id)
    own = set(kept.fields) if kept else set()
    moved = (booking.unit_id, booking.starts_at, booking.ends_at) != (unit.id, form.starts_at, form.ends_at)
    other = people_service.change_visitor(
        session,
        booking.visitor_id,
        form.name,
        asked.phone,
        company=asked.company,
        document_tail=asked.document_tail,
        document_number=asked.document_number,
        keep_company="company" in own,
        more_spellings=search.plate_spellings(asked.plate),
    )
    booking.unit_id, booking.host_id, booking.visitor_type = unit.id, host_id, kind.code
    booking.starts_at, booking.ends_at, booking.purpose = form.starts_at, form.ends_at, form.purpose
    booking.head_count = inputs.count(form.head_count, "head_count", *HEADS)
    booking.urgent = booking.urgent or form.urgent
    plate = asked.plate
    if not plate and not other and "plate" in own:
        plate = crypto.reveal(booking, "plate")
        search.add(session, booking.site_id, booking.visitor_id, search.plate_spellings(plate))
    crypto.seal(booking, "plate", plate)
    if other and kept is not None:
        session.delete(kept)
    if other:
        booking.link_version += 1
        booking.link_failures, booking.link_locked_until = 0, None
        booking.link_hash = crypto.hash_secret(links.link_secret(booking))
    session.add(booking)
    session.flush()
    details: dict[str, Any] = {"visitor": other}
    if booking.urgent:
        details["urgent"] = True
    audit.record(
        session, actor, "booking.change", "booking", booking.id, site_id=booking.site_id, details=details
    )
    webhooks.emit(session, booking.site_id, "visit.changed", {"booking": booking.id})
    if moved and not other:  # somebody else gets an invitation instead
        outbox.post(session, "visitor", "booking_changed", booking.site_id, {"booking": booking.id})
    announce(session, BookingChanged(booking.site_id, booking.id))
    return booking, other


def check_window(starts_at: datetime, ends_at: datetime, now: datetime, max_hours: int) -> None:
    """Raise ``InvalidInput`` for a window nobody can come in, or one longer than ``max_hours``."""
    fault = window_fault(starts_at, ends_at, now, max_hours)
    if fault == "window_long" and max_hours > DAY_HOURS:
        raise InvalidInput("window_days", "window", days=max_hours // DAY_HOURS)
    if fault:
        raise InvalidInput(fault, "window", hours=max_hours)


def _entered(session: Session, actor: Actor, booking: Booking) -> Booking:
    session.add(booking)
    session.flush()
    details: dict[str, Any] = {"source": booking.source}
    if booking.urgent:
        details["urgent"] = True
    audit.record(
        session, actor, "booking.create", "booking", booking.id, site_id=booking.site_id, details=details
    )
    # A permit is no visit; a booking is approved with being made, as long as no site has its bookings reviewed.
    standing = booking.source == BookingSource.STANDING
    for event in () if standing else ("visit.requested", "visit.approved"):
        webhooks.emit(session, booking.site_id, event, {"booking": booking.id})
    announce(session, BookingChanged(booking.site_id, booking.id))
    return booking


def send_link(session: Session, actor: Actor, booking_id: str) -> None:
    """Have the link sent to the visitor's phone through the outbox; raises ``Conflict`` without phone or visit."""
    booking = own_booking(session, actor, booking_id)
    if not links.phone_of(session, booking):
        raise Conflict("link_no_phone")
    if links.end_of(session, booking) is not None:
        raise Conflict("link_over")
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
    return withdraw(session, actor, booking_id)


def withdraw(session: Session, actor: Actor, booking_id: str) -> Booking:
    """Cancel a booking for whoever the caller found to have the right; cancelling twice is cancelling once."""
    booking = repository.locked(session, booking_id)
    if booking.status == BookingStatus.CANCELLED:
        return booking
    if booking.status != BookingStatus.APPROVED:
        raise Conflict("booking_over")
    booking.status = BookingStatus.CANCELLED
    session.add(booking)
    photos.end_visit(session, actor, booking.id, "cancelled")
    outbox.post(session, "visitor", "booking_cancelled", booking.site_id, {"booking": booking.id})
    audit.record(session, actor, "booking.cancel", "booking", booking.id, site_id=booking.site_id)
    webhooks.emit(session, booking.site_id, "visit.cancelled", {"booking": booking.id})
    announce(session, BookingChanged(booking.site_id, booking.id))
    return booking


def renew(session: Session, actor: Actor, booking_id: str, day: date) -> None:
    """Renew a temporary worker for one day (SI-06): for managers, service, and the supervisor at the gate.

    Raises ``Conflict`` for a permit that is over, or whose type needs no renewal.
    """
    booking = repository.locked(session, booking_id)
    actor.require(Right.DESK_REVIEW if actor.has(Right.DESK_REVIEW) else Right.PEOPLE_EDIT, booking.site_id)
    if booking.status != BookingStatus.APPROVED:
        raise Conflict("permit_over")
    if not sites.visitor_type(session, booking.site_id, booking.visitor_type).daily_renewal:
        raise Conflict("renewal_needless")
    booking.renewed_on = day
    session.add(booking)
    audit.record(session, actor, "booking.renew", "booking", booking.id, site_id=booking.site_id)
    announce(session, BookingChanged(booking.site_id, booking.id))
