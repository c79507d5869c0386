"""The photo of a document that was read at a lane, held against who stands there: in memory, two minutes, one lane (ID-02).

A comparison runs by itself where the site's policy, the models and a camera allow it. Where one is missing the desk says
which, and the guard compares. No picture leaves this process but to the guard of the lane, and none is written anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlmodel import Session

from app.core import clock
from app.core.database import Database
from app.core.ids import new_id
from app.domain.admission import faces
from app.domain.identity import face_policy
from app.domain.sites import repository as sites
from app.runtime.live import Live
from hardware.camera_feed import CameraFeed
from hardware.face_ports import FaceFault, FaceVerdict, Prompt, ServiceCode
from hardware.face_service import FaceService

logger = logging.getLogger(__name__)

KEEP_SECONDS = 120.0
LOOK_SECONDS = 3.0
# Right after a start the models are still on their way; so long a card may wait for them.
LOAD_SECONDS = 20.0
RUNNING = "running"

Insist = Callable[[Callable[[Session], Any], str], Awaitable[Any]]


class Cameras(Protocol):
    """Who lends the picture of a camera."""

    def camera(self, device_id: str) -> CameraFeed | None:
        """The picture slot of a camera."""


@dataclass(slots=True)
class Comparison:
    """A picture at a lane and what came of it. ``state`` is empty before the comparison, then ``running``, an outcome
    (``same``, ``unsure`` …), or why a person must compare: ``off``, ``no_models``, ``no_camera``, ``bad_photo``.
    """

    lane_id: str
    attempt_id: str
    picture: bytes = field(repr=False)
    media_type: str
    state: str = ""
    fault: str = ""
    prompt: str = ""
    still: bytes | None = field(default=None, repr=False)
    number: int = 0
    camera_id: str = ""
    stop: threading.Event = field(default_factory=threading.Event, repr=False)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the site's policy and the lane's devices say of a comparison."""

    verify: bool
    same: float
    other: float
    liveness: str
    camera_id: str


class FaceDesk:
    """The pictures of all lanes; changed on the event loop alone."""

    def __init__(
        self, database: Database, live: Live, cameras: Cameras, service: FaceService, insist: Insist
    ) -> None:
        self._database, self._live, self._cameras = database, live, cameras
        self._service, self._insist = service, insist
        self._kept: dict[str, tuple[Comparison, asyncio.TimerHandle]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, lane_id: str, attempt_id: str, picture: bytes, media_type: str, *, compare: bool) -> None:
        """Keep a document's photo in place of the one before; ``compare`` it when it is known whose arrival it is."""
        self.drop(lane_id)
        kept = Comparison(lane_id, attempt_id, picture, media_type)
        timer = asyncio.get_running_loop().call_later(KEEP_SECONDS, self._expire, kept)
        self._kept[lane_id] = (kept, timer)
        if compare:
            self._begin(kept)

    def claim(self, lane_id: str, attempt_id: str) -> None:
        """The photo belongs to an arrival that was registered since: compare it there."""
        if (found := self._kept.get(lane_id)) is not None:
            found[0].attempt_id = attempt_id
            self._begin(found[0])

    def again(self, lane_id: str, attempt_id: str) -> None:
        """Compare once more."""
        if (kept := self.at(lane_id, attempt_id)) is not None and kept.state != RUNNING:
            self._begin(kept)

    def at(self, lane_id: str, attempt_id: str) -> Comparison | None:
        """The comparison of an arrival at a lane."""
        found = self._kept.get(lane_id)
        return found[0] if found and found[0].attempt_id == attempt_id else None

    def still(self, lane_id: str, attempt_id: str) -> bytes | None:
        """The picture of who stands there: the one that was compared, else the newest one of the lane's camera."""
        kept = self.at(lane_id, attempt_id)
        return None if kept is None else kept.still or self._snapshot(kept.camera_id)

    def refresh(self, lane_id: str, attempt_id: str) -> None:
        """Have the newest picture shown."""
        if (kept := self.at(lane_id, attempt_id)) is not None:
            kept.still = None
            kept.number += 1
            self._tell(lane_id)

    def drop(self, lane_id: str) -> None:
        """Forget the picture of a lane."""
        if (found := self._kept.pop(lane_id, None)) is not None:
            found[1].cancel()
            found[0].stop.set()

    async def clear(self) -> None:
        """Forget all of them and end what runs."""
        for lane_id in list(self._kept):
            self.drop(lane_id)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _expire(self, kept: Comparison) -> None:
        found = self._kept.get(kept.lane_id)
        if found is not None and found[0] is kept:
            self.drop(kept.lane_id)
            self._tell(kept.lane_id)

    def _begin(self, kept: Comparison) -> None:
        kept.state, kept.fault, kept.prompt = RUNNING, "", ""
        self._spawn(self._compare(kept))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compare(self, kept: Comparison) -> None:
        attempt_id = kept.attempt_id
        try:
            rule = await self._database.read(lambda s: _rule(s, kept.lane_id))
            kept.camera_id = rule.camera_id
            feed = self._cameras.camera(rule.camera_id) if rule.camera_id else None
            if rule.verify and self._service.state.code is ServiceCode.STARTING:
                self._tell(kept.lane_id)
                await asyncio.to_thread(self._service.wait_started, LOAD_SECONDS)
            kept.state = self._hindrance(rule, feed)
            if kept.state or feed is None:
                kept.number += 1
                self._tell(kept.lane_id)
                return
            kept.state = RUNNING
            self._tell(kept.lane_id)
            verdict = await asyncio.to_thread(self._look, kept, rule, feed)
            if kept.stop.is_set():
                return
            if verdict is None:
                kept.state = "bad_photo"
                kept.number += 1
                self._tell(kept.lane_id)
                return
            kept.still = await asyncio.to_thread(feed.snapshot)
            nonce, at = new_id(), clock.now()
            await self._insist(
                lambda s: faces.record_comparison(s, attempt_id, verdict.outcome, nonce, rule.camera_id, at),
                rule.camera_id,
            )
            kept.state, kept.fault, kept.prompt = verdict.outcome.value, verdict.fault or "", ""
        except Exception:
            logger.exception("A face could not be compared at lane %s", kept.lane_id)
            kept.state, kept.fault = "unreadable", FaceFault.FAILED.value
        kept.number += 1
        self._tell(kept.lane_id)

    def _hindrance(self, rule: _Rule, feed: CameraFeed | None) -> str:
        if not rule.verify:
            return "off"
        if self._service.state.code is not ServiceCode.READY:
            return "no_models"
        return "no_camera" if feed is None or feed.trouble or feed.latest() is None else ""

    def _look(self, kept: Comparison, rule: _Rule, feed: CameraFeed) -> FaceVerdict | None:
        """Compare; runs on a thread of its own and ends soon after the picture is dropped. None for a useless photo."""
        reference = self._service.portrait(kept.picture)
        if isinstance(reference, FaceFault):
            return None
        return self._service.verify(
            feed,
            reference,
            same=rule.same,
            other=rule.other,
            liveness=rule.liveness,
            seconds=LOOK_SECONDS,
            stop=kept.stop,
            prompt=self._asker(kept),
        )

    def _asker(self, kept: Comparison) -> Callable[[Prompt], None]:
        def ask(prompt: Prompt) -> None:
            kept.prompt = prompt.value
            self._tell(kept.lane_id)

        return ask

    def _snapshot(self, camera_id: str) -> bytes | None:
        feed = self._cameras.camera(camera_id) if camera_id else None
        return feed.snapshot() if feed is not None else None

    def _tell(self, lane_id: str) -> None:
        self._live.post(f"lane:{lane_id}")


def _rule(session: Session, lane_id: str) -> _Rule:
    lane = sites.lane(session, lane_id)
    policy = face_policy.of_site(session, lane.site_id)
    # Pictures of a camera at a lane's computer come as JPEGs for the eye; faces are looked for at the server.
    cameras = [
        d.id
        for d in sites.devices_of_lane(session, lane_id)
        if d.driver == "camera" and d.enabled and not d.agent_id
    ]
    return _Rule(
        policy.verify, policy.same / 100, policy.other / 100, policy.liveness, cameras[0] if cameras else ""
    )
