"""The table of bookings."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.core.types import JsonText, UtcDateTime, VaultFile


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
    urgent: bool = False
    renewed_on: date | None = None
    link_hash: bytes | None = Field(default=None, unique=True)
    link_version: int = 1
    link_failures: int = 0
    link_locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class BookingCompletion(SQLModel, table=True):
    """What the visitor added to a booking on the own phone; named by its booking (BK-04)."""

    __tablename__ = "booking_completion"
    id: str = Field(primary_key=True, foreign_key="booking.id")
    site_id: str = Field(foreign_key="site.id", index=True)
    fields: list[str] = Field(sa_type=JsonText)
    completed_at: datetime = Field(sa_type=UtcDateTime)


class BookingPhoto(SQLModel, table=True):
    """The picture of a visitor's face for one visit, sealed in the vault and bound to its own consent (BK-04, F-13)."""

    __tablename__ = "booking_photo"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    booking_id: str = Field(foreign_key="booking.id", unique=True)
    consent_id: str = Field(foreign_key="consent_record.id", index=True)
    file_id: str = Field(sa_type=VaultFile)
    checked: bool  # by the models, that one face is in it; else by nobody yet
    added_at: datetime = Field(sa_type=UtcDateTime)


class PhotoGone:
    """Announced when a visitor's picture was deleted: whoever holds it in memory lets go of it."""

    def __init__(self, site_id: str, booking_id: str, photo_id: str) -> None:
        self.site_id = site_id
        self.booking_id = booking_id
        self.photo_id = photo_id


class PhotoAdded:
    """Announced when a visitor added a picture."""

    def __init__(self, site_id: str, booking_id: str) -> None:
        self.site_id = site_id
        self.booking_id = booking_id


class BookingChanged:
    """Announced when a booking was made, changed or cancelled."""

    def __init__(self, site_id: str, booking_id: str) -> None:
        self.site_id = site_id
        self.booking_id = booking_id
