"""Lanes and their devices, live; the form of a device comes from the driver registry (SI-01)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput, NotFound
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.people import lane_keys
from app.domain.sites import agents
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import Direction, EntranceKind
from app.runtime import devices
from state import cameras, tabs
from state.console_agents import AgentsState, places
from state.console_faults import FaultsState
from state.console_words import Row, assign, or_code, stamp, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.sites.models import Device

TONES = {"online": "ok", "starting": "wait", "fault": "wait", "offline": "no", "unavailable": "no"}


@dataclass(slots=True)
class LaneView:
    """A lane with its devices as rows."""

    id: str = ""
    title: str = ""
    direction: str = ""
    computers: str = ""
    devices: list[Row] = field(default_factory=list)


class DevicesState(rx.State):
    """The devices page."""

    loaded: bool = False
    ended: bool = False
    lanes: list[LaneView] = []
    dialog: str = ""
    lane_id: str = ""
    lane_title: str = ""
    device_id: str = ""
    device_name: str = ""
    enabled: bool = True
    place: str = ""
    places: list[list[str]] = []
    driver: str = ""
    drivers: list[list[str]] = []
    fields: list[Row] = []
    entrances: list[str] = []
    kinds: list[list[str]] = []
    directions: list[list[str]] = []
    form_error: str = ""
    camera: str = ""
    trouble: str = ""
    figures: list[Row] = []
    _kept: dict[str, Any] = {}

    @action(Right.DEVICE_VIEW)
    async def enter(self) -> None:
        """Load of the page."""
        actor = me()
        self.ended = False
        self._shut()
        topics = frozenset({f"devices:{actor.site_id}"})
        tabs.watch(self, topics, Right.DEVICE_VIEW, DevicesState._update)
        locale = await locale_of(self)
        assign(
            self,
            drivers=[
                [item["key"], text(locale, f"console.driver.{item['key']}")] for item in devices.drivers()
            ],
            kinds=[[kind.value, text(locale, f"console.entrance.{kind}")] for kind in EntranceKind],
            directions=[[way.value, text(locale, f"console.direction.{way}")] for way in Direction],
        )
        await self._refresh(actor)

    @action(Right.DEVICE_EDIT)
    async def add(self, lane_id: str) -> None:
        """Open the form of a new device of a lane."""
        await self._form(lane_id, "", "", self.drivers[0][0] if self.drivers else "", True, {}, "")

    @action(Right.DEVICE_EDIT)
    async def edit(self, device_id: str) -> None:
        """Open the form of a device."""
        device = await self._own(me(), device_id)
        await self._form(
            device.lane_id,
            device.id,
            device.name,
            device.driver,
            device.enabled,
            device.settings,
            device.agent_id or "",
        )

    @action(Right.DEVICE_EDIT)
    async def choose_driver(self, driver: str) -> None:
        """Another kind of device, with other settings."""
        self.driver, self.fields = driver, _fields(driver, self._kept, await locale_of(self))

    @action(Right.DEVICE_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Check and store the device; its driver starts anew at once."""
        actor, lane_id, device_id, enabled = me(), self.lane_id, self.device_id, self.enabled
        driver, name, place = self.driver, str(form.get("name", "")), str(form.get("place") or "")
        texts = {key[8:]: value for key, value in form.items() if key.startswith("setting_")}

        def work(session: Session) -> None:
            lane = sites.lane(session, lane_id)
            actor.require(Right.DEVICE_EDIT, lane.site_id)
            settings = devices.settings_of(driver, texts)
            device = devices.save(
                session, actor, lane_id, name, driver, settings, device_id=device_id, enabled=enabled
            )
            agents.place(session, device, place)

        if await self._try(work):
            await self._done(actor, "console.devices.saved")

    @action(Right.DEVICE_EDIT)
    async def toggle(self, device_id: str, enabled: bool) -> None:
        """Switch a device on or off."""
        actor = me()
        await get_database().write(lambda s: devices.set_enabled(s, actor, device_id, enabled))
        await self._done(actor, "console.devices.on" if enabled else "console.devices.off")

    @action(Right.DEVICE_EDIT)
    async def ask_delete(self, device_id: str) -> None:
        """Ask before a device is taken out."""
        device = await self._own(me(), device_id)
        self._shut()
        self.dialog, self.device_id, self.device_name = "delete", device.id, device.name

    @action(Right.DEVICE_EDIT)
    async def delete(self) -> None:
        """Take the device out of its lane."""
        actor, device_id = me(), self.device_id
        await get_database().write(lambda s: sites_service.delete_device(s, actor, device_id))
        await self._done(actor, "console.devices.deleted")

    @action(Right.CAMERA_VIEW)
    async def preview(self, device_id: str) -> None:
        """Show a camera's live picture."""
        device = await self._own(me(), device_id)
        self._shut()
        self.dialog, self.camera, self.device_name = "camera", device.id, device.name
        await self._look(device)

    @action(Right.CAMERA_VIEW)
    async def count(self) -> None:
        """Bring the figures of the camera that is looked at up to date; its picture asks for it."""
        if self.camera:
            await self._look(await self._own(me(), self.camera))

    @action(Right.SITE_EDIT)
    async def add_lane(self) -> None:
        """Open the form of a new lane."""
        self._shut()
        self.dialog = "lane"

    @action(Right.SITE_EDIT)
    async def submit_lane(self, form: dict[str, Any]) -> None:
        """Make a lane, and its entrance where there is none of that name."""
        actor = me()
        words = [str(form.get(name, "")) for name in ("entrance", "lane", "kind", "direction")]

        def work(session: Session) -> None:
            sites_service.add_lane(session, actor, sites.site(session, actor.site_id), *words)

        if await self._try(work):
            await self._done(actor, "console.devices.lane_made")

    @action(Right.DEVICE_VIEW)
    async def close(self) -> None:
        """Close the dialog."""
        self._shut()

    async def _try(self, work: Any) -> bool:
        self.form_error = ""
        try:
            await get_database().write(work)
        except GateError as error:
            if setting := error.params.get("setting"):
                locale = await locale_of(self)
                error.params["setting"] = or_code(text(locale, f"console.setting.{setting}"), str(setting))
            self.form_error = await words_of(self, error)
            return False
        return True

    async def _look(self, device: Device) -> None:
        locale = await locale_of(self)
        assign(self, trouble=cameras.trouble_of(device, locale), figures=cameras.figures(device.id, locale))

    async def _own(self, actor: Actor, device_id: str) -> Device:
        device = await get_database().read(lambda s: sites.device(s, device_id))
        if device.site_id != actor.site_id:
            raise NotFound("device_unknown")
        return device

    async def _form(
        self,
        lane_id: str,
        device_id: str,
        name: str,
        driver: str,
        enabled: bool,
        settings: dict[str, Any],
        place: str,
    ) -> None:
        lane = next((lane for lane in self.lanes if lane.id == lane_id), None)
        if lane is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self.dialog, self.lane_id, self.lane_title = "device", lane_id, lane.title
        self.device_id, self.device_name, self.driver, self.enabled = device_id, name, driver, enabled
        self._kept = dict(settings)
        locale, site_id = await locale_of(self), me().site_id
        self.fields = _fields(driver, self._kept, locale)
        found = await get_database().read(lambda s: places(s, site_id, lane_id, locale, place))
        assign(self, places=found, place=place)

    async def _done(self, actor: Actor, key: str) -> None:
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", key)

    def _shut(self) -> None:
        self._kept = {}
        assign(self, dialog="", form_error="", device_id="", device_name="", lane_id="", fields=[])
        assign(self, camera="", trouble="", figures=[])

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)
        if self.camera:
            await self._look(await self._own(actor, self.camera))

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        lanes, entrances = await get_database().read(lambda s: _lanes(s, actor.site_id, locale))
        assign(self, lanes=lanes, entrances=entrances, loaded=True)
        await (await self.get_state(AgentsState))._refresh(actor)
        await (await self.get_state(FaultsState))._refresh(actor)

    def _signed_out(self) -> None:
        self.ended, self.lanes = True, []
        self._shut()


def _lanes(session: Session, site_id: str, locale: str) -> tuple[list[LaneView], list[str]]:
    site = sites.site(session, site_id)
    found = sites.lanes(session, site_id)
    keys = lane_keys.counts(session, site_id)
    labels = {agent.id: agent.label for agent in agents.of_site(session, site_id)}
    by_lane: dict[str, list[Row]] = {}
    for device in sites.devices(session, site_id):
        row = _row(device, site.time_zone, locale)
        if label := labels.get(device.agent_id or ""):
            row["kind"] = text(locale, "agents.at", kind=row["kind"], label=label)
        by_lane.setdefault(device.lane_id, []).append(row)
    views = [
        LaneView(
            lane.id,
            f"{door.name} · {lane.name}",
            f"{text(locale, f'console.entrance.{door.kind}')} · {text(locale, f'console.direction.{lane.direction}')}",
            text(locale, "lane_keys.count", count=keys[lane.id])
            if lane.id in keys
            else text(locale, "lane_keys.none"),
            by_lane.get(lane.id, []),
        )
        for lane, door in found
    ]
    return views, sorted({door.name for _, door in found})


def _row(device: Device, zone: str, locale: str) -> Row:
    status = device.status if device.enabled else "disabled"
    detail = device.status_detail if device.enabled else ""
    return {
        "id": device.id,
        "name": device.name,
        "kind": text(locale, f"console.driver.{device.driver}"),
        "tone": TONES.get(status, "plain"),
        "word": text(locale, f"device.{status}"),
        "detail": or_code(text(locale, f"console.device_detail.{detail}"), detail) if detail else "",
        "since": stamp(device.status_at, zone)[5:16] if device.status_at else "—",
        "enabled": "1" if device.enabled else "",
        "camera": "1" if device.enabled and devices.kind_of(device.driver) == "camera" else "",
    }


def _fields(driver: str, settings: dict[str, Any], locale: str) -> list[Row]:
    """The settings of a driver as form fields, each with its present value or default."""
    described = next((item for item in devices.drivers() if item["key"] == driver), None)
    rows = []
    for item in described["settings"] if described else ():
        name, types = item["name"], item["types"]
        value = settings.get(name, item["default"])
        kind = "flag" if types == ("bool",) else ("number" if "str" not in types else "text")
        kind = "choice" if item["choices"] else kind
        hint = text(locale, f"console.setting_hint.{name}")
        low, high = item["minimum"], item["maximum"]
        if hint.endswith(f".{name}") and low is not None and high is not None:
            hint = text(locale, "console.devices.range", low=f"{low:g}", high=f"{high:g}")
        rows.append(
            {
                "id": f"setting_{name}",
                "label": or_code(text(locale, f"console.setting.{name}"), name),
                "hint": "" if hint.endswith(f".{name}") else hint,
                "kind": kind,
                "required": "1" if item["required"] else "",
                "value": ("1" if value else "") if kind == "flag" else ("" if value is None else f"{value}"),
                "choices": " ".join(item["choices"]),
                "step": "1" if types == ("int",) else "any",
            }
        )
    return rows
