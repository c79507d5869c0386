"""The table of bookings."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.core.types import UtcDateTime


class Booking(SQLModel, table=True):
    """One expected visit, or the standing permit of a partner."""

    __tablename__ = "booking"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    unit_id: str = Field(foreign_key="unit.id", index=True)
    host_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    visitor_id: str = Field(foreign_key="person.id", index=True)
    visitor_type: str
    source: str
    status: str = Field(index=True)
    starts_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ends_at: datetime = Field(sa_type=UtcDateTime, index=True)
    purpose: str
    head_count: int = 1
    plate: bytes | None = None
    renewed_on: date | None = None
    link_hash: bytes | None = Field(default=None, unique=True)
    link_version: int = 1
    link_failures: int = 0
    link_locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class BookingChanged:
    """Announced when a booking was made, changed or cancelled."""

    def __init__(self, site_id: str, booking_id: str) -> None:
        self.site_id = site_id
        self.booking_id = booking_id
