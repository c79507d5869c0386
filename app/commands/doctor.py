"""``doctor``: what is there, what is missing, and what that means; changes nothing."""

from __future__ import annotations

import ctypes.util
import importlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.commands import frontend
from app.core import clock, keys, migrations
from app.core.database import Database
from app.core.settings import Settings
from app.domain.admission import repository as admission

LOW_DISK = 1_000_000_000
PCSCD_SOCKET = Path("/run/pcscd/pcscd.comm")


@dataclass(frozen=True, slots=True)
class Check:
    """One line: ``ok``, ``warn`` or ``bad``, a name and a code that the catalogue words."""

    level: str
    name: str
    code: str = ""


def _library(module: str, name: str) -> Check:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return Check("warn", name, "missing")
    return Check("ok", name)


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in order."""
    yield _library("cv2", "opencv")
    yield _library("pyzbar.pyzbar", "zbar")
    yield _library("zxingcpp", "zxing")
    yield _library("smartcard.scard", "pyscard")
    yield Check(
        "ok" if PCSCD_SOCKET.exists() else "warn", "pcscd", "" if PCSCD_SOCKET.exists() else "not_running"
    )
    yield Check("ok" if ctypes.util.find_library("zbar") else "warn", "libzbar0", "")
    yield Check("ok", "pages") if frontend.is_built() else Check("warn", "pages", "not_built")
    yield from _key_file(settings)
    yield from _database(settings)
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield Check("ok" if free > LOW_DISK else "bad", "disk", "" if free > LOW_DISK else "low")
    yield Check("ok" if clock.current().trusted() else "bad", "clock", "")
    yield Check("ok", "tls") if settings.uses_tls else Check("warn", "tls", "plain")
    # Face models belong to a later part of the product; saying nothing of them would be a lie by silence.
    yield Check("warn", "faces", "not_in_this_version")


def _key_file(settings: Settings) -> Iterator[Check]:
    path = settings.data_dir / keys.KEY_FILE
    if not path.exists():
        yield Check("warn", "key_file", "absent")
        return
    mode = path.stat().st_mode
    shared = mode & (stat.S_IRGRP | stat.S_IROTH)
    yield Check("bad" if shared else "ok", "key_file", "readable_by_others" if shared else "")
    if not os.access(path, os.R_OK):
        yield Check("bad", "key_file", "unreadable")


def _database(settings: Settings) -> Iterator[Check]:
    if settings.database_url.startswith("sqlite") and not (settings.data_dir / "gatehouse.db").exists():
        yield Check("warn", "database", "absent")
        return
    database = Database(settings.database_url)
    try:
        behind = migrations.current(database.engine) != migrations.head()
        yield Check("bad" if behind else "ok", "database", "old_schema" if behind else "")
        if not behind:
            clock.current().observe(database.read_now(admission.newest_moment))
    except Exception as error:  # whatever the driver raises, the operator wants a line and not a traceback
        yield Check("bad", "database", type(error).__name__)
    finally:
        database.close()
