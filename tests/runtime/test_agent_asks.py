"""Questions to lane computers: answered once, by whom they were asked of, in time, or with the code of why not (AD-15, AD-18)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.errors import Conflict
from app.core.ids import new_id
from app.domain.sites import agents as rows
from app.domain.sites.models import Device
from app.runtime import agent_asks, face_lanes, places
from app.runtime.agent_asks import Line, is_near
from app.runtime.agents import Link
from app.runtime.hub import Hub
from app.runtime.live import Live
from app.runtime.places import There
from hardware.agent import wire
from hardware.agent.regulars import HELD
from hardware.agent.wire import Verb
from hardware.face_compare import CompareRule
from tests.factories import World, make_world

JPEG = b"\xff\xd8\xff\xe0 picture"
RULE = CompareRule(0.45, 0.25)
ALL = tuple(Verb)


class Computer:
    """A lane's computer that says over its link whatever a test wants."""

    def __init__(self, world: World, hub: Hub) -> None:
        self.world, self.hub, self.agents = world, hub, hub.agents
        self.id: str = world.do(rows.create, SYSTEM, "东门工控机", [world.both.id])[0].id
        self.camera, self.printer = self._add("camera"), self._add("printer")
        self.link: Link

    def connect(self, can: tuple[str, ...] = ALL, boot: str = "first", uptime: float = 1000.0) -> None:
        self.link = self.agents.open_link(self.id)
        self.agents.hear(self.id)
        if can:
            self.agents.take_hello(
                self.link, json.dumps({"hello": {"can": can, "boot": boot, "uptime": uptime}})
            )

    async def asked(self) -> tuple[dict[str, Any], bytes]:
        """The next question that goes over the link."""
        async with asyncio.timeout(10):
            while not (found := self.agents.questions(self.link)):
                await asyncio.sleep(0.005)
        (question,) = found
        told = wire.unpack(question)
        assert told is not None
        return told

    def says(self, question: dict[str, Any], body: bytes = b"", *, by: str = "", **head: Any) -> bool:
        return self.agents.take_answer(by or self.id, wire.pack({"answer": question["ask"], **head}, body))

    @property
    def place(self) -> There:
        found = self.hub.places.of(self.camera)
        assert isinstance(found, There)
        return found

    def _add(self, driver: str) -> str:
        lane = self.world.both
        device = Device(
            id=new_id(), site_id=lane.site_id, lane_id=lane.id, driver=driver, name=driver, settings={}
        )
        device.agent_id = self.id
        self.world.do(lambda session: session.add(device))
        return device.id


@pytest.fixture
async def there(sqlite: Database) -> AsyncIterator[Computer]:
    world = make_world(sqlite)
    hub = Hub(sqlite, Live())
    made = Computer(world, hub)
    await hub.start()
    yield made
    await hub.stop()


async def test_an_answer_is_taken_once_and_only_from_the_computer_that_was_asked(there: Computer) -> None:
    there.connect()
    work = asyncio.create_task(there.place.picture(there.camera))
    question, _ = await there.asked()
    assert (question["verb"], question["device"]) == ("picture", there.camera)
    assert not there.says(question, JPEG + b" of a stranger", by="another", age=0.1)
    assert not there.agents.take_answer(there.id, wire.pack({"answer": "0" * 32, "age": 0.1}, JPEG))
    assert there.says(question, JPEG, age=0.25)
    there.says(question, JPEG + b" again", age=0.25)
    still = await work
    assert (still.picture, still.age, still.why) == (JPEG, 0.25, "")
    assert not there.says(question, JPEG, age=0.25), "nobody waits for it any more"


@pytest.mark.parametrize(
    ("head", "body", "why"),
    [
        ({"age": 0.1}, b"<svg onload=alert(1)>", "agent_garbled"),
        ({"age": "young"}, JPEG, "agent_garbled"),
        ({"age": True}, JPEG, "agent_garbled"),
        ({"age": float("nan")}, JPEG, "agent_garbled"),
        ({"age": -1}, JPEG, "agent_garbled"),
        ({"age": 10**400}, JPEG, "agent_garbled"),
        ({}, JPEG, "agent_garbled"),
        ({"age": 2.5}, JPEG, "no_picture"),
        ({"age": 0.1}, JPEG + bytes(wire.MAX_BODY + wire.MAX_HEAD), "agent_garbled"),
        ({"code": "frozen_picture"}, b"", "frozen_picture"),
        ({"code": "<b>"}, b"", "agent_garbled"),
        ({"code": ["x"]}, b"", "agent_garbled"),
    ],
    ids=[
        "markup",
        "age a word",
        "age true",
        "age no number",
        "age below zero",
        "age beyond all",
        "no age",
        "old",
        "too large",
        "frozen",
        "code markup",
        "code a list",
    ],
)
async def test_what_is_no_picture_of_this_moment_is_none(
    there: Computer, head: dict[str, Any], body: bytes, why: str
) -> None:
    there.connect()
    work = asyncio.create_task(there.place.picture(there.camera))
    question, _ = await there.asked()
    assert there.says(question, body, **head)
    still = await work
    assert (still.picture, still.why) == (None, why)


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"done": True, "code": "printed"}, (True, "printed")),
        ({"done": True, "code": "sent"}, (True, "sent")),
        ({"done": True, "code": "perfect"}, (False, "agent_garbled")),
        ({"done": True}, (False, "agent_garbled")),
        ({"done": "yes", "code": "printed"}, (False, "printed")),
        ({"done": False, "code": "cover_open"}, (False, "cover_open")),
        ({}, (False, "agent_garbled")),
    ],
    ids=str,
)
async def test_what_became_of_a_badge_is_one_of_a_closed_set(
    there: Computer, head: dict[str, Any], code: tuple[bool, str]
) -> None:
    there.connect()
    work = asyncio.create_task(there.place.print(there.printer, b"png", 5.0))
    question, picture = await there.asked()
    assert picture == b"png"
    there.says(question, **head)
    answer = await work
    assert (answer.done, answer.code) == code


@pytest.mark.parametrize(
    ("head", "state"),
    [
        ({"state": "same", "fault": "", "score": 0.7, "frames": 3, "pack": "insight"}, "same"),
        ({"state": "unreadable", "fault": "no_face", "score": 0, "frames": 0}, "unreadable"),
        ({"state": "no_models", "score": 0, "frames": 0}, "lane_no_models"),
        ({"state": "welcome", "score": 1, "frames": 1}, "agent_garbled"),
        ({"state": "same", "fault": "so they say", "score": 1, "frames": 1}, "agent_garbled"),
        ({"state": "same", "score": "high", "frames": 1}, "agent_garbled"),
        ({"code": "driver_failed"}, "agent_garbled"),
        ({}, "agent_garbled"),
    ],
    ids=str,
)
async def test_what_a_comparison_found_is_one_of_a_closed_set(
    there: Computer, head: dict[str, Any], state: str
) -> None:
    there.connect()
    stop, prompts = threading.Event(), list[str]()
    work = asyncio.create_task(there.place.compare(there.camera, b"photo", RULE, stop, prompts.append))
    question, photo = await there.asked()
    assert (photo, question["same"], question["other"]) == (b"photo", 0.45, 0.25)
    for what in ("turn_left", "give me your wallet"):
        there.agents.take_answer(there.id, wire.pack({"prompt": question["ask"], "what": what}))
    there.says(question, **head)
    assert (await work).state == state
    assert prompts == ["turn_left"]


async def test_a_comparison_that_nobody_waits_for_is_given_up_there_too(there: Computer) -> None:
    there.connect()
    stop = threading.Event()
    work = asyncio.create_task(there.place.compare(there.camera, b"photo", RULE, stop, lambda _: None))
    question, _ = await there.asked()
    assert there.agents.orders(there.link)["asking"] == [question["ask"]]
    stop.set()
    assert (await work).state == ""
    async with asyncio.timeout(5):
        while there.agents.orders(there.link)["asking"]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("can", [(), ("picture",)], ids=["an agent of before", "one that cannot print"])
async def test_a_computer_of_an_older_version_is_told_so_and_not_asked(
    there: Computer, can: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_asks, "HELLO_SECONDS", 0.0)
    there.connect(can)
    work = asyncio.create_task(there.place.print(there.printer, b"png", 5.0))
    await asyncio.sleep(0)
    assert there.agents.questions(there.link) == []
    answer = await work
    assert (answer.done, answer.code) == (False, "agent_outdated")


@pytest.mark.req("ID-06")
async def test_data_of_faces_goes_to_no_computer_on_the_internet(there: Computer) -> None:
    there.agents.hear(there.id)
    early = asyncio.create_task(
        there.place.compare(there.camera, b"photo", RULE, threading.Event(), lambda _: None)
    )
    await asyncio.sleep(0.05)
    there.connect()
    there.link.line.near = False
    assert there.agents.questions(there.link) == []
    assert (await early).state == "agent_far", "asked before it was known where the line runs"
    compared = await there.place.compare(there.camera, b"photo", RULE, threading.Event(), lambda _: None)
    assert compared.state == "agent_far"
    with pytest.raises(Conflict, match="faces_far"):
        await there.hub.faces.capture(there.camera)
    await there.hub.faces.lanes.refresh()
    assert there.agents.questions(there.link) == []
    work = asyncio.create_task(there.place.picture(there.camera))
    question, _ = await there.asked()
    there.says(question, JPEG, age=0)
    assert (await work).picture == JPEG, "what the guard sees live anyway"


@pytest.mark.req("ID-06")
async def test_a_computer_that_did_not_take_the_faces_is_asked_until_it_did(
    there: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_lanes, "AGAIN_SECONDS", 0.01)
    there.connect(())
    faces = {"code": "ready", "pack": "tiny", "dimension": 4}
    hello = {"can": ALL, "boot": "first", "uptime": 1000.0, "faces": faces}
    there.agents.take_hello(there.link, json.dumps({"hello": hello}))
    lanes = there.hub.faces.lanes
    # It holds three of before; recognising is off meanwhile, and its camera hangs at the server now.
    lanes._given[there.id] = 3
    there.world.do(lambda s: rows.place(s, s.get_one(Device, there.camera), ""))
    work = asyncio.create_task(lanes.refresh())
    first, _ = await there.asked()
    assert (first["verb"], first["cameras"]) == (Verb.REGULARS, [])
    there.says(first, code="agent_busy")
    await work
    assert lanes.size(there.id) == 0
    second, body = await there.asked()
    assert (second["verb"], body) == (Verb.REGULARS, b"")
    there.says(second, code=HELD)
    async with asyncio.timeout(10):
        while there.id in lanes._given:
            await asyncio.sleep(0.005)
    await lanes.refresh()
    assert there.agents.questions(there.link) == []


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.16.0.9", True),
        ("192.168.8.8", True),
        ("100.64.1.1", False),
        ("fd00::1", True),
        ("fe80::1", True),
        ("::ffff:192.168.1.1", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("", False),
        ("unix", False),
    ],
)
def test_whether_a_line_stays_within_a_network_of_ones_own(address: str, near: bool) -> None:
    assert is_near(address) is near


async def test_a_word_of_hello_that_is_none_makes_no_computer_new(there: Computer) -> None:
    there.connect(())
    for text in (
        "",
        "[",
        "[" * 5000,
        "null",
        '{"hello": 1}',
        '{"hello": {"can": "all", "boot": "x", "uptime": 1}}',
        '{"hello": {"can": [], "boot": "x", "uptime": NaN}}',
        '{"hello": {"can": [], "boot": "x", "uptime": 1%s}}' % ("0" * 400),
    ):
        there.agents.take_hello(there.link, text)
    assert there.link.line.hello is None


async def test_what_is_asked_before_the_line_is_there_goes_out_with_it(there: Computer) -> None:
    there.agents.hear(there.id)
    work = asyncio.create_task(there.place.picture(there.camera))
    await asyncio.sleep(0)
    there.connect()
    question, _ = await there.asked()
    there.says(question, JPEG, age=0)
    assert (await work).picture == JPEG


async def test_a_computer_that_was_not_heard_is_not_waited_for(there: Computer) -> None:
    there.agents._heard.clear()
    assert (await there.place.picture(there.camera)).why == "agent_silent"
    assert (await there.place.print(there.printer, b"png", 5.0)).code == "agent_silent"
    with pytest.raises(Conflict, match="computer_away"):
        await there.hub.faces.capture(there.camera)
    assert there.agents._asks.open_of(there.id) == []


async def test_a_badge_goes_again_over_the_next_line_to_the_same_program_only(there: Computer) -> None:
    there.connect(boot="first")
    work = asyncio.create_task(there.place.print(there.printer, b"png", 20.0))
    question, _ = await there.asked()
    assert there.agents.questions(there.link) == [], "once over each line"
    there.agents.close_link(there.link)
    there.connect(boot="first")
    again, _ = await there.asked()
    assert again["ask"] == question["ask"]
    there.agents.close_link(there.link)
    there.connect(boot="second")
    assert there.agents.questions(there.link) == []
    assert (await work).code == "agent_restarted"


async def test_a_badge_that_was_handed_over_before_a_revocation_may_be_out(there: Computer) -> None:
    there.connect()
    work = asyncio.create_task(there.place.print(there.printer, b"png", 20.0))
    await there.asked()
    there.world.do(rows.revoke, SYSTEM, there.id)
    await there.agents._look()
    assert (await work).code == "agent_no_answer"
    assert (await there.place.print(there.printer, b"png", 5.0)).code == "agent_revoked"


async def test_no_answer_is_an_answer_in_time(there: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_asks, "MARGIN_SECONDS", 0.05)
    monkeypatch.setattr(places, "PICTURE_SECONDS", 0.05)
    there.connect()
    work = asyncio.create_task(there.place.picture(there.camera))
    question, _ = await there.asked()
    assert (await work).why == "agent_no_answer"
    assert not there.says(question, JPEG, age=0.1), "too late"


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), min_size=1, max_size=30), st.floats(0, 100))
def test_a_deadline_on_the_computers_clock_is_never_after_the_true_one(
    words: list[tuple[float, float]], left: float
) -> None:
    ahead = 12345.0  # the computer's clock less this one's
    line = Line()
    for at, delay in words:
        said = {"hello": {"can": [], "boot": "b", "uptime": at + ahead}}
        assert line.take_hello(json.dumps(said), at + delay)
    deadline = 200.0 + left
    newest = words[-10:]
    assert line.there(deadline) <= deadline + ahead + 1e-6
    # And no earlier than by what the quickest of its last words needed.
    assert line.there(deadline) >= deadline + ahead - min(delay for _, delay in newest) - 1e-6
