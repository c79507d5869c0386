"""Building a site and changing its rules; every change is audited in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from app.core import audit, clock, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.sites import faults, repository
from app.domain.sites.models import (
    Area,
    Device,
    Entrance,
    FieldRule,
    Lane,
    PolicyChanged,
    Site,
    Unit,
    VisitorType,
)
from app.domain.sites.rules import (
    TYPE_DEFAULTS,
    AreaKind,
    Direction,
    EntranceKind,
    RiskClass,
    Rule,
    SiteKind,
    UnitKind,
    VisitorField,
    VisitorKind,
    default_rule,
    stricter,
)
from app.domain.sites.times import default_policy


def _choice(kind: type[StrEnum], value: str, field: str) -> str:
    if value not in set(kind):
        raise InvalidInput("choice_wrong", field)
    return value


def create_site(
    session: Session,
    actor: Actor,
    name: str,
    kind: str,
    risk_class: str = RiskClass.MEDIUM,
    *,
    demo: bool = False,
) -> Site:
    """A new site with the default visitor types; only the system itself and administrators make sites."""
    if actor.kind != "system":
        actor.require(Right.SITE_EDIT)
    site = Site(
        id=new_id(),
        name=inputs.name(name),
        kind=_choice(SiteKind, kind, "kind"),
        risk_class=_choice(RiskClass, risk_class, "risk_class"),
        demo=demo,
        created_at=clock.now(),
    )
    session.add(site)
    session.flush()
    session.add(default_policy(site.id, site.created_at))
    for code, default in TYPE_DEFAULTS.items():
        session.add(
            VisitorType(
                id=new_id(),
                site_id=site.id,
                code=code,
                max_hours=default.max_hours,
                early_minutes=default.early_minutes,
                late_minutes=default.late_minutes,
                daily_renewal=default.daily_renewal,
                needs_permit=default.needs_permit,
                bookable=default.bookable,
                area_ids=[],
            )
        )
    audit.record(session, actor, "site.create", "site", site.id, site_id=site.id)
    return site


def add_area(
    session: Session, site: Site, name: str, kind: str = AreaKind.BUILDING, parent: str | None = None
) -> Area:
    """A building, floor or area."""
    area = Area(
        id=new_id(),
        site_id=site.id,
        parent_id=parent,
        kind=_choice(AreaKind, kind, "kind"),
        name=inputs.name(name),
    )
    session.add(area)
    session.flush()
    return area


def add_unit(
    session: Session, site_id: str, label: str, kind: str = UnitKind.ROOM, area_id: str | None = None
) -> Unit:
    """A flat or company; its label is unique within the site."""
    text = inputs.name(label, "unit")
    if repository.unit_by_label(session, site_id, text):
        raise InvalidInput("unit_exists", "unit", unit=text)
    unit = Unit(
        id=new_id(), site_id=site_id, area_id=area_id, kind=_choice(UnitKind, kind, "kind"), label=text
    )
    session.add(unit)
    session.flush()
    return unit


def add_lane(
    session: Session, actor: Actor, site: Site, entrance: str, name: str, kind: str, direction: str
) -> tuple[Entrance, Lane]:
    """A lane, and its entrance where there is none of that name yet."""
    if actor.kind != "system":
        actor.require(Right.SITE_EDIT, site.id)
    title = inputs.name(entrance, "entrance")
    door = next((e for _, e in repository.lanes(session, site.id) if e.name == title), None)
    if door is None:
        door = Entrance(id=new_id(), site_id=site.id, kind=_choice(EntranceKind, kind, "kind"), name=title)
        session.add(door)
        session.flush()
    lane = Lane(
        id=new_id(),
        site_id=site.id,
        entrance_id=door.id,
        name=inputs.name(name, "lane"),
        direction=_choice(Direction, direction, "direction"),
    )
    session.add(lane)
    session.flush()
    audit.record(session, actor, "lane.create", "lane", lane.id, site_id=site.id)
    announce(session, PolicyChanged(site.id))
    return door, lane


def save_device(
    session: Session,
    actor: Actor,
    lane: Lane,
    name: str,
    driver: str,
    settings: Mapping[str, Any],
    *,
    device_id: str = "",
    enabled: bool = True,
) -> Device:
    """Add a device to a lane or change one; the caller has validated driver and settings."""
    if actor.kind != "system":
        actor.require(Right.DEVICE_EDIT, lane.site_id)
    label = inputs.name(name)
    same = next((d for d in repository.devices(session, lane_id=lane.id) if d.name == label), None)
    device = repository.device(session, device_id) if device_id else same
    if device is None:
        device = Device(
            id=new_id(), site_id=lane.site_id, lane_id=lane.id, driver=driver, name=label, settings={}
        )
    elif device.site_id != lane.site_id or (same is not None and same.id != device.id):
        raise InvalidInput("device_exists", "name", name=label)
    device.name, device.lane_id, device.driver = label, lane.id, driver
    device.settings, device.enabled = dict(settings), enabled
    device.status, device.status_detail, device.status_at = "unknown", "", clock.now()
    session.add(device)
    if not enabled:
        faults.end_of(session, device.id, device.status_at)
    session.flush()
    audit.record(
        session, actor, "device.save", "device", device.id, site_id=lane.site_id, details={"driver": driver}
    )
    announce(session, PolicyChanged(lane.site_id))
    return device


def delete_device(session: Session, actor: Actor, device_id: str) -> None:
    """Take a device out of its lane."""
    device = repository.device(session, device_id)
    actor.require(Right.DEVICE_EDIT, device.site_id)
    faults.end_of(session, device.id, clock.now())
    session.delete(device)
    audit.record(session, actor, "device.delete", "device", device.id, site_id=device.site_id)
    announce(session, PolicyChanged(device.site_id))


def set_risk_class(session: Session, actor: Actor, site_id: str, risk_class: str) -> None:
    """Change the class of a site; the next visitor is asked by it (SI-02)."""
    actor.require(Right.POLICY_EDIT, site_id)
    site = repository.site(session, site_id)
    before, site.risk_class = site.risk_class, _choice(RiskClass, risk_class, "risk_class")
    session.add(site)
    audit.record(
        session,
        actor,
        "policy.risk_class",
        "site",
        site.id,
        site_id=site.id,
        details={"from": before, "to": risk_class},
    )
    announce(session, PolicyChanged(site.id))


def set_field_rule(
    session: Session, actor: Actor, site_id: str, visitor_type: str, field: str, rule: str
) -> None:
    """Ask, offer or switch off a field for a visitor type in the site's present class (SI-03)."""
    actor.require(Right.POLICY_EDIT, site_id)
    _choice(VisitorKind, visitor_type, "visitor_type")
    _choice(VisitorField, field, "field")
    _choice(Rule, rule, "rule")
    if field in {VisitorField.NAME, VisitorField.HEAD_COUNT} and rule != Rule.REQUIRED:
        raise InvalidInput("field_needed", field)
    site = repository.site(session, site_id)
    row = next(
        (
            r
            for r in repository.field_rules(session, site_id)
            if (r.risk_class, r.visitor_type, r.field) == (site.risk_class, visitor_type, field)
        ),
        None,
    ) or FieldRule(
        id=new_id(),
        site_id=site_id,
        risk_class=site.risk_class,
        visitor_type=visitor_type,
        field=field,
        rule=rule,
    )
    row.rule = rule
    session.add(row)
    audit.record(
        session,
        actor,
        "policy.field",
        "site",
        site_id,
        site_id=site_id,
        details={"type": visitor_type, "field": field, "rule": rule},
    )
    announce(session, PolicyChanged(site_id))


def field_policy(
    session: Session, site: Site, visitor_type: str, area_id: str | None = None
) -> dict[str, Rule]:
    """Every field with its rule for one visitor type, by the class that rules the area (SI-02, SI-03)."""
    risk = stricter(site.risk_class, repository.area_class(session, area_id))
    policy = {field.value: default_rule(field, risk, visitor_type) for field in VisitorField}
    for row in repository.field_rules(session, site.id):
        if (row.risk_class, row.visitor_type) == (risk, visitor_type) and row.field in policy:
            policy[row.field] = Rule(row.rule)
    return policy
