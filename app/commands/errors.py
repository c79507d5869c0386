"""What a command tells the operator instead of doing what it was asked: words, never a traceback."""

from __future__ import annotations

import errno
from pathlib import Path

from sqlalchemy.exc import ArgumentError, DBAPIError

from app.core import crypto, i18n
from app.core.errors import GateError

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class CommandError(Exception):
    """A command that stops and has changed nothing; the words stand in the catalogue under ``cli.<code>``."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def words(error: Exception, locale: str, data_dir: Path) -> str | None:
    """What went wrong, in ``locale``; None for a mistake of ours, which must show where it is.

    Nothing here repeats the address of the database, which may hold a password.
    """
    if isinstance(error, GateError):
        return i18n.text(locale, f"error.{error.code}", **error.params)
    if isinstance(error, CommandError):
        return i18n.text(locale, f"cli.{error.code}", **error.params)
    if isinstance(error, crypto.KeysMissing):
        return i18n.text(locale, "cli.keys_missing", path=str(data_dir / "keys"))
    if isinstance(error, ArgumentError):
        return i18n.text(locale, "cli.database_address")
    if isinstance(error, DBAPIError):
        return i18n.text(locale, "cli.database_failed", what=type(error.orig).__name__)
    if isinstance(error, OSError):
        path = str(error.filename or data_dir)
        if error.errno in NO_ROOM:
            return i18n.text(locale, "cli.disk_full", path=path)
        return i18n.text(locale, "cli.file_failed", path=path, what=errno.errorcode.get(error.errno or 0, ""))
    return None
