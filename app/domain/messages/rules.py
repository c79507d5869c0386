"""Which events are told, what their texts may say, how long a text message is, and which hours are quiet."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.core.errors import InvalidInput

MAX_TEXT = 500
ONE, MANY = 70, 67  # UCS-2 characters in a message that stands alone, and in each part of a longer one
DAY = 24 * 60


class Audience(StrEnum):
    """Whom an event is told."""

    VISITOR = "visitor"
    HOST = "host"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Event:
    """What may and what must stand in an event's text; ``urgent`` ones are not held back by quiet hours."""

    audience: Audience
    allowed: frozenset[str]
    required: frozenset[str]
    urgent: bool = False


_BOOKING = frozenset({"name", "site", "unit", "window", "link"})
_HOST = frozenset({"visitor", "site", "unit", "gate", "time", "link"})
_STAFF = frozenset({"case", "site", "gate", "time", "link"})
_LINK, _VISITOR = frozenset({"link"}), frozenset({"visitor"})

EVENTS: dict[str, Event] = {
    "pass_link": Event(Audience.VISITOR, _BOOKING, _LINK),
    "booking_changed": Event(Audience.VISITOR, _BOOKING, frozenset({"window", "link"})),
    "booking_cancelled": Event(Audience.VISITOR, _BOOKING, frozenset({"window"})),
    "visit_reminder": Event(Audience.VISITOR, _BOOKING, frozenset({"window", "link"})),
    "consent_asked": Event(Audience.HOST, _HOST, _VISITOR | _LINK, urgent=True),
    "consent_timed_out": Event(Audience.HOST, _HOST, _VISITOR, urgent=True),
    "visitor_arrived": Event(Audience.HOST, _HOST, _VISITOR),
    "visitor_left": Event(Audience.HOST, _HOST, _VISITOR),
    "case_opened": Event(Audience.STAFF, _STAFF, frozenset({"case"}), urgent=True),
}


def event(code: str) -> Event:
    """One event; raises ``InvalidInput`` for a code that is none."""
    if code not in EVENTS:
        raise InvalidInput("choice_wrong", "event")
    return EVENTS[code]


def check(code: str, text: str) -> None:
    """Raise ``InvalidInput`` for a text that could not be filled, says too little, or is too long."""
    spec = event(code)
    if not text.strip():
        raise InvalidInput("template_empty", "text")
    if len(text) > MAX_TEXT:
        raise InvalidInput("text_long", "text", maximum=MAX_TEXT)
    found = _placeholders(text)
    unknown = sorted(found - spec.allowed)
    if unknown:
        allowed = " ".join(f"{{{name}}}" for name in sorted(spec.allowed))
        raise InvalidInput("template_unknown", "text", name=f"{{{unknown[0]}}}", allowed=allowed)
    missing = sorted(spec.required - found)
    if missing:
        raise InvalidInput("template_missing", "text", name=f"{{{missing[0]}}}")


def _placeholders(text: str) -> set[str]:
    """The names between braces; anything else between braces is refused, so that a text only names values."""
    found = set()
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        raise InvalidInput("template_braces", "text") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise InvalidInput("template_braces", "text")
        found.add(name)
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its values; a value is never looked into for placeholders."""
    return "".join(
        literal + (values[name] if name is not None else "")
        for literal, name, _, _ in string.Formatter().parse(text)
    )


def segments(text: str) -> tuple[int, int]:
    """Characters as a text message counts them, and how many messages it is charged as."""
    length = len(text.encode("utf-16-le")) // 2
    return length, 1 if length <= ONE else -(-length // MANY)


def quiet_until(now: datetime, zone: str, begin: int, end: int) -> datetime | None:
    """When the quiet hours end in which ``now`` falls; None outside of them. Both in minutes after midnight; equal: none."""
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    inside = begin <= minute < end if begin <= end else minute >= begin or minute < end
    if not inside:
        return None
    day = local.date() if minute < end else local.date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=local.tzinfo).astimezone(UTC)


def quiet_since(now: datetime, zone: str, begin: int) -> datetime:
    """The last moment, not after ``now``, at which quiet hours began."""
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    day = local.date() if minute >= begin else local.date() - timedelta(days=1)
    return datetime(day.year, day.month, day.day, begin // 60, begin % 60, tzinfo=local.tzinfo).astimezone(
        UTC
    )


def reminder_at(starts_at: datetime, minutes: int, zone: str, begin: int, end: int) -> datetime:
    """When a visitor is reminded: so long before the visit, and in quiet hours at their end, or where that is too late
    just before they begin.
    """
    moment = starts_at - timedelta(minutes=minutes)
    free = quiet_until(moment, zone, begin, end)
    if free is None:
        return moment
    return free if free < starts_at else quiet_since(moment, zone, begin) - timedelta(minutes=1)
