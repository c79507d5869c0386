"""Pure rules of the code that a lane shows for registering by one's own phone: it changes by the minute (AD-06).

The code is base64url(lane id 16 | minute 4 | HMAC-SHA256 cut to 12 bytes). It opens no door: it says that somebody stood
before this lane a moment ago, so that nobody fills a guard's queue from afar with a picture of an old code.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

STEP_SECONDS = 60
# Scanned at once and filled in at leisure; long enough for slow fingers, too short to be passed on for another day.
OPEN_STEPS, FILL_STEPS = 3, 20
EARLY_STEPS = 1  # the server's clock may be set back a little between showing and reading
ID_BYTES, STEP_BYTES, MAC_BYTES = 16, 4, 12
SHAPE = re.compile(r"[A-Za-z0-9_\-]{43}")

Sign = Callable[[bytes], bytes]


class LaneCodeFault(StrEnum):
    """Why a lane's code is no good."""

    UNKNOWN = "lane_code_unknown"
    STALE = "lane_code_stale"


def make(lane_id: str, now: datetime, sign: Sign) -> str:
    """The text of a lane's code at a moment; ``lane_id`` is 32 hexadecimal digits."""
    body = bytes.fromhex(lane_id) + step_at(now).to_bytes(STEP_BYTES)
    return base64.urlsafe_b64encode(body + sign(body)[:MAC_BYTES]).decode().rstrip("=")


def read(text: str, now: datetime, sign: Sign, *, filling: bool = False) -> str | LaneCodeFault:
    """The lane of a code, or what is wrong with it; ``filling`` gives whoever opened the form the time to end it."""
    if not SHAPE.fullmatch(text):
        return LaneCodeFault.UNKNOWN
    try:
        raw = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return LaneCodeFault.UNKNOWN
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not hmac.compare_digest(mac, sign(body)[:MAC_BYTES]):
        return LaneCodeFault.UNKNOWN
    age = step_at(now) - int.from_bytes(body[ID_BYTES:])
    if not -EARLY_STEPS <= age <= (FILL_STEPS if filling else OPEN_STEPS):
        return LaneCodeFault.STALE
    return body[:ID_BYTES].hex()


def step_at(now: datetime) -> int:
    """The number of the minute that a moment lies in."""
    return int(now.timestamp() // STEP_SECONDS)
