"""Pure rules of other systems: which change is newer, and what a request says."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

MAX_VERSION = 2**63 - 1
# For so long a request that is sent again is answered from the record (I-3).
KEEP = timedelta(days=7)


class Order(StrEnum):
    """How a change stands to what was applied before."""

    NEWER = "newer"
    SAME = "same"
    OLDER = "older"


def order_of(applied: int | None, given: int) -> Order:
    """Whether a version is news: nothing was applied before, an older one, the same, or a newer one."""
    if applied is None or given > applied:
        return Order.NEWER
    return Order.SAME if given == applied else Order.OLDER


def version_of(version: int | None, updated_at: datetime | None) -> int | None:
    """The version of a change: its number, or the microsecond of its last change; None where it has neither."""
    if version is not None:
        return version
    return None if updated_at is None else max(0, int(updated_at.timestamp() * 1_000_000))


def digest_of(method: str, path: str, body: bytes) -> bytes:
    """What a request asks for, however its JSON was written down."""
    try:
        plain = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode() if body else b""
    except (ValueError, RecursionError):
        plain = body
    return sha256(b"\0".join((method.encode(), path.encode(), plain))).digest()
