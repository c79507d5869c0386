"""``doctor``: what is there, what is missing, and what that means; changes nothing."""

from __future__ import annotations

import ctypes.util
import importlib
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import ArgumentError, OperationalError
from sqlmodel import Session

from app.adapters import fonts
from app.commands import dumps, frontend
from app.core import clock, crypto, keys, migrations
from app.core.database import Database
from app.core.errors import Retryable
from app.core.settings import Settings
from app.domain.admission import repository as admission
from app.runtime import face_models

LOW_DISK = 1_000_000_000
PCSCD_SOCKET = Path("/run/pcscd/pcscd.comm")
PCSCD_SECONDS = 2.0
POSTGRES_TOOLS = ("pg_dump", "pg_restore")


@dataclass(frozen=True, slots=True)
class Check:
    """One line: ``ok``, ``warn`` or ``bad``, a name and a code that the catalogue words."""

    level: str
    name: str
    code: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in order."""
    yield _library("cv2", "opencv")
    yield _library("pyzbar.pyzbar", "zbar")
    yield _check("libzbar0", "missing", ctypes.util.find_library("zbar") is not None)
    yield _library("zxingcpp", "zxing")
    yield _library("smartcard.scard", "pyscard")
    yield _check("pcscd", "not_running", _answers(PCSCD_SOCKET))
    yield _check("font", "missing", fonts.has_chinese())
    yield _check("pages", "not_built", frontend.is_built())
    database, wrapped, newest = _database(settings)
    yield database
    yield _key_file(settings.data_dir, wrapped)
    yield from _backup_tools(settings)
    yield _check("disk", "low", _free_bytes(settings.data_dir) > LOW_DISK, "bad")
    clock.current().observe(newest)
    yield _check("clock", "set_back", clock.current().trusted(), "bad")
    yield _check("tls", "plain", settings.uses_tls)
    yield _faces(settings.data_dir)


def _faces(data_dir: Path) -> Check:
    level, code = face_models.overall(data_dir)
    return Check(level, "faces", code)


def _check(name: str, code: str, good: bool, level: str = "warn") -> Check:
    return Check("ok", name) if good else Check(level, name, code)


def _library(module: str, name: str) -> Check:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):
        return Check("warn", name, "missing")
    return Check("ok", name)


def _answers(path: Path) -> bool:
    """Whether somebody listens at a socket; the file alone outlives a daemon that was killed."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PCSCD_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _backup_tools(settings: Settings) -> Iterator[Check]:
    if not settings.database_url.startswith("sqlite"):
        yield _check("pg_tools", "missing", all(shutil.which(tool) for tool in POSTGRES_TOOLS))


def _database(settings: Settings) -> tuple[Check, Mapping[int, bytes], datetime | None]:
    """The database, the wrapped data keys in it, and the latest time on record."""
    try:
        if dumps.is_empty(settings):
            return Check("warn", "database", "absent"), {}, None
        database = Database(settings.database_url)
        try:
            found = migrations.current(database.engine)
            if found != migrations.head():
                code = "old_schema" if dumps.knows(found) else "newer_schema"
                return Check("bad", "database", code), {}, None
            return Check("ok", "database"), *database.read_now(_look_inside)
        finally:
            database.close()
    except (OperationalError, Retryable):
        return Check("bad", "database", "unreachable"), {}, None
    except ArgumentError:
        return Check("bad", "database", "address"), {}, None
    except Exception:  # whatever the driver raises, the operator wants a line and not a traceback
        return Check("bad", "database", "unreadable"), {}, None


def _look_inside(session: Session) -> tuple[Mapping[int, bytes], datetime | None]:
    return keys.stored(session), admission.newest_moment(session)


def _key_file(data_dir: Path, wrapped: Mapping[int, bytes]) -> Check:
    path = data_dir / keys.KEY_FILE
    try:
        mode = path.stat().st_mode
        path.read_bytes()
    except FileNotFoundError:
        return Check("bad", "key_file", "gone") if wrapped else Check("warn", "key_file", "absent")
    except OSError:
        return Check("bad", "key_file", "unreadable")
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        return Check("bad", "key_file", "readable_by_others")
    if _opens(path, wrapped):
        return Check("ok", "key_file")
    if _opens(data_dir / keys.PENDING_FILE, wrapped):
        return Check("warn", "key_file", "half_rotated")
    return Check("bad", "key_file", "wrong")


def _opens(path: Path, wrapped: Mapping[int, bytes]) -> bool:
    try:
        keys.unwrap(crypto.load_key_file(path), wrapped)
    except crypto.KeysMissing:
        return False
    return True
