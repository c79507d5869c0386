"""The emulated devices of a lane, for the demo panel: found only in demo mode and at a demo site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import Conflict, NotAllowed
from app.domain.sites import repository as sites
from app.runtime.demo import is_demo_site
from app.runtime.hub import get_hub
from hardware.simulators.badge_printer import BadgePrinterEmulator
from hardware.simulators.camera import CameraEmulator
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN, card_of
from hardware.simulators.reader import ReaderEmulator

E = TypeVar("E", CameraEmulator, ReaderEmulator, IdCardReaderEmulator, BadgePrinterEmulator)


async def _find(kind: type[E], actor: Actor, lane_id: str) -> E | None:
    def load(session: Session) -> list[str]:
        if not is_demo_site(session, actor.site_id):
            raise NotAllowed("not_allowed")
        return [d.id for d in sites.devices(session, lane_id=lane_id) if d.site_id == actor.site_id]

    center = get_hub()
    for device_id in await get_database().read(load):
        emulator = center.hardware.emulator(device_id) if center else None
        if isinstance(emulator, kind):
            return emulator
    return None


async def _of(kind: type[E], actor: Actor, lane_id: str) -> E:
    found = await _find(kind, actor, lane_id)
    if found is None:
        raise Conflict("demo_no_device")
    return found


async def connected(actor: Actor, lane_id: str) -> tuple[bool, bool]:
    """Whether the lane's emulated camera and reader are plugged in."""
    camera = await _find(CameraEmulator, actor, lane_id)
    reader = await _find(ReaderEmulator, actor, lane_id)
    return bool(camera and camera.connected), bool(reader and reader.connected)


async def show(actor: Actor, lane_id: str, text: str | Callable[[], str], seconds: float) -> None:
    """Hold a code before the camera."""
    camera = await _of(CameraEmulator, actor, lane_id)
    await asyncio.to_thread(camera.show_code, text, seconds)


async def tap(actor: Actor, lane_id: str, uid: str) -> None:
    """Lay a card on the reader and take it away."""
    reader = await _of(ReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.present_briefly, uid)


async def pull(actor: Actor, lane_id: str, uid: str) -> None:
    """Take a card away while it is being read."""
    reader = await _of(ReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.pull_while_reading, uid)


async def lay(actor: Actor, lane_id: str, name: str = "") -> None:
    """Lay a good card in somebody's name on the ID card reader; without a name the specimen."""
    reader = await _of(IdCardReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.lay, card_of(name) if name else SPECIMEN)


async def lift(actor: Actor, lane_id: str) -> None:
    """Take the card from the ID card reader."""
    reader = await _of(IdCardReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.lift)


async def tear(actor: Actor, lane_id: str) -> None:
    """Pull a card away from the ID card reader in the moment it is read."""
    reader = await _of(IdCardReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.tear, SPECIMEN)


async def plug_camera(actor: Actor, lane_id: str, *, into: bool) -> None:
    """Plug the camera in, or pull its plug."""
    camera = await _of(CameraEmulator, actor, lane_id)
    await asyncio.to_thread(camera.plug if into else camera.unplug)


async def plug_reader(actor: Actor, lane_id: str, *, into: bool) -> None:
    """Plug the reader in, or pull its plug."""
    reader = await _of(ReaderEmulator, actor, lane_id)
    await asyncio.to_thread(reader.plug if into else reader.unplug)


async def printed(actor: Actor, lane_id: str) -> bytes | None:
    """The badge that the lane's emulated printer printed last, as a PNG."""
    printer = await _of(BadgePrinterEmulator, actor, lane_id)
    return await asyncio.to_thread(printer.picture)


async def paper(actor: Actor, lane_id: str, *, load: bool) -> None:
    """Load paper into the printer, or take it out."""
    printer = await _of(BadgePrinterEmulator, actor, lane_id)
    await asyncio.to_thread(printer.load_paper if load else printer.take_paper)


async def plug_printer(actor: Actor, lane_id: str, *, into: bool) -> None:
    """Plug the printer in, or pull its plug."""
    printer = await _of(BadgePrinterEmulator, actor, lane_id)
    await asyncio.to_thread(printer.plug if into else printer.unplug)


async def printer_state(actor: Actor, lane_id: str) -> tuple[bool, bool]:
    """Whether the lane's emulated printer is plugged in, and has paper."""
    printer = await _find(BadgePrinterEmulator, actor, lane_id)
    return bool(printer and printer.connected), bool(printer and printer.has_paper)
