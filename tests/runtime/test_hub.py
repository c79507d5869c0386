"""The hub under trouble: a database that is away, deliveries in order, states that arrive late."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.database import Database
from app.core.errors import Retryable
from app.domain.admission.models import EvidenceRow
from app.domain.sites.models import Device
from app.runtime import hub
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.ports import DeviceEvent, DeviceHealth, DeviceStatus, EventKind
from tests.factories import World, make_world


@pytest.fixture
async def center(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Hub, World]]:
    """A hub on a site without devices, in a hurry."""
    monkeypatch.setattr(hub, "BACK_OFF", (0.001,))
    world = make_world(sqlite)
    made = Hub(sqlite, Live())
    await made.start()
    yield made, world
    await made.stop()


def away(database: Database, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Have the next ``times`` writes find the database busy; counts the tries."""
    tries: list[int] = []
    write = database.write

    async def busy(work: Any) -> Any:
        tries.append(1)
        if len(tries) <= times:
            raise Retryable("database_busy")
        return await write(work)

    monkeypatch.setattr(database, "write", busy)
    return tries


def event(world: World, number: int) -> DeviceEvent:
    return DeviceEvent(
        world.both.id, "reader", EventKind.CODE, {"text": f"HELLO {number}"}, clock.now(), number, "boot"
    )


def nonces(session: Session) -> list[str]:
    return [row.nonce for row in session.exec(select(EvidenceRow).order_by(EvidenceRow.id)).all()]


@pytest.mark.req("AD-22", "EV-03")
async def test_what_was_read_waits_for_the_database_however_long_and_keeps_its_order(
    center: tuple[Hub, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, world = center
    tries = away(world.database, monkeypatch, 25)
    for number in range(3):
        made.receive(event(world, number))
    await asyncio.wait_for(made._lanes[world.both.id].join(), 10)
    assert len(tries) == 25 + 3
    recorded = world.ask(nonces)
    assert [nonce.rsplit(":", 1)[1] for nonce in recorded] == [
        event(world, number).nonce.rsplit(":", 1)[1] for number in range(3)
    ]


@pytest.mark.req("AD-22")
async def test_a_stop_waits_for_what_was_read_but_not_for_ever(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub, "BACK_OFF", (0.001,))
    monkeypatch.setattr(hub, "STOP_SECONDS", 0.05)
    world = make_world(sqlite)
    made = Hub(sqlite, Live())
    await made.start()
    away(sqlite, monkeypatch, 10**9)
    made.receive(event(world, 0))
    with caplog.at_level(logging.ERROR):
        await made.stop()
    assert "1 events unrecorded" in caplog.text
    assert "HELLO" not in caplog.text


def health(world: World, status: DeviceStatus) -> DeviceHealth:
    return DeviceHealth("reader", world.both.id, status, "", clock.now(), {})


@pytest.mark.req("DU-06")
async def test_a_state_that_had_to_wait_never_replaces_a_newer_one(
    center: tuple[Hub, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, world = center
    device = Device(
        id="reader", site_id=world.site.id, lane_id=world.both.id, driver="pcsc", name="Reader", settings={}
    )
    world.do(lambda session: session.add(device))
    away(world.database, monkeypatch, 1)
    waits = asyncio.create_task(made._record_health(health(world, DeviceStatus.OFFLINE)))
    await asyncio.sleep(0)  # it has found the database busy
    await made._record_health(health(world, DeviceStatus.ONLINE))
    await waits
    assert world.get(Device, "reader").status == DeviceStatus.ONLINE
    await made._record_health(health(world, DeviceStatus.OFFLINE))
    assert world.get(Device, "reader").status == DeviceStatus.OFFLINE
