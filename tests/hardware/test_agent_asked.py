"""What a lane's computer does with the questions of its server: each once, in time, and answered again when asked again (AD-15)."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from hardware.agent import asked as module
from hardware.agent import wire
from hardware.agent.asked import Asked, uptime
from hardware.agent.regulars import Regulars
from hardware.camera_feed import CameraFeed
from hardware.face_compare import Compared
from hardware.face_ports import Prompt
from hardware.face_service import FaceService
from hardware.jobs import JobQueue
from hardware.supervisor import HardwareService
from tests.hardware.pictures import blank


class Devices(HardwareService):
    """A camera and a printer in the test's hand."""

    def __init__(self) -> None:
        super().__init__(lambda _: None, lambda _: None)
        self.feed, self.queue = CameraFeed(), JobQueue()
        self.asked: list[bytes] = []

    def camera(self, device_id: str) -> CameraFeed | None:
        return self.feed if device_id == "cam" else None

    def ask(self, device_id: str, body: Any, seconds: float) -> Any:
        self.asked.append(body.picture)
        return self.queue.put(body, seconds)


class Desk:
    """The server's end of the link."""

    def __init__(self, asked: Asked, devices: Devices) -> None:
        self.asked, self.devices = asked, devices
        self.heard: list[tuple[dict[str, Any], bytes]] = []

    async def send(self, message: bytes) -> None:
        found = wire.unpack(message)
        assert found is not None
        self.heard.append(found)

    def ask(self, number: str = "one", body: bytes = b"", *, seconds: float = 5.0, **head: Any) -> None:
        said = {"ask": number, "until": uptime() + seconds, **head}
        self.asked.begin(wire.pack(said, body), self.send)

    async def answers(self, count: int = 1) -> list[tuple[dict[str, Any], bytes]]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                await asyncio.sleep(0.005)
        return self.heard


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    devices = Devices()
    faces = FaceService(None)
    asked = Asked(devices, faces, Regulars(devices, faces, lambda _: None))
    yield Desk(asked, devices)
    await asked.stop()


def finish(desk: Desk, code: str = "printed") -> None:
    from hardware.jobs import JobAnswer

    job = desk.devices.queue.take(5.0)
    assert job is not None
    job.finish(JobAnswer(True, code))


async def test_a_badge_that_is_asked_for_twice_is_printed_once_and_answered_twice(desk: Desk) -> None:
    desk.ask(verb="print", device="paper", body=b"png")
    desk.ask(verb="print", device="paper", body=b"png")
    await asyncio.to_thread(finish, desk)
    await desk.answers()
    desk.ask(verb="print", device="paper", body=b"png")
    heard = await desk.answers(2)
    assert desk.devices.asked == [b"png"]
    assert [head for head, _ in heard] == [{"answer": "one", "done": True, "code": "printed"}] * 2


async def test_what_comes_after_its_moment_is_not_done(desk: Desk) -> None:
    desk.ask(verb="print", device="paper", body=b"png", seconds=-0.001)
    assert (await desk.answers())[0][0] == {"answer": "one", "code": "expired"}
    assert desk.devices.asked == []


async def test_a_printer_that_never_takes_the_badge_does_not_get_it_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MARGIN_SECONDS", 0.0)
    desk.ask(verb="print", device="paper", body=b"png", seconds=0.05)
    assert (await desk.answers())[0][0] == {"answer": "one", "code": "expired"}
    assert desk.devices.queue.take(0.0) is None


async def test_a_picture_is_of_this_moment_or_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    desk.devices.feed.publish(blank())
    desk.ask("fresh", verb="picture", device="cam")
    ((head, body),) = await desk.answers()
    assert head["answer"] == "fresh"
    assert 0 <= head["age"] <= 2
    assert Image.open(io.BytesIO(body)).size == (640, 480)
    desk.devices.feed.trouble = "covered_picture"
    desk.ask("covered", verb="picture", device="cam")
    desk.ask("another", verb="picture", device="not mine")
    heard = {head["answer"]: head["code"] for head, _ in (await desk.answers(3))[1:]}
    assert heard == {"covered": "covered_picture", "another": "camera_off"}


async def test_a_verb_of_a_newer_server_is_answered_and_rubbish_is_passed_over(desk: Desk) -> None:
    for rubbish in (b"", b"\n", b"[\n", b"[" * 9_000 + b"\n", b"null\n", b'{"ask": 7}\n', b"x" * 100_000):
        desk.asked.begin(rubbish, desk.send)
    desk.ask(verb="open_the_gate", device="cam")
    assert await desk.answers() == [({"answer": "one", "code": "job_unknown"}, b"")]


async def test_without_models_it_says_so_and_a_bad_rule_is_no_finding(desk: Desk) -> None:
    desk.ask("good", b"photo", verb="compare", device="cam", same=0.4, other=0.2, liveness="none")
    ((head, _),) = await desk.answers()
    assert (head["state"], head["score"]) == ("no_models", 0.0)


async def test_a_comparison_that_nobody_waits_for_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = threading.Event(), threading.Event()

    def compare(
        _service: Any, _feed: Any, _photo: Any, _rule: Any, stop: threading.Event, _prompt: Any
    ) -> Any:
        began.set()
        assert stop.wait(10)
        ended.set()
        raise RuntimeError("ended")

    monkeypatch.setattr(module, "compare", compare)
    desk.ask("face", b"photo", verb="compare", device="cam", same=0.4, other=0.2, liveness="none")
    await asyncio.to_thread(began.wait, 10)
    desk.asked.only(frozenset({"face"}))
    assert not ended.is_set()
    desk.asked.only(frozenset())
    assert await asyncio.to_thread(ended.wait, 10)
    assert (await desk.answers())[0][0] == {"answer": "face", "code": "driver_failed"}


async def test_what_a_person_shall_do_is_told_before_the_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(_service: Any, _feed: Any, _photo: Any, rule: Any, _stop: Any, prompt: Any) -> Compared:
        assert (rule.same, rule.liveness) == (0.4, "challenge")
        prompt(Prompt.TURN_LEFT)
        return Compared("same", score=0.75, frames=2, pack="insight")

    monkeypatch.setattr(module, "compare", compare)
    desk.ask("face", b"photo", verb="compare", device="cam", same=0.4, other=0.2, liveness="challenge")
    heard = [head for head, _ in await desk.answers(2)]
    assert heard[0] == {"prompt": "face", "what": "turn_left"}
    assert heard[1] == {
        "answer": "face", "state": "same", "fault": "", "score": 0.75, "frames": 2, "pack": "insight",
    }  # fmt: skip


async def test_more_than_it_can_do_is_refused_not_queued(desk: Desk) -> None:
    for number in range(module.MOST_AT_WORK + 1):
        desk.ask(str(number), b"png", verb="print", device="paper")
    heard = await desk.answers()
    assert heard[0][0] == {"answer": str(module.MOST_AT_WORK), "code": "agent_busy"}
