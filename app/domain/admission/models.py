"""Tables of what happened at the gate."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.core.types import JsonText, UtcDateTime, VaultFile


class Attempt(SQLModel, table=True):
    """One arrival, whatever came of it; refused and unknown ones are rows too (AD-22)."""

    __tablename__ = "attempt"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    lane_id: str = Field(foreign_key="lane.id", index=True)
    leaving: bool = False
    walk_in: bool = False
    status: str = Field(index=True)
    outcome: str
    reasons: list[str] = Field(sa_type=JsonText)
    missing: list[str] = Field(sa_type=JsonText)
    booking_id: str | None = Field(default=None, foreign_key="booking.id", index=True)
    pass_id: str | None = Field(default=None, foreign_key="visitor_pass.id")
    card_id: str | None = Field(default=None, foreign_key="card.id")
    visitor_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    unit_id: str | None = Field(default=None, foreign_key="unit.id")
    visit_id: str | None = Field(default=None, index=True)
    visitor_type: str = ""
    purpose: str = ""
    head_count: int = 1
    snapshot_id: str = Field(default="", sa_type=VaultFile)
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str = ""
    forced_by: str = ""
    note: bytes | None = None


class EvidenceRow(SQLModel, table=True):
    """One thing presented within an attempt; the nonce makes its delivery idempotent."""

    __tablename__ = "evidence"
    id: str = Field(primary_key=True)
    attempt_id: str = Field(foreign_key="attempt.id", index=True)
    nonce: str = Field(unique=True)
    kind: str
    result: str
    device_id: str = ""
    # Of a document: empty for a card's chip or a guard's look, else zone or typed. Of a face: what it was held against.
    source: str = ""
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class HostConsent(SQLModel, table=True):
    """A question to the host and its answer, with who gave it and how (AD-08)."""

    __tablename__ = "host_consent"
    id: str = Field(primary_key=True)
    attempt_id: str = Field(foreign_key="attempt.id", unique=True)
    site_id: str = Field(foreign_key="site.id")
    unit_id: str = Field(foreign_key="unit.id", index=True)
    status: str = Field(index=True)
    channel: str = ""
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: str = ""
    note: bytes | None = None


class Visit(SQLModel, table=True):
    """Somebody inside, or who has been."""

    __tablename__ = "visit"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    attempt_id: str = Field(foreign_key="attempt.id", unique=True)
    booking_id: str | None = Field(default=None, foreign_key="booking.id", index=True)
    pass_id: str | None = Field(default=None, foreign_key="visitor_pass.id", index=True)
    visitor_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    unit_id: str | None = Field(default=None, foreign_key="unit.id")
    visitor_type: str
    purpose: str
    head_count: int
    risk_class: str
    lane_in: str = Field(foreign_key="lane.id")
    entered_at: datetime = Field(sa_type=UtcDateTime, index=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    lane_out: str | None = Field(default=None, foreign_key="lane.id")
    exit_kind: str = ""
    admitted_by: str
    serving_ms: int = 0
    purged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PassLoss(SQLModel, table=True):
    """A pass that did not come back: why, and the fee for a new one (AD-16)."""

    __tablename__ = "pass_loss"
    id: str = Field(primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", unique=True)
    reason: bytes | None = None
    fee_fen: int
    paid: bool = False
    recorded_by: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class LaneChanged:
    """Announced when what the desks of a lane show has changed; ``cue`` names the sound."""

    def __init__(self, site_id: str, lane_id: str, attempt_id: str, cue: str = "") -> None:
        self.site_id = site_id
        self.lane_id = lane_id
        self.attempt_id = attempt_id
        self.cue = cue


class VisitAdmitted:
    """Announced when somebody came in."""

    def __init__(self, site_id: str, lane_id: str, visit_id: str) -> None:
        self.site_id = site_id
        self.lane_id = lane_id
        self.visit_id = visit_id
