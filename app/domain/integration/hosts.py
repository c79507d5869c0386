"""Whom a visitor comes to, as another system says it: by its own number, or by unit and name; never by phone (I-12)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, select

from app.core import crypto, inputs
from app.core.errors import InvalidInput
from app.domain.integration.models import OutsideHost, OutsideUnit
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.domain.sites.models import Unit


@dataclass(frozen=True, slots=True)
class Wanted:
    """A host as named in a request: ``unit`` is a label, ``unit_ext_id`` the other system's number of it."""

    ext_id: str = ""
    name: str = ""
    unit: str = ""
    unit_ext_id: str = ""


def outside(session: Session, site_id: str, ext_id: str, *, lock: bool = False) -> OutsideHost | None:
    """A person by the other system's number."""
    query = select(OutsideHost).where(OutsideHost.site_id == site_id, OutsideHost.ext_id == ext_id)
    return session.exec(query.with_for_update() if lock else query).first()


def outside_unit(session: Session, site_id: str, ext_id: str) -> OutsideUnit | None:
    """A company by the other system's number."""
    query = select(OutsideUnit).where(OutsideUnit.site_id == site_id, OutsideUnit.ext_id == ext_id)
    return session.exec(query).first()


def ext_id_of(session: Session, site_id: str, person_id: str | None) -> str:
    """The other system's number of a host; empty where it has none."""
    if person_id is None:
        return ""
    query = select(OutsideHost.ext_id).where(
        OutsideHost.site_id == site_id, OutsideHost.person_id == person_id
    )
    return session.exec(query).first() or ""


def find(session: Session, site_id: str, wanted: Wanted) -> tuple[str, str]:
    """Unit and person that are meant; raises ``InvalidInput`` for somebody who is not here, or two who may be meant."""
    named = named_unit(session, site_id, wanted)
    if wanted.ext_id:
        row = outside(session, site_id, wanted.ext_id)
        if row is None or not row.active:
            raise InvalidInput("host_unknown" if row is None else "host_left", "host.ext_id")
        units = people.units_of(session, row.person_id)
        unit = next((u for u in units if named is None or u.id == named.id), None)
        if unit is None:
            raise InvalidInput("host_elsewhere", "host.unit")
        return unit.id, row.person_id
    if named is None or not wanted.name:
        raise InvalidInput("host_unnamed", "host")
    name = inputs.name(wanted.name, "host.name")
    found = [
        person.id
        for _, person in people.members(session, named.id)
        if inputs.clean(crypto.reveal(person, "name")) == name
    ]
    if len(found) != 1:
        raise InvalidInput("host_ambiguous" if found else "host_unknown", "host.name")
    return named.id, found[0]


def named_unit(session: Session, site_id: str, wanted: Wanted) -> Unit | None:
    """The unit that is named, None where none is."""
    if wanted.unit_ext_id:
        row = outside_unit(session, site_id, wanted.unit_ext_id)
        if row is None:
            raise InvalidInput("unit_missing", "host.unit_ext_id")
        return sites.unit(session, row.unit_id)
    if wanted.unit:
        found = sites.unit_by_label(session, site_id, inputs.name(wanted.unit, "host.unit"))
        if found is None:
            raise InvalidInput("unit_missing", "host.unit")
        return found
    return None
