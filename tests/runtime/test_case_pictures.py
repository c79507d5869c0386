"""The pictures of a case: what the lane's camera saw at that moment, kept after the verdict; and why there is none (AD-18)."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from sqlmodel import Session, select

from app.core import clock, vault
from app.core.database import Database
from app.core.settings import get_settings
from app.domain.admission.case_models import CaseFile
from app.domain.admission.case_rules import PictureState
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Outcome
from app.domain.sites import service as sites
from app.domain.sites.models import Device
from app.runtime import case_pictures
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.ports import DeviceEvent, EventKind
from hardware.simulators.camera import CameraEmulator
from hardware.simulators.id_cards import SPECIMEN
from tests.domain.cards_at_hand import event as card_event
from tests.factories import World, invite, make_world, show_code

PHOTO = b"\x89PNG\r\n\x1a\nphoto of a card"
_numbers = count(1)


class Rig:
    """A lane with a camera, where a stranger's card is laid beside the code of a guest."""

    def __init__(self, world: World, hub: Hub, device: Device | None) -> None:
        self.world, self.hub, self.device = world, hub, device

    @property
    def camera(self) -> CameraEmulator:
        found = self.hub.hardware.emulator(self.device.id if self.device else "")
        assert isinstance(found, CameraEmulator)
        return found

    def invite(self) -> None:
        _, issued, _ = invite(self.world)
        show_code(self.world, issued)

    async def lay(self, **payload: str) -> None:
        """A card that is not the guest's; returns when the verdict is on record."""
        lane = self.world.both.id
        document = card_event(SPECIMEN) | payload
        self.hub.receive(
            DeviceEvent(lane, "reader", EventKind.DOCUMENT, document, clock.now(), next(_numbers), "boot")
        )
        await self.hub._lanes[lane].join()

    def case(self) -> CaseFile:
        def load(session: Session) -> CaseFile:
            return session.exec(select(CaseFile)).one()

        return self.world.ask(load)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(15):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.01)

    async def settled(self) -> CaseFile:
        await self.until(lambda: self.case().picture_state != PictureState.PENDING)
        return self.case()


async def started(database: Database, *, camera: bool) -> Rig:
    world = make_world(database)
    device = (
        world.do(sites.save_device, world.manager, world.both, "摄像机", "camera", {"source": "emulator"})
        if camera
        else None
    )
    hub = Hub(database, Live())
    await hub.start()
    rig = Rig(world, hub, device)
    if device is not None:
        await rig.until(lambda: (hub.hardware.camera(device.id) or _none()).snapshot() is not None)
        await rig.until(lambda: world.get(Device, device.id).status == "online")
    return rig


def _none() -> Any:
    raise AssertionError("no feed")


@pytest.fixture
async def rig(sqlite: Database) -> AsyncIterator[Rig]:
    made = await started(sqlite, camera=True)
    yield made
    await made.hub.stop()


@pytest.mark.req("AD-18")
async def test_what_the_camera_saw_is_kept_sealed_with_the_case(rig: Rig) -> None:
    rig.invite()
    await rig.lay()
    case = await rig.settled()
    assert case.picture_state == PictureState.KEPT
    assert vault.get(case.picture_id).startswith(b"\xff\xd8\xff")
    path = get_settings().data_dir / "vault" / case.picture_id[-2:] / case.picture_id
    assert b"\xff\xd8\xff" not in path.read_bytes()[:64]
    assert rig.hub.cues[rig.world.both.id][1] == "alarm"


async def test_the_photo_that_a_reader_gave_is_kept_with_it_and_no_other(rig: Rig) -> None:
    photo = {"photo": base64.b64encode(PHOTO).decode(), "photo_type": "image/png"}
    rig.invite()
    await rig.lay(**photo)
    await rig.until(lambda: rig.case().document_id)
    first = rig.case().document_id
    assert vault.get(first) == PHOTO
    await rig.settled()
    await rig.lay(photo=base64.b64encode(b"BMlater").decode())
    await rig.until(lambda: not [task for task in rig.hub._tasks if "keep_document" in repr(task)])
    assert rig.case().document_id == first
    folder = get_settings().data_dir / "vault"
    assert sum(path.is_file() for path in folder.rglob("*")) == 2


async def test_the_photo_of_a_document_that_made_no_case_is_not_kept(rig: Rig) -> None:
    await rig.lay(photo=base64.b64encode(PHOTO).decode())
    await rig.until(lambda: not [task for task in rig.hub._tasks if "keep_document" in repr(task)])
    folder = get_settings().data_dir / "vault"
    assert not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("photo", ["", "not base64 !", base64.b64encode(bytes(600_000)).decode()])
def test_a_photo_that_is_none_is_left_out(photo: str) -> None:
    assert case_pictures.photo_of({"photo": photo}) is None
    assert case_pictures.photo_of({}) is None


async def test_a_lane_without_a_camera_is_said_and_the_way_goes_on(sqlite: Database) -> None:
    rig = await started(sqlite, camera=False)
    try:
        rig.invite()
        await rig.lay()
        case = await rig.settled()
        assert (case.picture_state, case.picture_id) == (PictureState.NO_CAMERA, "")
    finally:
        await rig.hub.stop()


async def test_a_camera_that_was_unplugged_gives_no_old_picture(rig: Rig) -> None:
    assert rig.device is not None
    device_id = rig.device.id
    rig.camera.unplug()
    await rig.until(lambda: rig.world.get(Device, device_id).status == "offline")
    rig.invite()
    await rig.lay()
    case = await rig.settled()
    assert (case.picture_state, case.picture_id) == (PictureState.NO_PICTURE, "")


async def test_a_full_disk_costs_the_picture_and_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:  # the kernel's answer comes from a stand-in
        raise OSError(28, "No space left on device")

    rig.invite()
    monkeypatch.setattr(os, "fsync", fail)
    await rig.lay()
    case = await rig.settled()
    assert (case.picture_state, case.picture_id) == (PictureState.DISK_FULL, "")
    assert rig.world.get(Attempt, case.attempt_id).outcome == Outcome.REVIEW


@pytest.mark.req("AD-18")
async def test_the_verdict_does_not_wait_for_the_picture(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()
    taking = case_pictures.take_scene

    async def slow(*arguments: Any) -> None:
        await go_on.wait()
        await taking(*arguments)

    monkeypatch.setattr(case_pictures, "take_scene", slow)
    rig.invite()
    await rig.lay()
    case = rig.case()
    assert case.picture_state == PictureState.PENDING
    assert rig.world.get(Attempt, case.attempt_id).outcome == Outcome.REVIEW
    go_on.set()
    assert (await rig.settled()).picture_state == PictureState.KEPT


async def test_a_picture_that_its_case_does_not_know_is_not_left_behind(rig: Rig) -> None:
    rig.invite()
    await rig.lay()
    case = await rig.settled()
    file_id = vault.put(b"second")
    await case_pictures._put_down(rig.world.database, file_id, lambda _session: False)
    folder = get_settings().data_dir / "vault"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [case.picture_id]
