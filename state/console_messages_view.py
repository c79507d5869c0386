"""Messages in words: rows with masked receivers, the channels and how they do, errors as codes explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.i18n import catalogue, text
from app.core.outbox import Message, OutboxMessage
from app.domain.messages import letters, outgoing
from app.domain.messages.letters import GROUPS
from app.domain.sites import repository as sites
from app.runtime import dispatch
from state.console_words import PAGE, Row, or_code, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from app.domain.sites.models import Site

TONES = {"pending": "wait", "sent": "ok", "dead": "no"}
HEALTH_TONES = {"ok": "ok", "trouble": "wait", "resting": "no"}
NONE = "—"


def page(session: Session, site_id: str, state: str, way: str, number: int, locale: str) -> dict[str, Any]:
    """One page of messages, and the channels."""
    site = sites.site(session, site_id)
    total = outgoing.count(session, site_id, state, way)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = outgoing.page(session, site_id, state, way, PAGE, (number - 1) * PAGE)
    return {
        "rows": [_row(session, row, site, locale) for row in found],
        "total": total,
        "number": number,
        "pages": pages,
        "channels": _channels(session, site, locale),
    }


def _row(session: Session, row: OutboxMessage, site: Site, locale: str) -> Row:
    message = Message(row.id, row.channel, row.topic, row.site_id, row.payload, row.attempts)
    name, to = letters.receiver(session, message)
    held = row.state == "pending" and row.last_error
    tries = text(locale, "messages.tries", count=row.attempts) if row.attempts else ""
    due = text(locale, "messages.next", time=stamp(row.due_at, site.time_zone)[5:16]) if held else ""
    return {
        "id": row.id,
        "time": stamp(row.created_at, site.time_zone)[:16],
        "event": or_code(text(locale, f"messages.event.{row.topic}"), row.topic),
        "channel": text(locale, f"messages.channel.{row.channel}"),
        "to": name or (text(locale, "messages.group") if row.channel in GROUPS else NONE),
        "address": to,
        "tone": TONES.get(row.state, "plain"),
        "state": text(locale, f"messages.state.{row.state}"),
        "why": fault(row.last_error, locale) if row.last_error else "",
        "tries": text(locale, "punct.list").join(part for part in (tries, due) if part),
        "dead": "1" if row.state == "dead" else "",
        "open": "1" if row.state in {"dead", "pending"} else "",
    }


def _channels(session: Session, site: Site, locale: str) -> list[Row]:
    counts, last = outgoing.counts(session, site.id), outgoing.last_sent(session, site.id)
    return [
        _channel(code, counts, last.get(code), site, locale)
        for code in outgoing.SHOWN
        if dispatch.health(code).state != "off" or any(key[0] == code for key in counts)
    ]


def _channel(
    code: str, counts: dict[tuple[str, str], int], last: datetime | None, site: Site, locale: str
) -> Row:
    health = dispatch.health(code)
    dead = counts.get((code, "dead"), 0)
    return {
        "id": code,
        "name": text(locale, f"messages.channel.{code}"),
        "tone": HEALTH_TONES.get(health.state, "plain"),
        "health": text(locale, f"messages.health.{health.state}"),
        "why": fault(health.error, locale) if health.error else "",
        "waiting": str(counts.get((code, "pending"), 0)),
        "dead": str(dead),
        "failed": "1" if dead else "",
        "last": stamp(last, site.time_zone)[:16] if last else NONE,
        "on": "" if health.state == "off" else "1",
    }


def fault(code: str, locale: str) -> str:
    """An error's code in words; a code of the other side, or one nobody foresaw, stands beside them."""
    known = text(locale, f"messages.error.{code}")
    if not known.endswith(f".{code}"):
        return known
    kind, _, number = code.partition("_")
    if number and f"messages.error_of.{kind}" in catalogue(locale):
        return text(locale, f"messages.error_of.{kind}", code=number)
    return text(locale, "messages.error_of.other", code=code)
