"""The product's routes and devices, and beside them what a measurement asks: counters, and when pictures were taken."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app.api import main
from app.runtime import lifespan
from app.runtime.hub import get_hub
from hardware import camera_feed

COUNTED = ("frames", "encoded", "dropped", "codes")
KEPT = 4000

_published: dict[tuple[int, int], float] = {}
_stamps: deque[tuple[int, str, float]] = deque(maxlen=KEPT)


def named(jpeg: bytes) -> str:
    """A picture's name: the same bytes, the same name."""
    return hashlib.blake2b(jpeg, digest_size=8).hexdigest()


def note() -> None:
    """Note the moment of each picture that a viewer asks for."""
    publish, jpeg = camera_feed.CameraFeed.publish, camera_feed.CameraFeed.jpeg

    def noted_publish(self: Any, frame: Any, own: bytes | None = None) -> bool:
        _published[id(self), self._sequence + 1] = time.time()
        _published.pop((id(self), self._sequence - 100), None)
        return bool(publish(self, frame, own))

    def noted_jpeg(self: Any) -> Any:
        picture = jpeg(self)
        at = _published.pop((id(self), picture[0]), None) if picture is not None else None
        if picture is not None and at is not None:
            _stamps.append((id(self), named(picture[1]), at))
        return picture

    camera_feed.CameraFeed.publish = noted_publish  # type: ignore[method-assign]
    camera_feed.CameraFeed.jpeg = noted_jpeg  # type: ignore[method-assign]


def create() -> FastAPI:
    """What the server runs."""
    note()
    api = main.create()

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with lifespan.run():
            yield

    api.router.lifespan_context = run

    @api.get("/bench/counters")
    async def counters() -> dict[str, int]:
        center = get_hub()
        found = center.hardware.health().values() if center else ()
        total = {name: sum(health.counters.get(name, 0) for health in found) for name in COUNTED}
        return {**total, "online": sum(health.status == "online" for health in found)}

    @api.get("/bench/stamps")
    async def stamps() -> dict[str, list[tuple[str, float]]]:
        center = get_hub()
        feeds = center.hardware._feeds if center else {}
        found = list(_stamps)
        _stamps.clear()
        return {
            device: [(name, at) for of, name, at in found if of == id(feed)] for device, feed in feeds.items()
        }

    return api
