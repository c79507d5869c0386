"""What the gate holds in hand while it decides: plain values, read and written with one statement each.

Rows of the object mapper cost more than the statements that fetch them, and an arrival is what the product does
all day; so its way from the reader to the visit is made of these. Pages and reports read the tables' models.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, NamedTuple

from app.core.ids import new_id
from app.domain.admission.models import Attempt
from app.domain.booking.rules import BookingSource

OPEN = "open"


class Post(NamedTuple):
    """A lane, and what its site says of decisions."""

    lane_id: str
    direction: str
    site_id: str
    risk_class: str
    time_zone: str


class Inside(NamedTuple):
    """Somebody who came in with a booking and has not left."""

    visit_id: str
    attempt_id: str
    lane_in: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """A booking with what a decision on it needs: its type's rules, the class of its area, who of it is inside."""

    booking_id: str
    site_id: str
    visitor_id: str
    unit_id: str
    visitor_type: str
    purpose: str
    head_count: int
    source: str
    status: str
    starts_at: datetime
    ends_at: datetime
    renewed_on: date | None
    early_minutes: int
    late_minutes: int
    needs_permit: bool
    daily_renewal: bool
    area_class: str
    inside: Inside | None


@dataclass(slots=True)
class Arrival:
    """One row of ``attempt`` by the same names."""

    site_id: str
    lane_id: str
    occurred_at: datetime
    recorded_at: datetime
    leaving: bool = False
    walk_in: bool = False
    status: str = OPEN
    outcome: str = ""
    reasons: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    booking_id: str | None = None
    pass_id: str | None = None
    card_id: str | None = None
    visitor_id: str | None = None
    unit_id: str | None = None
    visit_id: str | None = None
    visitor_type: str = ""
    purpose: str = ""
    head_count: int = 1
    snapshot_id: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    id: str = field(default_factory=new_id)

    @property
    def is_through(self) -> bool:
        """Whether whoever it was has come in or gone out."""
        return self.status in {"admitted", "left"}

    def bind(self, known: Dossier) -> None:
        """Say whose arrival it is."""
        self.booking_id, self.visitor_id, self.unit_id = known.booking_id, known.visitor_id, known.unit_id
        self.visitor_type, self.purpose, self.head_count = known.visitor_type, known.purpose, known.head_count
        self.walk_in = known.source == BookingSource.DESK

    def row(self) -> dict[str, Any]:
        """The values of its columns."""
        return {name: getattr(self, name) for name in _COLUMNS}


_COLUMNS = tuple(column.name for column in fields(Arrival))


def of(attempt: Attempt) -> Arrival:
    """The same of a stored attempt."""
    return Arrival(**{name: getattr(attempt, name) for name in _COLUMNS})
