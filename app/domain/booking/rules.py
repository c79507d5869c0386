"""Pure rules of bookings: states, purposes, and windows that make sense."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class BookingStatus(StrEnum):
    """The life of a booking."""

    APPROVED = "approved"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    EXPIRED = "expired"


class Purpose(StrEnum):
    """Why somebody comes; free text stays out of reports."""

    FAMILY = "family"
    PARTY = "party"
    MEETING = "meeting"
    REPAIR = "repair"
    DELIVERY = "delivery"
    OTHER = "other"


class BookingSource(StrEnum):
    """Who made the booking."""

    HOST = "host"
    DESK = "desk"
    STANDING = "standing"


ADVANCE = timedelta(days=30)
PAST_GRACE = timedelta(minutes=10)
HEADS = (1, 50)


def window_fault(starts_at: datetime, ends_at: datetime, now: datetime, max_hours: int) -> str:
    """The error code of a window nobody can come in, empty for a good one."""
    if ends_at <= starts_at:
        return "window_order"
    if ends_at <= now:
        return "window_past"
    if starts_at < now - PAST_GRACE:
        return "window_past"
    if starts_at > now + ADVANCE:
        return "window_far"
    if ends_at - starts_at > timedelta(hours=max_hours):
        return "window_long"
    return ""
