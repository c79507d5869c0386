"""The table of those who registered by their own phone before a guard looked at it (AD-06)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from app.core.types import UtcDateTime


class SelfStatus(StrEnum):
    """The life of a self-registration."""

    WAITING = "waiting"
    TAKEN = "taken"
    TURNED_AWAY = "turned_away"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class SelfRegistration(SQLModel, table=True):
    """What a visitor entered, sealed, and only until a guard took it over or its time ran out."""

    __tablename__ = "self_registration"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    lane_id: str = Field(foreign_key="lane.id", index=True)
    number: int
    status: str = Field(index=True)
    visitor_type: str
    details: bytes | None = None
    secret_hash: bytes = Field(unique=True)
    nonce: str = Field(unique=True)
    notice_version: str
    notice_locale: str
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str = ""
    attempt_id: str | None = Field(default=None, foreign_key="attempt.id", index=True)


class SelfRegistrationChanged:
    """Announced when what a visitor's phone shows of the registration has changed."""

    def __init__(self, registration_id: str) -> None:
        self.registration_id = registration_id
