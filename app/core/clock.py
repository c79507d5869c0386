"""The one place that reads the wall clock, and that notices when it was set back.

Rules take ``now`` as an argument; everything else asks here. A clock that jumps back would revive dead
codes (S-17), so the highest time ever seen is kept and callers can ask whether the clock is to be trusted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SET_BACK_TOLERANCE = timedelta(seconds=10)
ACCEPTED = "clock.accept"  # the audit entry of an operator who vouches for the clock as it stands


class Clock:
    """Aware UTC time with a high-water mark."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._highest = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        seconds = self._read()
        with self._lock:
            self._highest = max(self._highest, seconds)
        return datetime.fromtimestamp(seconds, UTC)

    def observe(self, moment: datetime | None) -> None:
        """Raise the high-water mark to a time found in the database at start-up."""
        if moment is not None:
            with self._lock:
                self._highest = max(self._highest, moment.timestamp())

    def trusted(self) -> bool:
        """False while the clock stands more than ten seconds behind the highest time seen (S-17)."""
        with self._lock:
            return self._read() >= self._highest - SET_BACK_TOLERANCE.total_seconds()


_clock = Clock()


def current() -> Clock:
    """The clock of this process."""
    return _clock


def use(clock: Clock) -> Clock:
    """Install another clock and return the previous one; tests and the played day use it."""
    global _clock
    previous, _clock = _clock, clock
    return previous


def now() -> datetime:
    """The present moment of the installed clock."""
    return _clock.now()
