"""Takes picture after picture from a camera until enough is known or time is up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardware.face_look import Look, most_telling
from hardware.face_ports import FaceFault

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from hardware.camera_feed import CameraFeed
    from hardware.face_ports import Frame, Portrait

# A picture older than this is not of who stands there now.
FRESH_SECONDS = 1.0
# How often a waiting loop looks whether it shall stop.
STEP_SECONDS = 0.2
GOOD_QUALITY = 0.8
ENOUGH = 5


def capture(
    feed: CameraFeed,
    take: Callable[[Frame], bool],
    seconds: float,
    stop: threading.Event | None = None,
) -> None:
    """Hand over each new picture once, always the newest, until `take` says true, time is up or `stop` is set."""
    until = time.monotonic() + seconds
    number = first_number(feed)
    while (left := until - time.monotonic()) > 0 and not (stop is not None and stop.is_set()):
        newest = feed.wait_newer(number, min(left, STEP_SECONDS))
        if newest is None:
            continue
        number, frame = newest
        if feed.trouble:  # the picture of somebody who has long gone
            continue
        if take(frame):
            return


def first_number(feed: CameraFeed) -> int:
    """The number after which pictures count: an old one that is still lying there does not."""
    age, newest = feed.age_seconds, feed.latest()
    if newest is None or age is None:
        return 0
    return newest[0] - 1 if age <= FRESH_SECONDS else newest[0]


@dataclass
class Taken:
    """The best of several looks."""

    best: Portrait | None = None
    quality: float = -1.0
    good: int = 0
    faults: list[FaceFault] = field(default_factory=list)

    def take(self, seen: Look) -> bool:
        """Count a look; true when another would hardly be better."""
        if seen.fault is not None or seen.portrait is None:
            self.faults.append(seen.fault or FaceFault.NO_FACE)
            return False
        self.good += 1
        if seen.quality > self.quality:
            self.best, self.quality = seen.portrait, seen.quality
        return self.quality >= GOOD_QUALITY or self.good >= ENOUGH

    @property
    def fault(self) -> FaceFault:
        """Why there is none."""
        return most_telling(self.faults)
