"""Tables of what is shown at the gate."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import UtcDateTime


class VisitorPass(SQLModel, table=True):
    """One visitor's permission, shown as a rotating code, six digits or a printed badge."""

    __tablename__ = "visitor_pass"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    booking_id: str = Field(foreign_key="booking.id", index=True)
    code_id: str = Field(unique=True)
    kid: int
    status: str
    not_before: datetime = Field(sa_type=UtcDateTime)
    not_after: datetime = Field(sa_type=UtcDateTime, index=True)
    short_code: bytes | None = None
    short_index: bytes | None = Field(default=None, unique=True)
    last_step_in: int = 0
    last_step_out: int = 0
    issued_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Card(SQLModel, table=True):
    """An IC card and the standing booking it stands for (SI-06, AD-02)."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("site_id", "uid_index"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    uid_index: bytes
    uid_tail: str
    label: bytes | None = None
    booking_id: str = Field(foreign_key="booking.id", index=True)
    status: str
    issued_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
