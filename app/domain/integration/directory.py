"""Hosts and companies as another system knows them (I-12): entered, changed, and gone with their access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput, NotFound
from app.core.ids import new_id
from app.core.masking import mask_name, mask_phone
from app.core.permissions import Right
from app.domain.access import invitations, permits
from app.domain.booking.models import Booking, BookingChanged
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.identity import templates
from app.domain.integration import hosts
from app.domain.integration.hosts import Wanted
from app.domain.integration.models import OutsideHost, OutsideUnit
from app.domain.integration.requests import Reply
from app.domain.integration.rules import Order, order_of
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites import webhooks
from app.domain.sites.models import Area, PolicyChanged, Unit
from app.domain.sites.rules import UnitKind


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host as another system describes them."""

    version: int
    name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)  # None: nothing is said of it
    unit: str = ""
    unit_ext_id: str = ""
    deputy: str = ""
    active: bool = True


def put_unit(
    session: Session, actor: Actor, ext_id: str, version: int, label: str, building: str = ""
) -> Reply:
    """Enter or rename a company, or a department that receives visitors of its own."""
    actor.require(Right.DIRECTORY_WRITE)
    row = hosts.outside_unit(session, actor.site_id, ext_id)
    order = order_of(row.version if row else None, version)
    if row is not None and order is not Order.NEWER:
        return Reply(200, unit_view(session, row, stale=order is Order.OLDER))
    text = inputs.name(label, "label")
    area_id = _building(session, actor.site_id, building)
    same = sites.unit_by_label(session, actor.site_id, text)
    if row is None:
        unit = same or sites_service.add_unit(session, actor.site_id, text, UnitKind.COMPANY, area_id)
        if unit.kind != UnitKind.COMPANY:
            raise InvalidInput("unit_exists", "label", unit=text)
        made = OutsideUnit(
            id=new_id(), site_id=actor.site_id, ext_id=ext_id, unit_id=unit.id, version=version
        )
        session.add(made)
        session.flush()
        _record(session, actor, "directory.unit", "unit", unit.id)
        return Reply(201, unit_view(session, made))
    if same is not None and same.id != row.unit_id:
        raise InvalidInput("unit_exists", "label", unit=text)
    unit = sites.unit(session, row.unit_id)
    unit.label, unit.area_id, row.version = text, area_id or unit.area_id, version
    session.add(unit)
    session.add(row)
    session.flush()
    _record(session, actor, "directory.unit", "unit", unit.id)
    announce(session, PolicyChanged(actor.site_id))
    return Reply(200, unit_view(session, row))


def put_host(session: Session, actor: Actor, ext_id: str, entry: HostEntry) -> Reply:
    """Enter or change a host; ``active`` false is a leaver, who loses access at once."""
    actor.require(Right.DIRECTORY_WRITE)
    row = hosts.outside(session, actor.site_id, ext_id, lock=True)
    order = order_of(row.version if row else None, entry.version)
    if row is not None and order is not Order.NEWER:
        return Reply(200, host_view(session, row, stale=order is Order.OLDER))
    if entry.deputy == ext_id:
        raise InvalidInput("deputy_self", "deputy")
    if row is None and not entry.active:
        raise NotFound("host_unknown")
    status = 200
    if row is None:
        unit = _unit_of(session, actor.site_id, entry)
        person = _newcomer(session, actor.site_id, unit, entry.name)
        row = OutsideHost(
            id=new_id(),
            site_id=actor.site_id,
            ext_id=ext_id,
            person_id=person.id,
            version=entry.version,
            changed_at=clock.now(),
        )
        status = 201
    row.version, row.deputy, row.changed_at = entry.version, entry.deputy, clock.now()
    session.add(row)
    session.flush()
    if entry.active:
        _work_here(session, actor, row, entry)
    else:
        leave(session, actor, row)
    return Reply(status, host_view(session, row))


def remove_host(session: Session, actor: Actor, ext_id: str, version: int | None) -> Reply:
    """Somebody left; without a version it is the newest word on them."""
    actor.require(Right.DIRECTORY_WRITE)
    row = hosts.outside(session, actor.site_id, ext_id, lock=True)
    if row is None:
        raise NotFound("host_unknown")
    given = row.version + 1 if version is None and row.active else version
    order = order_of(row.version, given) if given is not None else Order.SAME
    if order is not Order.NEWER:
        return Reply(200, host_view(session, row, stale=order is Order.OLDER))
    row.version, row.changed_at = given or row.version, clock.now()
    session.add(row)
    leave(session, actor, row)
    return Reply(200, host_view(session, row))


def leave(session: Session, actor: Actor, row: OutsideHost) -> None:
    """End the access of a leaver: unit, account, permit, cards, face; open invitations go to the deputy, if there is one."""
    row.active = False
    session.add(row)
    session.flush()
    people_service.take_leave(session, actor, row.person_id)
    permits.end_of_leaver(session, actor, row.person_id)
    templates.forget_holder(session, row.person_id, "permit_ended")
    deputy = hosts.outside(session, row.site_id, row.deputy) if row.deputy else None
    if deputy is not None and deputy.active:
        for booking in open_invitations(session, row.person_id):
            hand_over(session, actor, booking, deputy.person_id)


def open_invitations(session: Session, person_id: str) -> Sequence[Booking]:
    """Visits that somebody invited to and that have not happened yet."""
    query = select(Booking).where(
        Booking.host_id == person_id,
        Booking.status == BookingStatus.APPROVED,
        Booking.source != BookingSource.STANDING,
    )
    return session.exec(query.order_by(Booking.id)).all()


def hand_over(session: Session, actor: Actor, booking: Booking, person_id: str) -> None:
    """Make somebody else the host of a visit."""
    booking.host_id = person_id
    session.add(booking)
    audit.record(session, actor, "booking.hand_over", "booking", booking.id, site_id=booking.site_id)
    webhooks.emit(session, booking.site_id, "visit.changed", {"booking": booking.id})
    announce(session, BookingChanged(booking.site_id, booking.id))


def orphans(session: Session, site_id: str, limit: int = 50) -> Sequence[tuple[Booking, Person, Unit]]:
    """Visits whose host has left and that nobody took over: visitor and unit with each, soonest first."""
    query = (
        select(Booking, Person, Unit)
        .join(OutsideHost, col(OutsideHost.person_id) == Booking.host_id)
        .join(Person, col(Person.id) == Booking.visitor_id)
        .join(Unit, col(Unit.id) == Booking.unit_id)
        .where(Booking.site_id == site_id, col(OutsideHost.active).is_(False))
        .where(Booking.status == BookingStatus.APPROVED, Booking.source != BookingSource.STANDING)
        .order_by(col(Booking.starts_at))
        .limit(limit)
    )
    return session.exec(query).all()


def withdraw_orphan(session: Session, actor: Actor, booking_id: str) -> None:
    """A manager withdraws a visit that has no host any more."""
    actor.require(Right.INTEGRATION_EDIT)
    if all(booking.id != booking_id for booking, _, _ in orphans(session, actor.site_id, 1000)):
        raise NotFound("booking_unknown")
    invitations.withdraw(session, actor, booking_id)


def host_view(session: Session, row: OutsideHost, *, stale: bool = False) -> dict[str, Any]:
    """A host, masked."""
    person = people.person(session, row.person_id)
    deputy = hosts.outside(session, row.site_id, row.deputy) if row.deputy else None
    waiting = len(open_invitations(session, row.person_id))
    return {
        "ext_id": row.ext_id,
        "name": mask_name(crypto.reveal(person, "name")),
        "phone": mask_phone(crypto.reveal(person, "phone")),
        "units": [unit.label for unit in people.units_of(session, person.id)],
        "deputy": row.deputy,
        "deputy_known": bool(deputy and deputy.active),
        "active": row.active,
        "version": row.version,
        "open_invitations": waiting,
        "stale": stale,
    }


def unit_view(session: Session, row: OutsideUnit, *, stale: bool = False) -> dict[str, Any]:
    """A company."""
    unit = sites.unit(session, row.unit_id)
    area = session.get(Area, unit.area_id) if unit.area_id else None
    return {
        "ext_id": row.ext_id,
        "label": unit.label,
        "building": area.name if area else "",
        "version": row.version,
        "stale": stale,
    }


def get_host(session: Session, actor: Actor, ext_id: str) -> dict[str, Any]:
    """One host of the key's site."""
    actor.require(Right.DIRECTORY_READ)
    row = hosts.outside(session, actor.site_id, ext_id)
    if row is None:
        raise NotFound("host_unknown")
    return host_view(session, row)


def _work_here(session: Session, actor: Actor, row: OutsideHost, entry: HostEntry) -> None:
    """Name, phone and unit as told; whoever comes back is a host again, but signs in only when a manager says so."""
    unit = _unit_of(session, actor.site_id, entry)
    person = people.person(session, row.person_id)
    people_service.correct(session, person, entry.name, entry.phone)
    row.active = True
    session.add(row)
    if unit.id not in {known.id for known in people.units_of(session, person.id)}:
        people_service.leave_units(session, person.id)
        people_service.join_unit(session, unit.id, person.id, "host")
    _record(session, actor, "directory.host", "person", person.id)


def _newcomer(session: Session, site_id: str, unit: Unit, name: str) -> Person:
    """The one of that name whom the unit knows already and nobody has numbered, or somebody new."""
    clean = inputs.name(name)
    found = [
        person
        for _, person in people.members(session, unit.id)
        if inputs.clean(crypto.reveal(person, "name")) == clean
        and not hosts.ext_id_of(session, site_id, person.id)
    ]
    if len(found) == 1:
        return found[0]
    return people_service.add_person(session, site_id, people_service.RESIDENT, clean)


def _unit_of(session: Session, site_id: str, entry: HostEntry) -> Unit:
    found = hosts.named_unit(session, site_id, Wanted(unit=entry.unit, unit_ext_id=entry.unit_ext_id))
    if found is None:
        raise InvalidInput("field_missing", "unit")
    return found


def _building(session: Session, site_id: str, name: str) -> str | None:
    text = inputs.text(name, "building", inputs.MAX_NAME)
    if not text:
        return None
    found = next((area.id for area in sites.areas(session, site_id) if area.name == text), None)
    return found or sites_service.add_area(session, sites.site(session, site_id), text).id


def _record(session: Session, actor: Actor, action: str, kind: str, object_id: str) -> None:
    audit.record(session, actor, action, kind, object_id, site_id=actor.site_id)
