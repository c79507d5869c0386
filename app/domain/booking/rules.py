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
    OA = "oa"


ADVANCE = timedelta(days=30)
PAST_GRACE = timedelta(minutes=10)
HEADS = (1, 50)
DAY_HOURS = 24
PERMIT_HOURS = 366 * DAY_HOURS
# How long the pass of somebody who stays beyond the end still serves for the way out.
EXIT_GRACE = timedelta(hours=12)


class LinkEnd(StrEnum):
    """Why the link of a visit leads to no pass any more (S-19)."""

    CANCELLED = "cancelled"
    COMPLETED = "completed"
    EXPIRED = "expired"


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


def opens_at(starts_at: datetime, hours: int) -> datetime:
    """From when a visit to a company may be booked (BK-02)."""
    return starts_at - timedelta(hours=hours)


def is_early(starts_at: datetime, now: datetime, hours: int, *, company: bool, urgent: bool) -> bool:
    """Whether a booking with a company comes before its window opens (BK-02); an urgent proxy booking does not wait.

    Households are not asked to wait: they invite their guests whenever they like.
    """
    return company and not urgent and now < opens_at(starts_at, hours)


def permit_hours(max_hours: int) -> int:
    """How long a standing permit may hold for a visitor type that allows visits of ``max_hours``.

    A type of several days says it itself; one that limits a single visit (a courier's hour) may be filed for a year.
    """
    return max_hours if max_hours > DAY_HOURS else PERMIT_HOURS


def link_until(status: str, ends_at: datetime, late: timedelta) -> datetime:
    """Until when a visit's link opens: as long as the gate takes the pass, and for whoever is inside, to get out."""
    return ends_at + (EXIT_GRACE if status == BookingStatus.ARRIVED else late)


def link_end(status: str, until: datetime, now: datetime) -> LinkEnd | None:
    """Why a visit's link is dead, None while it lives. A state this rule does not know is a dead one."""
    if status == BookingStatus.COMPLETED:
        return LinkEnd.COMPLETED
    if status == BookingStatus.EXPIRED:
        return LinkEnd.EXPIRED
    if status not in {BookingStatus.APPROVED, BookingStatus.ARRIVED}:
        return LinkEnd.CANCELLED
    return LinkEnd.EXPIRED if now >= until else None
