"""The data keys in the database, the key file that wraps them, and the change of that file (S-5).

A rotation leaves at each moment a key file that opens what the database holds:

1. the new key is written and synced as ``keys/kek.new``;
2. one transaction wraps all data keys anew and writes the audit entry;
3. the old key is kept as ``keys/kek.retired-<fingerprint>`` and ``kek.new`` becomes ``kek``.

Before the commit of step 2 ``kek`` fits and ``kek.new`` means nothing; after it ``kek.new`` fits, and whoever opens
the installation next does step 3.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, select

from app.core import audit, clock, crypto
from app.core.actor import SYSTEM
from app.core.errors import Conflict
from app.core.types import UtcDateTime

KEY_FILE = "keys/kek"
PENDING_FILE = "keys/kek.new"
RETIRED = "kek.retired-"


class DataKey(SQLModel, table=True):
    """One data key, wrapped by the key file; ``kid`` stands in every sealed value."""

    __tablename__ = "data_key"
    kid: int = Field(primary_key=True)
    wrapped: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)


@contextmanager
def exclusive(data_dir: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep every other command off keys and backups meanwhile; raises ``Conflict`` unless it is to ``wait``.

    The folder itself is locked, so that no file is left; the lock ends with the process, however that ends.
    """
    handle = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise Conflict("maintenance_running") from error
        yield
    finally:
        os.close(handle)


def load(session: Session, data_dir: Path) -> crypto.Keyring:
    """Open all data keys with the key file, make the first pair on a new installation, and install them.

    Raises ``KeysMissing`` when the database has keys but the file that opens them is gone: a new key
    would make every record unreadable without a word.
    """
    path = data_dir / KEY_FILE
    wrapped = stored(session)
    if not wrapped and not path.exists():
        crypto.create_key_file(path)
    try:
        kek = crypto.load_key_file(path)
        keys = unwrap(kek, wrapped)
    except crypto.KeysMissing:
        if not path.parent.is_dir():
            raise
        kek, keys = _finish_rotation(session, data_dir)
    if not keys:
        keys[1] = secrets.token_bytes(crypto.KEY)
        session.add(DataKey(kid=1, wrapped=crypto.wrap(kek, 1, keys[1]), created_at=clock.now()))
    ring = crypto.Keyring(keys)
    crypto.use(ring)
    return ring


def stored(session: Session) -> dict[int, bytes]:
    """The wrapped data keys by number, as the database holds them now."""
    query = select(DataKey).execution_options(populate_existing=True)
    return {row.kid: row.wrapped for row in session.exec(query).all()}


def unwrap(kek: bytes, wrapped: Mapping[int, bytes]) -> dict[int, bytes]:
    """All data keys by number; raises ``KeysMissing`` unless ``kek`` opens every one of them."""
    return {kid: crypto.unwrap(kek, kid, key) for kid, key in wrapped.items()}


def rewrap(session: Session, old: bytes, new: bytes) -> int:
    """Wrap every data key by ``new`` instead of ``old``, with its audit entry; returns how many there are."""
    rows = session.exec(select(DataKey).with_for_update()).all()
    for row in rows:
        key = crypto.unwrap(old, row.kid, row.wrapped)
        row.wrapped = crypto.wrap(new, row.kid, key)
        session.add(row)
    details = {"keys": len(rows), "from": crypto.fingerprint(old)}
    audit.record(session, SYSTEM, "key.rotate", "key", crypto.fingerprint(new), details=details)
    return len(rows)


def promote(data_dir: Path) -> Path | None:
    """Make the pending key file the one in use and keep the old one; returns where that is, None if it was gone.

    The retired file is named after the key in it, so that doing this twice changes nothing and loses nothing.
    """
    current, pending, retired = data_dir / KEY_FILE, data_dir / PENDING_FILE, None
    with suppress(crypto.KeysMissing):
        old = crypto.load_key_file(current)
        retired = current.with_name(RETIRED + crypto.fingerprint(old))
        with suppress(FileExistsError):
            crypto.write_key_file(retired, old)
    pending.replace(current)
    crypto.sync_folder(current.parent)
    return retired


def _finish_rotation(session: Session, data_dir: Path) -> tuple[bytes, dict[int, bytes]]:
    """The key in use although ``kek`` did not fit: a rotation was cut short after its commit, or is at it now."""
    with exclusive(data_dir, wait=True):
        wrapped = stored(session)
        with suppress(crypto.KeysMissing):
            kek = crypto.load_key_file(data_dir / KEY_FILE)
            return kek, unwrap(kek, wrapped)
        kek = crypto.load_key_file(data_dir / PENDING_FILE)
        keys = unwrap(kek, wrapped)
        promote(data_dir)
        return kek, keys
