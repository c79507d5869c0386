"""Lane computers as the hub hears them: who runs what, what is shown of it, what they are told (DU-06, AD-01)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.ids import new_id
from app.domain.sites import agents as rows
from app.domain.sites import service as sites
from app.domain.sites.models import Device, LaneAgent
from app.runtime import agents as module
from app.runtime.agent_pictures import take_picture
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.ports import DeviceStatus
from tests.factories import World, make_world

JPEG = b"\xff\xd8\xff\xe0 picture"


class Place:
    """A hub, and a computer with a reader and a camera."""

    def __init__(self, world: World, hub: Hub) -> None:
        self.world, self.hub = world, hub
        self.agent: LaneAgent = world.do(rows.create, SYSTEM, "东门工控机", [world.both.id])[0]
        self.reader = self._add("id_card", {})
        self.camera = self._add("camera", {"source": "0"})

    def _add(self, driver: str, settings: dict[str, str]) -> str:
        lane = self.world.both
        device = Device(
            id=new_id(), site_id=lane.site_id, lane_id=lane.id, driver=driver, name=driver, settings=settings
        )
        device.agent_id = self.agent.id
        self.world.do(lambda session: session.add(device))
        return device.id

    def state(self, device_id: str) -> tuple[str, str]:
        device = self.world.get(Device, device_id)
        return device.status, device.status_detail

    async def says(self, device_id: str, status: DeviceStatus, detail: str = "", agent: str = "") -> None:
        await self.hub.agents.report(agent or self.agent.id, [(device_id, status, detail)])


@pytest.fixture
async def place(sqlite: Database) -> AsyncIterator[Place]:
    world = make_world(sqlite)
    hub = Hub(sqlite, Live())
    made = Place(world, hub)
    await hub.start()
    yield made
    await hub.stop()


@pytest.mark.req("DU-06")
async def test_what_a_computer_runs_is_not_started_here_and_unknown_until_it_speaks(place: Place) -> None:
    assert place.hub.hardware.health() == {}
    assert place.state(place.reader) == ("unknown", "agent_waiting")
    await place.says(place.reader, DeviceStatus.ONLINE)
    assert place.state(place.reader) == ("online", "")


@pytest.mark.req("DU-06")
async def test_silence_is_offline_and_a_word_ends_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.says(place.reader, DeviceStatus.ONLINE)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.0)
    await place.hub.agents._look()
    assert place.state(place.reader) == ("offline", "agent_silent")
    monkeypatch.undo()
    await place.says(place.reader, DeviceStatus.ONLINE)
    assert place.state(place.reader) == ("online", "")


@pytest.mark.req("DU-06", "SI-04")
async def test_a_revoked_computers_devices_say_so(place: Place) -> None:
    await place.says(place.reader, DeviceStatus.ONLINE)
    link = place.hub.agents.open_link(place.agent.id)
    place.world.do(rows.revoke, SYSTEM, place.agent.id)
    await place.hub.agents._look()
    assert link.closed
    # The hub heard of it as well; whichever of the two was first is still writing.
    async with asyncio.timeout(10):
        while place.state(place.reader) != ("offline", "agent_revoked"):
            await asyncio.sleep(0.01)


@pytest.mark.req("SI-04")
async def test_a_computer_says_nothing_of_anothers_devices(place: Place) -> None:
    await place.says(place.reader, DeviceStatus.ONLINE)
    await place.says(place.reader, DeviceStatus.FAULT, "driver_failed", agent="somebody else")
    assert place.state(place.reader) == ("online", "")


async def test_a_changed_configuration_is_told_over_the_link(place: Place) -> None:
    link = place.hub.agents.open_link(place.agent.id)
    before = place.hub.agents.orders(link)
    link.changed.clear()
    place.world.do(sites.save_device, SYSTEM, place.world.both, "camera", "camera", {"source": "1"})
    await asyncio.wait_for(link.changed.wait(), 10)
    assert place.hub.agents.orders(link)["config"] == before["config"] + 1
    assert place.state(place.camera)[0] == "unknown", "what was said of it before holds no more"


async def test_a_second_link_of_a_computer_ends_the_first(place: Place) -> None:
    first = place.hub.agents.open_link(place.agent.id)
    second = place.hub.agents.open_link(place.agent.id)
    assert (first.closed, second.closed) == (True, False)
    place.hub.agents.close_link(first)  # its route ends later
    place.hub.agents._tell_all()
    assert second.changed.is_set()


@pytest.mark.req("AD-01")
async def test_a_camera_is_asked_for_while_somebody_looks(place: Place) -> None:
    agents = place.hub.agents
    link, feed = agents.open_link(place.agent.id), place.hub.camera(place.camera)
    assert feed is not None
    head = f'{{"device": "{place.camera}"}}\n'.encode()
    assert agents.orders(link)["watch"] == []
    assert not take_picture(agents, place.agent.id, head + JPEG), "nobody looks"
    link.changed.clear()
    leave, leave_too = feed.attach(lambda: None), feed.attach(lambda: None)
    await asyncio.wait_for(link.changed.wait(), 10)
    assert agents.orders(link)["watch"] == [place.camera]
    assert take_picture(agents, place.agent.id, head + JPEG)
    assert not take_picture(agents, "another", head + JPEG)
    assert feed.jpeg() == (1, JPEG)
    leave()
    assert agents.orders(link)["watch"] == [place.camera]
    link.changed.clear()
    leave_too()
    leave_too()
    await asyncio.wait_for(link.changed.wait(), 10)
    assert agents.orders(link)["watch"] == []
    assert feed.jpeg() is None, "an old picture must not look live"
    assert feed.counters == {"frames": 1, "unwatched": 1, "viewers": 0}


async def test_marks_come_with_the_picture_and_the_picture_goes_with_the_link(place: Place) -> None:
    agents, feed = place.hub.agents, place.hub.camera(place.camera)
    assert feed is not None
    link, leave = agents.open_link(place.agent.id), feed.attach(lambda: None)
    mark = '{"kind": "face", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}'
    head = f'{{"device": "{place.camera}", "marks": [{mark}]}}\n'.encode()
    assert take_picture(agents, place.agent.id, head + JPEG)
    assert [(found.kind, found.x) for found in feed.marks] == [("face", 0.1)]
    agents.close_link(link)
    assert (feed.jpeg(), feed.marks, feed.age_seconds) == (None, (), None)
    leave()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        JPEG,
        b"null\n" + JPEG,
        b'{"device": 7}\n' + JPEG,
        b'{"device": "DEVICE", "marks": 5}\n' + JPEG,
        b'{"device": "DEVICE", "marks": [{"kind": "x"}]}\n' + JPEG,
        b'{"device": "DEVICE", "marks": ["x"]}\n' + JPEG,
        b'{"device": "DEVICE"}\n<svg onload=alert(1)>',
        b'{"device": "DEVICE"}\n' + JPEG + bytes(4_000_001),
        b'{"device": "DEVICE", "x": "' + b"x" * 20_000 + b'"}\n' + JPEG,
    ],
    ids=[
        "nothing",
        "no head",
        "no line",
        "null",
        "number",
        "marks no list",
        "mark without a place",
        "mark no table",
        "markup",
        "too large",
        "head too long",
    ],
)
async def test_what_is_no_picture_is_passed_over(place: Place, data: bytes) -> None:
    feed = place.hub.camera(place.camera)
    assert feed is not None
    leave = feed.attach(lambda: None)
    assert not take_picture(place.hub.agents, place.agent.id, data.replace(b"DEVICE", place.camera.encode()))
    assert feed.jpeg() is None
    leave()
