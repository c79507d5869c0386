"""Which device serves which card reader: a card opens one lane, also where two devices' patterns fit its reader."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase

WILD = frozenset("*?")


def fits(pattern: str, reader: str) -> bool:
    """Whether a reader's name fits, case ignored; ``*`` and ``?`` stand for others, brackets for themselves."""
    return fnmatchcase(reader.casefold(), pattern.casefold().replace("[", "[[]"))


class ReaderClaims:
    """The patterns of the running devices. The narrowest that fits has the reader, of equals the one first claimed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._patterns: dict[str, str] = {}

    def enter(self, device_id: str, pattern: str) -> None:
        """Claim the readers that fit."""
        with self._lock:
            self._patterns[device_id] = pattern

    def leave(self, device_id: str) -> None:
        """Let go of them."""
        with self._lock:
            self._patterns.pop(device_id, None)

    def owner(self, reader: str) -> str | None:
        """The device that serves a reader now."""
        with self._lock:
            fitting = [device for device, pattern in self._patterns.items() if fits(pattern, reader)]
            return max(fitting, key=lambda device: _narrowness(self._patterns[device]), default=None)


def _narrowness(pattern: str) -> tuple[bool, int]:
    literal = sum(char not in WILD for char in pattern)
    return literal == len(pattern), literal
