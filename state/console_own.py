"""One's own account: changing the password, which a first sign-in must do (EV-05), and one's own face (ID-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.passwords import MIN_LENGTH, MIN_LENGTH_MANAGER
from app.core.permissions import EXCLUSIVE, Right
from app.domain.people import repository as people
from app.domain.people import service as people_service
from state import own_face, tabs
from state.console_words import Row, words_of
from state.guard import action, me
from state.shell import home_of, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session


async def must_change(actor: Actor) -> bool:
    """Whether an actor must choose a new password before anything else."""
    if not actor.account_id or actor.kind != "account":
        return False
    return await get_database().read(lambda s: people.account(s, actor.account_id).must_change)


class OwnAccountState(rx.State):
    """The page of one's own account."""

    username: str = ""
    hint: str = ""
    home: str = "/"
    must_change: bool = False
    done: bool = False
    form_error: str = ""
    error_field: str = ""
    face: Row = {}

    @action(Right.SIGNED_IN)
    async def enter(self) -> None:
        """Load of the page."""
        tabs.unwatch(self)
        actor = me()

        def load(session: Session) -> tuple[str, bool]:
            account = people.account(session, actor.account_id)
            return account.username, account.must_change

        self.username, self.must_change = await get_database().read(load)
        minimum = MIN_LENGTH_MANAGER if actor.roles & EXCLUSIVE else MIN_LENGTH
        self.hint = text(await locale_of(self), "console.own.hint", minimum=minimum)
        self.home, self.done, self.form_error, self.error_field = home_of(actor), False, "", ""
        await self._look(actor)

    @action(Right.SIGNED_IN)
    async def change(self, form: dict[str, Any]) -> None:
        """Set a new password; every other session of the account ends."""
        actor = me()
        old, new, again = (str(form.get(name, "")) for name in ("old_password", "password", "again"))
        self.form_error, self.error_field, self.done = "", "", False
        try:
            if new != again:
                raise InvalidInput("password_differs", "again")
            await get_database().write(
                lambda s: people_service.change_password(s, actor, actor.account_id, old, new)
            )
        except GateError as error:
            self.form_error = await words_of(self, error)
            self.error_field = getattr(error, "field", "")
            return
        self.done, self.must_change = True, False

    @action(Right.SIGNED_IN)
    async def withdraw_face(self) -> None:
        """Take back the consent to one's own face: the template is gone with it."""
        actor = me()
        await get_database().write(lambda s: own_face.withdraw(s, actor))
        await self._look(actor)
        await notify(self, "ok", "faces.own_withdrawn")

    async def _look(self, actor: Actor) -> None:
        locale = await locale_of(self)
        self.face = await get_database().read(lambda s: own_face.shown(s, actor, locale))
