"""How somebody is told beside the inbox: by text message, by mail, chosen on the own account's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import crypto
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.masking import mask_phone
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.messages import preferences
from app.domain.people import repository as people
from state.console_words import assign, words_of
from state.guard import action, me
from state.shell import notify

if TYPE_CHECKING:
    from sqlmodel import Session


class OwnMessagesState(rx.State):
    """The card of messages; the number is masked, and the address is one's own."""

    offered: bool = False
    phone: str = ""
    by_mail: bool = False
    sms: bool = False
    email: bool = False
    address: str = ""
    messages_error: str = ""

    @action(Right.SIGNED_IN)
    async def enter(self) -> None:
        """Load of the page; only whoever gets visitors is asked."""
        actor = me()
        assign(self, offered=actor.has(Right.BOOK), messages_error="")
        if self.offered:
            await self._refresh(actor)

    @action(Right.BOOK)
    async def choose(self, form: dict[str, Any]) -> None:
        """Keep the choice."""
        actor = me()
        sms, email = bool(form.get("own_sms")), bool(form.get("own_email"))
        address = str(form.get("own_address", ""))
        if not self.by_mail:  # not asked, so it stays as it was
            email, address = self.email, self.address
        try:
            await get_database().write(
                lambda s: preferences.choose(s, actor, sms=sms, email=email, address=address)
            )
        except InvalidInput as error:
            self.messages_error = await words_of(self, error)
            return
        self.messages_error = ""
        await self._refresh(actor)
        await notify(self, "ok", "messages.own_saved")

    async def _refresh(self, actor: Actor) -> None:
        assign(self, **await get_database().read(lambda s: _own(s, actor)))


def _own(session: Session, actor: Actor) -> dict[str, Any]:
    wanted = preferences.of_person(session, actor.person_id)
    return {
        "phone": mask_phone(crypto.reveal(people.person(session, actor.person_id), "phone")),
        "by_mail": bool(get_settings().smtp_host),
        "sms": wanted.sms,
        "email": wanted.email,
        "address": crypto.reveal(wanted, "address"),
    }
