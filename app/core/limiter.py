"""A sliding-window limit on attempts per key, in memory; locks that must survive a restart are rows elsewhere."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from app.core import clock
from app.core.errors import TooMany

MAX_KEYS = 10_000


class Limiter:
    """At most so many hits in so long a time per key; ``rate`` says both, asked anew at each hit."""

    def __init__(self, rate: Callable[[], tuple[int, timedelta]]) -> None:
        self._rate = rate
        self._hits: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, key: str) -> None:
        """Count one attempt; raises ``TooMany`` beyond the limit."""
        now, (limit, window) = clock.now(), self._rate()
        with self._lock:
            hits = self._hits.setdefault(key, deque())
            self._hits.move_to_end(key)
            while hits and hits[0] < now - window:
                hits.popleft()
            if len(hits) >= limit:
                raise TooMany("too_many", minutes=max(1, int(window.total_seconds() // 60)))
            hits.append(now)
            while len(self._hits) > MAX_KEYS:
                self._hits.popitem(last=False)

    def clear(self, key: str) -> None:
        """Forget a key, after a success."""
        with self._lock:
            self._hits.pop(key, None)
