"""Standing permits and their cards: found, filed, issued, renewed, ended (SI-06, AD-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.access import permit_queries, permits
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.rules import CardStatus
from app.domain.sites import repository as sites
from app.runtime.hub import get_hub
from state import console_permits_view as view
from state import tabs
from state.console_words import Row, address, assign, page_number, query, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session


PATH = "/console/permits"
FILL = """((number) => {
  const input = document.getElementById("card-uid");
  if (!input) return;
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, number);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.focus();
})(%s)"""


class PermitsState(rx.State):
    """One page of permits; scope and page stand in the address, and so does a person who wants a card.

    What is searched is a name, a phone or a card number: it stays here, out of addresses and the browser's history.
    """

    loaded: bool = False
    needle: str = ""
    ended: bool = False
    rows: list[Row] = []
    total: int = 0
    number: int = 1
    pages: int = 1
    dialog: str = ""
    form_error: str = ""
    orders: list[list[str]] = []
    today: str = ""
    until: str = ""
    permit: dict[str, str] = {}
    facts: list[Row] = []
    cards: list[Row] = []
    issued: int = 0

    @action(Right.LEDGER_VIEW)
    async def enter(self) -> None:
        """Load of the page, by what its address says."""
        tabs.unwatch(self)
        actor = me()
        self._shut()
        locale = await locale_of(self)
        assign(
            self,
            needle="",
            ended=query(self, "ended") == "1",
            number=page_number(query(self, "page")),
            orders=[[way, text(locale, f"permits.order_{way}")] for way in ("forward", "backwards")],
        )
        await self._refresh(actor)
        person_id = query(self, "person")
        if person_id and actor.has(Right.PEOPLE_EDIT):
            running = await get_database().read(lambda s: permit_queries.of_person(s, person_id))
            if running is not None:
                await self._opened(actor, running.id)

    @action(Right.LEDGER_VIEW)
    async def find(self, form: dict[str, Any]) -> None:
        """Only permits of this unit, this name, or this card."""
        assign(self, needle=str(form.get("find", "")).strip()[:50], number=1)
        await self._refresh(me())

    @action(Right.LEDGER_VIEW)
    async def show_all(self) -> Any:
        """Every running permit again."""
        if self.ended:
            return rx.redirect(PATH)
        assign(self, needle="", number=1)
        await self._refresh(me())
        return None

    @action(Right.LEDGER_VIEW)
    async def previous(self) -> Any:
        """The page before this."""
        return await self._turn(-1)

    @action(Right.LEDGER_VIEW)
    async def following(self) -> Any:
        """The page after this."""
        return await self._turn(1)

    @action(Right.LEDGER_VIEW)
    async def open(self, permit_id: str) -> None:
        """Show a permit with its cards."""
        await self._opened(me(), permit_id)

    @action(Right.PEOPLE_EDIT)
    async def issue(self, form: dict[str, Any]) -> None:
        """Issue a card; its number goes through here and is not kept."""
        actor, permit_id = me(), self.permit.get("id", "")
        uid, label = str(form.get("uid", ""))[:64], str(form.get("label", ""))
        backwards = form.get("order") == "backwards"

        def work(session: Session) -> None:
            access_service.issue_card(
                session, actor, actor.site_id, permit_id, uid, label, backwards=backwards
            )

        if await self._try(work):
            self.issued += 1
            await self._again(actor, permit_id, "permits.card_issued")

    @action(Right.PEOPLE_EDIT)
    async def read_tapped(self) -> Any:
        """Fill in the card that was just held to a reader of this site; the number goes to this browser alone."""
        actor, center = me(), get_hub()
        lanes = await get_database().read(lambda s: [lane.id for lane, _ in sites.lanes(s, actor.site_id)])
        number = center.tapped.take(lanes) if center else ""
        if not number:
            await notify(self, "wait", "permits.not_tapped")
            return None
        return rx.call_script(FILL % json.dumps(number))

    @action(Right.PEOPLE_EDIT)
    async def change_card(self, card_id: str, status: str) -> None:
        """Block a card, report it lost, take it back, or let it serve again."""
        actor, permit_id = me(), self.permit.get("id", "")
        if status not in set(CardStatus):
            raise InvalidInput("choice_wrong", "status")

        def work(session: Session) -> None:
            card = access.card_by_id(session, card_id)
            access_service.set_card_status(session, actor, card, CardStatus(status))

        if await self._try(work):
            await self._again(actor, permit_id, f"permits.card_now_{status}")

    @action(Right.PEOPLE_EDIT)
    async def prolong(self, form: dict[str, Any]) -> None:
        """Set another end."""
        actor, permit_id = me(), self.permit.get("id", "")

        def work(session: Session) -> None:
            permits.prolong(session, actor, permit_id, view.last_moment(session, actor.site_id, form))

        if await self._try(work):
            await self._again(actor, permit_id, "permits.prolonged")

    # Managers, service and supervisors alike see this page; the service asks for the right to renew.
    @action(Right.LEDGER_VIEW)
    async def renew(self, permit_id: str) -> None:
        """Renew a temporary worker for today."""
        actor = me()
        await get_database().write(lambda s: permits.renew_today(s, actor, permit_id))
        await self._refresh(actor)
        if self.dialog == "permit":
            await self._show(actor, permit_id)
        await notify(self, "ok", "permits.renewed")

    @action(Right.PEOPLE_EDIT)
    async def ask_end(self) -> None:
        """Ask before a permit ends."""
        self.dialog = "end"

    @action(Right.PEOPLE_EDIT)
    async def end(self) -> None:
        """End the permit; its cards are refused from now on."""
        actor, permit_id = me(), self.permit.get("id", "")
        await get_database().write(lambda s: permits.end(s, actor, permit_id))
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "permits.ended")

    @action(Right.LEDGER_VIEW)
    async def close(self) -> None:
        """Close the dialog."""
        self._shut()

    async def _try(self, work: Callable[[Session], Any]) -> bool:
        self.form_error = ""
        try:
            await get_database().write(work)
        except GateError as error:
            self.form_error = await words_of(self, error)
            return False
        return True

    async def _opened(self, actor: Actor, permit_id: str) -> None:
        self._shut()
        await self._show(actor, permit_id)
        self.dialog = "permit"

    async def _again(self, actor: Actor, permit_id: str, key: str) -> None:
        await self._refresh(actor)
        await self._show(actor, permit_id)
        await notify(self, "ok", key)

    async def _show(self, actor: Actor, permit_id: str) -> None:
        locale = await locale_of(self)
        made = await get_database().read(lambda s: view.permit(s, actor.site_id, permit_id, locale))
        assign(self, **made)

    async def _refresh(self, actor: Actor) -> None:
        locale, needle, number, ended = await locale_of(self), self.needle, self.number, self.ended
        made = await get_database().read(
            lambda s: view.page(s, actor.site_id, locale, needle, number, ended=ended)
        )
        assign(self, loaded=True, **made)

    async def _turn(self, by: int) -> Any:
        number = min(max(self.number + by, 1), self.pages)
        if not self.needle:
            return rx.redirect(address(PATH, ended=int(self.ended), page=number))
        self.number = number
        await self._refresh(me())
        return None

    def _shut(self) -> None:
        assign(self, dialog="", form_error="", permit={}, facts=[], cards=[])
