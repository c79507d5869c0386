"""Pure rules of codes: how a rotating code is made, read and judged (S-14 to S-18).

A dynamic code is ``V1`` + base32(version 1 | key id 1 | code id 8 | step 4 | HMAC-SHA256 cut to 16 bytes):
50 characters that a QR code holds in alphanumeric mode, with nothing about the person in it.
A badge code is the same with ``B1`` and step 0: it names a printed badge, it does not rotate.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

STEP_SECONDS = 30
LATE_SECONDS = 5
EARLY_SECONDS = 2
VERSION = 1
MAC_BYTES = 16
BODY = 14
DYNAMIC, BADGE = "V1", "B1"
SHAPE = re.compile(r"(V1|B1)([A-Z2-7]{48})")


class CodeFault(StrEnum):
    """Why a code is no good."""

    FOREIGN = "foreign"
    FORGED = "forged"
    STALE = "stale"
    EARLY = "early"
    REPLAYED = "replayed"


class PassStatus(StrEnum):
    """The life of a pass."""

    ACTIVE = "active"
    RETURNED = "returned"
    LOST = "lost"
    REVOKED = "revoked"
    EXPIRED = "expired"


class CardStatus(StrEnum):
    """The life of an IC card."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    LOST = "lost"
    RETURNED = "returned"


# What may become of a card that is out; one that was handed back is only ever issued anew.
CARD_MOVES: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.ACTIVE: frozenset({CardStatus.BLOCKED, CardStatus.LOST, CardStatus.RETURNED}),
    CardStatus.BLOCKED: frozenset({CardStatus.ACTIVE, CardStatus.LOST, CardStatus.RETURNED}),
    CardStatus.LOST: frozenset({CardStatus.ACTIVE, CardStatus.RETURNED}),
    CardStatus.RETURNED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it was read: well formed, its MAC not yet checked."""

    kind: str
    kid: int
    code_id: str
    step: int
    mac: bytes


def _body(kid: int, code_id: str, step: int) -> bytes:
    return bytes((VERSION, kid)) + bytes.fromhex(code_id) + step.to_bytes(4)


def _mac(kind: str, secret: bytes, body: bytes) -> bytes:
    # The badge's MAC covers its prefix too, so that a printed badge cannot be re-written into a dynamic code.
    message = body if kind == DYNAMIC else kind.encode() + body
    return hmac.digest(secret, message, "sha256")[:MAC_BYTES]


def step_at(unix_seconds: float) -> int:
    """The number of the 30-second step that a moment lies in."""
    return int(unix_seconds // STEP_SECONDS)


def make(kind: str, secret: bytes, kid: int, code_id: str, step: int) -> str:
    """The text of a code."""
    body = _body(kid, code_id, step)
    return kind + base64.b32encode(body + _mac(kind, secret, body)).decode().rstrip("=")


def parse(text: str) -> Code | None:
    """The code in a text; None for anything that is not one of ours."""
    match = SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        raw = base64.b32decode(match[2])
    except (binascii.Error, ValueError):
        return None
    if len(raw) != BODY + MAC_BYTES or raw[0] != VERSION:
        return None
    return Code(match[1], raw[1], raw[2:10].hex(), int.from_bytes(raw[10:14]), raw[14:])


def is_genuine(code: Code, secret: bytes) -> bool:
    """Whether the MAC fits, compared in constant time."""
    return hmac.compare_digest(code.mac, _mac(code.kind, secret, _body(code.kid, code.code_id, code.step)))


def step_fault(step: int, unix_seconds: float) -> CodeFault | None:
    """STALE or EARLY unless this is the running step, or a neighbour within a few seconds of the change.

    A code is shown for 30 s and taken for at most 5 s more: a screenshot shown 36 s later is always stale.
    """
    now = step_at(unix_seconds)
    into = unix_seconds - now * STEP_SECONDS
    if step == now or (step == now - 1 and into < LATE_SECONDS):
        return None
    if step == now + 1 and STEP_SECONDS - into <= EARLY_SECONDS:
        return None
    return CodeFault.STALE if step < now else CodeFault.EARLY
