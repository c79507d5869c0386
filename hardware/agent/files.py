"""What the agent keeps besides its spool: its enrolment and the configuration, for its owner alone and sealed."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Iterator

ENROLMENT_FILE = "enrolment.json"
CONFIG_FILE = "config.sealed"
STATUS_FILE = "status.json"
LOCK_FILE = "running"
NONCE_BYTES = 12


class NotEnrolled(Exception):
    """There is no usable enrolment in the data folder."""


class AlreadyRunning(Exception):
    """Another agent works in the data folder."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where the server is and how it knows this computer; the secrets are not in its `repr`."""

    url: str
    agent: str
    label: str
    ca: str
    secret: str = field(repr=False)
    spool_key: str = field(repr=False)

    @property
    def key(self) -> bytes:
        """The key of everything that is sealed on this computer."""
        return bytes.fromhex(self.spool_key)


def load_enrolment(folder: Path) -> Enrolment:
    """Read the enrolment; raises `NotEnrolled`."""
    try:
        return Enrolment(**json.loads((folder / ENROLMENT_FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise NotEnrolled(str(folder)) from error


def save_enrolment(folder: Path, enrolment: Enrolment) -> None:
    """Keep the enrolment, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _replace(folder / ENROLMENT_FILE, json.dumps(asdict(enrolment)).encode())


def load_config(folder: Path, key: bytes) -> dict[str, Any] | None:
    """The configuration that was kept last; None without one that opens."""
    try:
        raw = (folder / CONFIG_FILE).read_bytes()
        plain = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], b"config")
        found = json.loads(plain)
    except (OSError, ValueError, InvalidTag):
        return None
    return found if isinstance(found, dict) else None


def save_config(folder: Path, key: bytes, config: dict[str, Any]) -> None:
    """Keep the configuration sealed: it may hold a camera's password. Raises `OSError` on a full disk."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(config).encode(), b"config")
    _replace(folder / CONFIG_FILE, sealed)


def save_status(folder: Path, status: dict[str, Any]) -> None:
    """Leave word for the `status` command; raises `OSError` on a full disk."""
    _replace(folder / STATUS_FILE, json.dumps(status).encode(), sync=False)


def load_status(folder: Path) -> dict[str, Any] | None:
    """What the running agent said last; None when it never ran."""
    try:
        found = json.loads((folder / STATUS_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second agent off the folder; raises `AlreadyRunning`. The lock ends with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(str(folder)) from error
        yield
    finally:
        os.close(handle)


def is_running(folder: Path) -> bool:
    """Whether an agent works in the folder now."""
    if not (folder / LOCK_FILE).exists():
        return False
    try:
        with only_one(folder):
            return False
    except AlreadyRunning:
        return True


def _replace(path: Path, data: bytes, *, sync: bool = True) -> None:
    partial = path.with_name(path.name + ".part")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
