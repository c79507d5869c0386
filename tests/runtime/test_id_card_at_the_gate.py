"""From the bytes on the reader's line to the verdict at the lane: driver, hub and decision together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from app.core.database import Database
from app.domain.admission import repository
from app.domain.admission.models import Attempt, EvidenceRow
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.people.models import Person
from app.domain.sites import service as sites
from app.domain.sites.models import Device
from app.runtime import laid_documents
from app.runtime.hub import Hub
from app.runtime.laid_documents import LaidDocuments
from app.runtime.live import Live
from hardware.drivers.sdt_module import READ_CARD, Status
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN, card_of
from tests.factories import GUEST, World, invite, make_world, show_code

NAME, NUMBER, TAIL = "张三", "11010519491231002X", "002X"


class Rig:
    """A lane with a running ID card reader."""

    def __init__(self, world: World, hub: Hub, device: Device) -> None:
        self.world, self.hub, self._device = world, hub, device

    @property
    def reader(self) -> IdCardReaderEmulator:
        found = self.hub.hardware.emulator(self._device.id)
        assert isinstance(found, IdCardReaderEmulator)
        return found

    def newest(self) -> Attempt | None:
        """The newest arrival at the lane."""
        query = select(Attempt).where(Attempt.lane_id == self.world.both.id).order_by(Attempt.id.desc())  # type: ignore[attr-defined]
        return self.world.ask(lambda session: session.exec(query).first())

    def results(self) -> list[tuple[str, str]]:
        """What was presented in it."""
        newest = self.newest()
        if newest is None:
            return []
        return [(row.kind, row.result) for row in self.world.ask(repository.evidence_of, newest.id)]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what comes from the device's thread."""
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.01)


@pytest.fixture
async def rig(sqlite: Database) -> AsyncIterator[Rig]:
    world = make_world(sqlite)

    def configure(session: Session) -> Device:
        return sites.save_device(
            session, world.manager, world.both, "身份证阅读器", "id_card", {"emulated": True}
        )

    device = world.do(configure)
    hub = Hub(sqlite, Live())
    await hub.start()
    made = Rig(world, hub, device)
    await made.until(lambda: world.get(Device, device.id).status == "online")
    yield made
    await hub.stop()


async def test_a_guests_card_on_the_reader_begins_the_arrival_and_the_code_joins_it(rig: Rig) -> None:
    booking, issued, _ = invite(rig.world)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.results() == [(Kind.DOCUMENT, Result.OK)])
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.booking_id, arrival.outcome) == (booking.id, Outcome.ADMIT)
    assert rig.hub.laid.at(rig.world.both.id) is None
    assert show_code(rig.world, issued).id == arrival.id


async def test_the_open_arrival_of_another_becomes_a_case_for_the_supervisor(rig: Rig) -> None:
    _, issued, _ = invite(rig.world)
    show_code(rig.world, issued)
    rig.reader.lay(SPECIMEN)
    await rig.until(lambda: len(rig.results()) == 2)
    arrival = rig.newest()
    assert arrival is not None
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [Reason.DOCUMENT_OTHER_NAME])
    assert rig.hub.cues[rig.world.both.id][1] == "alarm"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reader: reader.tear(SPECIMEN),
        lambda reader: (reader.refuse(READ_CARD, Status.DATA_CHECK_FAILED, 9), reader.lay(SPECIMEN)),
        lambda reader: reader.lay(SPECIMEN, SPECIMEN),
    ],
    ids=["pulled away", "damaged", "two at once"],
)
async def test_a_card_that_cannot_be_read_is_told_as_a_document(
    rig: Rig, spoil: Callable[[IdCardReaderEmulator], object]
) -> None:
    spoil(rig.reader)
    await rig.until(lambda: rig.results() == [(Kind.DOCUMENT, Result.UNREADABLE)])
    arrival = rig.newest()
    assert arrival is not None
    assert arrival.reasons == [Reason.READ_AGAIN]


async def test_a_strangers_card_waits_for_the_guard_and_leaves_no_trace(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    lane = rig.world.both.id
    with caplog.at_level(logging.DEBUG):
        rig.reader.lay(SPECIMEN)
        await rig.until(lambda: rig.hub.laid.at(lane) is not None)
    laid = rig.hub.laid.at(lane)
    assert laid is not None
    assert laid.document is not None
    assert (laid.document.names[0].text, laid.document.tails) == (NAME, (TAIL,))
    assert rig.results() == [(Kind.DOCUMENT, Result.OK)]
    assert rig.world.ask(lambda s: len(s.exec(select(Person)).all())) == 1  # the resident
    rows = rig.world.ask(lambda s: repr([row.model_dump() for row in s.exec(select(EvidenceRow)).all()]))
    for said in (caplog.text, rows, repr(laid), repr(rig.hub.laid.__dict__)):
        assert NAME not in said
        assert NUMBER not in said
        assert TAIL not in said
    # The next card takes its place, and one that belongs to somebody ends the waiting.
    invite(rig.world)
    rig.reader.lay(card_of(GUEST))
    await rig.until(lambda: rig.hub.laid.at(lane) is None)


async def test_an_unclaimed_document_is_forgotten_by_itself_and_with_the_stop(rig: Rig) -> None:
    assert laid_documents.KEEP_SECONDS == 120
    rig.reader.lay(SPECIMEN)
    await rig.until(lambda: rig.hub.laid.at(rig.world.both.id) is not None)
    item = rig.hub.laid.at(rig.world.both.id)
    assert item is not None
    short = LaidDocuments(0.02)
    short.keep("lane", item)
    assert short.at("lane") is item
    assert short.at("another") is None
    async with asyncio.timeout(5):
        while short.at("lane") is not None:
            await asyncio.sleep(0.005)
    await rig.hub.stop()
    assert rig.hub.laid.at(rig.world.both.id) is None


async def test_a_newer_document_gets_its_whole_time(rig: Rig) -> None:
    kept = LaidDocuments(60)
    rig.reader.lay(SPECIMEN)
    await rig.until(lambda: rig.hub.laid.at(rig.world.both.id) is not None)
    item = rig.hub.laid.at(rig.world.both.id)
    assert item is not None
    kept.keep("lane", item)
    first = kept._kept["lane"][1]
    kept.keep("lane", item)
    assert first.cancelled()
    assert not kept._kept["lane"][1].cancelled()
    kept.clear()
    assert kept.at("lane") is None
