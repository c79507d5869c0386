"""Pure rules of places: classes, what they demand and ask, and within which limits times are set (SI-02, SI-03, RE-04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


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


class HolderKind(StrEnum):
    """Those who live or work here and carry a card: no visitors, so no policy asks them anything (SI-06)."""

    RESIDENT = "resident"
    STAFF = "staff"


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


@dataclass(frozen=True, slots=True)
class TypeDefault:
    """What a visitor type starts with at a new site."""

    max_hours: int
    early_minutes: int = 30
    late_minutes: int = 0
    daily_renewal: bool = False
    needs_permit: bool = False
    bookable: bool = True


TYPE_DEFAULTS: dict[VisitorKind | HolderKind, TypeDefault] = {
    VisitorKind.GUEST: TypeDefault(max_hours=24, late_minutes=30),
    VisitorKind.SHORT_TERM: TypeDefault(max_hours=12),
    VisitorKind.PARTNER: TypeDefault(max_hours=24 * 366, early_minutes=0),
    VisitorKind.TEMPORARY_WORKER: TypeDefault(max_hours=24 * 31, early_minutes=0, daily_renewal=True),
    VisitorKind.SERVICE: TypeDefault(max_hours=1, needs_permit=True),
    VisitorKind.EMERGENCY: TypeDefault(max_hours=12, bookable=False),
    HolderKind.RESIDENT: TypeDefault(max_hours=24 * 366 * 5, early_minutes=0, bookable=False),
    HolderKind.STAFF: TypeDefault(max_hours=24 * 366 * 5, early_minutes=0, bookable=False),
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


class Checkout(StrEnum):
    """When the visit of somebody who never scanned out is closed by itself (AD-16)."""

    OFF = "off"
    GRACE = "grace"
    NIGHTLY = "nightly"


class BadgeName(StrEnum):
    """What a printed badge says of its bearer's name (AD-15)."""

    MASKED = "masked"
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number of the site's policy starts with, and between what a manager may set it."""

    default: int
    low: int
    high: int


# Nothing is kept longer than the clocks that the law's "shortest time necessary" is read as (PIPL 19, L-14): 30 days
# for ordinary places, 180 for key areas, 30 for pictures. Shorter is the manager's to choose.
LIMITS: dict[str, Limit] = {
    "retention_low_days": Limit(30, 1, 30),
    "retention_medium_days": Limit(30, 1, 30),
    "retention_high_days": Limit(180, 1, 180),
    "picture_days": Limit(7, 1, 30),
    "consent_seconds": Limit(120, 30, 1800),
    "checkout_hours": Limit(12, 1, 72),
    # How long before a visit companies may book it (BK-02).
    "booking_hours": Limit(48, 1, 720),
    "nightly_minute": Limit(3 * 60 + 10, 0, 24 * 60 - 1),
}
RETENTION_FIELDS = {risk: f"retention_{risk}_days" for risk in RiskClass}
# A standing permit runs for months and says nothing of one day: a stay of so long counts as its end.
STANDING_STAY = timedelta(hours=10)


def pictures_outlive(values: Mapping[str, int]) -> bool:
    """Whether pictures would be kept longer than the visits they belong to; they must go sooner (RE-04)."""
    return any(values["picture_days"] > values[field] for field in RETENTION_FIELDS.values())


def last_nightly(now: datetime, zone: str, minute: int) -> datetime:
    """The newest moment, aware, not after ``now``, at which clocks in ``zone`` showed so many minutes after midnight."""
    tz = ZoneInfo(zone)
    day = now.astimezone(tz).date()
    for back in range(3):
        local = datetime.combine(day - timedelta(days=back), datetime.min.time(), tz)
        moment = local.replace(hour=minute // 60, minute=minute % 60).astimezone(UTC)
        if moment <= now:
            return moment
    raise ValueError(zone)


def close_before(mode: str, hours: int, minute: int, now: datetime, zone: str) -> datetime | None:
    """Visits overdue since this moment or longer are closed by themselves; None closes none (AD-16).

    ``grace``: so many hours after the end. ``nightly``: at the first nightly moment of the site after the end.
    A mode this rule does not know closes none.
    """
    if mode == Checkout.GRACE:
        return now - timedelta(hours=hours)
    return last_nightly(now, zone, minute) if mode == Checkout.NIGHTLY else None


def overdue_since(entered_at: datetime, due_at: datetime, *, standing: bool) -> datetime:
    """Since when a visitor should have left."""
    return min(due_at, entered_at + STANDING_STAY) if standing else due_at
