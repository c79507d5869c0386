"""Tables of the cases that abnormal documents and faces become (AD-18)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import UtcDateTime, VaultFile


class CaseFile(SQLModel, table=True):
    """One case: an arrival with something wrong about its document or face, from the first finding to its end.

    Who it was stands in the arrival and goes with it; here are the pictures, by their names in the vault, and what became of it.
    """

    __tablename__ = "case_file"
    __table_args__ = (UniqueConstraint("site_id", "year", "number"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    year: int
    number: int
    attempt_id: str = Field(foreign_key="attempt.id", unique=True)
    lane_id: str = Field(foreign_key="lane.id")
    kind: str
    risk_class: str
    status: str = Field(index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime, index=True)
    picture_id: str = Field(default="", sa_type=VaultFile)
    picture_state: str
    document_id: str = Field(default="", sa_type=VaultFile)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    closed_by: str = ""
    outcome: str = ""
    note: bytes | None = None
    purged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CaseItem(SQLModel, table=True):
    """One finding of a case: what was wrong, found by a device or, where ``device_id`` is empty, by a guard."""

    __tablename__ = "case_item"
    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="case_file.id", index=True)
    reason: str
    device_id: str = ""
    found_at: datetime = Field(sa_type=UtcDateTime)


class CaseOpened:
    """Announced when a case was opened: its pictures are to be taken now."""

    def __init__(self, site_id: str, lane_id: str, case_id: str) -> None:
        self.site_id = site_id
        self.lane_id = lane_id
        self.case_id = case_id


class CaseChanged:
    """Announced when something of a case changed."""

    def __init__(self, site_id: str, lane_id: str) -> None:
        self.site_id = site_id
        self.lane_id = lane_id
