"""Encrypted files with random names: snapshots and whatever else must never have a public address (S-10)."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from app.core import crypto
from app.core.errors import NotFound, Retryable
from app.core.ids import new_id
from app.core.settings import get_settings

NAME = re.compile(r"[0-9a-f]{32}")
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def _path(file_id: str) -> Path:
    if not NAME.fullmatch(file_id):
        raise NotFound("file_unknown")
    return get_settings().data_dir / "vault" / file_id[-2:] / file_id


def put(data: bytes) -> str:
    """Store ``data`` sealed and return its id; raises ``Retryable`` on a full disk and leaves no half file."""
    file_id = new_id()
    path = _path(file_id)
    sealed = crypto.keyring().seal_bytes(data, f"vault|{file_id}")
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(partial, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Retryable("disk_full" if error.errno in NO_ROOM else "disk_failed") from error
    return file_id


def get(file_id: str) -> bytes:
    """The plain bytes of a file; raises ``NotFound``."""
    try:
        sealed = _path(file_id).read_bytes()
    except OSError as error:
        raise NotFound("file_unknown") from error
    return crypto.keyring().open_bytes(sealed, f"vault|{file_id}")


def delete(file_id: str) -> None:
    """Remove a file; one that is gone already is no error."""
    _path(file_id).unlink(missing_ok=True)


def untouched_since(moment: datetime) -> Iterator[Path]:
    """Files that were written before ``moment``, half-written ones included."""
    for path in (get_settings().data_dir / "vault").glob("??/*"):
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment:
                yield path
