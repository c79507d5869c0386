"""Where a lane's devices are: in this process or at the lane's own computer; what is asked of them is the same (AD-15, AD-18).

Whoever wants a picture, a badge or a comparison takes the place of the device and asks there. A lane may have devices at both.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from app.runtime import agent_asks
from app.runtime.agent_asks import Answer
from app.runtime.agents import Agents
from hardware.agent.wire import Verb
from hardware.face_compare import (
    CAPTURE_SECONDS,
    LOAD_SECONDS,
    NO_MODELS,
    STATES,
    Compared,
    CompareRule,
    compare,
)
from hardware.face_ports import FaceFault, Pack, Portrait, Prompt, portrait_of
from hardware.face_service import FaceService
from hardware.jobs import JobAnswer, PrintJob
from hardware.ports import DeviceConfig
from hardware.stills import OFF, STALE_SECONDS, Still, take_still
from hardware.supervisor import HardwareService

MARGIN_SECONDS = 1.0
PICTURE_SECONDS = 3.0
# A page waits no longer than this for an engine that hangs.
CAPTURED_SECONDS = 8.0
MOST = 1e9
JPEG = b"\xff\xd8\xff"
CODE = re.compile(r"[a-z0-9_]{1,64}")
PRINTED = frozenset({"printed", "sent"})
LANE_NO_MODELS = "lane_no_models"
FAULTS = frozenset(FaceFault)
PROMPTS = frozenset(Prompt)

Asker = Callable[[str], None]


class Place(Protocol):
    """What can be asked of devices, wherever they are; nothing here waits longer than it says, and nothing raises."""

    async def picture(self, camera_id: str, patience: float = 0.0) -> Still:
        """What a camera sees now; one that just stutters gets ``patience`` seconds."""

    async def print(self, printer_id: str, picture: bytes, seconds: float) -> JobAnswer:
        """Print a picture within so many seconds, or not at all."""

    async def capture(self, camera_id: str) -> Portrait | FaceFault | str:
        """The face before a camera, for somebody who agreed; a plain code where the camera cannot be used."""

    async def compare(
        self, camera_id: str, photo: bytes, rule: CompareRule, stop: threading.Event, ask: Asker
    ) -> Compared:
        """Hold a photo against who stands there; ``ask`` is told what the person shall do."""


class Here:
    """The devices of this process."""

    def __init__(self, hardware: HardwareService, faces: FaceService) -> None:
        self._hardware, self._faces = hardware, faces

    async def picture(self, camera_id: str, patience: float = 0.0) -> Still:
        """What a camera sees now."""
        return await take_still(self._hardware.camera(camera_id), patience)

    async def print(self, printer_id: str, picture: bytes, seconds: float) -> JobAnswer:
        """Hand the picture to the printer's driver."""
        future = self._hardware.ask(printer_id, PrintJob(picture), seconds)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), seconds + MARGIN_SECONDS)
        except TimeoutError:
            return JobAnswer(False, "expired")

    async def capture(self, camera_id: str) -> Portrait | FaceFault | str:
        """Take it with the models of this process."""
        feed = self._hardware.camera(camera_id)
        if feed is None:
            return OFF
        try:
            async with asyncio.timeout(CAPTURED_SECONDS):
                return await asyncio.to_thread(self._faces.capture, feed, seconds=CAPTURE_SECONDS)
        except TimeoutError:
            return FaceFault.BUSY

    async def compare(
        self, camera_id: str, photo: bytes, rule: CompareRule, stop: threading.Event, ask: Asker
    ) -> Compared:
        """Compare on a thread of its own, which ends soon after ``stop``."""
        feed = self._hardware.camera(camera_id)
        return await asyncio.to_thread(
            compare, self._faces, feed, photo, rule, stop, lambda what: ask(what.value)
        )


class There:
    """The devices of one lane computer; what it answers is looked at as if a stranger had written it."""

    def __init__(self, agents: Agents, agent_id: str) -> None:
        self._agents, self._agent_id = agents, agent_id

    async def picture(self, camera_id: str, patience: float = 0.0) -> Still:
        """Fetch it: nobody need be looking at the camera for that."""
        answer = await self._ask(Verb.PICTURE, camera_id, PICTURE_SECONDS + patience)
        if answer.code:
            return Still(why=_code(answer.code))
        age = _number(answer.head.get("age"))
        if age is None or age < 0 or not answer.body.startswith(JPEG):
            return Still(why=agent_asks.GARBLED)
        if age > STALE_SECONDS:
            return Still(why="no_picture")
        return Still(answer.body, age)

    async def print(self, printer_id: str, picture: bytes, seconds: float) -> JobAnswer:
        """Send the job, which that computer does once and in time, or not at all."""
        answer = await self._ask(Verb.PRINT, printer_id, seconds, body=picture, once=True)
        done = answer.head.get("done") is True
        if done and answer.code not in PRINTED:
            return JobAnswer(False, agent_asks.GARBLED)
        return JobAnswer(done, _code(answer.code))

    async def capture(self, camera_id: str) -> Portrait | FaceFault | str:
        """Have it taken by the models there; the vector that comes back is kept as one of theirs."""
        answer = await self._ask(Verb.CAPTURE, camera_id, CAPTURED_SECONDS)
        hello = self._agents.hello(self._agent_id)
        if answer.code in FAULTS:
            return FaceFault(answer.code)
        if answer.code:
            return FaceFault.BUSY if answer.code == agent_asks.NO_ANSWER else answer.code
        if hello is None or not hello.has_models or answer.head.get("pack") != hello.pack:
            return FaceFault.OTHER_PACK
        try:
            return portrait_of(Pack(hello.pack, "", "", hello.dimension), answer.body)
        except ValueError:
            return FaceFault.FAILED

    async def compare(
        self, camera_id: str, photo: bytes, rule: CompareRule, stop: threading.Event, ask: Asker
    ) -> Compared:
        """Have it compared over there: the photo goes down, a finding comes back, no vector goes anywhere."""

        def told(what: str) -> None:
            if what in PROMPTS:
                ask(what)

        work = asyncio.create_task(
            self._ask(
                Verb.COMPARE, camera_id, rule.seconds + LOAD_SECONDS, head=asdict(rule), body=photo, told=told
            )
        )
        try:
            while not work.done():
                if stop.is_set():
                    return Compared("")
                await asyncio.wait((work,), timeout=0.2)
        finally:
            work.cancel()
        return _compared(work.result())

    async def _ask(self, verb: Verb, device_id: str, seconds: float, **options: Any) -> Answer:
        return await self._agents.ask(self._agent_id, verb, device_id, seconds, **options)


class Places:
    """Finds devices and the place where each of them is; told of every change by the hub."""

    def __init__(self, hardware: HardwareService, faces: FaceService, agents: Agents) -> None:
        self._here, self._agents = Here(hardware, faces), agents
        self._devices: dict[str, tuple[str, DeviceConfig]] = {}

    def apply(self, placed: Sequence[tuple[str, DeviceConfig]]) -> None:
        """Take over which device is where: the lane computer's id, or empty for this process."""
        self._devices = {config.id: (agent_id, config) for agent_id, config in placed}

    def of(self, device_id: str) -> Place | None:
        """Where a device is; None for one that nobody runs."""
        found = self._devices.get(device_id)
        if found is None:
            return None
        return There(self._agents, found[0]) if found[0] else self._here

    def of_lane(self, lane_id: str, driver: str) -> str:
        """The first switched-on device of a kind at a lane, wherever it is; empty for none."""
        wanted = (lane_id, driver, True)
        configs = (config for _, config in self._devices.values())
        return next((c.id for c in configs if (c.lane_id, c.driver, c.enabled) == wanted), "")


def _code(code: str) -> str:
    return code if CODE.fullmatch(code) else agent_asks.GARBLED


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Also keeps out what is no number, and what no float can hold.
    return float(value) if -MOST < value < MOST else None


def _compared(answer: Answer) -> Compared:
    if answer.code:
        return Compared(answer.code if answer.code in agent_asks.FAILURES else agent_asks.GARBLED)
    head = answer.head
    state, fault, pack = (str(head.get(name) or "") for name in ("state", "fault", "pack"))
    score, frames = _number(head.get("score")), _number(head.get("frames"))
    if state not in STATES or fault not in {"", *FAULTS} or score is None or frames is None:
        return Compared(agent_asks.GARBLED)
    if state == NO_MODELS:
        return Compared(LANE_NO_MODELS)
    return Compared(state, fault, score, int(frames), pack[:80])
