"""Webhooks in the console: who is told what, a test message, how each message fared, and sending one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.ids import moment_of
from app.core.permissions import Right
from app.domain.sites import repository as sites
from app.domain.sites import subscriptions, webhooks
from app.domain.sites.webhook_rules import EVENTS
from state.console_words import Row, assign, or_code, stamp, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.core.outbox import OutboxMessage

LOG = 30
OVERLAP_HOURS = 24
TONES = {"pending": "wait", "sent": "ok", "dead": "no"}


class WebhooksState(rx.State):
    """The addresses of the site; a signing secret is here until its dialog closes, and nowhere later."""

    rows: list[Row] = []
    events: list[Row] = []
    log: list[Row] = []
    dialog: str = ""
    label: str = ""
    url: str = ""
    secret: str = ""
    form_error: str = ""
    _id: str = ""

    @action(Right.INTEGRATION_EDIT)
    async def enter(self) -> None:
        """Load of the page; the keys' state watches for both."""
        self._shut()
        await self._refresh(me())

    @action(Right.INTEGRATION_EDIT)
    async def add(self) -> None:
        """Open the form of a new address."""
        self._shut()
        await self._offer(EVENTS)
        self.dialog = "new"

    @action(Right.INTEGRATION_EDIT)
    async def edit(self, subscription_id: str) -> None:
        """Open the form of an address that is there."""
        actor = me()
        found = await get_database().read(lambda s: subscriptions.own(s, actor, subscription_id))
        self._shut()
        await self._offer(found.events)
        self._id, self.label, self.url, self.dialog = found.id, found.label, found.url, "edit"

    @action(Right.INTEGRATION_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Make the address and show its signing secret, once."""
        actor, label, url, chosen = me(), str(form.get("label", "")), *self._read(form)
        self.form_error = ""
        try:
            _, secret = await get_database().write(
                lambda s: subscriptions.create(s, actor, label, url, chosen)
            )
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._show(actor, label.strip(), secret)

    @action(Right.INTEGRATION_EDIT)
    async def change(self, form: dict[str, Any]) -> None:
        """Keep what was changed of an address."""
        actor, subscription_id, (url, chosen) = me(), self._id, self._read(form)
        self.form_error = ""
        try:
            await get_database().write(lambda s: subscriptions.change(s, actor, subscription_id, url, chosen))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "webhooks.saved")

    @action(Right.INTEGRATION_EDIT)
    async def ask_rotate(self, subscription_id: str) -> None:
        """Ask for how long messages are signed by the present secret as well."""
        self._choose(subscription_id, "rotate")

    @action(Right.INTEGRATION_EDIT)
    async def rotate(self, form: dict[str, Any]) -> None:
        """Make a new signing secret and show it, once."""
        actor, subscription_id, hours = me(), self._id, str(form.get("overlap", OVERLAP_HOURS))
        self.form_error = ""
        try:
            secret = await get_database().write(
                lambda s: subscriptions.rotate(s, actor, subscription_id, hours)
            )
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._show(actor, self.label, secret)

    @action(Right.INTEGRATION_EDIT)
    async def toggle(self, subscription_id: str, enabled: bool) -> None:
        """Stop telling an address, or begin again."""
        actor = me()
        await get_database().write(
            lambda s: subscriptions.set_enabled(s, actor, subscription_id, enabled=enabled)
        )
        await self._refresh(actor)

    @action(Right.INTEGRATION_EDIT)
    async def test(self) -> None:
        """Send a test message to the address whose log is open."""
        actor, subscription_id = me(), self._id
        await get_database().write(lambda s: subscriptions.send_test(s, actor, subscription_id))
        await self._load_log(actor)
        await notify(self, "ok", "webhooks.test_sent")

    @action(Right.INTEGRATION_EDIT)
    async def open_log(self, subscription_id: str) -> None:
        """Show the newest messages to an address."""
        self._choose(subscription_id, "log")
        await self._load_log(me())

    @action(Right.INTEGRATION_EDIT)
    async def reload_log(self) -> None:
        """Look again how the messages fared."""
        actor = me()
        await self._load_log(actor)
        await self._refresh(actor)

    @action(Right.INTEGRATION_EDIT)
    async def replay(self, message_id: str) -> None:
        """Send a message again that was given up on."""
        actor = me()
        await get_database().write(lambda s: subscriptions.replay(s, actor, message_id))
        await self._load_log(actor)
        await notify(self, "ok", "webhooks.replayed")

    @action(Right.INTEGRATION_EDIT)
    async def ask_remove(self, subscription_id: str) -> None:
        """Ask before an address is taken out."""
        self._choose(subscription_id, "remove")

    @action(Right.INTEGRATION_EDIT)
    async def remove(self) -> None:
        """Take the address out."""
        actor, subscription_id = me(), self._id
        await get_database().write(lambda s: subscriptions.remove(s, actor, subscription_id))
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "webhooks.removed")

    @action(Right.INTEGRATION_EDIT)
    async def copied(self, result: str) -> None:
        """Say whether the secret was copied."""
        if result == "copied":
            await notify(self, "ok", "lane_keys.copied")
        else:
            await notify(self, "wait", "lane_keys.copy_failed")

    @action(Right.INTEGRATION_EDIT)
    async def close(self) -> None:
        """Close the dialog; a secret shown in it is gone."""
        self._shut()

    def _read(self, form: dict[str, Any]) -> tuple[str, list[str]]:
        chosen = [event for event in EVENTS if form.get(f"event_{event}")]
        return str(form.get("url", "")), chosen

    async def _offer(self, chosen: Any) -> None:
        locale = await locale_of(self)
        self.events = [
            {
                "id": f"event_{event}",
                "words": text(locale, f"webhooks.event.{event}"),
                "code": event,
                "on": "1" if event in chosen else "",
            }
            for event in EVENTS
        ]

    def _choose(self, subscription_id: str, dialog: str) -> None:
        row = next((row for row in self.rows if row["id"] == subscription_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self._id, self.label, self.dialog = subscription_id, row["label"], dialog

    async def _show(self, actor: Actor, label: str, secret: str) -> None:
        self._shut()
        self.label, self.secret, self.dialog = label, secret, "secret"
        await self._refresh(actor)

    def _shut(self) -> None:
        self._id = ""
        assign(self, dialog="", label="", url="", secret="", form_error="", log=[], events=[])

    async def _load_log(self, actor: Actor) -> None:
        locale, subscription_id = await locale_of(self), self._id

        def load(session: Session) -> list[Row]:
            zone = sites.site(session, actor.site_id).time_zone
            found = subscriptions.own(session, actor, subscription_id)
            return [_message(row, zone, locale) for row in webhooks.log(session, found.id, LOG)]

        assign(self, log=await get_database().read(load))

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        assign(self, rows=await get_database().read(lambda s: _rows(s, actor.site_id, locale)))


def _rows(session: Session, site_id: str, locale: str) -> list[Row]:
    counts = webhooks.counts(session, site_id)
    rows = []
    for found in subscriptions.of_site(session, site_id):
        dead, waiting = counts.get((found.id, "dead"), 0), counts.get((found.id, "pending"), 0)
        state = "on" if found.enabled else found.stopped_by or "manager"
        notes = [text(locale, "webhooks.waiting", count=waiting)] if waiting else []
        notes += [text(locale, "webhooks.dead", count=dead)] if dead else []
        rows.append(
            {
                "id": found.id,
                "label": found.label,
                "host": urlsplit(found.url).netloc,
                "events": text(locale, "webhooks.event_count", count=len(found.events)),
                "enabled": "1" if found.enabled else "",
                "word": text(locale, f"webhooks.state.{state}"),
                "tone": {"on": "ok", "gone": "no"}.get(state, "plain"),
                "notes": " · ".join(notes),
            }
        )
    return rows


def _message(row: OutboxMessage, zone: str, locale: str) -> Row:
    result = row.receipt or row.last_error
    words = (
        f"HTTP {result.removeprefix('http_')}" if result.removeprefix("http_").isdigit() else ""
    )  # literal: the name of a protocol
    return {
        "id": row.id,
        "at": stamp(moment_of(row.id), zone)[5:],
        "event": or_code(text(locale, f"webhooks.event.{row.topic}"), row.topic),
        "word": or_code(text(locale, f"webhooks.message.{row.state}"), row.state),
        "tone": TONES.get(row.state, "plain"),
        "tries": str(row.attempts),
        "result": words or (or_code(text(locale, f"webhooks.error.{result}"), result) if result else ""),
        "next": text(locale, "webhooks.again_at", at=stamp(row.due_at, zone)[5:])
        if row.state == "pending" and row.attempts
        else "",
        "dead": "1" if row.state == "dead" else "",
    }
