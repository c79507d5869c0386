"""The picture that a camera shows at this moment, for a record or for the eye; an old one is never taken for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware.camera_feed import CameraFeed

STALE_SECONDS = 2.0
PAUSE_SECONDS = 0.5
OFF, NOTHING = "camera_off", "no_picture"


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG and how old it is, or the code of why there is none."""

    picture: bytes | None = field(default=None, repr=False)
    age: float = 0.0
    why: str = ""


async def take_still(feed: CameraFeed | None, seconds: float = 0.0) -> Still:
    """What a camera sees; one that just stutters gets so many seconds. Frozen and covered pictures are none."""
    if feed is None:
        return Still(why=OFF)
    until = time.monotonic() + seconds
    while True:
        age = feed.age_seconds
        if not feed.trouble and age is not None and age <= STALE_SECONDS:
            picture = await asyncio.to_thread(feed.snapshot)
            if picture is not None:
                return Still(picture, age)
        if time.monotonic() >= until:
            return Still(why=feed.trouble or NOTHING)
        await asyncio.sleep(PAUSE_SECONDS)
