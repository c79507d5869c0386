"""The data keys in the database and how a process gets at them."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, select

from app.core import clock, crypto
from app.core.types import UtcDateTime

KEY_FILE = "keys/kek"


class DataKey(SQLModel, table=True):
    """One data key, wrapped by the key file; ``kid`` stands in every sealed value."""

    __tablename__ = "data_key"
    kid: int = Field(primary_key=True)
    wrapped: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)


def load(session: Session, data_dir: Path) -> crypto.Keyring:
    """Open all data keys with the key file, make the first pair on a new installation, and install them.

    Raises ``KeysMissing`` when the database has keys but the file that opens them is gone: a new key
    would make every record unreadable without a word.
    """
    path = data_dir / KEY_FILE
    rows = session.exec(select(DataKey)).all()
    if not rows and not path.exists():
        crypto.create_key_file(path)
    kek = crypto.load_key_file(path)
    keys = {row.kid: crypto.unwrap(kek, row.kid, row.wrapped) for row in rows}
    if not keys:
        keys[1] = secrets.token_bytes(crypto.KEY)
        session.add(DataKey(kid=1, wrapped=crypto.wrap(kek, 1, keys[1]), created_at=clock.now()))
    ring = crypto.Keyring(keys)
    crypto.use(ring)
    return ring
