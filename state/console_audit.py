"""The audit log for those who check: newest first, and the proof that nobody altered it (RE-07)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import audit
from app.core.actor import Actor
from app.core.database import get_database
from app.core.i18n import text
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.people import repository as people
from app.domain.records import repository as records
from app.domain.sites import repository as sites
from state import tabs
from state.console_words import PAGE, Row, address, assign, or_code, page_number, query, stamp
from state.guard import action, me
from state.shell import locale_of

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.core.audit import AuditEntry

PATH = "/console/audit"
SHOWN_FAULTS = 20
ROLES = {"system", "anonymous", "lane_agent"}


class AuditState(rx.State):
    """One page of the audit log, and the last check of its chain."""

    loaded: bool = False
    rows: list[Row] = []
    number: int = 1
    more: bool = False
    checking: bool = False
    result: str = ""
    result_tone: str = "ok"
    faults: list[Row] = []

    @action(Right.AUDIT_VIEW)
    async def enter(self) -> None:
        """Load of the page."""
        tabs.unwatch(self)
        assign(self, number=page_number(query(self, "page")), checking=False)
        await self._refresh(me())

    @action(Right.AUDIT_VIEW)
    async def previous(self) -> Any:
        """The page before this: newer entries."""
        return rx.redirect(address(PATH, page=max(1, self.number - 1)))

    @action(Right.AUDIT_VIEW)
    async def following(self) -> Any:
        """The page after this: older entries."""
        return rx.redirect(address(PATH, page=self.number + 1))

    @action(Right.AUDIT_VIEW)
    async def verify(self) -> Any:
        """Begin to check the whole chain."""
        if self.checking:
            return None
        self.checking, self.result, self.faults = True, "", []
        return AuditState.finish

    @action(Right.AUDIT_VIEW)
    async def finish(self) -> None:
        """Walk the chain and say what was found."""
        folder, locale = get_settings().data_dir, await locale_of(self)

        def walk(session: Session) -> tuple[int, list[audit.Fault]]:
            return audit.head(session)[0], list(islice(audit.verify(session, folder), SHOWN_FAULTS))

        try:
            count, faults = await get_database().read(walk)
        finally:
            self.checking = False
        self.result_tone = "no" if faults else "ok"
        key = "console.audit.broken" if faults else "console.audit.whole"
        self.result = text(locale, key, count=len(faults) if faults else count)
        self.faults = [
            {
                "id": f"{fault.seq}{fault.kind}",
                "seq": str(fault.seq),
                "text": text(locale, f"console.fault.{fault.kind}"),
            }
            for fault in faults
        ]

    async def _refresh(self, actor: Actor) -> None:
        locale, skip = await locale_of(self), (self.number - 1) * PAGE

        def load(session: Session) -> list[Row]:
            entries = records.audit_page(session, actor.site_id, PAGE + 1, skip)
            names = people.usernames(session, list({entry.actor for entry in entries}))
            zone = sites.site(session, actor.site_id).time_zone
            return [_row(entry, names, zone, locale) for entry in entries]

        rows = await get_database().read(load)
        assign(self, loaded=True, rows=rows[:PAGE], more=len(rows) > PAGE)


def _row(entry: AuditEntry, names: dict[str, str], zone: str, locale: str) -> Row:
    who = names.get(entry.actor, "")
    if not who:
        who = text(locale, f"console.actor.{entry.actor}") if entry.actor in ROLES else entry.actor
    held = (
        or_code(text(locale, f"role.{role}"), role) for role in entry.role.split(",") if role not in ROLES
    )
    return {
        "seq": str(entry.seq),
        "time": stamp(entry.at, zone),
        "who": who,
        "role": text(locale, "console.comma").join(held),
        "action": or_code(text(locale, f"audit.{entry.action}"), entry.action),
        "object": f"{entry.object_kind} {entry.object_id[-8:]}".strip(),
        "tone": "ok" if entry.result == "ok" else "no",
        "result": or_code(text(locale, f"console.result.{entry.result}"), entry.result),
        "reason": entry.reason,
        "ip": entry.ip,
    }
