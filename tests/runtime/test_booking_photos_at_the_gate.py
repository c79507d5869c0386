"""The visitor's own picture at the lane: brought, compared by tiny real models, shown, and gone with the consent (ID-02, BK-04)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from app.adapters import visitor_picture
from app.core.database import Database
from app.core.settings import get_settings
from app.domain.admission import repository
from app.domain.admission.face_evidence import BOOKING_PHOTO
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.booking.models import Booking
from app.domain.identity import face_policy
from app.runtime.face_desk import Comparison
from hardware.simulators.id_cards import card_of
from tests.domain.photos_at_hand import add, withdraw
from tests.factories import GUEST, admit, invite, show_code
from tests.hardware.face_pictures import Person, png, scene
from tests.hardware.face_rig import face_models
from tests.runtime.test_faces_at_the_gate import ANOTHER, HOLDER, Rig, decoder, running, use_pack

__all__ = ["face_models"]


@pytest.fixture
async def rig(
    sqlite: Database, face_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Rig]:
    """A gate with models; the photo of any card is the holder's."""
    decoder(tmp_path, png(scene(HOLDER)), monkeypatch)
    use_pack(face_models, monkeypatch)
    async with running(sqlite) as made:
        await made.until(lambda: made.hub.faces.state.code == "ready")
        yield made


@pytest.fixture
async def bare(sqlite: Database) -> AsyncIterator[Rig]:
    """A gate without models and without a decoder of card photos."""
    async with running(sqlite) as made:
        yield made


def picture_of(*people: Person) -> bytes:
    """What the route makes of a picture of them."""
    encoded, data = cv2.imencode(".jpg", scene(*people), [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert encoded
    return visitor_picture.clean(data.tobytes())


def guest(rig: Rig, *people: Person, name: str = GUEST, comes: bool = True) -> Booking:
    """A guest whose booking has a picture of these people, and who shows the code at the lane."""
    booking, issued, _ = invite(rig.world, name=name)
    add(rig.world, booking, picture_of(*people))
    if comes:
        show_code(rig.world, issued)
    return booking


def held(rig: Rig) -> Comparison | None:
    return rig.hub.faces.desk.held(rig.lane)


def sources(rig: Rig) -> list[tuple[str, str]]:
    newest = rig.newest()
    rows: Any = rig.world.ask(repository.evidence_of, newest.id) if newest else []
    return [(row.result, row.source) for row in rows if row.kind == Kind.FACE]


@pytest.mark.req("ID-02", "BK-04")
async def test_the_visitor_is_held_against_the_own_picture(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.show(HOLDER)
    guest(rig, HOLDER)
    await rig.until(lambda: sources(rig) == [(Result.OK, BOOKING_PHOTO)])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.outcome, arrival.status) == (Outcome.ADMIT, "open")
    assert ("面部与预约照片一致 ✓", "ok") in rig.chips()
    await rig.until(lambda: rig.panel().state == "same")
    assert (rig.panel().booked, rig.panel().show, rig.panel().line) == (True, False, "面部与预约照片一致 ✓")
    # Once let in, nothing of it is held at the lane any more.
    admit(rig.world, arrival)
    await rig.until(lambda: held(rig) is None)
    assert "Comparison(" not in caplog.text


@pytest.mark.req("ID-02", "AD-18")
async def test_somebody_else_is_a_doubt_and_a_withdrawal_ends_it(rig: Rig) -> None:
    await rig.show(ANOTHER)
    booking = guest(rig, HOLDER)
    await rig.until(lambda: sources(rig) == [(Result.OTHER_FACE, BOOKING_PHOTO)])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [Reason.FACE_OTHER])
    await rig.until(lambda: rig.panel().state == "other")
    assert rig.panel("en").line == "Another face than on the booking's picture. Call a supervisor."
    withdraw(rig.world, booking)
    await rig.until(lambda: held(rig) is None)

    def outcome() -> str:
        newest = rig.newest()
        return newest.outcome if newest else ""

    await rig.until(lambda: outcome() == Outcome.ADMIT)
    assert rig.panel().state == ""
    stored = [p for p in (get_settings().data_dir / "vault").rglob("*") if p.is_file()]
    # What is left there is the scene of the case.
    assert len(stored) <= 1


@pytest.mark.req("ID-06")
async def test_a_withdrawal_stops_a_comparison_that_runs(rig: Rig) -> None:
    await rig.show()  # nobody to see: it goes on looking for a while
    booking = guest(rig, HOLDER)
    await rig.until(lambda: rig.panel().state == "running")
    kept = held(rig)
    assert kept is not None
    withdraw(rig.world, booking)
    await rig.until(lambda: held(rig) is None)
    assert kept.stop.is_set()
    await rig.until(lambda: not rig.hub.faces.desk._tasks)
    assert sources(rig) == []


@pytest.mark.req("ID-02", "ID-06")
async def test_without_models_the_guard_compares_with_the_picture(bare: Rig) -> None:
    await bare.show(HOLDER)
    guest(bare, HOLDER)
    await bare.until(lambda: bare.panel().state == "no_models")
    panel = bare.panel()
    assert (panel.booked, panel.show, bool(panel.live)) == (True, True, True)
    assert "请您对照" in panel.line
    kept = held(bare)
    assert kept is not None
    assert (kept.picture, kept.media_type) == (picture_of(HOLDER), "image/jpeg")
    assert bare.results() == []


@pytest.mark.req("ID-02")
async def test_the_photo_of_a_document_comes_first(rig: Rig) -> None:
    await rig.show(HOLDER)
    guest(rig, ANOTHER)  # the picture is somebody else's
    await rig.until(lambda: sources(rig) == [(Result.OTHER_FACE, BOOKING_PHOTO)])
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: sources(rig)[-1:] == [(Result.OK, "")])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.outcome == Outcome.ADMIT
    await rig.until(lambda: rig.panel().state == "same")
    assert rig.panel().booked is False


async def test_a_card_without_a_photo_leaves_the_picture_where_it_is(bare: Rig) -> None:
    await bare.show(HOLDER)
    guest(bare, HOLDER)
    await bare.until(lambda: bare.panel().state == "no_models")
    bare.reader.lay(card_of(GUEST))
    await bare.until(lambda: "document" in [row.kind for row in _evidence(bare)])
    await asyncio.sleep(0)
    kept = held(bare)
    assert kept is not None
    assert kept.source == BOOKING_PHOTO


async def test_a_card_that_begins_the_arrival_without_a_photo_brings_the_picture(bare: Rig) -> None:
    await bare.show(HOLDER)
    guest(bare, HOLDER, comes=False)
    bare.reader.lay(card_of(GUEST))
    await bare.until(lambda: bare.panel().state == "no_models")
    assert bare.panel().booked


@pytest.mark.req("ID-06")
async def test_with_comparing_off_no_picture_is_brought(rig: Rig) -> None:
    booking, issued, _ = invite(rig.world)
    add(rig.world, booking, picture_of(HOLDER))
    rig.world.do(face_policy.save, rig.world.manager, rig.world.site.id, {"verify": False})
    await rig.show(ANOTHER)
    show_code(rig.world, issued)
    await rig.hub.photos._see(rig.lane)
    assert held(rig) is None


async def test_each_is_compared_in_turn(rig: Rig) -> None:
    await rig.show(HOLDER)
    guest(rig, HOLDER)
    await rig.until(lambda: sources(rig) == [(Result.OK, BOOKING_PHOTO)])
    first = rig.newest()
    assert first is not None
    guest(rig, HOLDER, name="陈静")
    second = rig.newest()
    assert second is not None
    assert second.id != first.id
    assert sources(rig) == []
    admit(rig.world, first)
    await rig.until(lambda: sources(rig) == [(Result.OK, BOOKING_PHOTO)])
    kept = held(rig)
    assert kept is not None
    assert kept.attempt_id == second.id


async def test_a_picture_that_is_added_at_the_gate_is_compared_there(rig: Rig) -> None:
    await rig.show(HOLDER)
    booking, issued, _ = invite(rig.world)
    show_code(rig.world, issued)
    add(rig.world, booking, picture_of(HOLDER))
    await rig.until(lambda: sources(rig) == [(Result.OK, BOOKING_PHOTO)])


@pytest.mark.req("BK-04")
async def test_the_models_see_the_one_face_of_a_picture_before_it_is_stored(rig: Rig) -> None:
    two = (Person(1, x=60, size=150), Person(2, x=380, size=150))
    look = rig.hub.faces.look_at_still
    assert await look(picture_of(HOLDER)) == "one_face"
    assert await look(picture_of()) == "no_face"
    assert await look(picture_of(*two)) == "several_faces"


async def test_without_models_nobody_can_tell(bare: Rig) -> None:
    assert await bare.hub.faces.look_at_still(picture_of(HOLDER)) == ""


def _evidence(rig: Rig) -> Any:
    newest = rig.newest()
    return rig.world.ask(repository.evidence_of, newest.id) if newest else []
