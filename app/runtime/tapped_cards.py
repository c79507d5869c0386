"""The last card that each lane's reader read: kept for half a minute, so that the console can issue it by a tap.

In memory alone, and taken once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic

KEEP_SECONDS = 30.0


class TappedCards:
    """Card numbers by lane; changed on the event loop alone."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._cards: dict[str, tuple[float, str]] = {}

    def keep(self, lane_id: str, number: str) -> None:
        """Keep a card in place of the one before."""
        self._cards[lane_id] = self._now(), number

    def take(self, lane_ids: Collection[str]) -> str:
        """The newest card of these lanes, which is forgotten then; empty where there is none of the last half minute."""
        self._forget_old()
        found = max((lane for lane in self._cards if lane in lane_ids), key=self._at, default=None)
        return self._cards.pop(found)[1] if found else ""

    def clear(self) -> None:
        """Forget all of them."""
        self._cards.clear()

    def _at(self, lane_id: str) -> float:
        return self._cards[lane_id][0]

    def _forget_old(self) -> None:
        since = self._now() - KEEP_SECONDS
        self._cards = {lane: card for lane, card in self._cards.items() if card[0] >= since}
