"""Hands events and health to the application without letting its failures reach the drivers."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

T = TypeVar("T")
LOG_INTERVAL_SECONDS = 60.0


class GuardedSink(Generic[T]):
    """Calls a sink and swallows what it raises; one log line a minute tells of it."""

    def __init__(self, name: str, sink: Callable[[T], None]) -> None:
        self._name = name
        self._sink = sink
        self._logged_at: float | None = None
        self.failures = 0

    def __call__(self, item: T) -> None:
        """Deliver one item."""
        try:
            self._sink(item)
        except Exception:
            self.failures += 1
            now = time.monotonic()
            if self._logged_at is None or now - self._logged_at > LOG_INTERVAL_SECONDS:
                self._logged_at = now
                logger.exception("Receiver of device %s failed (%d times so far)", self._name, self.failures)
