"""What the server asks of this computer's devices: a picture, a badge, a comparison; each done once and answered (AD-15, AD-18).

A question has an id and a moment, on this computer's own clock of uptime, after which it is not wanted any more. What comes
later is not done. The same id again is the same question: it is answered again, and never done again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hardware.agent import wire
from hardware.agent.wire import Verb
from hardware.face_compare import CAPTURE_SECONDS, CompareRule, compare
from hardware.face_ports import FaceFault, vector_bytes
from hardware.jobs import PrintJob
from hardware.stills import OFF, take_still

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hardware.agent.regulars import Regulars
    from hardware.face_ports import Prompt
    from hardware.face_service import FaceService
    from hardware.supervisor import HardwareService

    Send = Callable[[bytes], Awaitable[None]]

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
MARGIN_SECONDS = 1.0
MOST_AT_WORK = 32
EXPIRED, BUSY, UNKNOWN, FAILED = "expired", "agent_busy", "job_unknown", "driver_failed"

Answer = tuple[dict[str, Any], bytes]


def uptime() -> float:
    """Seconds since this machine was started: they never jump, and go on while it sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class _Work:
    """A question that was taken on, what came of it, and whoever is to be told."""

    until: float
    send: Send
    stop: threading.Event = field(default_factory=threading.Event)
    answer: bytes | None = field(default=None, repr=False)


class Asked:
    """The questions of the server; used on the event loop alone."""

    def __init__(self, hardware: HardwareService, faces: FaceService, regulars: Regulars) -> None:
        self._hardware, self._faces, self._regulars = hardware, faces, regulars
        self._works: dict[str, _Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, message: bytes, send: Send) -> None:
        """Take on what came over the link; the answer goes the way that the question came last."""
        found = wire.unpack(message)
        if found is None or not isinstance(found[0].get("ask"), str):
            logger.warning("The server asked something that this version does not understand")
            return
        head, body = found
        number = head["ask"]
        known = self._works.get(number)
        if known is not None:
            known.send = send
            if known.answer is not None:
                self._spawn(_tell(send, known.answer))
            return
        until = _number(head.get("until"))
        if until - uptime() <= 0:
            self._spawn(_tell(send, _message(number, ({"code": EXPIRED}, b""))))
        elif len(self._works) - sum(work.answer is not None for work in self._works.values()) >= MOST_AT_WORK:
            self._spawn(_tell(send, _message(number, ({"code": BUSY}, b""))))
        else:
            work = self._works[number] = _Work(until, send)
            self._spawn(self._do(number, work, head, body))

    def only(self, wanted: frozenset[str]) -> None:
        """End the comparisons that nobody waits for any more."""
        for number, work in self._works.items():
            if number not in wanted:
                work.stop.set()

    async def stop(self) -> None:
        """Let go of everything."""
        for work in self._works.values():
            work.stop.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, number: str, work: _Work, head: dict[str, Any], body: bytes) -> None:
        try:
            answer = await self._answer(number, work, head, body)
        except Exception:
            logger.exception("What the server asked could not be done")
            answer = {"code": FAILED}, b""
        work.answer = _message(number, answer)
        # What is past its moment is not done again anyway: neither its id nor a picture need be kept any longer.
        left = max(0.0, work.until - uptime())
        asyncio.get_running_loop().call_later(left, self._works.pop, number, None)
        await _tell(work.send, work.answer)

    async def _answer(self, number: str, work: _Work, head: dict[str, Any], body: bytes) -> Answer:
        device_id, left = str(head.get("device", "")), work.until - uptime()
        match head.get("verb"):
            case Verb.PICTURE:
                return await self._picture(device_id, left)
            case Verb.PRINT:
                return await self._print(device_id, body, left)
            case Verb.COMPARE:
                return await self._compare(number, work, head, body)
            case Verb.CAPTURE:
                return await self._capture(device_id, work)
            case Verb.REGULARS:
                return {"code": await self._regulars.hold(head, body)}, b""
        return {"code": UNKNOWN}, b""

    async def _picture(self, device_id: str, left: float) -> Answer:
        still = await take_still(self._hardware.camera(device_id), min(left, PATIENCE_SECONDS))
        if still.picture is None:
            return {"code": still.why}, b""
        return {"age": round(still.age, 3)}, still.picture

    async def _print(self, device_id: str, picture: bytes, left: float) -> Answer:
        future = self._hardware.ask(device_id, PrintJob(picture), left)
        try:
            made = await asyncio.wait_for(asyncio.wrap_future(future), left + MARGIN_SECONDS)
        except TimeoutError:
            return {"code": EXPIRED}, b""
        return {"done": made.done, "code": made.code}, b""

    async def _compare(self, number: str, work: _Work, head: dict[str, Any], photo: bytes) -> Answer:
        rule = CompareRule(_number(head.get("same")), _number(head.get("other")), str(head.get("liveness")))
        loop = asyncio.get_running_loop()

        def prompt(what: Prompt) -> None:
            told = wire.pack({"prompt": number, "what": what.value})
            loop.call_soon_threadsafe(lambda: self._spawn(_tell(work.send, told)))

        feed = self._hardware.camera(str(head.get("device", "")))
        # A comparison outlives neither its moment nor whoever waits for it.
        timer = loop.call_later(max(0.0, work.until - uptime()), work.stop.set)
        try:
            made = await asyncio.to_thread(compare, self._faces, feed, photo, rule, work.stop, prompt)
        finally:
            timer.cancel()
        return asdict(made), b""

    async def _capture(self, device_id: str, work: _Work) -> Answer:
        feed = self._hardware.camera(device_id)
        if feed is None:
            return {"code": OFF}, b""
        taken = await asyncio.to_thread(self._faces.capture, feed, seconds=CAPTURE_SECONDS, stop=work.stop)
        if isinstance(taken, FaceFault):
            return {"code": taken.value}, b""
        return {"pack": taken.pack.id, "dimension": taken.pack.dimension}, vector_bytes(taken)

    def line_is_down(self) -> None:
        """The faces of others are here only while the server can take them back."""
        self._spawn(self._regulars.forget())

    def faces_now(self) -> dict[str, Any]:
        """How the models are, as the server is told of it."""
        state = self._faces.state
        pack = {} if state.pack is None else {"pack": state.pack.id, "dimension": state.pack.dimension}
        return {"code": str(state.code), **pack}

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _tell(send: Send, message: bytes) -> None:
    try:
        await send(message)
    except Exception:  # the line broke: the server asks again over the next one
        logger.debug("An answer did not go out", exc_info=True)


def _message(number: str, answer: Answer) -> bytes:
    head, body = answer
    return wire.pack({"answer": number, **head}, body)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
