"""The newest picture of a camera, shared by any number of viewers at the price of one."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware.drivers.vision import encode_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

logger = logging.getLogger(__name__)

MARK_SECONDS = 1.0
RATE_SECONDS = 5.0
RATE_FRAMES = 300

COLOUR_DIMENSIONS = 3
COLOUR_CHANNELS = 3


def is_usable(frame: Any) -> bool:
    """Tell whether this is a colour picture; broken cameras hand over almost anything."""
    return (
        getattr(frame, "ndim", 0) == COLOUR_DIMENSIONS
        and str(getattr(frame, "dtype", "")) == "uint8"
        and frame.shape[2] == COLOUR_CHANNELS
        and frame.size > 0
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """Something found in a picture, drawn over it in the browser: the stream itself is encoded once, without it.

    `kind` is face, code or plate; the place is in shares of the picture; `label` is a code or a short text, no person's data.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    label: str = ""


class CameraFeed:
    """A slot for the newest frame: old frames are replaced, never queued, so a slow viewer cannot fall behind."""

    def __init__(self, encode: Callable[[Frame], bytes] = encode_jpeg) -> None:
        self._encode = encode
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._frame: Frame | None = None
        self._shape: tuple[int, ...] | None = None
        self._sequence = 0
        self._taken_at: float | None = None
        self._jpeg: tuple[int, bytes] | None = None
        self._listeners: dict[object, Callable[[], None]] = {}
        self._marks: dict[str, tuple[float, tuple[Mark, ...]]] = {}
        self._counters = {"frames": 0, "dropped": 0, "unusable": 0, "encoded": 0, "resized": 0}
        self._recent: deque[float] = deque(maxlen=RATE_FRAMES)
        self._watched_from = 0
        self._picked = 0
        # Why the newest picture does not show what happens now: frozen or covered. Set before the picture is published;
        # who finds codes or faces leaves such pictures alone.
        self.trouble = ""

    def publish(self, frame: Any, jpeg: bytes | None = None) -> bool:
        """Replace the newest frame and tell the viewers; refuse and count what is not a picture.

        `jpeg` is the same picture as the camera sent it, where it did: then nobody need encode it again.
        """
        with self._changed:
            if not is_usable(frame):
                self._counters["unusable"] += 1
                return False
            if self._listeners and self._sequence > max(self._picked, self._watched_from):
                self._counters["dropped"] += 1
            if self._shape not in (None, frame.shape):
                self._counters["resized"] += 1
            self._frame, self._shape = frame, frame.shape
            self._sequence += 1
            if jpeg is not None:
                self._jpeg = (self._sequence, jpeg)
            self._taken_at = time.monotonic()
            self._recent.append(self._taken_at)
            self._counters["frames"] += 1
            listeners = list(self._listeners.values())
            self._changed.notify_all()
        for listener in listeners:
            self._tell(listener)
        return True

    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Count a viewer and call it from the camera's thread on each new frame; returns how to leave."""
        key = object()
        with self._changed:
            if not self._listeners:
                # What came while nobody looked was not missed by anybody.
                self._watched_from = self._sequence
            self._listeners[key] = listener

        def detach() -> None:
            with self._changed:
                self._listeners.pop(key, None)
                if not self._listeners:
                    self._jpeg = None

        return detach

    def jpeg(self) -> tuple[int, bytes] | None:
        """Return number and JPEG of the newest frame, encoded by the first who asks and shared by all others."""
        with self._encoding:
            with self._changed:
                frame, sequence, cached = self._frame, self._sequence, self._jpeg
                self._picked = sequence
            if frame is None:
                return None
            if cached is not None and cached[0] == sequence:
                return cached
            result = (sequence, self._encode(frame))
            with self._changed:
                self._counters["encoded"] += 1
                self._jpeg = result
            return result

    def mark(self, kind: str, marks: Sequence[Mark]) -> None:
        """Replace what was found of one kind; it fades by itself when its finder stops."""
        with self._changed:
            self._marks[kind] = (time.monotonic(), tuple(marks))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is found in the picture now, of all kinds."""
        oldest = time.monotonic() - MARK_SECONDS
        with self._changed:
            return tuple(mark for at, marks in self._marks.values() if at >= oldest for mark in marks)

    def snapshot(self) -> bytes | None:
        """Return the newest picture alone, for a record or a still."""
        newest = self.jpeg()
        return newest[1] if newest else None

    def latest(self) -> tuple[int, Frame] | None:
        """Return number and pixels of the newest frame; the array is shared, do not write to it."""
        with self._changed:
            return None if self._frame is None else (self._sequence, self._frame)

    def wait_newer(self, sequence: int, timeout: float) -> tuple[int, Frame] | None:
        """Wait for a frame after `sequence` without counting as a viewer."""
        with self._changed:
            self._changed.wait_for(lambda: self._sequence > sequence and self._frame is not None, timeout)
            if self._frame is None or self._sequence <= sequence:
                return None
            return self._sequence, self._frame

    def clear(self) -> None:
        """Forget the picture when the camera is gone: an old picture must not look live."""
        with self._changed:
            self._frame = None
            self._jpeg = None
            self._taken_at = None
            self._recent.clear()
            self.trouble = ""
            self._marks.clear()

    @property
    def age_seconds(self) -> float | None:
        """How old the newest frame is; None without one."""
        with self._changed:
            return None if self._taken_at is None else time.monotonic() - self._taken_at

    @property
    def viewers(self) -> int:
        """How many are watching."""
        with self._changed:
            return len(self._listeners)

    @property
    def counters(self) -> dict[str, int]:
        """Totals since the start, and of this moment viewers, size and pictures a second.

        `dropped` are frames that a newer one replaced before any of the viewers took it.
        """
        with self._changed:
            rows, columns = (0, 0) if self._frame is None else self._frame.shape[:2]
            return {
                **self._counters,
                "viewers": len(self._listeners),
                "width": int(columns),
                "height": int(rows),
                "fps": round(self._rate()),
            }

    def _rate(self) -> float:
        """Pictures a second of the last seconds; less than two in them are no rate."""
        now = time.monotonic()
        recent = [at for at in self._recent if at > now - RATE_SECONDS]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-6)

    def _tell(self, listener: Callable[[], None]) -> None:
        try:
            listener()
        except Exception:
            # A viewer's connection can die at any moment; the camera and the other viewers go on.
            logger.debug("Camera viewer failed", exc_info=True)
