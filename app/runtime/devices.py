"""Configuring devices: forms and files are checked against the driver registry before anything is stored."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from app.core.actor import Actor
from app.core.errors import GateError, InvalidInput, NotFound
from app.core.permissions import Right
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.models import Device, Lane, Site
from hardware import registry
from hardware.ports import DeviceConfig

MAX_DEVICES = 500


class EntryRejected(InvalidInput):
    """One entry of a device file is wrong; ``entry`` names it, ``cause`` says why. Nothing of the file was kept."""

    def __init__(self, entry: str, cause: GateError) -> None:
        super().__init__("import_entry", "file", entry=entry, reason=cause.code)
        self.entry = entry
        self.cause = cause


def drivers() -> list[dict[str, Any]]:
    """Drivers and their settings as a form needs them."""
    return registry.describe()


def kind_of(driver: str) -> str:
    """Whether a driver runs a reader or a camera; empty for one that is not known."""
    found = registry.DRIVERS.get(driver)
    return found.kind if found else ""


def settings_of(driver: str, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Typed settings from what a form sends; what is left empty takes its default."""
    described = next((item for item in drivers() if item["key"] == driver), None)
    if described is None:
        raise InvalidInput("unknown_driver", "driver")
    settings: dict[str, Any] = {}
    for field in described["settings"]:
        raw = texts.get(field["name"])
        if field["types"] == ("bool",):
            settings[field["name"]] = raw not in (None, "", False, "false")
        elif raw not in (None, ""):
            settings[field["name"]] = _typed(str(raw).strip(), field["types"])
    return settings


def _typed(raw: str, types: tuple[str, ...]) -> Any:
    for kind, convert in (("int", int), ("float", float)):
        if kind in types:
            try:
                return convert(raw)
            except ValueError:
                continue
    return raw


def check(lane_id: str, name: str, driver: str, settings: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` with the registry's first code when a configuration is wrong."""
    faults = registry.validate(DeviceConfig("new", lane_id, driver, name, settings))
    if faults:
        code, _, setting = faults[0].partition(":")
        raise InvalidInput(code, setting or "driver", setting=setting)


def save(
    session: Session,
    actor: Actor,
    lane_id: str,
    name: str,
    driver: str,
    settings: Mapping[str, Any],
    *,
    device_id: str = "",
    enabled: bool = True,
) -> Device:
    """Add a device to a lane, or change one; a new one may not take a name that the lane already has."""
    lane = sites.lane(session, lane_id)
    check(lane_id, name, driver, settings)
    if not device_id and any(
        device.name == name.strip() for device in sites.devices(session, lane_id=lane_id)
    ):
        raise InvalidInput("device_exists", "name", name=name.strip())
    return sites_service.save_device(
        session, actor, lane, name, driver, settings, device_id=device_id, enabled=enabled
    )


def set_enabled(session: Session, actor: Actor, device_id: str, enabled: bool) -> Device:
    """Switch a device on or off; its settings stay."""
    device = sites.device(session, device_id)
    lane = sites.lane(session, device.lane_id)
    return sites_service.save_device(
        session,
        actor,
        lane,
        device.name,
        device.driver,
        device.settings,
        device_id=device.id,
        enabled=enabled,
    )


def import_toml(session: Session, actor: Actor, text: str, site_id: str = "") -> int:
    """Enter the lanes and devices of a file, all or none; those known by name are changed. Returns how many devices.

    The file has ``[[lane]]`` tables (entrance, name, kind, direction), each with ``[[lane.device]]`` (name, driver,
    settings). Run it inside one transaction: an error leaves by exception.
    """
    if actor.kind != "system":
        actor.require(Right.SITE_EDIT)
        actor.require(Right.DEVICE_EDIT)
    try:
        entries = tomllib.loads(text).get("lane", [])
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("file_unreadable", "file") from error
    if not isinstance(entries, list) or not entries:
        raise InvalidInput("import_empty", "file")
    site = _site(session, actor, site_id)
    count = 0
    for number, entry in enumerate(entries, start=1):
        lane, title = _import_lane(session, actor, site, entry, number)
        for device in _tables(entry, "device", title):
            count += _import_device(session, actor, lane, device, title)
    if count > MAX_DEVICES:
        raise InvalidInput("import_long", "file", maximum=MAX_DEVICES)
    return count


def _site(session: Session, actor: Actor, site_id: str) -> Site:
    if wanted := actor.site_id or site_id:
        return sites.site(session, wanted)
    known = sites.sites(session)
    if len(known) != 1:
        raise NotFound("site_unknown")
    return known[0]


def _tables(entry: Mapping[str, Any], key: str, title: str) -> list[dict[str, Any]]:
    found = entry.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise EntryRejected(title, InvalidInput("input_wrong", key))
    return found


def _words(entry: Mapping[str, Any], *names: str) -> list[str]:
    values = [entry.get(name, "") for name in names]
    if not all(isinstance(value, str) for value in values):
        raise InvalidInput("input_wrong")
    return values


def _import_lane(session: Session, actor: Actor, site: Site, entry: Any, number: int) -> tuple[Lane, str]:
    title = f"lane {number}"
    try:
        if not isinstance(entry, dict):
            raise InvalidInput("input_wrong")
        entrance, name, kind, direction = _words(entry, "entrance", "name", "kind", "direction")
        title = f"{entrance} · {name}"
        for lane, door in sites.lanes(session, site.id):
            if (door.name, lane.name) == (entrance.strip(), name.strip()):
                return lane, title
        made = sites_service.add_lane(
            session, actor, site, entrance, name, kind or "lobby", direction or "both"
        )
        return made[1], title
    except EntryRejected:
        raise
    except GateError as error:
        raise EntryRejected(title, error) from error


def _import_device(session: Session, actor: Actor, lane: Lane, device: Mapping[str, Any], title: str) -> int:
    try:
        name, driver = _words(device, "name", "driver")
        title = f"{title} · {name}"
        settings = device.get("settings", {})
        if not isinstance(settings, dict):
            raise InvalidInput("input_wrong", "settings")
        check(lane.id, name, driver, settings)
        sites_service.save_device(session, actor, lane, name, driver, settings)
    except GateError as error:
        raise EntryRejected(title, error) from error
    return 1
