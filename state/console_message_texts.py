"""The words of messages and the hours they keep, at the console: written, shown as they will read, taken back (BK-08)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.messages import preferences, rules, templates
from app.domain.messages.rules import EVENTS
from app.domain.sites.times import minute_of
from state.console_times import clock
from state.console_words import Row, assign, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

QUIET = ("quiet_from", "quiet_until")


class MessageTextsState(rx.State):
    """The texts by event and language, the one that is being written, and the hours."""

    texts: list[Row] = []
    dialog: str = ""
    event: str = ""
    locale: str = ""
    event_name: str = ""
    locale_name: str = ""
    draft: str = ""
    allowed: list[Row] = []
    own: bool = False
    shown: str = ""
    length: str = ""
    form_error: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    reminder: str = ""
    hours_error: str = ""

    @action(Right.POLICY_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        assign(self, dialog="", form_error="", hours_error="")
        await self._refresh(me())

    @action(Right.POLICY_EDIT)
    async def begin(self, event: str, locale: str) -> None:
        """Open a text to write it."""
        spec, actor, reader = rules.event(event), me(), await locale_of(self)
        if locale not in i18n.LOCALES:
            raise InvalidInput("choice_wrong")
        draft, own = await get_database().read(
            lambda s: (
                templates.text(s, actor.site_id, event, locale),
                (event, locale) in templates.own(s, actor.site_id),
            )
        )
        assign(
            self,
            event=event,
            locale=locale,
            own=own,
            draft=draft,
            event_name=text(reader, f"messages.event.{event}"),
            locale_name=text(reader, f"messages.language.{locale}"),
            allowed=[
                {
                    "id": f"{{{name}}}",
                    "word": text(reader, f"messages.placeholder.{name}"),
                    "must": "1" if name in spec.required else "",
                }
                for name in sorted(spec.allowed, key=lambda name: (name not in spec.required, name))
            ],
            dialog="text",
        )
        await self._show(draft)

    @action(Right.POLICY_EDIT)
    async def preview(self, draft: str) -> None:
        """Show how a text will read, and how long it is; or what is wrong with it."""
        if self.event:
            await self._show(draft[: 2 * rules.MAX_TEXT])

    @action(Right.POLICY_EDIT)
    async def save(self, form: dict[str, Any]) -> None:
        """Put the text into force for the next message."""
        actor, event, locale, wanted = me(), self.event, self.locale, str(form.get("text", ""))
        try:
            changed = await get_database().write(lambda s: templates.save(s, actor, event, locale, wanted))
        except InvalidInput as error:
            self.form_error = await words_of(self, error)
            return
        self.dialog = ""
        await self._refresh(actor)
        await notify(
            self, "ok" if changed else "info", "messages.text_saved" if changed else "messages.text_same"
        )

    @action(Right.POLICY_EDIT)
    async def restore(self) -> None:
        """Go back to the product's own text."""
        actor, event, locale, self.dialog = me(), self.event, self.locale, ""
        await get_database().write(lambda s: templates.reset(s, actor, event, locale))
        await self._refresh(actor)
        await notify(self, "ok", "messages.text_reset")

    @action(Right.POLICY_EDIT)
    async def close(self) -> None:
        """Leave the text as it is."""
        self.dialog, self.form_error = "", ""

    @action(Right.POLICY_EDIT)
    async def save_hours(self, form: dict[str, Any]) -> None:
        """Put quiet hours and the reminder into force."""
        actor = me()
        try:
            begin, end = (minute_of(str(form.get(name, "")), name) for name in QUIET)
            reminder = str(form.get("reminder_minutes", ""))
            changed = await get_database().write(
                lambda s: preferences.set_hours(s, actor, begin, end, reminder)
            )
        except InvalidInput as error:
            locale, words = await locale_of(self), await words_of(self, error)
            label = text(locale, f"messages.hours.{error.field}")
            self.hours_error = text(locale, "console.policy.time_fault", field=label, fault=words)
            return
        self.hours_error = ""
        await self._refresh(actor)
        await notify(
            self, "ok" if changed else "info", "messages.hours_saved" if changed else "console.policy.same"
        )

    async def _show(self, draft: str) -> None:
        locale = self.locale
        try:
            rules.check(self.event, draft)
        except InvalidInput as error:
            assign(self, form_error=await words_of(self, error), shown="", length="")
            return
        names = EVENTS[self.event].allowed
        filled = rules.fill(draft, {name: text(locale, f"messages.value.{name}") for name in names})
        characters, parts = rules.segments(filled)
        words = text(await locale_of(self), "messages.length", count=characters, parts=parts)
        assign(self, form_error="", shown=filled, length=words)

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        assign(self, **await get_database().read(lambda s: _texts(s, actor.site_id, locale)))


def _texts(session: Session, site_id: str, locale: str) -> dict[str, Any]:
    own, hours = templates.own(session, site_id), preferences.of_site(session, site_id)
    return {
        "texts": [
            {
                "id": f"{event}-{language}",
                "event": event,
                "locale": language,
                "name": text(locale, f"messages.event.{event}"),
                "audience": text(locale, f"messages.audience.{spec.audience}"),
                "language": text(locale, f"messages.language.{language}"),
                "text": own.get((event, language), templates.default(event, language)),
                "own": "1" if (event, language) in own else "",
                "label": text(
                    locale,
                    "messages.edit_one",
                    event=text(locale, f"messages.event.{event}"),
                    language=text(locale, f"messages.language.{language}"),
                ),
            }
            for event, spec in EVENTS.items()
            for language in i18n.LOCALES
        ],
        "quiet_from": clock(hours.quiet_from),
        "quiet_until": clock(hours.quiet_until),
        "reminder": str(hours.reminder_minutes),
    }
