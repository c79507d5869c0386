"""The table of sign-ons."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.core.types import UtcDateTime


class LaneDuty(SQLModel, table=True):
    """A guard's time at a lane, by person and never by a shared account."""

    __tablename__ = "lane_duty"
    id: str = Field(primary_key=True)
    lane_id: str = Field(foreign_key="lane.id", index=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
