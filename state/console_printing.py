"""How the site prints its badges, on the policy page (AD-15)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.core.database import get_database
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.sites import repository as sites
from app.domain.sites.badges import set_printing
from app.domain.sites.rules import BadgeName
from state.console_words import assign
from state.guard import action, me
from state.shell import locale_of, notify


class PrintingState(rx.State):
    """The card of badges."""

    at_once: bool = False
    name: str = BadgeName.MASKED.value
    names: list[list[str]] = []

    @action(Right.POLICY_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        actor, locale = me(), await locale_of(self)
        policy = await get_database().read(lambda s: sites.policy(s, actor.site_id))
        assign(
            self,
            at_once=policy.print_at_once,
            name=policy.badge_name,
            names=[[rule.value, text(locale, f"console.badge_name.{rule}")] for rule in BadgeName],
        )

    @action(Right.POLICY_EDIT)
    async def save(self, form: dict[str, Any]) -> None:
        """Put both settings into force for the next badge."""
        actor = me()
        at_once, name = bool(form.get("print_at_once")), str(form.get("badge_name", ""))
        await get_database().write(
            lambda s: set_printing(s, actor, actor.site_id, at_once=at_once, name=name)
        )
        assign(self, at_once=at_once, name=name)
        await notify(self, "ok", "console.policy.saved")
