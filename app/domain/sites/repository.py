"""All queries on places."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from app.core.errors import NotFound
from app.domain.sites.models import (
    Area,
    Device,
    Entrance,
    FieldRule,
    Lane,
    Site,
    SitePolicy,
    Unit,
    VisitorType,
)
from app.domain.sites.rules import ORDER, RiskClass

# Asked at every event of a lane, so it is built once.
_DEVICES_OF_LANE = select(Device).where(Device.lane_id == bindparam("lane")).order_by(col(Device.name))


def site(session: Session, site_id: str) -> Site:
    """One site; raises ``NotFound``."""
    found = session.get(Site, site_id)
    if found is None:
        raise NotFound("site_unknown")
    return found


def policy(session: Session, site_id: str) -> SitePolicy:
    """The times set for a site; raises ``NotFound``."""
    found = session.get(SitePolicy, site_id)
    if found is None:
        raise NotFound("site_unknown")
    return found


def policies(session: Session) -> Sequence[tuple[Site, SitePolicy]]:
    """All sites with their times."""
    query = select(Site, SitePolicy).join(SitePolicy, col(SitePolicy.site_id) == Site.id)
    return session.exec(query.order_by(Site.id)).all()


def sites(session: Session) -> Sequence[Site]:
    """All sites by name."""
    return session.exec(select(Site).order_by(Site.name)).all()


def lane(session: Session, lane_id: str) -> Lane:
    """One lane; raises ``NotFound``."""
    found = session.get(Lane, lane_id)
    if found is None:
        raise NotFound("lane_unknown")
    return found


def lane_with_site(session: Session, lane_id: str) -> tuple[Lane, Site]:
    """A lane and its site in one statement; raises ``NotFound``."""
    row = session.exec(
        select(Lane, Site).join(Site, col(Site.id) == Lane.site_id).where(Lane.id == lane_id)
    ).first()
    if row is None:
        raise NotFound("lane_unknown")
    return row


def lanes(session: Session, site_id: str) -> Sequence[tuple[Lane, Entrance]]:
    """The lanes of a site with their entrances."""
    query = (
        select(Lane, Entrance)
        .join(Entrance, col(Entrance.id) == Lane.entrance_id)
        .where(Lane.site_id == site_id)
        .order_by(Entrance.name, Lane.name)
    )
    return session.exec(query).all()


def devices_of_lane(session: Session, lane_id: str) -> Sequence[Device]:
    """The devices of a lane by name."""
    return session.exec(_DEVICES_OF_LANE, params={"lane": lane_id}).all()


def devices(session: Session, site_id: str | None = None, lane_id: str | None = None) -> Sequence[Device]:
    """Devices of a lane, a site, or all."""
    query = select(Device).order_by(Device.lane_id, Device.name)
    if lane_id is not None:
        query = query.where(Device.lane_id == lane_id)
    if site_id is not None:
        query = query.where(Device.site_id == site_id)
    return session.exec(query).all()


def device(session: Session, device_id: str) -> Device:
    """One device; raises ``NotFound``."""
    found = session.get(Device, device_id)
    if found is None:
        raise NotFound("device_unknown")
    return found


def areas(session: Session, site_id: str) -> Sequence[Area]:
    """The areas of a site by name."""
    return session.exec(select(Area).where(Area.site_id == site_id).order_by(Area.name)).all()


def unit(session: Session, unit_id: str) -> Unit:
    """One unit; raises ``NotFound``."""
    found = session.get(Unit, unit_id)
    if found is None:
        raise NotFound("unit_unknown")
    return found


def unit_by_label(session: Session, site_id: str, label: str) -> Unit | None:
    """The unit that carries exactly this label."""
    return session.exec(select(Unit).where(Unit.site_id == site_id, Unit.label == label)).first()


def units(
    session: Session, site_id: str, needle: str = "", limit: int = 50, offset: int = 0
) -> Sequence[Unit]:
    """Units whose label holds ``needle``, by label."""
    query = select(Unit).where(Unit.site_id == site_id)
    if needle:
        query = query.where(col(Unit.label).contains(needle, autoescape=True))
    return session.exec(query.order_by(Unit.label).limit(limit).offset(offset)).all()


def count_units(session: Session, site_id: str) -> int:
    """How many units a site has."""
    return int(session.exec(select(func.count()).select_from(Unit).where(Unit.site_id == site_id)).one())


def visitor_types(session: Session, site_id: str) -> Sequence[VisitorType]:
    """The visitor types of a site."""
    return session.exec(
        select(VisitorType).where(VisitorType.site_id == site_id).order_by(VisitorType.code)
    ).all()


def visitor_type(session: Session, site_id: str, code: str) -> VisitorType:
    """One visitor type; raises ``NotFound``."""
    found = session.exec(
        select(VisitorType).where(VisitorType.site_id == site_id, VisitorType.code == code)
    ).first()
    if found is None:
        raise NotFound("visitor_type_unknown")
    return found


def field_rules(session: Session, site_id: str) -> Sequence[FieldRule]:
    """What the manager has set apart from the defaults."""
    return session.exec(select(FieldRule).where(FieldRule.site_id == site_id)).all()


def area_class(session: Session, area_id: str | None) -> str:
    """The highest class set for an area or any area around it, empty when none is set."""
    found: list[str] = []
    while area_id:
        area = session.get(Area, area_id)
        if area is None:
            break
        if area.risk_class:
            found.append(area.risk_class)
        area_id = area.parent_id
    return max(found, key=lambda risk: ORDER[RiskClass(risk)], default="")
