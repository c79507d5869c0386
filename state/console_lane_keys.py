"""Keys of a lane's own computer: made and shown once, listed, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput, NotFound
from app.core.permissions import Right
from app.domain.people import lane_keys
from app.domain.sites import repository as sites
from state.console_devices import DevicesState
from state.console_words import Row, assign, stamp, words_of
from state.guard import action, me
from state.shell import link_base, notify

if TYPE_CHECKING:
    from sqlmodel import Session


class LaneKeysState(rx.State):
    """The dialog of one lane's computers; a new key is here until the dialog closes, and nowhere later."""

    dialog: str = ""
    lane_id: str = ""
    title: str = ""
    keys: list[Row] = []
    secret: str = ""
    example: str = ""
    form_error: str = ""
    label: str = ""
    _key_id: str = ""

    @action(Right.DEVICE_EDIT)
    async def open(self, lane_id: str) -> None:
        """Show the keys of a lane."""
        self._shut()
        await self._load(me(), lane_id)
        self.dialog = "keys"

    @action(Right.DEVICE_EDIT)
    async def create(self, form: dict[str, Any]) -> None:
        """Make a key and show it, once, with a line to try it."""
        actor, lane_id, label = me(), self.lane_id, str(form.get("label", ""))
        self.form_error = ""
        try:
            secret = await get_database().write(lambda s: lane_keys.create(s, actor, lane_id, label))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        self.secret, self.example = secret, _example(link_base(self), lane_id, secret)
        await self._changed(actor)

    @action(Right.DEVICE_EDIT)
    async def ask_revoke(self, key_id: str) -> None:
        """Ask before a key is taken out of use: the computer that has it falls silent."""
        row = next((row for row in self.keys if row["id"] == key_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._key_id, self.label, self.dialog = key_id, row["label"], "revoke"

    @action(Right.DEVICE_EDIT)
    async def revoke(self) -> None:
        """Take the key out of use."""
        actor, key = me(), bytes.fromhex(self._key_id)
        await get_database().write(lambda s: lane_keys.revoke(s, actor, key))
        await self._changed(actor)
        self.dialog = "keys"
        await notify(self, "ok", "lane_keys.revoked")

    @action(Right.DEVICE_EDIT)
    async def copied(self, result: str) -> None:
        """Say whether something was copied."""
        if result == "copied":
            await notify(self, "ok", "lane_keys.copied")
        else:
            await notify(self, "wait", "lane_keys.copy_failed")

    @action(Right.DEVICE_EDIT)
    async def close(self) -> None:
        """Close the dialog; a key shown in it is gone."""
        self._shut()

    async def _changed(self, actor: Actor) -> None:
        await self._load(actor, self.lane_id)
        await (await self.get_state(DevicesState))._refresh(actor)

    async def _load(self, actor: Actor, lane_id: str) -> None:
        title, keys = await get_database().read(lambda s: _keys(s, actor.site_id, lane_id))
        assign(self, lane_id=lane_id, title=title, keys=keys)

    def _shut(self) -> None:
        self._key_id = ""
        assign(self, dialog="", lane_id="", title="", keys=[], secret="", example="", form_error="", label="")


def _keys(session: Session, site_id: str, lane_id: str) -> tuple[str, list[Row]]:
    site = sites.site(session, site_id)
    found = next(((lane, door) for lane, door in sites.lanes(session, site_id) if lane.id == lane_id), None)
    if found is None:
        raise NotFound("lane_unknown")
    rows = [
        {
            "id": key.id.hex(),
            "label": key.label,
            "created": stamp(key.created_at, site.time_zone)[:16],
            "used": stamp(key.used_at, site.time_zone)[:16] if key.used_at else "",
        }
        for key in lane_keys.of_lane(session, lane_id)
    ]
    return f"{found[1].name} · {found[0].name}", rows


def _example(base: str, lane_id: str, secret: str) -> str:
    body = '{"kind": "card", "text": "04A1B2C3D4E580", "nonce": "boot1-000001"}'
    return (
        f"curl -X POST {base}/api/v1/lanes/{lane_id}/present \\\n"
        f"  -H 'Authorization: Bearer {secret}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )
