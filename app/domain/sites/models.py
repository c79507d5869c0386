"""Tables of the place itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import JsonText, UtcDateTime


class Site(SQLModel, table=True):
    """An office building or a residential community."""

    __tablename__ = "site"
    id: str = Field(primary_key=True)
    name: str
    kind: str
    risk_class: str
    time_zone: str = "Asia/Shanghai"
    demo: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)


class Area(SQLModel, table=True):
    """A building, a floor or another area; ``risk_class`` empty means that of the site."""

    __tablename__ = "area"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    parent_id: str | None = Field(default=None, foreign_key="area.id")
    kind: str
    name: str
    risk_class: str = ""


class Unit(SQLModel, table=True):
    """A flat or a company's rooms: what a visitor goes to."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("site_id", "label"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    area_id: str | None = Field(default=None, foreign_key="area.id")
    kind: str
    label: str


class Entrance(SQLModel, table=True):
    """A lobby, side door, garage or gate post."""

    __tablename__ = "entrance"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    kind: str
    name: str


class Lane(SQLModel, table=True):
    """One way through an entrance; ``direction`` is in, out or both."""

    __tablename__ = "lane"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    entrance_id: str = Field(foreign_key="entrance.id")
    name: str
    direction: str = "both"


class Device(SQLModel, table=True):
    """A reader, camera or printer of a lane, and what was last known of it."""

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("lane_id", "name"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    lane_id: str = Field(foreign_key="lane.id", index=True)
    driver: str
    name: str
    settings: dict[str, Any] = Field(sa_type=JsonText)
    enabled: bool = True
    status: str = "unknown"
    status_detail: str = ""
    status_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    agent_id: str | None = Field(default=None, foreign_key="lane_agent.id", index=True)


class LaneAgent(SQLModel, table=True):
    """A lane's own computer that runs devices; of its code and its secret only hashes are kept."""

    __tablename__ = "lane_agent"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    label: str
    lane_ids: list[str] = Field(sa_type=JsonText)
    code_hash: bytes | None = Field(default=None, unique=True)
    code_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    secret_hash: bytes | None = Field(default=None, unique=True)
    version: str = ""
    config: str = ""
    waiting: int = 0
    trouble: str = ""
    clock_offset_ms: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    enrolled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AgentStream(SQLModel, table=True):
    """How far the events of an agent are recorded, for each of its starts; ``recent`` are keyed digests of the last."""

    __tablename__ = "agent_stream"
    agent_id: str = Field(primary_key=True, foreign_key="lane_agent.id")
    stream: str = Field(primary_key=True)
    last_seq: int
    recent: list[str] = Field(sa_type=JsonText)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class DeviceFault(SQLModel, table=True):
    """A time in which a device did not work, from its first sign to its return, and who sees to it (DU-06)."""

    __tablename__ = "device_fault"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    lane_id: str = Field(foreign_key="lane.id")
    device_id: str = Field(index=True)  # the device may be taken out; what happened to it stays
    device_name: str
    status: str
    detail: str
    times: int = 1
    began_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_by: str = ""
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class FaultChanged:
    """Announced when somebody took a device's fault upon them."""

    def __init__(self, site_id: str) -> None:
        self.site_id = site_id


class VisitorType(SQLModel, table=True):
    """A kind of visitor at a site with its validity and rules (SI-06)."""

    __tablename__ = "visitor_type"
    __table_args__ = (UniqueConstraint("site_id", "code"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    code: str
    max_hours: int
    early_minutes: int = 30
    late_minutes: int = 0
    daily_renewal: bool = False
    needs_permit: bool = False
    bookable: bool = True
    area_ids: list[str] = Field(sa_type=JsonText)


class FieldRule(SQLModel, table=True):
    """Whether a field is off, optional or required for a visitor type in a risk class, and why (SI-03)."""

    __tablename__ = "field_rule"
    __table_args__ = (UniqueConstraint("site_id", "risk_class", "visitor_type", "field"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    risk_class: str
    visitor_type: str
    field: str
    rule: str


class SitePolicy(SQLModel, table=True):
    """The times and ways a manager sets for a site, made with it; ``swept_at`` is the nightly moment last worked off."""

    __tablename__ = "site_policy"
    site_id: str = Field(primary_key=True, foreign_key="site.id")
    retention_low_days: int
    retention_medium_days: int
    retention_high_days: int
    picture_days: int
    consent_seconds: int
    checkout: str
    checkout_hours: int
    nightly_minute: int
    booking_hours: int = 48
    print_at_once: bool = False
    badge_name: str = "masked"
    swept_at: datetime = Field(sa_type=UtcDateTime)


class PolicyChanged:
    """Announced when a site's rules, lanes or devices changed."""

    def __init__(self, site_id: str) -> None:
        self.site_id = site_id


class AgentChanged:
    """Announced when what is known of a lane's computer changed."""

    def __init__(self, site_id: str, agent_id: str) -> None:
        self.site_id = site_id
        self.agent_id = agent_id
