"""From the picture of an emulated camera to the desk: document photo, tiny real models, hub, decision, screen (ID-02)."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest
from sqlmodel import Session, select

from app.core.database import Database
from app.core.settings import get_settings
from app.domain.access import permits
from app.domain.admission import repository, walk_ins
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible, admit
from app.domain.booking.models import Booking
from app.domain.identity import consents, face_policy, faces
from app.domain.identity.rules import Channel, Purpose
from app.domain.identity.templates import Face
from app.domain.sites import service as sites
from app.domain.sites.models import Device
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware import face_service
from hardware.face_ports import FaceFault
from hardware.simulators.camera import CameraEmulator
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN, card_of
from state import desk_faces, desk_view
from tests.domain.faces_at_hand import agree, switch_on
from tests.factories import GUEST, STRANGER, World, invite, make_world, show_code, standing
from tests.hardware.face_pictures import Person, png, scene
from tests.hardware.face_rig import face_models

__all__ = ["face_models"]

HOLDER, ANOTHER = Person(3, size=300), Person(4, size=300)


class Rig:
    """A lane with a camera, an ID card reader and a decoder of photos."""

    def __init__(self, world: World, hub: Hub, camera: Device, reader: Device) -> None:
        self.world, self.hub, self.camera_id, self._reader_id = world, hub, camera.id, reader.id

    @property
    def lane(self) -> str:
        return self.world.both.id

    @property
    def reader(self) -> IdCardReaderEmulator:
        found = self.hub.hardware.emulator(self._reader_id)
        assert isinstance(found, IdCardReaderEmulator)
        return found

    @property
    def camera(self) -> CameraEmulator:
        found = self.hub.hardware.emulator(self.camera_id)
        assert isinstance(found, CameraEmulator)
        return found

    async def show(self, *people: Person) -> None:
        """Who stands there, once the camera's newest picture says so."""
        self.camera.show_picture(scene(*people, width=1280, height=720))
        feed = self.hub.hardware.camera(self.camera_id)
        assert feed is not None
        known = feed.latest()
        first = known[0] if known else 0
        # The picture before may still be on its way.
        await self.until(lambda: (feed.latest() or (0,))[0] > first + 3)

    def newest(self) -> Attempt | None:
        query = select(Attempt).where(Attempt.lane_id == self.lane).order_by(Attempt.id.desc())  # type: ignore[attr-defined]
        return self.world.ask(lambda session: session.exec(query).first())

    def results(self, kind: Kind = Kind.FACE) -> list[str]:
        newest = self.newest()
        if newest is None:
            return []
        return [row.result for row in self.world.ask(repository.evidence_of, newest.id) if row.kind == kind]

    def panel(self, locale: str = "zh-CN") -> desk_faces.FacePanel:
        newest = self.newest()
        return desk_faces.panel(self.hub, self.lane, newest.id if newest else "", locale)

    def chips(self) -> list[tuple[str, str]]:
        view = self.world.ask(desk_view.lane_view, self.lane, "zh-CN", "")
        return [(chip["text"], chip["tone"]) for chip in view.arrival.chips]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what comes from other threads; say what there is when it does not come."""
        try:
            async with asyncio.timeout(30):
                while not await asyncio.to_thread(condition):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"results {self.results()}, {self.panel()}")


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[Rig]:
    """A site with its devices, started."""
    world = make_world(database)

    def configure(session: Session) -> tuple[Device, Device]:
        lane = world.both
        camera = sites.save_device(session, world.manager, lane, "摄像机", "camera", {"source": "emulator"})
        reader = sites.save_device(session, world.manager, lane, "阅读器", "id_card", {"emulated": True})
        return camera, reader

    devices = world.do(configure)
    hub = Hub(database, Live())
    await hub.start()
    rig = Rig(world, hub, *devices)
    try:
        await rig.until(lambda: all(world.get(Device, device.id).status == "online" for device in devices))
        yield rig
    finally:
        await hub.stop()


def decoder(folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes this picture of any card's photo."""
    (folder / "photo.png").write_bytes(picture)
    program = folder / "decode"
    program.write_text(f"#!/bin/sh\ncat >/dev/null; cat '{folder / 'photo.png'}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("GATEHOUSE_ID_PHOTO_DECODER", str(program))


def use_pack(models: Path, monkeypatch: pytest.MonkeyPatch, name: str = "insight") -> None:
    """Have the installation use a pack of the test's models."""
    shutil.copytree(models, get_settings().data_dir / "models")
    monkeypatch.setenv("GATEHOUSE_FACE_PACK", name)
    get_settings.cache_clear()


@pytest.fixture
async def bare(sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """A gate without models."""
    decoder(tmp_path, png(scene(HOLDER)), monkeypatch)
    async with running(sqlite) as made:
        yield made


@pytest.fixture
async def rig(
    sqlite: Database, face_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Rig]:
    """The same with a pack that is ready."""
    decoder(tmp_path, png(scene(HOLDER)), monkeypatch)
    use_pack(face_models, monkeypatch)
    async with running(sqlite) as made:
        await made.until(lambda: made.hub.faces.state.code == "ready")
        yield made


def code_first(rig: Rig) -> None:
    """A guest with a code is before the guard; the card comes next."""
    _, issued, _ = invite(rig.world)
    show_code(rig.world, issued)


# --- one to one -------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-02")
async def test_the_holder_of_the_card_stands_there_and_the_desk_says_so(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.show(HOLDER)
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.results() == [Result.OK])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.outcome == Outcome.ADMIT
    assert ("面部与证件一致 ✓", "ok") in rig.chips()
    await rig.until(lambda: rig.panel().state == "same")
    assert (rig.panel().tone, rig.panel().show) == ("ok", False)
    # What was compared is in memory alone.
    photo = png(scene(HOLDER))
    stored = [p for p in get_settings().data_dir.rglob("*") if p.is_file() and "models" not in p.parts]
    assert stored
    assert not any(photo[100:400] in path.read_bytes() for path in stored)
    assert "Comparison(" not in caplog.text


async def test_the_bitmap_that_decoders_write_serves_as_well(rig: Rig, tmp_path: Path) -> None:
    encoded, bitmap = cv2.imencode(".bmp", scene(Person(3, x=80, y=50, size=140), width=320, height=240))
    assert encoded
    (tmp_path / "photo.png").write_bytes(bitmap.tobytes())
    await rig.show(HOLDER)
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.results() == [Result.OK])
    kept = rig.hub.faces.desk.at(rig.lane, rig.panel().attempt)
    assert kept is not None
    assert kept.media_type == "image/bmp"


@pytest.mark.req("ID-02", "AD-18")
async def test_somebody_else_with_the_card_is_a_case_for_the_supervisor(rig: Rig) -> None:
    await rig.show(ANOTHER)
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.results() == [Result.OTHER_FACE])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [Reason.FACE_OTHER])
    await rig.until(lambda: rig.panel().state == "other")
    panel = rig.panel()
    assert (panel.show, panel.again, panel.tone) == (True, True, "no")
    # The right person steps before the camera and is compared once more.
    await rig.show(HOLDER)
    rig.hub.faces.desk.again(rig.lane, arrival.id)
    await rig.until(lambda: rig.results() == [Result.OTHER_FACE, Result.OK])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.outcome == Outcome.ADMIT


@pytest.mark.req("ID-06")
async def test_nobody_before_the_camera_is_no_finding_against_anybody(rig: Rig) -> None:
    await rig.show()
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.results() == [Result.UNREADABLE])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.outcome == Outcome.ADMIT
    await rig.until(lambda: rig.panel().state == "unreadable")
    assert "没有看到人脸" in rig.panel().line
    assert "No face" in rig.panel("en").line


@pytest.mark.req("ID-02", "ID-06")
async def test_without_models_the_desk_says_so_and_shows_both_pictures(bare: Rig) -> None:
    await bare.show(HOLDER)
    code_first(bare)
    bare.reader.lay(card_of(GUEST))
    await bare.until(lambda: bare.panel().state == "no_models")
    panel, arrival = bare.panel(), bare.newest()
    assert arrival is not None
    assert (panel.line, panel.show, bool(panel.live)) == ("没有可用的人脸模型，请您对照。", True, True)
    assert bare.results() == []
    assert arrival.outcome == Outcome.ADMIT
    kept = bare.hub.faces.desk.at(bare.lane, arrival.id)
    assert kept is not None
    assert kept.picture == png(scene(HOLDER))
    still = await bare.hub.faces.desk.still(bare.lane, arrival.id)
    assert still is not None
    assert still.startswith(b"\xff\xd8")


async def test_right_after_a_start_a_card_waits_for_the_models(
    sqlite: Database, face_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder(tmp_path, png(scene(HOLDER)), monkeypatch)
    use_pack(face_models, monkeypatch)
    late = threading.Event()
    load = face_service.load
    monkeypatch.setattr(face_service, "load", lambda *args: (late.wait(20), load(*args))[1])
    async with running(sqlite) as rig:
        await rig.show(HOLDER)
        code_first(rig)
        rig.reader.lay(card_of(GUEST))
        await rig.until(lambda: rig.panel().state == "running")
        assert rig.hub.faces.state.code == "starting"
        late.set()
        await rig.until(lambda: rig.results() == [Result.OK])


@pytest.mark.req("ID-06")
async def test_with_faces_off_nothing_is_compared(rig: Rig) -> None:
    rig.world.do(face_policy.save, rig.world.manager, rig.world.site.id, {"verify": False})
    await rig.show(ANOTHER)
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.panel().state == "off")
    assert rig.results() == []
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.outcome == Outcome.ADMIT


async def test_a_strangers_photo_waits_until_the_walk_in_is_registered(rig: Rig) -> None:
    await rig.show(HOLDER)
    rig.reader.lay(card_of(STRANGER))
    await rig.until(lambda: rig.hub.laid.at(rig.lane) is not None)
    assert rig.panel().attempt == ""
    form = walk_ins.WalkInForm(rig.world.unit.id, STRANGER, "13911112222", document_tail="002X")
    laid = rig.hub.laid.at(rig.lane)
    attempt = await asyncio.to_thread(
        lambda: rig.world.do(walk_ins.register, rig.world.guard, rig.lane, form, laid=laid)
    )
    rig.hub.faces.desk.claim(rig.lane, attempt.id)
    await rig.until(lambda: rig.results() == [Result.OK])
    assert rig.panel().attempt == attempt.id


async def test_the_next_card_takes_the_photos_place_and_nothing_outlives_the_stop(rig: Rig) -> None:
    await rig.show(HOLDER)
    code_first(rig)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.panel().attempt != "")
    first = rig.hub.faces.desk.at(rig.lane, rig.panel().attempt)
    assert first is not None
    rig.reader.lay(SPECIMEN)
    await rig.until(lambda: rig.hub.faces.desk.at(rig.lane, first.attempt_id) is not first)
    assert first.stop.is_set()
    await rig.hub.stop()
    assert rig.hub.faces.desk._kept == {}


async def test_a_photo_is_forgotten_by_itself(bare: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.runtime import face_desk

    assert face_desk.KEEP_SECONDS == 120
    monkeypatch.setattr(face_desk, "KEEP_SECONDS", 0.05)
    code_first(bare)
    arrival = bare.newest()
    assert arrival is not None
    bare.hub.faces.desk.keep(bare.lane, arrival.id, b"x", "image/png", compare=False)
    await bare.until(lambda: bare.hub.faces.desk.at(bare.lane, arrival.id) is None)


# --- one to many ------------------------------------------------------------------------------------------------------


async def enrol(rig: Rig, person: Person) -> Booking:
    """A partner before the camera, who agreed."""
    switch_on(rig.world)
    booking, _ = standing(rig.world)
    agree(rig.world, booking.visitor_id)
    await rig.show(person)
    taken = await rig.hub.faces.capture(rig.camera_id)
    assert isinstance(taken, Face), taken
    await asyncio.to_thread(lambda: rig.world.do(faces.enrol, rig.world.manager, booking.visitor_id, taken))
    return booking


@pytest.mark.req("ID-02", "AD-02", "ID-06")
async def test_a_regular_is_recognised_and_after_withdrawal_never_again(rig: Rig) -> None:
    site = rig.world.site.id
    booking = await enrol(rig, HOLDER)
    await rig.until(lambda: rig.hub.faces.gate.size(site) == 1)
    await rig.until(lambda: rig.results() == [Result.OK])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.booking_id, arrival.outcome, arrival.reasons) == (
        booking.id,
        Outcome.ADMIT,
        [Reason.STANDING],
    )
    assert ("人脸 · 有效", "ok") in rig.chips()
    consent = rig.world.ask(
        lambda s: consents.repository.newest_consent(s, booking.visitor_id, Purpose.FACE_RECOGNISE)
    )
    assert consent is not None
    # Out of the index by the time the withdrawal is answered, before anything else runs on the loop.
    rig.world.do(consents.withdraw, rig.world.manager, consent.id, Channel.CONSOLE)
    assert rig.hub.faces.gate.size(site) == 0
    await rig.hub.faces.refresh()
    assert rig.hub.faces.gate.size(site) == 0
    # Who stands there still was recognised a moment before: that no longer opens anything.
    with pytest.raises(NotAdmissible):
        await asyncio.to_thread(rig.world.do, admit, rig.world.guard, arrival.id)


async def test_a_stranger_before_the_camera_is_nobody(rig: Rig) -> None:
    await enrol(rig, HOLDER)
    await rig.until(lambda: rig.results() == [Result.OK])
    before = rig.newest()
    await rig.show(ANOTHER)
    feed = rig.hub.hardware.camera(rig.camera_id)
    assert feed is not None
    # The watch has looked at the stranger: it marked a face that it does not know.
    await rig.until(lambda: any(mark.kind == "face" and mark.label != "match" for mark in feed.marks))
    after = rig.newest()
    assert before is not None
    assert after is not None
    assert after.id == before.id


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("end", ["policy", "permit"])
async def test_what_ends_recognising_empties_the_index(rig: Rig, end: str) -> None:
    site = rig.world.site.id
    booking = await enrol(rig, HOLDER)
    await rig.until(lambda: rig.hub.faces.gate.size(site) == 1)
    if end == "policy":
        rig.world.do(face_policy.save, rig.world.manager, site, {"recognise": False})
        await rig.until(lambda: site not in rig.hub.faces.gate._indices)
        assert not rig.hub.faces.gate._running
    else:
        rig.world.do(permits.end, rig.world.manager, booking.id)
        assert rig.hub.faces.gate.size(site) == 0


async def test_without_models_no_face_is_taken(bare: Rig) -> None:
    await bare.show(HOLDER)
    assert await bare.hub.faces.capture(bare.camera_id) is FaceFault.NO_MODELS
