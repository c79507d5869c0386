"""Documents that were read at a lane and belong to nobody there yet: kept for the guard's next step, in memory alone.

A stranger's card is laid on the reader, then the guard presses the key that registers a walk-in. Between the two the
document waits here. It goes when it was used, when another one is read at the lane, and after two minutes.
"""

from __future__ import annotations

import asyncio

from app.domain.admission.evidence import Presented

KEEP_SECONDS = 120.0


class LaidDocuments:
    """The last unclaimed document of each lane; changed on the event loop alone, asked from any thread."""

    def __init__(self, seconds: float = KEEP_SECONDS) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[Presented, asyncio.TimerHandle]] = {}

    def keep(self, lane_id: str, item: Presented) -> None:
        """Keep a document in place of the one before."""
        self.drop(lane_id)
        timer = asyncio.get_running_loop().call_later(self._seconds, self.drop, lane_id)
        self._kept[lane_id] = (item, timer)

    def at(self, lane_id: str) -> Presented | None:
        """The document that waits at a lane."""
        kept = self._kept.get(lane_id)
        return kept[0] if kept else None

    def drop(self, lane_id: str) -> None:
        """Forget the document of a lane."""
        if (kept := self._kept.pop(lane_id, None)) is not None:
            kept[1].cancel()

    def clear(self) -> None:
        """Forget all of them."""
        for lane_id in list(self._kept):
            self.drop(lane_id)
