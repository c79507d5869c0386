"""The photo of a document that was read at a lane, held against who stands there: in memory, two minutes, one lane (ID-02).

A comparison runs by itself where the site's policy, the models and a camera allow it. Where one is missing the desk says
which, and the guard compares. It runs where the camera hangs. No picture leaves that but for the guard of the lane, and none is
written anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from app.core import clock
from app.core.database import Database
from app.core.ids import new_id
from app.domain.admission import faces
from app.domain.identity import face_policy
from app.domain.sites import repository as sites
from app.runtime.live import Live
from app.runtime.places import Place, Places
from hardware.face_compare import NO_CAMERA, CompareRule
from hardware.face_ports import FaceFault, FaceOutcome

logger = logging.getLogger(__name__)

KEEP_SECONDS = 120.0
RUNNING, OFF = "running", "off"
OUTCOMES = frozenset(FaceOutcome)

Insist = Callable[[Callable[[Session], Any], str], Awaitable[Any]]


@dataclass(slots=True)
class Comparison:
    """A picture at a lane and what came of it. ``state`` is empty before the comparison, then ``running``, an outcome
    (``same``, ``unsure`` …), or why a person must compare: ``off``, ``no_models``, ``no_camera``, ``bad_photo``, or what is
    the matter with the lane's computer.
    """

    lane_id: str
    attempt_id: str
    picture: bytes = field(repr=False)
    media_type: str
    source: str = ""  # of the picture: empty for a document's photo
    state: str = ""
    fault: str = ""
    prompt: str = ""
    still: bytes | None = field(default=None, repr=False)
    number: int = 0
    camera_id: str = ""
    stop: threading.Event = field(default_factory=threading.Event, repr=False)


@dataclass(frozen=True, slots=True)
class _Policy:
    """What the site's policy and the lane's devices say of a comparison."""

    verify: bool
    rule: CompareRule
    camera_id: str


class FaceDesk:
    """The pictures of all lanes; changed on the event loop alone."""

    def __init__(self, database: Database, live: Live, places: Places, insist: Insist) -> None:
        self._database, self._live, self._places, self._insist = database, live, places, insist
        self._kept: dict[str, tuple[Comparison, asyncio.TimerHandle]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(
        self,
        lane_id: str,
        attempt_id: str,
        picture: bytes,
        media_type: str,
        *,
        compare: bool,
        source: str = "",
    ) -> None:
        """Keep a picture in place of the one before; ``compare`` it when it is known whose arrival it is."""
        self.drop(lane_id)
        kept = Comparison(lane_id, attempt_id, picture, media_type, source)
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

    def held(self, lane_id: str) -> Comparison | None:
        """The comparison at a lane, whosever it is."""
        found = self._kept.get(lane_id)
        return found[0] if found else None

    async def still(self, lane_id: str, attempt_id: str) -> bytes | None:
        """The picture of who stands there: the one that was compared, else the newest one of the lane's camera."""
        kept = self.at(lane_id, attempt_id)
        return None if kept is None else kept.still or await self._snapshot(kept.camera_id)

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
        try:
            await self._settle(kept)
        except Exception:
            logger.exception("A face could not be compared at lane %s", kept.lane_id)
            kept.state, kept.fault = FaceOutcome.UNREADABLE.value, FaceFault.FAILED.value
        if not kept.stop.is_set():
            kept.number += 1
            self._tell(kept.lane_id)

    async def _settle(self, kept: Comparison) -> None:
        """Compare where the camera is, and put down what came of it."""
        attempt_id = kept.attempt_id
        policy = await self._database.read(lambda s: _policy(s, kept.lane_id))
        kept.camera_id = policy.camera_id
        place = self._places.of(policy.camera_id)
        if not policy.verify or place is None:
            kept.state = NO_CAMERA if policy.verify else OFF
            return
        self._tell(kept.lane_id)
        found = await place.compare(
            policy.camera_id, kept.picture, policy.rule, kept.stop, lambda what: self._ask(kept, what)
        )
        if kept.stop.is_set():
            return
        if found.state in OUTCOMES:
            outcome, nonce, at = FaceOutcome(found.state), new_id(), clock.now()
            kept.still = await self._snapshot(policy.camera_id)
            await self._insist(
                lambda s: faces.record_comparison(
                    s, attempt_id, outcome, nonce, policy.camera_id, at, kept.source
                ),
                policy.camera_id,
            )
        kept.state, kept.fault, kept.prompt = str(found.state), found.fault, ""

    def _ask(self, kept: Comparison, what: str) -> None:
        """Have the desk say what the person shall do; called from any thread."""
        kept.prompt = what
        self._tell(kept.lane_id)

    async def _snapshot(self, camera_id: str) -> bytes | None:
        place: Place | None = self._places.of(camera_id)
        return (await place.picture(camera_id)).picture if place is not None else None

    def _tell(self, lane_id: str) -> None:
        self._live.post(f"lane:{lane_id}")


def _policy(session: Session, lane_id: str) -> _Policy:
    lane = sites.lane(session, lane_id)
    policy = face_policy.of_site(session, lane.site_id)
    cameras = [d.id for d in sites.devices_of_lane(session, lane_id) if d.driver == "camera" and d.enabled]
    rule = CompareRule(policy.same / 100, policy.other / 100, policy.liveness)
    return _Policy(policy.verify, rule, cameras[0] if cameras else "")
