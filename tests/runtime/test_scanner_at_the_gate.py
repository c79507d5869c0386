"""From the bytes on a scanner's line, or a number in a card's file, to the verdict at the lane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.database import Database
from app.domain.access import service as access
from app.domain.admission import repository
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.sites import service as sites
from app.runtime.hub import Hub
from app.runtime.live import Live
from app.runtime.tapped_cards import KEEP_SECONDS, TappedCards
from hardware.simulators.reader import ReaderEmulator
from hardware.simulators.scanner import ScannerEmulator
from tests.domain.test_typed_documents import zone
from tests.factories import World, invite, make_world, standing

FILE = {bytes.fromhex("3F05"): b"6222020001"}


class Rig:
    """A lane with a scanner and a card reader that runs a script."""

    def __init__(self, world: World, hub: Hub, scanner: str, reader: str) -> None:
        self.world, self.hub, self._scanner, self._reader = world, hub, scanner, reader

    @property
    def scanner(self) -> ScannerEmulator:
        found = self.hub.hardware.emulator(self._scanner)
        assert isinstance(found, ScannerEmulator)
        return found

    @property
    def reader(self) -> ReaderEmulator:
        found = self.hub.hardware.emulator(self._reader)
        assert isinstance(found, ReaderEmulator)
        return found

    def newest(self) -> Attempt | None:
        query = select(Attempt).where(Attempt.lane_id == self.world.both.id).order_by(Attempt.id.desc())  # type: ignore[attr-defined]
        return self.world.ask(lambda session: session.exec(query).first())

    def rows(self) -> list[tuple[str, str, str]]:
        newest = self.newest()
        found = self.world.ask(repository.evidence_of, newest.id) if newest else []
        return [(row.kind, row.result, row.source) for row in found]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.01)


@pytest.fixture
async def rig(sqlite: Database) -> AsyncIterator[Rig]:
    world = make_world(sqlite)

    def configure(session: Session) -> tuple[str, str]:
        script = {"emulated": True, "script": "00A4000C023F05; 00B000000A"}
        save = sites.save_device
        scanner = save(session, world.manager, world.both, "扫描器", "scanner", {"emulated": True})
        reader = save(session, world.manager, world.both, "读卡器", "pcsc", script)
        return scanner.id, reader.id

    ids = world.do(configure)
    hub = Hub(sqlite, Live())
    await hub.start()
    made = Rig(world, hub, *ids)

    def ready() -> bool:
        return all(health.status == "online" for health in hub.hardware.health().values())

    await made.until(ready)
    yield made
    await hub.stop()


@pytest.mark.req("ID-01", "AD-02")
async def test_a_pass_before_the_scanner_begins_the_arrival(rig: Rig) -> None:
    booking, issued, _ = invite(rig.world)
    rig.scanner.scan(access.code_now(issued, clock.now()))
    await rig.until(lambda: rig.rows() == [(Kind.CODE, Result.OK, "")])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.booking_id, arrival.outcome) == (booking.id, Outcome.ADMIT)


@pytest.mark.req("ID-01", "ID-05")
async def test_a_zone_before_the_scanner_finds_the_guest_and_another_one_is_a_review(rig: Rig) -> None:
    booking, _, _ = invite(rig.world)
    for line in zone("ZHOU", "TINGTING").splitlines():
        rig.scanner.scan(line)
    await rig.until(lambda: rig.rows() == [(Kind.DOCUMENT, Result.OK, "zone")])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.booking_id, arrival.outcome) == (booking.id, Outcome.ADMIT)
    rig.scanner.scan(zone("ZHOU", "TING").replace("\n", "\r"))
    await rig.until(lambda: len(rig.rows()) == 2)
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.reasons == [Reason.DOCUMENT_OTHER_NAME]


@pytest.mark.req("ID-05")
async def test_a_strangers_zone_waits_for_the_form_and_half_a_zone_is_unreadable(rig: Rig) -> None:
    rig.scanner.scan(zone("ERIKSSON", "ANNA").replace("\n", "\r"))
    await rig.until(lambda: rig.hub.laid.at(rig.world.both.id) is not None)
    laid = rig.hub.laid.at(rig.world.both.id)
    assert laid is not None
    assert laid.document is not None
    assert (laid.document.names[0].text, laid.document.tails, laid.source) == (
        "ERIKSSON ANNA",
        ("5678",),
        "zone",
    )
    assert "ERIKSSON" not in repr(laid)
    rig.scanner.scan(zone("ERIKSSON", "ANNA").splitlines()[0])
    await rig.until(lambda: rig.rows() == [(Kind.DOCUMENT, Result.UNREADABLE, "zone")])


@pytest.mark.req("ID-05")
async def test_what_has_the_shape_of_a_zone_and_is_none_is_an_unreadable_document(rig: Rig) -> None:
    rig.scanner.scan("V" + zone("ERIKSSON", "ANNA").replace("\n", "\r")[1:])
    await rig.until(lambda: rig.rows() == [(Kind.DOCUMENT, Result.UNREADABLE, "zone")])


@pytest.mark.req("ID-01", "AD-02")
async def test_a_number_in_a_cards_file_is_issued_and_resolves_like_a_uid(rig: Rig) -> None:
    booking, _ = standing(rig.world, uid="#6222020001")
    rig.reader.tap("04AABBCCDDEEFF", FILE)
    await rig.until(lambda: rig.rows() == [(Kind.CARD, Result.OK, "")])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.booking_id == booking.id


@pytest.mark.req("AD-02")
async def test_a_uid_of_the_same_digits_is_not_that_card(rig: Rig) -> None:
    standing(rig.world, uid="#6222020001")
    rig.reader.tap("6222020001AABB")
    await rig.until(lambda: rig.rows() == [(Kind.CARD, Result.UNKNOWN, "")])


@pytest.mark.req("AD-02")
async def test_a_random_uid_is_unreadable_but_for_a_number_in_the_file(rig: Rig) -> None:
    rig.reader.tap("08112233")
    await rig.until(lambda: rig.rows() == [(Kind.CARD, Result.UNREADABLE, "")])
    standing(rig.world, uid="#6222020001")
    rig.reader.remove()
    rig.reader.tap("08445566", FILE)
    await rig.until(lambda: rig.rows() == [(Kind.CARD, Result.OK, "")])


@pytest.mark.req("AD-02")
async def test_a_tapped_card_waits_for_the_console_once(rig: Rig) -> None:
    rig.reader.tap("04AABBCCDDEEFF", FILE)
    await rig.until(lambda: rig.rows() == [(Kind.CARD, Result.UNKNOWN, "")])
    tapped = rig.hub.tapped
    assert tapped.take(["another lane"]) == ""
    assert tapped.take([rig.world.both.id]) == "#6222020001"
    assert tapped.take([rig.world.both.id]) == ""


def test_of_several_lanes_the_newest_card_is_taken_and_an_old_one_forgotten() -> None:
    moment = 0.0
    tapped = TappedCards(lambda: moment)
    for lane, number in (("a", "04AA"), ("b", "04BB")):
        moment += 1
        tapped.keep(lane, number)
    assert tapped.take(["a", "b", "c"]) == "04BB"
    assert tapped.take(["a", "b", "c"]) == "04AA"
    tapped.keep("a", "04AA")
    moment += KEEP_SECONDS + 1
    assert tapped.take(["a"]) == ""
