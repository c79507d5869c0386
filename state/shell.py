"""What stands on every page: the site's name, who is signed in, the language, and short notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import crypto, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.masking import mask_name
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.sites import repository as sites
from app.runtime.installation import needs_setup
from state.guard import action, actor_of
from state.i18n import I18nState

if TYPE_CHECKING:
    from sqlmodel import Session

MAX_NOTICES = 4
HOMES = (
    (Right.DESK_USE, "/desk"),
    (Right.LEDGER_VIEW, "/console"),
    (Right.AUDIT_VIEW, "/console/audit"),
    (Right.ACCOUNT_EDIT, "/console/accounts"),
    (Right.BOOK, "/home"),
    (Right.DEVICE_VIEW, "/console/devices"),
)


def home_of(actor: Actor) -> str:
    """The page that somebody starts on."""
    return next((page for right, page in HOMES if actor.has(right)), "/account")


class ShellState(rx.State):
    """Common to all pages of a tab."""

    site_name: str = ""
    site_kind: str = "residential"
    time_zone: str = "Asia/Shanghai"
    user_name: str = ""
    demo: bool = False
    rights: list[str] = []
    notices: list[dict[str, str]] = []
    error: str = ""
    _notice_count: int = 0
    _chosen: str = ""
    _chosen_by: str = ""

    @action(Right.PUBLIC)
    async def enter(self) -> Any:
        """Load of a page: language, site and rights of whoever is signed in."""
        actor = await actor_of(self)
        await self._locale(actor)
        await self._query_error()
        if not actor.session_id:
            self.rights, self.user_name = [], ""
            return None
        await self._fill(actor)
        if not actor.roles and self.router.url.path.rstrip("/") != "/account":
            return rx.redirect("/account", replace=True)  # a one-time password is replaced first
        return None

    @action(Right.PUBLIC)
    async def start(self) -> Any:
        """The front door: everyone is led to the page to start on."""
        actor = await actor_of(self)
        if actor.session_id:
            return rx.redirect(home_of(actor), replace=True)
        if await get_database().read(needs_setup):
            return rx.redirect("/setup", replace=True)
        return rx.redirect("/login", replace=True)

    @action(Right.PUBLIC)
    async def set_locale(self, locale: str) -> None:
        """Switch the language and remember it with the account; the browser remembers what its page speaks."""
        if locale not in i18n.LOCALES:
            raise InvalidInput("choice_wrong", "locale")
        actor = await actor_of(self)
        (await self.get_state(I18nState))._use(locale)
        self._chosen, self._chosen_by = locale, actor.account_id
        if actor.account_id:
            await get_database().write(lambda s: people_service.set_locale(s, actor, locale))

    @action(Right.PUBLIC)
    async def dismiss(self, notice_id: str) -> None:
        """Take a notice away."""
        self.notices = [notice for notice in self.notices if notice["id"] != notice_id]

    @action(Right.PUBLIC)
    async def fault(self, number: str) -> None:
        """Something of ours broke: an apology with the number under which it was logged."""
        self._notify("no", await self._word("error.fault", number=number[:12]))

    async def _fill(self, actor: Actor) -> None:
        def load(session: Session) -> tuple[str, str, str, bool, str]:
            site = sites.site(session, actor.site_id)
            person = people.person(session, actor.person_id)
            return site.name, site.kind, site.time_zone, site.demo, crypto.reveal(person, "name")

        name, kind, zone, demo, person = await get_database().read(load)
        self.site_name, self.site_kind, self.time_zone = name, kind, zone
        self.demo = demo and get_settings().demo
        self.user_name = person if actor.has(Right.DESK_USE) else mask_name(person)
        self.rights = sorted(right for right in Right if actor.has(right))

    async def _locale(self, actor: Actor) -> None:
        headers = self.router.headers
        cookie = ""
        for part in headers.cookie.split(";"):
            if part.strip().startswith("locale="):
                cookie = part.strip()[7:]
        # The socket's headers and the remembered account are older than a choice made in this tab.
        chosen = self._chosen if self._chosen_by == actor.account_id else ""
        picked = i18n.pick_locale(chosen, actor.locale, cookie, headers.accept_language)
        (await self.get_state(I18nState))._use(picked)

    async def _query_error(self) -> None:
        params = dict(self.router.url.query_parameters)
        code = str(params.pop("error", ""))
        i18n_state = await self.get_state(I18nState)
        key = f"error.{code}"
        if not code or key not in i18n.catalogue(i18n.DEFAULT):
            self.error = ""
            return
        safe = {
            name: str(value)[:20]
            for name, value in params.items()
            if name in {"minutes", "minimum", "maximum"}
        }
        try:
            self.error = i18n_state._text(key, **safe)
        except (KeyError, IndexError):
            self.error = i18n_state._text("error.input_wrong")

    async def _word(self, key: str, **params: str | int) -> str:
        return (await self.get_state(I18nState))._text(key, **params)

    def _notify(self, tone: str, text: str) -> None:
        self._notice_count += 1
        notice = {"id": str(self._notice_count), "tone": tone, "text": text}
        self.notices = [*self.notices, notice][-MAX_NOTICES:]


async def notify(state: rx.State, tone: str, key: str, **params: str | int) -> None:
    """Show a short notice in the reader's language."""
    shell = await state.get_state(ShellState)
    shell._notify(tone, await shell._word(key, **params))


def link_base(state: rx.State) -> str:
    """Where links that leave the system lead: the address set for it, else the one this browser uses itself."""
    settings = get_settings()
    return settings.public_url or state.router.headers.origin.rstrip("/") or settings.base_url


async def locale_of(state: rx.State) -> str:
    """The language of a tab."""
    return (await state.get_state(I18nState)).locale
