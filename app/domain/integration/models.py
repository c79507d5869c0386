"""Tables of other systems: keys, requests answered, and the numbers by which they know bookings, hosts and units."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import JsonText, UtcDateTime


class IntegrationKey(SQLModel, table=True):
    """Another system that may ask for a site, within its scopes."""

    __tablename__ = "integration_key"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    label: str
    scopes: list[str] = Field(sa_type=JsonText)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IntegrationSecret(SQLModel, table=True):
    """One pair of secrets of a key: the bearer as a hash, the signing secret sealed. During a rotation two are live."""

    __tablename__ = "integration_secret"
    id: str = Field(primary_key=True)
    key_id: str = Field(foreign_key="integration_key.id", index=True)
    token_hash: bytes = Field(unique=True)
    signing: bytes | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IntegrationRequest(SQLModel, table=True):
    """A request that had an effect, and its answer, sealed: sent again it is answered from here (I-3)."""

    __tablename__ = "integration_request"
    __table_args__ = (UniqueConstraint("key_id", "webhook_id"), UniqueConstraint("key_id", "idempotency_key"))
    id: str = Field(primary_key=True)
    key_id: str = Field(foreign_key="integration_key.id")
    webhook_id: str
    idempotency_key: str | None = None
    digest: bytes
    status: int
    answer: bytes | None = None
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class OutsideBooking(SQLModel, table=True):
    """What another system calls a booking, and the newest of its versions that was applied."""

    __tablename__ = "outside_booking"
    __table_args__ = (UniqueConstraint("key_id", "ref"),)
    booking_id: str = Field(primary_key=True, foreign_key="booking.id")
    site_id: str = Field(foreign_key="site.id")
    key_id: str = Field(foreign_key="integration_key.id")
    ref: str | None = None
    version: int = Field(sa_type=BigInteger)


class OutsideHost(SQLModel, table=True):
    """A person as another system numbers them (I-12); ``active`` is false for somebody who left."""

    __tablename__ = "outside_host"
    __table_args__ = (UniqueConstraint("site_id", "ext_id"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    ext_id: str
    person_id: str = Field(foreign_key="person.id", index=True)
    deputy: str = ""
    active: bool = True
    version: int = Field(sa_type=BigInteger)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class OutsideUnit(SQLModel, table=True):
    """A company or a department of one as another system numbers it."""

    __tablename__ = "outside_unit"
    __table_args__ = (UniqueConstraint("site_id", "ext_id"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    ext_id: str
    unit_id: str = Field(foreign_key="unit.id", index=True)
    version: int = Field(sa_type=BigInteger)


class IntegrationChanged:
    """Announced when a key was made, rotated or revoked, so that every memory of it goes at once."""

    def __init__(self, site_id: str, key_id: str) -> None:
        self.site_id = site_id
        self.key_id = key_id
