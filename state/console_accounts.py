"""Staff accounts: who may sign in with which roles; made, shut and reopened here (SI-04, EV-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.masking import mask_name
from app.core.permissions import STAFF, Right, Role
from app.domain.people import repository as people
from app.domain.people import service as people_service
from state import tabs
from state.console_words import PAGE, Row, address, assign, page_number, query, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from app.domain.people.models import Account

PATH = "/console/accounts"


class AccountsState(rx.State):
    """One page of accounts."""

    loaded: bool = False
    rows: list[Row] = []
    number: int = 1
    more: bool = False
    roles: list[list[str]] = []
    dialog: str = ""
    account_name: str = ""
    form_error: str = ""
    username: str = ""
    password: str = ""
    _account_id: str = ""

    @action(Right.ACCOUNT_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        tabs.unwatch(self)
        self._shut()
        locale = await locale_of(self)
        roles = [[f"role_{role.value}", text(locale, f"role.{role}")] for role in Role if role in STAFF]
        assign(self, number=page_number(query(self, "page")), roles=roles)
        await self._refresh(me())

    @action(Right.ACCOUNT_EDIT)
    async def previous(self) -> Any:
        """The page before this."""
        return rx.redirect(address(PATH, page=max(1, self.number - 1)))

    @action(Right.ACCOUNT_EDIT)
    async def following(self) -> Any:
        """The page after this."""
        return rx.redirect(address(PATH, page=self.number + 1))

    @action(Right.ACCOUNT_EDIT)
    async def add(self) -> None:
        """Open the form of a staff account."""
        self._shut()
        self.dialog = "add"

    @action(Right.ACCOUNT_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Enter the person, open the account, and show the password of the first sign-in, once."""
        actor = me()
        name, username = str(form.get("name", "")), str(form.get("username", ""))
        roles = [role for role in Role if role in STAFF and form.get(f"role_{role.value}")]
        self.form_error = ""

        def work(session: Session) -> str:
            actor.require(Right.ACCOUNT_EDIT)
            if not roles:
                raise InvalidInput("roles_missing", "roles")
            person = people_service.add_person(session, actor.site_id, people_service.STAFF, name)
            return people_service.give_account(session, actor, person.id, username, roles)

        try:
            password = await get_database().write(work)
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._refresh(actor)
        self.dialog, self.username, self.password = "password", username.strip().lower(), password

    @action(Right.ACCOUNT_EDIT)
    async def ask_disable(self, account_id: str) -> None:
        """Ask before an account is shut."""
        row = next((row for row in self.rows if row["id"] == account_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self.dialog, self.account_name, self._account_id = "disable", row["username"], account_id

    @action(Right.ACCOUNT_EDIT)
    async def disable(self) -> None:
        """Shut the account; its sessions end at once."""
        await self._switch(self._account_id, True, "console.accounts.disabled")

    @action(Right.ACCOUNT_EDIT)
    async def enable(self, account_id: str) -> None:
        """Reopen an account."""
        await self._switch(account_id, False, "console.accounts.enabled")

    @action(Right.ACCOUNT_EDIT)
    async def close(self) -> None:
        """Close the dialog; a password shown in it is gone."""
        self._shut()

    async def _switch(self, account_id: str, disabled: bool, key: str) -> None:
        actor = me()
        self._shut()
        await get_database().write(lambda s: people_service.set_disabled(s, actor, account_id, disabled))
        await self._refresh(actor)
        await notify(self, "ok", key)

    def _shut(self) -> None:
        self._account_id = ""
        assign(self, dialog="", form_error="", account_name="", username="", password="")

    async def _refresh(self, actor: Actor) -> None:
        locale, skip = await locale_of(self), (self.number - 1) * PAGE

        def load(session: Session) -> list[Row]:
            now = clock.now()
            return [
                _row(account, mask_name(crypto.reveal(person, "name")), actor, now, locale)
                for account, person in people.accounts(session, actor.site_id, PAGE + 1, skip)
            ]

        rows = await get_database().read(load)
        assign(self, loaded=True, rows=rows[:PAGE], more=len(rows) > PAGE)


def _row(account: Account, name: str, actor: Actor, now: datetime, locale: str) -> Row:
    status, tone = "active", "ok"
    if account.disabled:
        status, tone = "disabled", "no"
    elif account.locked_until is not None and account.locked_until > now:
        status, tone = "locked", "wait"
    elif account.must_change:
        status, tone = "must_change", "wait"
    return {
        "id": account.id,
        "username": account.username,
        "name": name,
        "roles": text(locale, "console.comma").join(text(locale, f"role.{role}") for role in account.roles),
        "tone": tone,
        "status": text(locale, f"console.account_status.{status}"),
        "disabled": "1" if account.disabled else "",
        "own": "1" if account.id == actor.account_id else "",
    }
