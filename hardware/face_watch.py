"""Looks for known faces in a camera's pictures all the time: a few looks a second, each person told once (ID-02)."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hardware.camera_feed import Mark
from hardware.face_ports import FaceFault, Liveness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from hardware.camera_feed import CameraFeed
    from hardware.face_index import FaceIndex, Nearest
    from hardware.face_look import Look
    from hardware.face_ports import Frame, SeenFace

logger = logging.getLogger(__name__)

MOST_FACES = 3
# One picture alone names nobody.
AGREEING = 2
GONE_SECONDS = 3.0
WAIT_SECONDS = 0.5
ANSWER_SECONDS = 60.0
JOIN_SECONDS = 65.0


@dataclass(frozen=True, slots=True)
class WatchRule:
    """When a face counts as somebody's."""

    threshold: float
    margin: float
    liveness: Liveness = Liveness.NONE
    per_second: float = 3.0

    def __post_init__(self) -> None:
        if self.liveness not in (Liveness.NONE, Liveness.PASSIVE):
            raise ValueError("liveness_of_watch")
        if not -1 <= self.threshold <= 1 or self.margin < 0 or self.per_second <= 0:
            raise ValueError("watch_rule")


@dataclass
class Presence:
    """Who is there: told when seen in two looks in a row, again only after being gone. Pure."""

    gone_seconds: float = GONE_SECONDS
    _seen: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _streak: dict[str, int] = field(default_factory=dict)

    def take(self, keys: Sequence[str], now: float) -> list[str]:
        """The keys that are news."""
        for key in [key for key, at in self._seen.items() if now - at > self.gone_seconds]:
            del self._seen[key]
            self._told.discard(key)
            self._streak.pop(key, None)
        self._streak = {key: self._streak.get(key, 0) + 1 for key in dict.fromkeys(keys)}
        news = []
        for key, times in self._streak.items():
            self._seen[key] = now
            if times >= AGREEING and key not in self._told:
                self._told.add(key)
                news.append(key)
        return news


class Service(Protocol):
    """What a watch needs of the face service."""

    def send_look_at_all(self, frame: Frame, most: int, *, live: bool) -> Future[list[Look]] | None:
        """Look at several faces when there is time."""


class FaceWatch:
    """A thread beside one camera; it takes the newest picture and leaves out those it has no time for."""

    def __init__(
        self,
        service: Service,
        feed: CameraFeed,
        index: FaceIndex,
        rule: WatchRule,
        on_match: Callable[[Nearest], None],
        on_faces: Callable[[Sequence[SeenFace]], None] | None,
    ) -> None:
        self._service, self._feed, self._index, self._rule = service, feed, index, rule
        self._on_match, self._on_faces = on_match, on_faces
        self._presence = Presence()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="face-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; nobody is told of anything afterwards."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        number, failed = 0, ""
        while not self._stop.is_set():
            began = time.monotonic()
            newest = self._feed.wait_newer(number, WAIT_SECONDS)
            if newest is None:
                continue
            number, frame = newest
            if self._feed.trouble:
                continue
            try:
                self._look(frame)
                failed = ""
            except Exception as error:
                # A receiver or the engine failed; the next picture is another chance, and one line is enough.
                if failed != type(error).__name__:
                    failed = type(error).__name__
                    logger.warning("Face watch: %s", failed)
            self._stop.wait(max(0.0, 1 / self._rule.per_second - (time.monotonic() - began)))

    def _look(self, frame: Frame) -> None:
        asked = self._service.send_look_at_all(
            frame, MOST_FACES, live=self._rule.liveness is Liveness.PASSIVE
        )
        if asked is None:
            return
        seen = asked.result(ANSWER_SECONDS)
        if self._stop.is_set():
            return
        nearest = [self._nearest(each) for each in seen]
        self._feed.mark("face", [self._mark(each, found) for each, found in zip(seen, nearest, strict=True)])
        if self._on_faces is not None:
            self._on_faces([each.face for each in seen if each.face is not None])
        matches = {found.key: found for found in nearest if found is not None}
        for key in self._presence.take(list(matches), time.monotonic()):
            self._on_match(matches[key])

    def _nearest(self, seen: Look) -> Nearest | None:
        # After a change of models the index is of others until the application has made a new one.
        if seen.portrait is None or seen.portrait.pack.id != self._index.pack.id:
            return None
        if self._rule.liveness is Liveness.PASSIVE and seen.live is not True:
            return None
        found = self._index.search(seen.portrait)
        if found is None or found.score < self._rule.threshold or found.lead < self._rule.margin:
            return None
        return found

    def _mark(self, seen: Look, found: Nearest | None) -> Mark:
        assert seen.face is not None
        label = "match" if found is not None else str(seen.fault or "")
        if not label and self._rule.liveness is Liveness.PASSIVE and seen.live is not True:
            label = FaceFault.NO_LIVENESS.value
        box = seen.face.box
        return Mark("face", box.x, box.y, box.width, box.height, label)
