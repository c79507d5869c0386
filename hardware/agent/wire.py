"""Questions and answers on the link: one line of JSON, then bytes. Both ends read what a stranger may have written."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

MAX_HEAD = 16_384
MAX_BODY = 4_000_000
# What a server may send at once; the photo of a document and a badge are far below it.
MAX_QUESTION = 1_000_000


class Verb(StrEnum):
    """What a server can ask of a lane's computer; one that does not know a verb is never asked it."""

    PICTURE = "picture"
    PRINT = "print"
    COMPARE = "compare"
    CAPTURE = "capture"
    REGULARS = "regulars"


def pack(said: dict[str, Any], body: bytes = b"") -> bytes:
    """One message."""
    return json.dumps(said).encode() + b"\n" + body


def head(data: bytes) -> dict[str, Any] | None:
    """The head of a message; None where there is none."""
    line, end, _ = data[: MAX_HEAD + 1].partition(b"\n")
    return table(line) if end else None


def unpack(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Head and body of a message; None for what is none or is too large."""
    found = head(data)
    if found is None or len(data) > MAX_HEAD + MAX_BODY:
        return None
    return found, data[data.index(b"\n") + 1 :]


def table(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object that a text stands for; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # brackets without end go deeper than Python does
        return None
    return found if isinstance(found, dict) else None
