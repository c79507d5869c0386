"""The audit log for those who check: newest first, and the proof that nobody altered it (RE-07)."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import audit
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.core.permissions import Right, needs
from app.core.settings import get_settings
from app.domain.people import repository as people
from app.domain.records import repository as records
from app.domain.records import service as records_service
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
SHOWN_SECONDS = 30
ROLES = {"system", "anonymous", "lane_agent"}
# A reason is a code of a list; which list depends on the act.
REASONS = {
    "person.reveal": "reveal_reason",
    "visit.admit": "reason",
    "attempt.refuse": "reason",
    "case.open": "cases.reason",
    "case.close": "cases.outcome",
}


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
    note: str = ""
    _shown: int = 0

    @action(Right.AUDIT_VIEW)
    async def enter(self) -> None:
        """Load of the page."""
        tabs.unwatch(self)
        assign(self, number=page_number(query(self, "page")), checking=False, note="")
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

    @action(Right.AUDIT_VIEW)
    async def read_note(self, seq: str) -> Any:
        """Show what was noted beside an entry for half a minute; reading it is logged too."""
        actor = me()
        if not seq.isdecimal() or len(seq) > 18:
            raise InvalidInput("input_wrong")
        self.note = await get_database().write(lambda s: records_service.read_note(s, actor, int(seq)))
        self._shown += 1
        await self._refresh(actor)
        return AuditState.hide_later

    @action(Right.AUDIT_VIEW)
    async def hide_note(self) -> None:
        """Put the note away."""
        self.note = ""

    @rx.event(background=True)
    @needs(Right.AUDIT_VIEW)
    async def hide_later(self) -> None:
        """Put the note away after half a minute, unless another is shown by then."""
        async with self:
            turn = self._shown
        await asyncio.sleep(SHOWN_SECONDS)
        async with self:
            if self._shown == turn:
                self.note = ""

    async def _refresh(self, actor: Actor) -> None:
        locale, skip = await locale_of(self), (self.number - 1) * PAGE

        def load(session: Session) -> list[Row]:
            entries = records.audit_page(session, actor.site_id, PAGE + 1, skip)
            names = people.usernames(session, list({entry.actor for entry in entries}))
            noted = records_service.notes_beside(session, actor, [entry.seq for entry in entries])
            zone = sites.site(session, actor.site_id).time_zone
            return [
                {**_row(entry, names, zone, locale), "noted": "1" if entry.seq in noted else ""}
                for entry in entries
            ]

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
        "reason": _reason(entry, locale),
        "ip": entry.ip,
    }


def _reason(entry: AuditEntry, locale: str) -> str:
    """The reason in words; a code no list knows stays a code."""
    if not entry.reason:
        return ""
    if entry.action in REASONS:
        return or_code(text(locale, f"{REASONS[entry.action]}.{entry.reason}"), entry.reason)
    return or_code(text(locale, f"audit_reason.{entry.reason}"), entry.reason)
