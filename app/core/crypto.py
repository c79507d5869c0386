"""Keys and what is done with them: sealing fields, blind indexes, pass secrets.

Envelope (S-4): ``version 1 | kid 1 | nonce 12 | ciphertext | tag 16``, AES-256-GCM, with
``table|column|row id`` as associated data, so that a cell moved elsewhere does not open.
Data keys lie in the database, wrapped by a key-encryption key that lies in a file outside of it (S-5).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Any, ClassVar, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
NONCE = 12
KEY = 32


class KeysMissing(Exception):
    """The key file is absent, unreadable or of another installation; data stays sealed rather than blank."""


class Unreadable(Exception):
    """A sealed value does not open: altered, moved, or sealed by a key that is gone."""


class Row(Protocol):
    """What a sealed field belongs to."""

    __tablename__: ClassVar[Any]
    id: str


def load_key_file(path: Path) -> bytes:
    """The key-encryption key; raises ``KeysMissing`` when it is absent, malformed or readable by others."""
    try:
        mode = path.stat().st_mode
        raw = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise KeysMissing(str(path)) from error
    if len(raw) != KEY or mode & (stat.S_IRGRP | stat.S_IROTH):
        raise KeysMissing(str(path))
    return raw


def create_key_file(path: Path) -> bytes:
    """Make a new key-encryption key, readable by its owner only; never overwrites one."""
    raw = secrets.token_bytes(KEY)
    write_key_file(path, raw)
    return raw


def write_key_file(path: Path, raw: bytes) -> None:
    """Put a key on the disk, whole or not at all; raises ``FileExistsError`` rather than overwrite one.

    It is synced before anybody may rely on it: a key lost in a power cut would take every record with it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(raw.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fingerprint(kek: bytes) -> str:
    """Eight hex digits that tell key files apart and nothing about the key."""
    return derive(kek, "fingerprint")[:4].hex()


def wrap(kek: bytes, kid: int, key: bytes) -> bytes:
    """Encrypt a data key for storage."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(kek).encrypt(nonce, key, b"data-key|%d" % kid)


def unwrap(kek: bytes, kid: int, wrapped: bytes) -> bytes:
    """Decrypt a stored data key; raises ``KeysMissing`` with a key file of another installation."""
    try:
        return AESGCM(kek).decrypt(wrapped[:NONCE], wrapped[NONCE:], b"data-key|%d" % kid)
    except InvalidTag as error:
        raise KeysMissing("key file does not fit this database") from error


def derive(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=purpose.encode()).derive(key)


class Keyring:
    """The data keys of an installation: the newest seals, all open."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys:
            raise KeysMissing("no data key")
        self._keys = keys
        self.newest = max(keys)
        self._field = {kid: AESGCM(derive(key, "field")) for kid, key in keys.items()}
        self._index_root = derive(keys[min(keys)], "index")
        self._index: dict[str, bytes] = {}

    def seal(self, text: str, place: str) -> bytes:
        """Encrypt ``text`` for the cell named by ``place``."""
        return self.seal_bytes(text.encode(), place)

    def seal_bytes(self, data: bytes, place: str) -> bytes:
        """Encrypt ``data`` for the cell or file named by ``place``."""
        nonce = os.urandom(NONCE)
        body = self._field[self.newest].encrypt(nonce, data, place.encode())
        return bytes((VERSION, self.newest)) + nonce + body

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what ``seal`` made; raises ``Unreadable``."""
        return self.open_bytes(sealed, place).decode()

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what ``seal_bytes`` made; raises ``Unreadable``."""
        if len(sealed) < 2 + NONCE + 16 or sealed[0] != VERSION or sealed[1] not in self._field:
            raise Unreadable(place)
        try:
            return self._field[sealed[1]].decrypt(sealed[2 : 2 + NONCE], sealed[2 + NONCE :], place.encode())
        except InvalidTag as error:
            raise Unreadable(place) from error

    def index(self, field: str, value: str) -> bytes:
        """The keyed hash by which ``value`` can be found; every field has its own key (S-6)."""
        key = self._index.get(field)
        if key is None:
            key = self._index[field] = derive(self._index_root, "index|" + field)
        return hmac.digest(key, value.encode(), "sha256")

    def pass_secret(self, kid: int, site_id: str, code_id: str) -> bytes:
        """The secret shared with one visitor's page, from which the rotating codes are made (S-15)."""
        if kid not in self._keys:
            raise Unreadable("pass key")
        return derive(self._keys[kid], f"pass|{site_id}|{code_id}")

    def sign(self, purpose: str, data: bytes) -> bytes:
        """A MAC over ``data`` for one purpose, by the oldest key so that it stays comparable."""
        return hmac.digest(derive(self._index_root, "sign|" + purpose), data, "sha256")


def hash_secret(secret: str) -> bytes:
    """How high-entropy secrets (session ids, link tokens) are stored; they need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


_keyring: Keyring | None = None


def use(ring: Keyring) -> None:
    """Install the keyring of this process."""
    global _keyring
    _keyring = ring


def keyring() -> Keyring:
    """The keyring of this process; raises ``KeysMissing`` before the installation was opened."""
    if _keyring is None:
        raise KeysMissing("keys not loaded")
    return _keyring


def seal(row: Row, column: str, text: str | None) -> None:
    """Put ``text`` sealed into ``row.column``; None and the empty text are stored as NULL."""
    value = keyring().seal(text, f"{row.__tablename__}|{column}|{row.id}") if text else None
    setattr(row, column, value)


def reveal(row: Row, column: str) -> str:
    """The plain text of ``row.column``, empty for NULL; call it only where the actor may see it."""
    sealed = getattr(row, column)
    return keyring().open(sealed, f"{row.__tablename__}|{column}|{row.id}") if sealed else ""
