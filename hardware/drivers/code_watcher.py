"""Reads the codes that people hold before a camera, as seldom as can be without missing one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hardware.camera_feed import Mark
from hardware.drivers.code_reader import CodePresence
from hardware.drivers.picture_watch import differing, samples
from hardware.ports import EventKind

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from hardware.drivers.code_reader import CodeReader, FoundCode
    from hardware.ports import DriverContext

    Frame = npt.NDArray[np.uint8]

WAIT_SECONDS = 0.1
# pyzbar costs ten times what zxing-cpp does and finds little more: it gives its opinion on each third picture only.
SECOND_OPINION_EVERY = 3
# Above the noise of a sensor; a phone held up changes hundreds of samples, and far more.
MOVED_LEVELS = 24
MOVED_SHARE = 600
REST_SECONDS = 0.5
MARK_STAYS_SECONDS = 0.4


class ReadingPace:
    """Lets pictures pass unread that show what was just read; one that moves is always read."""

    def __init__(self) -> None:
        self._reference: Frame | None = None
        self._read_at = 0.0
        self._reads = 0

    def choose(self, frame: Frame, now: float) -> tuple[bool, bool]:
        """Tell whether to read this picture, and whether with the slow second opinion."""
        grid = samples(frame)
        moved = self._reference is None or (
            differing(grid, self._reference, MOVED_LEVELS) > grid.size // MOVED_SHARE
        )
        if moved:
            # The turn of the second opinion goes on: a scene that never rests gets its share of them.
            self._reads %= SECOND_OPINION_EVERY
        elif self._reads > SECOND_OPINION_EVERY and now - self._read_at < REST_SECONDS:
            return False, False
        self._reference, self._read_at = grid, now
        self._reads += 1
        return True, self._reads % SECOND_OPINION_EVERY == 0


class CodeWatcher:
    """Turns pictures into events and marks; kept over restarts of the stream with what it knows of codes still held there."""

    def __init__(self) -> None:
        self._presence = CodePresence()
        self._marked_at = 0.0

    def run(self, context: DriverContext, reader: CodeReader, ended: threading.Event) -> None:
        """Read the newest picture again and again; those that come meanwhile are skipped, not queued."""
        sequence, pace = 0, ReadingPace()
        found: list[FoundCode] = []
        while not ended.is_set():
            newest = context.feed.wait_newer(sequence, WAIT_SECONDS)
            if newest is None:
                continue
            sequence, frame = newest
            now = time.monotonic()
            if context.feed.trouble:
                # What hangs on the picture was presented when it was new; it must first be gone from a live one.
                self._presence.hold(now)
                found = []
                context.feed.mark("code", ())
                continue
            wanted, thorough = pace.choose(frame, now)
            if wanted:
                try:
                    found = reader.find(frame, thorough=thorough)
                except Exception:
                    # A decoder that chokes on one picture must not end the reading of all others.
                    context.count("decode_errors")
                    continue
            self._tell(context, found, now)

    def _tell(self, context: DriverContext, found: Sequence[FoundCode], now: float) -> None:
        for kind, payload in self._presence.see([code.text for code in found], now):
            if kind is EventKind.CODE:
                context.count("codes")
            context.emit(kind, payload)
        if found:
            self._marked_at = now
            context.feed.mark("code", [Mark("code", *code.box) for code in found])
        elif now - self._marked_at > MARK_STAYS_SECONDS:
            # A hand that trembles blurs single pictures; the mark does not blink for each of them.
            context.feed.mark("code", ())
