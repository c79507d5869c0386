"""Standing permits: who comes every day, with a card, until the permit ends (SI-06)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import audit, clock, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.permissions import Right
from app.domain.access import permit_queries, service
from app.domain.booking import repository as bookings
from app.domain.booking import service as booking_service
from app.domain.booking.models import Booking, BookingChanged
from app.domain.booking.rules import BookingSource, BookingStatus, permit_hours
from app.domain.booking.service import Invitation
from app.domain.identity import templates
from app.domain.people import repository as people
from app.domain.people.models import Person
from app.domain.people.service import RESIDENT, VISITOR
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.models import Site, Unit
from app.domain.sites.rules import HolderKind, UnitKind, VisitorKind

# Who may hold a permit without living or working here; guests and short-term visitors are booked for each visit.
PARTNERS = (VisitorKind.PARTNER, VisitorKind.SERVICE, VisitorKind.TEMPORARY_WORKER)


def end_of_day(day: date, site: Site) -> datetime:
    """The last moment of a day on the site's clock: a permit until Friday lets in on Friday."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(site.time_zone))


def today(site: Site) -> date:
    """The day it is at a site."""
    return clock.now().astimezone(ZoneInfo(site.time_zone)).date()


def file_partner(session: Session, actor: Actor, form: Invitation) -> Booking:
    """A permit for somebody from outside: a nanny, a courier, a contractor; every field obeys the site's policy."""
    if form.visitor_type not in PARTNERS:
        raise InvalidInput("choice_wrong", "visitor_type")
    if sites.unit(session, form.unit_id).site_id != actor.site_id:
        raise NotFound("unit_unknown")
    return booking_service.create(session, actor, form, BookingSource.STANDING)[0]


def grant(session: Session, actor: Actor, person_id: str, unit_id: str, ends_at: datetime) -> Booking:
    """A permit from now on for somebody who lives or works here; a resident's is for an own unit.

    Raises ``Conflict`` when the person has a running one: its cards and its end are changed there.
    """
    person = people.person(session, person_id)
    actor.require(Right.PEOPLE_EDIT, person.site_id)
    if person.kind == VISITOR or person.erased_at is not None:
        raise NotAllowed("not_allowed")
    if permit_queries.of_person(session, person.id) is not None:
        raise Conflict("permit_exists")
    kind = HolderKind.RESIDENT if person.kind == RESIDENT else HolderKind.STAFF
    if kind is HolderKind.RESIDENT and unit_id not in {u.id for u in people.units_of(session, person.id)}:
        raise InvalidInput("unit_missing", "unit")
    return booking_service.stand(session, actor, person, unit_id, kind, clock.now(), ends_at)


def workplace(session: Session, actor: Actor, label: str) -> Unit:
    """Where staff belong, such as the property office; a place that is new is made."""
    actor.require(Right.PEOPLE_EDIT)
    name = inputs.name(label, "unit")
    found = sites.unit_by_label(session, actor.site_id, name)
    return found or sites_service.add_unit(session, actor.site_id, name, UnitKind.COMPANY)


def prolong(session: Session, actor: Actor, booking_id: str, ends_at: datetime) -> Booking:
    """Set another end; a permit that has run out lives again, one that was ended does not."""
    booking = _own(session, actor, booking_id)
    if booking.status not in {BookingStatus.APPROVED, BookingStatus.EXPIRED}:
        raise Conflict("permit_over")
    if people.person(session, booking.visitor_id).erased_at is not None:
        raise Conflict("person_erased")
    other = permit_queries.of_person(session, booking.visitor_id)
    if other is not None and other.id != booking.id:
        raise Conflict("permit_exists")
    now = clock.now()
    kind = sites.visitor_type(session, booking.site_id, booking.visitor_type)
    # Counted from today: a permit may be prolonged again and again, each time by what its type allows.
    booking_service.check_window(now, ends_at, now, permit_hours(kind.max_hours))
    booking.ends_at, booking.status = ends_at, BookingStatus.APPROVED
    _changed(session, actor, booking, "permit.prolong")
    return booking


def end(session: Session, actor: Actor, booking_id: str) -> Booking:
    """End a permit at once: whoever comes with its card is refused from now on; ending twice is ending once."""
    return _end(session, actor, _own(session, actor, booking_id))


def end_of_leaver(session: Session, actor: Actor, person_id: str) -> None:
    """End the permit of somebody who left; that they did is the caller's to know."""
    found = permit_queries.of_person(session, person_id)
    if found is not None:
        _end(session, actor, bookings.locked(session, found.id))


def _end(session: Session, actor: Actor, booking: Booking) -> Booking:
    if booking.status == BookingStatus.CANCELLED:
        return booking
    booking.status = BookingStatus.CANCELLED
    service.block_cards(session, actor, booking.id)
    templates.forget_holder(session, booking.visitor_id, "permit_ended")
    _changed(session, actor, booking, "permit.end")
    return booking


def renew_today(session: Session, actor: Actor, booking_id: str) -> None:
    """Renew a temporary worker for the day it is at the site (SI-06)."""
    site = sites.site(session, bookings.booking(session, booking_id).site_id)
    booking_service.renew(session, actor, booking_id, today(site))


def staff_without(session: Session, site_id: str) -> list[Person]:
    """Staff who have no running permit yet."""
    everyone = people.staff(session, site_id)
    held = permit_queries.held_by(session, [person.id for person in everyone])
    return [person for person in everyone if person.id not in held]


def _own(session: Session, actor: Actor, booking_id: str) -> Booking:
    booking = bookings.locked(session, booking_id)
    actor.require(Right.PEOPLE_EDIT, booking.site_id)
    if booking.source != BookingSource.STANDING:
        raise NotFound("booking_unknown")
    return booking


def _changed(session: Session, actor: Actor, booking: Booking, action: str) -> None:
    session.add(booking)
    audit.record(session, actor, action, "booking", booking.id, site_id=booking.site_id)
    announce(session, BookingChanged(booking.site_id, booking.id))
