"""Keys of other systems in the console: made with secrets that are shown once, rotated, revoked; and visits left without a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, crypto, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.masking import mask_name
from app.core.permissions import SCOPES, Right
from app.domain.integration import directory, keys
from app.domain.sites import repository as sites
from state import tabs
from state.console_webhooks import WebhooksState
from state.console_words import Row, assign, stamp, words_of
from state.guard import action, me
from state.shell import link_base, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.integration.keys import Issued

OVERLAP_HOURS = 24


class IntegrationsState(rx.State):
    """The keys of the site; secrets are here until their dialog closes, and nowhere later."""

    loaded: bool = False
    ended: bool = False
    rows: list[Row] = []
    orphans: list[Row] = []
    scopes: list[list[str]] = []
    dialog: str = ""
    label: str = ""
    bearer: str = ""
    signing: str = ""
    example: str = ""
    form_error: str = ""
    _id: str = ""

    @action(Right.INTEGRATION_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        actor, locale = me(), await locale_of(self)
        self.ended = False
        self._shut()
        topics = frozenset({f"integrations:{actor.site_id}", f"site:{actor.site_id}"})
        tabs.watch(self, topics, Right.INTEGRATION_EDIT, IntegrationsState._update)
        scopes = [[scope.value, text(locale, f"integrations.scope.{scope}")] for scope in sorted(SCOPES)]
        assign(self, scopes=scopes)
        await self._refresh(actor)

    @action(Right.INTEGRATION_EDIT)
    async def add(self) -> None:
        """Open the form of a new key."""
        self._shut()
        self.dialog = "new"

    @action(Right.INTEGRATION_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Make the key and show its secrets, once."""
        actor, label = me(), str(form.get("label", ""))
        chosen = [scope for scope, _ in self.scopes if form.get(f"scope_{scope}")]
        self.form_error = ""
        try:
            made = await get_database().write(lambda s: keys.issue(s, actor, label, chosen))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._show(actor, made, label.strip())

    @action(Right.INTEGRATION_EDIT)
    async def ask_rotate(self, key_id: str) -> None:
        """Ask for how long the present secrets go on working."""
        self._choose(key_id, "rotate")

    @action(Right.INTEGRATION_EDIT)
    async def rotate(self, form: dict[str, Any]) -> None:
        """Make new secrets and show them, once."""
        actor, key_id, hours = me(), self._id, str(form.get("overlap", OVERLAP_HOURS))
        self.form_error = ""
        try:
            made = await get_database().write(lambda s: keys.rotate(s, actor, key_id, hours))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._show(actor, made, self.label)

    @action(Right.INTEGRATION_EDIT)
    async def ask_revoke(self, key_id: str) -> None:
        """Ask before a key is taken out of use."""
        self._choose(key_id, "revoke")

    @action(Right.INTEGRATION_EDIT)
    async def revoke(self) -> None:
        """Take the key out of use."""
        actor, key_id = me(), self._id
        await get_database().write(lambda s: keys.revoke(s, actor, key_id))
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "integrations.revoked")

    @action(Right.INTEGRATION_EDIT)
    async def ask_withdraw(self, booking_id: str) -> None:
        """Ask before a visit is withdrawn that nobody expects any more."""
        row = next((row for row in self.orphans if row["id"] == booking_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self._id, self.label, self.dialog = booking_id, row["visitor"], "withdraw"

    @action(Right.INTEGRATION_EDIT)
    async def withdraw(self) -> None:
        """Withdraw the visit and its pass."""
        actor, booking_id = me(), self._id
        await get_database().write(lambda s: directory.withdraw_orphan(s, actor, booking_id))
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "integrations.withdrawn")

    @action(Right.INTEGRATION_EDIT)
    async def copied(self, result: str) -> None:
        """Say whether something was copied."""
        if result == "copied":
            await notify(self, "ok", "lane_keys.copied")
        else:
            await notify(self, "wait", "lane_keys.copy_failed")

    @action(Right.INTEGRATION_EDIT)
    async def close(self) -> None:
        """Close the dialog; secrets shown in it are gone."""
        self._shut()

    def _choose(self, key_id: str, dialog: str) -> None:
        row = next((row for row in self.rows if row["id"] == key_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self._id, self.label, self.dialog = key_id, row["label"], dialog

    async def _show(self, actor: Actor, made: Issued, label: str) -> None:
        self._shut()
        self.label, self.bearer, self.signing, self.dialog = label, made.bearer, made.signing, "secrets"
        self.example = (
            f"curl {link_base(self)}/api/v1/bookings \\\n  -H 'Authorization: Bearer {made.bearer}'"
        )
        await self._refresh(actor)

    def _shut(self) -> None:
        self._id = ""
        assign(self, dialog="", label="", bearer="", signing="", example="", form_error="")

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)
        await (await self.get_state(WebhooksState))._refresh(actor)

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        rows, orphans = await get_database().read(lambda s: _page(s, actor.site_id, locale))
        assign(self, loaded=True, rows=rows, orphans=orphans)

    def _signed_out(self) -> None:
        self._shut()
        self.ended, self.rows, self.orphans = True, [], []


def _page(session: Session, site_id: str, locale: str) -> tuple[list[Row], list[Row]]:
    site = sites.site(session, site_id)
    found = keys.of_site(session, site_id)
    ends = keys.ending(session, [key.id for key in found])
    comma = text(locale, "integrations.comma")
    rows = [
        {
            "id": key.id,
            "label": key.label,
            "scopes": comma.join(text(locale, f"integrations.scope.{scope}") for scope in key.scopes),
            "created": stamp(key.created_at, site.time_zone)[:16],
            "used": stamp(key.used_at, site.time_zone)[:16] if key.used_at else "",
            "ending": text(locale, "integrations.old_until", until=stamp(ends[key.id], site.time_zone)[5:16])
            if key.id in ends
            else "",
        }
        for key in found
    ]
    now = clock.now()
    orphans = [
        {
            "id": booking.id,
            "visitor": mask_name(crypto.reveal(visitor, "name")),
            "unit": unit.label,
            "when": i18n.format_window(booking.starts_at, booking.ends_at, now, site.time_zone, locale),
        }
        for booking, visitor, unit in directory.orphans(session, site_id)
    ]
    return rows, orphans
