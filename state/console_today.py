"""The console's first page: today in figures, the latest arrivals, and what needs somebody (RE-03 in part)."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.admission import repository as admission
from app.domain.identity import repository
from app.domain.records import repository as records
from app.domain.sites import repository as sites
from state import tabs
from state.console_faces_view import gauge_warning
from state.console_view import ledger, visitor
from state.console_words import Row, assign, day_of, took
from state.guard import action, me
from state.shell import locale_of

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.sites.models import Site

RECENT = 10
TARGET_MS = 120_000
SHOWN = 20


class ConsoleTodayState(rx.State):
    """Today at the gate, kept live."""

    loaded: bool = False
    ended: bool = False
    date: str = ""
    inside: str = ""
    attempts: str = ""
    booked: str = ""
    median: str = ""
    slowest: str = ""
    share: int = 0
    tone: str = "plain"
    admitted: str = ""
    refused: str = ""
    overdue: str = ""
    recent: list[Row] = []
    attention: list[Row] = []

    @action(Right.LEDGER_VIEW)
    async def enter(self) -> None:
        """Load of the page."""
        actor = me()
        self.ended = False
        topics = frozenset({f"site:{actor.site_id}", f"devices:{actor.site_id}"})
        tabs.watch(self, topics, Right.LEDGER_VIEW, ConsoleTodayState._update)
        await self._refresh(actor)

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        made = await get_database().read(lambda s: _today(s, actor, locale))
        assign(self, loaded=True, **made)

    def _signed_out(self) -> None:
        self.ended, self.recent, self.attention = True, [], []


def _today(session: Session, actor: Actor, locale: str) -> dict[str, Any]:
    site = sites.site(session, actor.site_id)
    now = clock.now()
    start, end = day_of(now, site.time_zone)
    visits = records.count_visits(session, site.id, start, end)
    booked = records.count_visits(session, site.id, start, end, booked=True)
    refused = records.count_attempts(session, site.id, start, end, "refused")
    newest = records.ledger(session, site.id, start, end, limit=RECENT)
    return {
        "date": i18n.format_date(now, site.time_zone, locale),
        "inside": str(admission.count_inside(session, site.id)),
        "attempts": str(records.count_attempts(session, site.id, start, end)),
        "booked": f"{round(100 * booked / visits)}%" if visits else "—",
        "admitted": str(visits),
        "refused": str(refused),
        "overdue": str(records.count_overdue(session, site.id, now)),
        "recent": ledger(session, site, newest, locale),
        "attention": _attention(session, actor, site, locale),
        **_serving(records.serving_times(session, site.id, start, end)),
    }


def _serving(times: list[int]) -> dict[str, Any]:
    """Median and 95th percentile by nearest rank, and how the median stands against the target."""
    if not times:
        return {"median": "—", "slowest": "—", "share": 0, "tone": "plain"}
    median = times[math.ceil(len(times) * 0.5) - 1]
    slowest = times[math.ceil(len(times) * 0.95) - 1]
    tone = "ok" if slowest <= TARGET_MS else ("wait" if median <= TARGET_MS else "no")
    return {
        "median": took(median),
        "slowest": took(slowest),
        "share": min(100, round(100 * median / TARGET_MS)),
        "tone": tone,
    }


def _attention(session: Session, actor: Actor, site: Site, locale: str) -> list[Row]:
    rows = _waiting(session, site, locale) + _overdue(session, site, locale)
    if actor.has(Right.DEVICE_VIEW):
        rows = _devices(session, site, locale) + rows
    if actor.has(Right.POLICY_EDIT):
        rows = _stored_faces(session, locale) + rows
    return rows[:SHOWN]


def _row(kind: str, key: str, locale: str, title: str, detail: str, href: str) -> Row:
    tone = {"device": "no", "overdue": "no", "consent": "wait", "faces": "no"}[kind]
    tag = text(locale, f"console.attention.{kind}")
    return {"id": key, "tone": tone, "tag": tag, "title": title, "detail": detail, "href": href}


def _stored_faces(session: Session, locale: str) -> list[Row]:
    """The number of people whose faces are stored, once it nears the duty to file (F-12)."""
    warning = gauge_warning(repository.count_people(session), locale)
    title = text(locale, "faces.gauge_title")
    return [_row("faces", "faces", locale, title, warning, "/console/faces")] if warning else []


def _devices(session: Session, site: Site, locale: str) -> list[Row]:
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site.id)}
    return [
        _row(
            "device",
            device.id,
            locale,
            f"{device.name} · {text(locale, f'device.{device.status}')}",
            lanes.get(device.lane_id, ""),
            "/console/devices",
        )
        for device in sites.devices(session, site.id)
        if device.enabled and device.status != "online"
    ]


def _waiting(session: Session, site: Site, locale: str) -> list[Row]:
    return [
        _row(
            "consent",
            consent.id,
            locale,
            text(
                locale,
                "console.attention.waits",
                name=visitor(person, locale),
                unit=unit.label if unit else "—",
            ),
            text(locale, "console.attention.since", time=i18n.format_time(consent.asked_at, site.time_zone)),
            f"/console/ledger?attempt={attempt.id}",
        )
        for consent, attempt, person, unit in records.waiting_consents(session, site.id)
    ]


def _overdue(session: Session, site: Site, locale: str) -> list[Row]:
    now = clock.now()
    rows = []
    for visit, person, unit in admission.inside(session, site.id, SHOWN):
        late = now - visit.due_at
        if late <= timedelta(0):
            break
        hours, minutes = divmod(int(late.total_seconds() // 60), 60)
        title = text(
            locale, "console.attention.stays", name=visitor(person, locale), unit=unit.label if unit else "—"
        )
        by = text(locale, "console.attention.late", hours=hours, minutes=f"{minutes:02d}")
        rows.append(
            _row("overdue", visit.id, locale, title, by, f"/console/ledger?attempt={visit.attempt_id}")
        )
    return rows
