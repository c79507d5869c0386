"""Passwords: argon2id through passlib, kept behind this one module (S-1, S-2)."""

from __future__ import annotations

import os
import threading
import unicodedata

from passlib.context import CryptContext

from app.core.errors import InvalidInput

MAX_LENGTH = 128
MIN_LENGTH = 8
MIN_LENGTH_MANAGER = 12
COMMON = frozenset(
    "password password1 passw0rd 12345678 123456789 1234567890 qwertyui qwerty123 admin123 admin1234 "
    "a1234567 abc12345 abcd1234 1q2w3e4r 11111111 88888888 iloveyou gatehouse gatehouse123 woaini1314".split()
)

_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19_456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)
# Each hash takes 19 MiB and a core for some 20 ms; a flood of sign-ins must not take them all.
_slots = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)[:MAX_LENGTH]


def hash_password(password: str) -> str:
    """The stored form of a password."""
    with _slots:
        return str(_context.hash(_normal(password)))


def verify_password(password: str, stored: str) -> tuple[bool, str | None]:
    """Whether it fits, and a new hash where the parameters have grown since."""
    if len(password) > MAX_LENGTH:
        return False, None
    with _slots:
        fits, renewed = _context.verify_and_update(_normal(password), stored)
    return bool(fits), renewed


def waste_time() -> None:
    """Take as long as a check, so that an unknown user name cannot be told by the clock."""
    with _slots:
        _context.dummy_verify()


def check_strength(password: str, username: str, minimum: int = MIN_LENGTH) -> None:
    """Raise ``InvalidInput`` unless long enough, of three of four classes, not common, not the name (GB/T 22239)."""
    if len(password) < minimum:
        raise InvalidInput("password_short", "password", minimum=minimum)
    if len(password) > MAX_LENGTH:
        raise InvalidInput("password_long", "password", maximum=MAX_LENGTH)
    classes = (
        any(c.islower() for c in password),
        any(c.isupper() for c in password),
        any(c.isdigit() for c in password),
        any(not c.isalnum() for c in password),
    )
    if sum(classes) < 3 and len(password) < 20:
        raise InvalidInput("password_simple", "password")
    lowered = password.lower()
    if lowered in COMMON or (username and username.lower() in lowered):
        raise InvalidInput("password_common", "password")
