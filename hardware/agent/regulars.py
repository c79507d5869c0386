"""Regulars who agreed, recognised by the cameras of this computer (1:N): their vectors are here while the line is up (ID-02).

The server says whom to look for and how; nothing of it is written anywhere, and it is overwritten the moment the line breaks.
Whom a camera recognised is an event like every other, and the server has the last word on it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from hardware.face_index import FaceIndex
from hardware.face_ports import ServiceCode, portrait_of
from hardware.ports import DeviceEvent, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware.camera_feed import CameraFeed
    from hardware.face_index import Nearest
    from hardware.face_ports import Pack
    from hardware.face_service import FaceService
    from hardware.face_watch import FaceWatch
    from hardware.supervisor import HardwareService

logger = logging.getLogger(__name__)

KEY_BYTES = 32
HELD, OTHER_PACK, WRONG = "held", "other_pack", "job_unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where and how to look."""

    cameras: tuple[tuple[str, str], ...]
    threshold: float
    margin: float
    liveness: str


@dataclass(slots=True)
class _Running:
    """A camera that looks."""

    rule: Rule
    feed: CameraFeed
    watch: FaceWatch


@dataclass(slots=True)
class _Coming:
    """Faces that come in parts."""

    faces: dict[str, bytes] = field(default_factory=dict, repr=False)


class Regulars:
    """The faces this computer looks for; changed on the event loop, one change at a time."""

    def __init__(
        self, hardware: HardwareService, faces: FaceService, emit: Callable[[DeviceEvent], None]
    ) -> None:
        self._hardware, self._faces, self._emit = hardware, faces, emit
        self._changing = asyncio.Lock()
        self._coming = _Coming()
        self._index: FaceIndex | None = None
        self._rule: Rule | None = None
        self._held: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._boot, self._numbers = secrets.token_hex(4), count(1)

    def __len__(self) -> int:
        return len(self._held)

    async def hold(self, head: dict[str, Any], body: bytes) -> str:
        """Take a part of the whole; with the last one it is what is looked for, in place of what was before."""
        pack = self._pack()
        if pack is None or head.get("pack") != pack.id:
            return OTHER_PACK
        size = KEY_BYTES + 4 * pack.dimension
        if len(body) % size:
            return WRONG
        async with self._changing:
            if head.get("first") is True:
                self._coming = _Coming()
            for start in range(0, len(body), size):
                key = body[start : start + KEY_BYTES].decode("ascii", "replace")
                self._coming.faces[key] = body[start + KEY_BYTES : start + size]
            if head.get("last") is True:
                coming, self._coming = self._coming, _Coming()
                self._rule = _rule(head)
                await asyncio.to_thread(self._fill, pack, coming.faces)
                await asyncio.to_thread(self._follow)
        return HELD

    async def follow(self) -> None:
        """The devices changed: look with those that are there now."""
        async with self._changing:
            await asyncio.to_thread(self._follow)

    async def forget(self) -> None:
        """The line broke, or the program ends: overwrite all faces first, then end the looking."""
        if self._index is not None:
            self._index.clear()
        self._held.clear()
        async with self._changing:
            if self._index is not None:
                self._index.clear()
            self._rule, self._coming = None, _Coming()
            self._held.clear()
            await asyncio.to_thread(self._follow)

    def _pack(self) -> Pack | None:
        state = self._faces.state
        return state.pack if state.code is ServiceCode.READY else None

    def _fill(self, pack: Pack, faces: dict[str, bytes]) -> None:
        if self._index is None or self._index.pack.id != pack.id:
            self._stop(list(self._running))
            self._index, self._held = FaceIndex(pack), set()
        for key in self._held - set(faces):
            self._index.remove(key)
        self._held &= set(faces)
        for key, vector in faces.items():
            try:
                self._index.put(key, portrait_of(pack, vector))
                self._held.add(key)
            except ValueError as error:
                logger.warning("A face of the server cannot be used (%s)", error)

    def _follow(self) -> None:
        rule, index = self._rule, self._index
        cameras = rule.cameras if rule is not None and self._held else ()
        wanted = {
            camera: (lane, feed)
            for camera, lane in cameras
            if (feed := self._hardware.camera(camera)) is not None
        }
        self._stop(
            camera
            for camera, running in list(self._running.items())
            if camera not in wanted or (running.rule, running.feed) != (rule, wanted[camera][1])
        )
        if rule is None or index is None:
            return
        for camera, (lane, feed) in wanted.items():
            if camera not in self._running:
                self._running[camera] = _Running(rule, feed, self._watch(rule, index, camera, lane, feed))

    def _watch(self, rule: Rule, index: FaceIndex, camera: str, lane: str, feed: CameraFeed) -> FaceWatch:
        def matched(nearest: Nearest) -> None:
            told = {"template": nearest.key}
            number = next(self._numbers)
            self._emit(DeviceEvent(lane, camera, EventKind.FACE, told, datetime.now(UTC), number, self._boot))

        return self._faces.watch(
            feed,
            index,
            threshold=rule.threshold,
            margin=rule.margin,
            on_match=matched,
            liveness=rule.liveness,
        )

    def _stop(self, cameras: Any) -> None:
        for camera in list(cameras):
            self._running.pop(camera).watch.stop()


def _rule(head: dict[str, Any]) -> Rule:
    cameras = tuple((str(camera), str(lane)) for camera, lane in head["cameras"])
    return Rule(cameras, float(head["threshold"]), float(head["margin"]), str(head["liveness"]))
