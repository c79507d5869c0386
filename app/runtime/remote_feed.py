"""The pictures of a camera at a lane's computer, with the face of a local camera's feed for whoever looks.

They come up only while somebody looks: the first viewer and the last are told to the owner, who asks the computer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from hardware.camera_feed import MARK_SECONDS, Mark

logger = logging.getLogger(__name__)


class RemoteFeed:
    """A slot for the newest encoded picture; the one before is replaced, never queued."""

    def __init__(self, on_watched: Callable[[], None]) -> None:
        self._on_watched = on_watched
        self.trouble = ""  # what its computer says is wrong with the picture
        self._lock = threading.Lock()
        self._picture: tuple[int, bytes] | None = None
        self._sequence = 0
        self._taken_at: float | None = None
        self._marks: tuple[Mark, ...] = ()
        self._listeners: dict[object, Callable[[], None]] = {}
        self._counters = {"frames": 0, "unwatched": 0}

    def publish(self, picture: bytes, marks: Sequence[Mark] = ()) -> bool:
        """Replace the newest picture and tell the viewers; what comes without a viewer is dropped and counted."""
        with self._lock:
            if not self._listeners:
                self._counters["unwatched"] += 1
                return False
            self._sequence += 1
            self._picture, self._taken_at = (self._sequence, picture), time.monotonic()
            self._marks = tuple(marks)
            self._counters["frames"] += 1
            listeners = list(self._listeners.values())
        for listener in listeners:
            try:
                listener()
            except Exception:
                # A viewer's connection can die at any moment; the other viewers go on.
                logger.debug("Viewer of a remote camera failed", exc_info=True)
        return True

    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Count a viewer and call it on each new picture; returns how to leave."""
        key = object()
        with self._lock:
            self._listeners[key] = listener
            first = len(self._listeners) == 1
        if first:
            self._on_watched()

        def detach() -> None:
            with self._lock:
                gone = self._listeners.pop(key, None) is not None and not self._listeners
                if gone:
                    self._forget()
            if gone:
                self._on_watched()

        return detach

    def jpeg(self) -> tuple[int, bytes] | None:
        """Number and bytes of the newest picture."""
        with self._lock:
            return self._picture

    def snapshot(self) -> bytes | None:
        """The newest picture alone; none while nobody looks."""
        newest = self.jpeg()
        return newest[1] if newest else None

    def clear(self) -> None:
        """Forget the picture when the camera or its computer is gone: an old picture must not look live."""
        with self._lock:
            self._forget()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What the computer found in the picture."""
        with self._lock:
            fresh = self._taken_at is not None and time.monotonic() - self._taken_at < MARK_SECONDS
            return self._marks if fresh else ()

    @property
    def age_seconds(self) -> float | None:
        """How long ago the newest picture came; None without one."""
        with self._lock:
            return None if self._taken_at is None else time.monotonic() - self._taken_at

    @property
    def viewers(self) -> int:
        """How many are watching."""
        with self._lock:
            return len(self._listeners)

    @property
    def counters(self) -> dict[str, int]:
        """Pictures that came, those that came unasked, and the viewers of this moment."""
        with self._lock:
            return {**self._counters, "viewers": len(self._listeners)}

    def _forget(self) -> None:
        self._picture, self._taken_at, self._marks = None, None, ()
