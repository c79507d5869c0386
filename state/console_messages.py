"""Messages at the console: what went out, the ways it goes, and a second chance for what did not get through (EV-06)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.messages import outgoing
from state import console_messages_view as view
from state import tabs
from state.console_words import Row, address, assign, page_number, query
from state.guard import action, me
from state.shell import locale_of, notify

PATH = "/console/messages"


class MessagesState(rx.State):
    """The list of messages and the channels; filters and page stand in the address."""

    loaded: bool = False
    ended: bool = False
    channels: list[Row] = []
    rows: list[Row] = []
    states: list[list[str]] = []
    ways: list[list[str]] = []
    state: str = ""
    way: str = ""
    total: int = 0
    number: int = 1
    pages: int = 1
    replaying: str = ""
    replaying_name: str = ""
    leaving: str = ""

    @action(Right.POLICY_EDIT)
    async def enter(self) -> None:
        """Load of the page, by what its address says."""
        actor, locale = me(), await locale_of(self)
        topics = frozenset({f"messages:{actor.site_id}"})
        tabs.watch(self, topics, Right.POLICY_EDIT, MessagesState._update)
        wanted, way = query(self, "state"), query(self, "channel")
        self.state = wanted if wanted in outgoing.STATES else ""
        assign(
            self,
            ended=False,
            replaying="",
            leaving="",
            way=way if way in outgoing.SHOWN else "",
            number=page_number(query(self, "page")),
            states=[[code, text(locale, f"messages.state.{code}")] for code in outgoing.STATES],
            ways=[[code, text(locale, f"messages.channel.{code}")] for code in outgoing.SHOWN],
        )
        await self._refresh(actor)
        self.loaded = True

    @action(Right.POLICY_EDIT)
    async def choose_state(self, value: str) -> Any:
        """Only the messages of one state."""
        wanted = value if value in outgoing.STATES else ""
        return rx.redirect(address(PATH, state=wanted, channel=self.way))

    @action(Right.POLICY_EDIT)
    async def choose_way(self, value: str) -> Any:
        """Only the messages of one channel."""
        wanted = value if value in outgoing.SHOWN else ""
        return rx.redirect(address(PATH, state=self.state, channel=wanted))

    @action(Right.POLICY_EDIT)
    async def previous(self) -> Any:
        """The page before this."""
        return self._turn(-1)

    @action(Right.POLICY_EDIT)
    async def following(self) -> Any:
        """The page after this."""
        return self._turn(1)

    @action(Right.POLICY_EDIT)
    async def test(self, channel: str) -> None:
        """Send a test to oneself, or to the group."""
        actor = me()
        await get_database().write(lambda s: outgoing.send_test(s, actor, channel))
        await self._refresh(actor)
        await notify(self, "ok", "messages.test_posted")

    @action(Right.POLICY_EDIT)
    async def replay(self, message_id: str) -> None:
        """Try one dead letter again."""
        actor = me()
        try:
            await get_database().write(lambda s: outgoing.replay(s, actor, message_id))
        finally:
            await self._refresh(actor)
        await notify(self, "ok", "messages.replayed_one")

    @action(Right.POLICY_EDIT)
    async def ask_replay(self, channel: str) -> None:
        """Ask once before all dead letters of a channel go out again."""
        if channel not in outgoing.SHOWN:
            raise InvalidInput("choice_wrong")
        self.replaying = channel
        self.replaying_name = text(await locale_of(self), f"messages.channel.{channel}")

    @action(Right.POLICY_EDIT)
    async def replay_all(self) -> None:
        """Try all dead letters of the channel again."""
        actor, channel, self.replaying = me(), self.replaying, ""
        if channel:
            count = await get_database().write(lambda s: outgoing.replay_all(s, actor, channel))
            await self._refresh(actor)
            await notify(
                self, "ok" if count else "info", "messages.replayed" if count else "messages.none_to_replay"
            )

    @action(Right.POLICY_EDIT)
    async def ask_give_up(self, message_id: str) -> None:
        """Ask once before a message is let be."""
        if any(row["id"] == message_id for row in self.rows):
            self.leaving = message_id

    @action(Right.POLICY_EDIT)
    async def give_up(self) -> None:
        """Let the message be."""
        actor, message_id, self.leaving = me(), self.leaving, ""
        if message_id:
            try:
                await get_database().write(lambda s: outgoing.give_up(s, actor, message_id))
            finally:
                await self._refresh(actor)
            await notify(self, "ok", "messages.given_up_one")

    @action(Right.POLICY_EDIT)
    async def keep(self) -> None:
        """Do neither."""
        self.replaying, self.leaving = "", ""

    def _turn(self, by: int) -> Any:
        number = min(max(self.number + by, 1), self.pages)
        return rx.redirect(address(PATH, state=self.state, channel=self.way, page=number))

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)

    async def _refresh(self, actor: Actor) -> None:
        locale, state, way, number = await locale_of(self), self.state, self.way, self.number
        made = await get_database().read(lambda s: view.page(s, actor.site_id, state, way, number, locale))
        assign(self, **made)

    def _signed_out(self) -> None:
        self.ended, self.rows, self.channels = True, [], []
