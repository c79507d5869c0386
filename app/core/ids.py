"""Identifiers: time-ordered row ids, random secrets and short codes."""

from __future__ import annotations

import os
import secrets
import threading
import time
from datetime import UTC, datetime

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> str:
    """A 32-digit hex id in the layout of UUID version 7 (RFC 9562): sorted by time, made before the insert."""
    global _last_ms, _counter
    with _lock:
        millis = max(time.time_ns() // 1_000_000, _last_ms)
        _counter = _counter + 1 if millis == _last_ms else 0
        _last_ms = millis
        counter = _counter & 0xFFF
    random = int.from_bytes(os.urandom(8)) & (2**62 - 1)
    return f"{(millis << 80) | (7 << 76) | (counter << 64) | (2 << 62) | random:032x}"


def moment_of(row_id: str) -> datetime:
    """When an id of ours was made, to the millisecond."""
    return datetime.fromtimestamp((int(row_id, 16) >> 80) / 1000, UTC)


def new_secret() -> str:
    """256 random bits for sessions and links, URL-safe."""
    return secrets.token_urlsafe(32)


def new_code_id() -> str:
    """The opaque 8-byte id inside a dynamic code (S-14), as 16 hex digits."""
    return secrets.token_hex(8)


def new_short_code() -> str:
    """Six decimal digits for a visitor who cannot show the code (S-18)."""
    return f"{secrets.randbelow(1_000_000):06d}"
