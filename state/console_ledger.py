"""The ledger of a day: every attempt, refused and unknown ones too; one of them in full; names shown for a reason (RE-01)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import reflex as rx

from app.core import clock, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right, needs
from app.domain.records import repository as records
from app.domain.records import service as records_service
from app.domain.records.rules import RevealReason
from app.domain.sites import repository as sites
from state import tabs
from state.console_view import STATUSES, detail, ledger
from state.console_words import PAGE, Row, address, assign, day_of, page_number, query, words_of
from state.guard import action, me
from state.shell import locale_of

if TYPE_CHECKING:
    from sqlmodel import Session

SHOWN_SECONDS = 30
PATH = "/console/ledger"


class LedgerState(rx.State):
    """One page of the ledger; day, status and page stand in the address."""

    loaded: bool = False
    day: str = ""
    today: str = ""
    title: str = ""
    status: str = ""
    statuses: list[list[str]] = []
    rows: list[Row] = []
    total: int = 0
    number: int = 1
    pages: int = 1
    chosen: str = ""
    facts: list[Row] = []
    evidence: list[Row] = []
    known: bool = False
    name: str = ""
    phone: str = ""
    exits: str = ""
    reasons: list[list[str]] = []
    reason: str = ""
    reason_hint: str = ""
    reason_error: str = ""
    _revealed: int = 0

    @action(Right.LEDGER_VIEW)
    async def enter(self) -> None:
        """Load of the page, by what its address says."""
        tabs.unwatch(self)
        actor = me()
        locale = await locale_of(self)
        status = query(self, "status")
        status = status if status in STATUSES else ""
        number = page_number(query(self, "page"))
        wanted = query(self, "date")
        made = await get_database().read(lambda s: _page(s, actor, locale, wanted, status, number))
        statuses = [[code, text(locale, f"attempt.{code}")] for code in STATUSES]
        reasons = [[code.value, text(locale, f"reveal_reason.{code}")] for code in RevealReason]
        hint = text(locale, "console.reveal.hint", count=records_service.reveal_rate()[0])
        assign(self, loaded=True, status=status, statuses=statuses, reasons=reasons, reason_hint=hint, **made)
        self._close()
        if attempt_id := query(self, "attempt"):
            await self._open(actor, attempt_id)

    @action(Right.LEDGER_VIEW)
    async def choose_day(self, value: str) -> Any:
        """Another day; a year that is still being typed is no day."""
        if value < "2000":
            return None
        return rx.redirect(address(PATH, date=value[:10], status=self.status))

    @action(Right.LEDGER_VIEW)
    async def choose_status(self, value: str) -> Any:
        """Only what came to this, or everything."""
        return rx.redirect(address(PATH, date=self.day, status=value if value in STATUSES else ""))

    @action(Right.LEDGER_VIEW)
    async def previous(self) -> Any:
        """The page before this."""
        return self._turn(-1)

    @action(Right.LEDGER_VIEW)
    async def following(self) -> Any:
        """The page after this."""
        return self._turn(1)

    @action(Right.LEDGER_VIEW)
    async def open(self, attempt_id: str) -> None:
        """Show one attempt in full."""
        await self._open(me(), attempt_id)

    @action(Right.LEDGER_VIEW)
    async def close(self) -> Any:
        """Back to the list."""
        self._close()
        if query(self, "attempt"):
            return rx.redirect(
                address(PATH, date=self.day, status=self.status, page=self.number), replace=True
            )
        return None

    @action(Right.REVEAL)
    async def choose_reason(self, reason: str) -> None:
        """One of the reasons; one that is none of the list has to be explained."""
        if reason and reason not in set(RevealReason):
            raise InvalidInput("choice_wrong", "reason")
        self.reason, self.reason_error = reason, ""

    @action(Right.REVEAL)
    async def reveal(self, form: dict[str, Any]) -> Any:
        """Show name and phone for half a minute; reason and reader go into the audit log, a note beside it."""
        actor, attempt_id = me(), self.chosen
        reason, note = str(form.get("reason", "")), str(form.get("note", ""))
        self.reason_error = ""
        if not attempt_id:
            raise InvalidInput("input_wrong")
        try:
            shown = await get_database().write(
                lambda s: records_service.reveal(s, actor, attempt_id, reason, note)
            )
        except GateError as error:
            self.reason_error = await words_of(self, error)
            return None
        self.name, self.phone = shown.name, shown.phone
        self._revealed += 1
        return LedgerState.hide_later

    @action(Right.REVEAL)
    async def hide(self) -> None:
        """Put the masks back."""
        self._hide()

    @rx.event(background=True)
    @needs(Right.REVEAL)
    async def hide_later(self) -> None:
        """Put the masks back after half a minute, unless another name is shown by then."""
        async with self:
            turn = self._revealed
        await asyncio.sleep(SHOWN_SECONDS)
        async with self:
            if self._revealed == turn:
                self._hide()

    def _turn(self, by: int) -> Any:
        number = min(max(self.number + by, 1), self.pages)
        return rx.redirect(address(PATH, date=self.day, status=self.status, page=number))

    async def _open(self, actor: Actor, attempt_id: str) -> None:
        locale = await locale_of(self)

        def load(session: Session) -> tuple[list[Row], list[Row], bool]:
            row = records.ledger_row(session, actor.site_id, attempt_id)
            person = row[1]
            return *detail(session, sites.site(session, actor.site_id), row, locale), bool(
                person and person.name
            )

        self._hide()
        self.facts, self.evidence, self.known = await get_database().read(load)
        self.chosen, self.reason, self.reason_error = attempt_id, "", ""

    def _close(self) -> None:
        self._hide()
        assign(self, chosen="", facts=[], evidence=[], known=False, reason="", reason_error="")

    def _hide(self) -> None:
        assign(self, name="", phone="")


def _page(
    session: Session, actor: Actor, locale: str, wanted: str, status: str, number: int
) -> dict[str, Any]:
    site = sites.site(session, actor.site_id)
    tz = ZoneInfo(site.time_zone)
    today = clock.now().astimezone(tz).date()
    try:
        day = min(date.fromisoformat(wanted), today)
    except ValueError:
        day = today
    start, end = day_of(datetime(day.year, day.month, day.day, 12, tzinfo=tz), site.time_zone)
    total = records.count_attempts(session, site.id, start, end, status)
    seen, unseen = records.count_exits(session, site.id, start, end)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = records.ledger(session, site.id, start, end, status, PAGE, (number - 1) * PAGE)
    return {
        "day": day.isoformat(),
        "today": today.isoformat(),
        "title": i18n.format_date(start, site.time_zone, locale),
        "exits": text(locale, "console.ledger.exits", seen=seen, unseen=unseen),
        "rows": ledger(session, site, found, locale),
        "total": total,
        "number": number,
        "pages": pages,
    }
