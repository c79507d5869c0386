"""Signatures of the Standard Webhooks specification, for what comes in and what goes out (I-1, I-3).

Signed are the exact bytes: ``id.timestamp.body``. The clock is an argument, so that a signature is judged by the same time
as everything else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

PREFIX = "whsec_"
VERSION = "v1"
TOLERANCE = timedelta(minutes=5)
SECRET_BYTES = 32
MAX_ID = 100


class SignatureFault(StrEnum):
    """Why a signed message is not taken; each is also the code of the answer."""

    MISSING = "signature_missing"
    OLD = "signature_old"
    WRONG = "signature_wrong"


def new_secret() -> str:
    """A random signing secret in the form the specification gives it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, moment: datetime, body: bytes) -> str:
    """The signature of one message by one secret."""
    return f"{VERSION},{_mac(secret, message_id, str(int(moment.timestamp())), body)}"


def headers(signers: Iterable[str], message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message, signed by every secret that is live."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(sign(secret, message_id, moment, body) for secret in signers),
    }


def fault(
    signers: Iterable[str], message_id: str, timestamp: str, signature: str, body: bytes, now: datetime
) -> SignatureFault | None:
    """What is wrong with a signed message, None for a good one; any of the live secrets may have signed it."""
    if not (message_id and timestamp and signature) or len(message_id) > MAX_ID:
        return SignatureFault.MISSING
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13):
        return SignatureFault.MISSING
    given = [part.partition(",")[2] for part in signature.split(" ") if part.startswith(VERSION + ",")]
    wanted = [_mac(secret, message_id, timestamp, body) for secret in signers]
    # Every pair is compared, so that the time taken says nothing of which was near.
    matches = [hmac.compare_digest(a.encode(), b.encode()) for a in wanted for b in given]
    if not any(matches):
        return SignatureFault.WRONG
    # Last: only who holds the secret learns how far the clocks are apart.
    return SignatureFault.OLD if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds() else None


def _mac(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("no signing secret") from None
    return base64.b64encode(hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")).decode()
