"""Lane computers in the console: made with a code that is shown once, listed, given another code, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.sites import agents
from app.domain.sites import repository as sites
from app.runtime.hub import get_hub
from state.console_words import Row, assign, or_code, stamp, words_of
from state.guard import action, me
from state.shell import link_base, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.sites.models import LaneAgent

CLOCK_TOLERANCE_MS = 2_000


class AgentsState(rx.State):
    """The computers of the site; a code is here until its dialog closes, and nowhere later."""

    rows: list[Row] = []
    lanes: list[list[str]] = []
    dialog: str = ""
    label: str = ""
    code: str = ""
    command: str = ""
    form_error: str = ""
    _agent_id: str = ""

    @action(Right.DEVICE_EDIT)
    async def add(self) -> None:
        """Open the form of a new computer."""
        self._shut()
        actor = me()
        found = await get_database().read(lambda s: sites.lanes(s, actor.site_id))
        self.lanes = [[f"lane_{lane.id}", f"{door.name} · {lane.name}"] for lane, door in found]
        self.dialog = "new"

    @action(Right.DEVICE_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Make the computer and show the code, once, with the line to run."""
        actor, label = me(), str(form.get("label", ""))
        chosen = [key.removeprefix("lane_") for key, _ in self.lanes if form.get(key)]
        self.form_error = ""

        def work(session: Session) -> tuple[str, str]:
            agent, code = agents.create(session, actor, label, chosen)
            return agent.label, code

        try:
            self.label, code = await get_database().write(work)
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._show_code(actor, code)

    @action(Right.DEVICE_EDIT)
    async def ask_renew(self, agent_id: str) -> None:
        """Ask before another code is made: with its use the present machine falls silent."""
        self._choose(agent_id, "renew")

    @action(Right.DEVICE_EDIT)
    async def renew(self) -> None:
        """Show a new code for a computer that is there."""
        actor, agent_id = me(), self._agent_id
        await self._show_code(actor, await get_database().write(lambda s: agents.renew(s, actor, agent_id)))

    @action(Right.DEVICE_EDIT)
    async def ask_revoke(self, agent_id: str) -> None:
        """Ask before a computer is taken out of use."""
        self._choose(agent_id, "revoke")

    @action(Right.DEVICE_EDIT)
    async def revoke(self) -> None:
        """Take the computer out of use."""
        actor, agent_id = me(), self._agent_id
        await get_database().write(lambda s: agents.revoke(s, actor, agent_id))
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "agents.revoked")

    @action(Right.DEVICE_EDIT)
    async def copied(self, result: str) -> None:
        """Say whether the line was copied."""
        if result == "copied":
            await notify(self, "ok", "lane_keys.copied")
        else:
            await notify(self, "wait", "lane_keys.copy_failed")

    @action(Right.DEVICE_VIEW)
    async def close(self) -> None:
        """Close the dialog; a code shown in it is gone."""
        self._shut()

    async def _show_code(self, actor: Actor, code: str) -> None:
        self.code = code
        self.command = agents.command(link_base(self), code)
        self.dialog = "code"
        await self._refresh(actor)

    def _choose(self, agent_id: str, dialog: str) -> None:
        row = next((row for row in self.rows if row["id"] == agent_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self._agent_id, self.label, self.dialog = agent_id, row["label"], dialog

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        assign(self, rows=await get_database().read(lambda s: _rows(s, actor.site_id, locale)))

    def _shut(self) -> None:
        self._agent_id = ""
        assign(self, dialog="", label="", code="", command="", form_error="")


def places(session: Session, site_id: str, lane_id: str, locale: str, current: str = "") -> list[list[str]]:
    """Where a device of a lane can run: in the server itself, or at a computer that serves the lane.

    Where it is now is among them, so that nothing moves unasked when the form is stored: a computer that was revoked
    meanwhile keeps its devices until somebody says where they are to run.
    """
    own = [[agent.id, agent.label] for agent in agents.of_site(session, site_id) if lane_id in agent.lane_ids]
    if current and all(current != key for key, _ in own):
        own.append([current, text(locale, "agents.place_gone", name=agents.get(session, current).label)])
    return [["", text(locale, "agents.server")], *own] if own else []


def _rows(session: Session, site_id: str, locale: str) -> list[Row]:
    zone = sites.site(session, site_id).time_zone
    names = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site_id)}
    return [_row(agent, names, zone, locale) for agent in agents.of_site(session, site_id)]


def _row(agent: LaneAgent, names: dict[str, str], zone: str, locale: str) -> Row:
    center = get_hub()
    heard = center is not None and center.agents.is_heard(agent.id)
    status = "new" if agent.enrolled_at is None else "heard" if heard else "silent"
    wrong = _wrong(agent, locale)
    hello = center.agents.hello(agent.id) if center is not None and heard else None
    # No models is how most computers are, and nothing to see to.
    told = hello is not None and hello.faces not in ("", "no_pack")
    models = [text(locale, "agents.faces", state=_models(hello.faces, locale))] if hello and told else []
    return {
        "id": agent.id,
        "label": agent.label,
        "lanes": ", ".join(names.get(lane_id, "") for lane_id in agent.lane_ids),
        "tone": {"new": "plain", "heard": "wait" if wrong else "ok", "silent": "no"}[status],
        "word": text(locale, f"agents.status.{status}"),
        "notes": " · ".join([*wrong, *models]),
        "seen": stamp(agent.seen_at, zone)[:16] if agent.seen_at else "—",
        "waiting": str(agent.waiting),
        "version": agent.version or "—",
    }


def _wrong(agent: LaneAgent, locale: str) -> list[str]:
    """What is the matter with a computer, beside its silence."""
    found = [or_code(text(locale, f"agents.trouble.{agent.trouble}"), agent.trouble)] if agent.trouble else []
    offset, center = agent.clock_offset_ms or 0, get_hub()
    if abs(offset) > CLOCK_TOLERANCE_MS:
        found.append(text(locale, "agents.clock", seconds=round(offset / 1000)))
    if center is not None and center.agents.is_old(agent.id):
        found.append(text(locale, "agents.outdated"))
    if center is not None and not center.agents.is_near(agent.id):
        found.append(text(locale, "agents.far"))
    return found


def _models(code: str, locale: str) -> str:
    return or_code(text(locale, f"faces.models.{code}"), code)
