"""Fault tickets of a site's devices: what does not work, since when, and who sees to it (DU-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import reflex as rx

from app.core import clock
from app.core.actor import Actor
from app.core.database import get_database
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.people import repository as people
from app.domain.sites import faults
from app.domain.sites import repository as sites
from state.console_words import Row, assign, or_code, stamp, took
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.sites.models import DeviceFault


class FaultsState(rx.State):
    """The newest tickets, the open ones first."""

    rows: list[Row] = []

    @action(Right.DEVICE_VIEW)
    async def take(self, fault_id: str) -> None:
        """Say that one sees to it."""
        actor = me()
        await get_database().write(lambda s: faults.take(s, actor, fault_id))
        await self._refresh(actor)
        await notify(self, "ok", "faults.taken")

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        assign(self, rows=await get_database().read(lambda s: _rows(s, actor.site_id, locale)))


def _rows(session: Session, site_id: str, locale: str) -> list[Row]:
    zone = sites.site(session, site_id).time_zone
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site_id)}
    found = faults.recent(session, site_id)
    names = people.usernames(session, [row.taken_by for row in found if row.taken_by])
    return [_row(row, lanes, names, zone, locale) for row in found]


def _row(row: DeviceFault, lanes: dict[str, str], names: dict[str, str], zone: str, locale: str) -> Row:
    words = or_code(text(locale, f"console.device_detail.{row.detail}"), row.detail) if row.detail else ""
    lasted = (row.ended_at or clock.now()) - row.began_at
    return {
        "id": row.id,
        "device": row.device_name,
        "lane": lanes.get(row.lane_id, ""),
        "what": words or text(locale, f"device.{row.status}"),
        "times": text(locale, "faults.times", count=row.times) if row.times > 1 else "",
        "since": stamp(row.began_at, zone)[5:16],
        "lasted": took(int(lasted.total_seconds() * 1000)),
        "open": "" if row.ended_at else "1",
        "tone": "ok" if row.ended_at else "no",
        "status": text(locale, "faults.over" if row.ended_at else "faults.open"),
        "by": names.get(row.taken_by, ""),
    }
