"""Devices at a lane's own computer do for a lane what the server's own do: pictures, badges, faces (AD-15, AD-18, ID-02)."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops

from app.adapters import badge_picture
from app.core import i18n, vault
from app.core.actor import SYSTEM
from app.core.database import Database
from app.domain.access import service as access
from app.domain.admission.badges import badge_of
from app.domain.admission.case_rules import PictureState
from app.domain.admission.rules import Outcome, Result
from app.domain.identity import consents, faces
from app.domain.identity.rules import Channel, Purpose
from app.domain.identity.templates import Face
from app.domain.sites import agents
from app.runtime import printing
from hardware.face_ports import FaceFault
from hardware.simulators.id_cards import SPECIMEN, card_of
from state import desk_printing
from tests.domain.faces_at_hand import agree, switch_on
from tests.factories import GUEST, invite, let_in, show_code, standing
from tests.hardware.face_pictures import Person, png, scene
from tests.hardware.face_rig import face_models
from tests.runtime.lane_rig import LaneRig, audited, lane
from tests.runtime.test_faces_at_the_gate import decoder

__all__ = ["face_models"]

HOLDER, ANOTHER = Person(3, size=300), Person(4, size=300)


@pytest.fixture
async def rig(sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LaneRig]:
    decoder(tmp_path, png(scene(HOLDER)), monkeypatch)
    async with lane(sqlite, tmp_path, monkeypatch) as made:
        yield made


async def lay_somebody_elses_card(rig: LaneRig) -> None:
    _, issued, _ = invite(rig.world)
    await asyncio.to_thread(show_code, rig.world, issued)
    rig.reader.lay(SPECIMEN)


async def case_settled(rig: LaneRig) -> tuple[str, str]:
    await rig.until(lambda: (case := rig.case()) and case.picture_state != PictureState.PENDING)
    case = rig.case()
    assert case is not None
    return case.picture_state, case.picture_id


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("AD-18")
async def test_a_case_keeps_what_the_camera_there_saw_though_nobody_looked(rig: LaneRig) -> None:
    await rig.start()
    rig.show(HOLDER)
    await lay_somebody_elses_card(rig)
    state, picture = await case_settled(rig)
    assert state == PictureState.KEPT
    assert vault.get(picture).startswith(b"\xff\xd8\xff")
    assert rig.agent.status["pictures"] == 0, "nobody watched the camera"


@pytest.mark.req("AD-18")
async def test_a_case_says_that_the_computer_was_away_and_a_camera_that_stands_still(rig: LaneRig) -> None:
    await lay_somebody_elses_card(rig)
    assert await case_settled(rig) == (PictureState.COMPUTER_AWAY, "")
    await rig.start()
    rig.picture.flowing.clear()
    await rig.until(lambda: rig.device(rig.camera)[0] != "online")
    place = rig.hub.places.of(rig.camera)
    assert place is not None
    still = await place.picture(rig.camera)
    assert (still.picture, still.why) == (None, "no_picture")


# --- badges -----------------------------------------------------------------------------------------------------------


def press(rig: LaneRig, visit_id: str) -> bool:
    return rig.hub.printing.begin(rig.world.guard, rig.lane, visit_id, i18n.DEFAULT)


async def came_of_it(rig: LaneRig) -> tuple[str, str]:
    await rig.until(lambda: (s := rig.hub.printing.at(rig.lane)) is not None and s.phase != "busy")
    status = rig.hub.printing.at(rig.lane)
    assert status is not None
    return status.phase, status.code


@pytest.mark.req("AD-15", "AD-04")
async def test_a_badge_comes_out_there_dot_for_dot_as_it_would_here(rig: LaneRig) -> None:
    await rig.start()
    _, issued, visit = let_in(rig.world)
    assert press(rig, visit.id)
    assert await came_of_it(rig) == ("printed", "printed")
    came_out = Image.open(io.BytesIO(rig.printer.picture() or b""))
    (code,) = zxingcpp.read_barcodes(came_out.convert("L"))
    assert code.text == access.badge_code(issued)
    drawn = Image.open(
        io.BytesIO(badge_picture.draw(rig.world.ask(badge_of, rig.world.guard, visit.id), i18n.DEFAULT, 384))
    )
    assert came_out.size == drawn.size
    assert ImageChops.difference(came_out.convert("L"), drawn.convert("L")).getbbox() is None
    assert rig.world.ask(audited, "badge.printed") == [("ok", "printed")]


@pytest.mark.req("AD-15")
async def test_a_fault_of_the_printer_there_has_the_words_of_one_here(rig: LaneRig) -> None:
    await rig.start()
    _, _, visit = let_in(rig.world)
    rig.printer.take_paper()
    press(rig, visit.id)
    assert await came_of_it(rig) == ("failed", "paper_out")
    assert desk_printing.view(rig.lane, visit.id, "zh-CN").words == "打印机缺纸，请用浏览器打印。"
    assert rig.printer.prints == 0


@pytest.mark.req("AD-15")
async def test_a_badge_whose_line_is_cut_in_the_middle_comes_out_once(rig: LaneRig) -> None:
    await rig.start()
    rig.printer.bytes_per_second = 20_000  # the cut finds it at work
    _, _, visit = let_in(rig.world)
    press(rig, visit.id)
    await rig.until(lambda: len(rig.printer._buffer) > 1_000)
    rig.line.cut()
    rig.line.mend()
    assert await came_of_it(rig) == ("printed", "printed")
    assert rig.printer.prints == 1


@pytest.mark.req("AD-15")
async def test_a_computer_that_dies_at_a_badge_prints_no_second_one_and_the_guard_is_told_to_look(
    rig: LaneRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "JOB_SECONDS", 30.0)
    await rig.start()
    rig.printer.bytes_per_second = 20_000
    _, _, visit = let_in(rig.world)
    press(rig, visit.id)
    await rig.until(lambda: len(rig.printer._buffer) > 1_000)
    await asyncio.to_thread(rig.agent.kill)
    await rig.start()
    assert await came_of_it(rig) == ("failed", "agent_restarted")
    assert "刚刚重新启动" in desk_printing.view(rig.lane, visit.id, "zh-CN").words
    assert rig.printer.prints <= 1


@pytest.mark.req("AD-15")
async def test_a_badge_that_arrives_late_is_never_printed(
    rig: LaneRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.start()
    monkeypatch.setattr(printing, "JOB_SECONDS", 0.5)
    _, _, visit = let_in(rig.world)
    rig.line.hold()
    press(rig, visit.id)
    assert await came_of_it(rig) == ("failed", "agent_no_answer")
    assert "没有回答" in desk_printing.view(rig.lane, visit.id, "zh-CN").words
    rig.line.release()
    # The next badge comes out on the same line, behind the late one.
    monkeypatch.setattr(printing, "JOB_SECONDS", 20.0)
    await rig.heard()
    press(rig, visit.id)
    await rig.until(lambda: rig.printer.prints == 1)
    assert await came_of_it(rig) == ("printed", "printed")
    assert rig.printer.prints == 1


@pytest.mark.req("AD-15", "SI-04")
async def test_no_badge_goes_to_a_computer_that_is_away_or_revoked(rig: LaneRig) -> None:
    await rig.start()
    _, _, visit = let_in(rig.world)
    rig.world.do(agents.revoke, SYSTEM, rig.row.id)
    await rig.until(lambda: rig.device(rig.paper) == ("offline", "agent_revoked"))
    press(rig, visit.id)
    assert await came_of_it(rig) == ("failed", "agent_revoked")
    assert rig.printer.prints == 0


# --- faces ------------------------------------------------------------------------------------------------------------


async def code_and_card(rig: LaneRig) -> None:
    _, issued, _ = invite(rig.world)
    await asyncio.to_thread(show_code, rig.world, issued)
    rig.reader.lay(card_of(GUEST))


@pytest.mark.req("ID-02")
async def test_the_holder_is_compared_with_the_camera_there_by_the_models_there(
    rig: LaneRig, face_models: Path
) -> None:
    shutil.copytree(face_models / "insight", rig.agent.folder / "models" / "insight")
    rig.show(HOLDER)
    await rig.start()
    assert rig.hub.faces.state.code == "no_pack", "the server has no models of its own"
    await code_and_card(rig)
    await rig.until(lambda: rig.results() == [Result.OK])
    await rig.until(lambda: rig.panel().state == "same")
    newest = rig.newest()
    assert newest is not None
    assert newest.outcome == Outcome.ADMIT
    still = await rig.hub.faces.desk.still(rig.lane, newest.id)
    assert still is not None
    # Another stands there, and the desk has it compared once more.
    rig.show(ANOTHER)
    await rig.seen(ANOTHER)
    await rig.until(lambda: rig.agent.status.get("faces") == "ready")
    rig.hub.faces.desk.again(rig.lane, newest.id)
    await rig.until(lambda: rig.results() == [Result.OK, Result.OTHER_FACE])
    await rig.until(lambda: rig.panel().state == "other")


@pytest.mark.req("ID-02", "AD-02", "ID-06")
async def test_a_regular_is_enrolled_and_recognised_there_until_the_consent_is_taken_back(
    rig: LaneRig, face_models: Path
) -> None:
    shutil.copytree(face_models / "insight", rig.agent.folder / "models" / "insight")
    rig.show(HOLDER)
    await rig.start()
    await rig.until(lambda: (h := rig.hub.agents.hello(rig.row.id)) is not None and h.has_models)
    switch_on(rig.world)
    booking, _ = standing(rig.world)
    agree(rig.world, booking.visitor_id)
    taken = await rig.hub.faces.capture(rig.camera)
    assert isinstance(taken, Face), taken
    await asyncio.to_thread(lambda: rig.world.do(faces.enrol, rig.world.manager, booking.visitor_id, taken))
    await rig.until(lambda: rig.hub.faces.lanes.size(rig.row.id) == 1)
    await rig.until(lambda: rig.results() == [Result.OK])
    newest = rig.newest()
    assert newest is not None
    assert (newest.booking_id, newest.outcome) == (booking.id, Outcome.ADMIT)
    # Nothing of it is on that computer's disk, and nothing is left in its memory once the line is cut.
    assert not any(
        taken.vector[:64] in path.read_bytes() for path in rig.agent.folder.iterdir() if path.is_file()
    )
    await rig.until(lambda: rig.agent.status.get("regulars") == 1)
    rig.line.cut()
    await rig.until(lambda: rig.agent.status.get("regulars") == 0)
    rig.line.mend()
    await rig.until(lambda: rig.agent.status.get("regulars") == 1)
    consent = rig.world.ask(
        lambda s: consents.repository.newest_consent(s, booking.visitor_id, Purpose.FACE_RECOGNISE)
    )
    assert consent is not None
    rig.world.do(consents.withdraw, rig.world.manager, consent.id, Channel.CONSOLE)
    await rig.until(lambda: rig.agent.status.get("regulars") == 0)


async def test_without_models_there_no_face_is_taken_there(rig: LaneRig) -> None:
    await rig.start()
    assert await rig.hub.faces.capture(rig.camera) is FaceFault.NO_MODELS


@pytest.mark.req("ID-02", "ID-06")
async def test_without_models_there_the_desk_says_so_and_shows_both_pictures(rig: LaneRig) -> None:
    await rig.start()
    await code_and_card(rig)
    await rig.until(lambda: rig.panel().state == "lane_no_models")
    panel, newest = rig.panel(), rig.newest()
    assert newest is not None
    assert (panel.line, panel.show, bool(panel.live)) == (
        "车道电脑上没有可用的人脸模型，请您对照。",
        True,
        True,
    )
    assert rig.results() == []
    assert newest.outcome == Outcome.ADMIT
    still = await rig.hub.faces.desk.still(rig.lane, newest.id)
    assert still is not None
    assert still.startswith(b"\xff\xd8\xff")


@pytest.mark.req("ID-06")
async def test_a_silent_computer_holds_no_comparison_up(rig: LaneRig) -> None:
    await code_and_card(rig)
    rig.hub.agents._heard.clear()
    newest = rig.newest()
    await rig.until(lambda: rig.panel().state == "agent_silent")
    assert newest is not None
    assert rig.panel("en").line.startswith("The lane computer is silent")
    assert await rig.hub.faces.desk.still(rig.lane, newest.id) is None
