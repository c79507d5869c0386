"""Pure rules of places: risk classes, what they demand, which fields they allow (SI-02, SI-03)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SiteKind(StrEnum):
    """What the site is."""

    OFFICE = "office"
    RESIDENTIAL = "residential"


class RiskClass(StrEnum):
    """How much a place demands, lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class UnitKind(StrEnum):
    """A flat or a company."""

    ROOM = "room"
    COMPANY = "company"


class EntranceKind(StrEnum):
    """Where people come in."""

    LOBBY = "lobby"
    SIDE_DOOR = "side_door"
    GARAGE = "garage"
    GATE_POST = "gate_post"


class AreaKind(StrEnum):
    """What an area is within a site."""

    BUILDING = "building"
    FLOOR = "floor"
    AREA = "area"


class Direction(StrEnum):
    """Which way a lane leads."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


class VisitorKind(StrEnum):
    """The visitor types every site starts with (SI-06)."""

    GUEST = "guest"
    SHORT_TERM = "short_term"
    PARTNER = "partner"
    TEMPORARY_WORKER = "temporary_worker"
    SERVICE = "service"
    EMERGENCY = "emergency"


class VisitorField(StrEnum):
    """What may be asked of a visitor. Sex, birthplace and the like are no fields at all (R-2)."""

    NAME = "name"
    PHONE = "phone"
    PURPOSE = "purpose"
    HEAD_COUNT = "head_count"
    PLATE = "plate"
    COMPANY = "company"
    DOCUMENT_TAIL = "document_tail"
    DOCUMENT_NUMBER = "document_number"
    WORK_PERMIT = "work_permit"


class Rule(StrEnum):
    """Whether a field is asked for."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


ORDER = {RiskClass.LOW: 0, RiskClass.MEDIUM: 1, RiskClass.HIGH: 2}
RETENTION_DAYS = {RiskClass.LOW: 30, RiskClass.MEDIUM: 30, RiskClass.HIGH: 180}


@dataclass(frozen=True, slots=True)
class TypeDefault:
    """What a visitor type starts with at a new site."""

    max_hours: int
    early_minutes: int = 30
    late_minutes: int = 0
    daily_renewal: bool = False
    needs_permit: bool = False
    bookable: bool = True


TYPE_DEFAULTS: dict[VisitorKind, TypeDefault] = {
    VisitorKind.GUEST: TypeDefault(max_hours=24, late_minutes=30),
    VisitorKind.SHORT_TERM: TypeDefault(max_hours=12),
    VisitorKind.PARTNER: TypeDefault(max_hours=24 * 366, early_minutes=0),
    VisitorKind.TEMPORARY_WORKER: TypeDefault(max_hours=24 * 31, early_minutes=0, daily_renewal=True),
    VisitorKind.SERVICE: TypeDefault(max_hours=1, needs_permit=True),
    VisitorKind.EMERGENCY: TypeDefault(max_hours=12, bookable=False),
}


def stricter(site_class: str, area_class: str) -> RiskClass:
    """The class that rules a visit: an area may demand more than its site, never less."""
    site = RiskClass(site_class)
    area = RiskClass(area_class) if area_class else site
    return max(site, area, key=ORDER.__getitem__)


def default_rule(field: str, risk_class: str, visitor_type: str) -> Rule:
    """What is asked where the manager has set nothing: as little as the class needs (C6, E-1)."""
    if field in {VisitorField.NAME, VisitorField.HEAD_COUNT}:
        return Rule.REQUIRED
    if field == VisitorField.PHONE:
        return Rule.REQUIRED if visitor_type != VisitorKind.EMERGENCY else Rule.OPTIONAL
    if field == VisitorField.PURPOSE:
        return Rule.REQUIRED if risk_class != RiskClass.LOW else Rule.OPTIONAL
    if field == VisitorField.PLATE:
        return Rule.OPTIONAL
    if field == VisitorField.COMPANY:
        return Rule.OPTIONAL if visitor_type in {VisitorKind.SHORT_TERM, VisitorKind.PARTNER} else Rule.OFF
    if field == VisitorField.WORK_PERMIT:
        return Rule.REQUIRED if visitor_type == VisitorKind.SERVICE else Rule.OFF
    if field == VisitorField.DOCUMENT_TAIL:
        return {RiskClass.LOW: Rule.OFF, RiskClass.MEDIUM: Rule.OPTIONAL}.get(
            RiskClass(risk_class), Rule.REQUIRED
        )
    return Rule.OFF
