"""Backup and restore: one archive of the database and the encrypted files, checked when it is made and when it is read.

The key file is left out unless asked for: a backup without it shows no personal data to whoever finds it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path

from app.core import audit, clock, crypto, keys, migrations
from app.core.database import Database
from app.core.settings import Settings

MANIFEST = "manifest.json"
FORMAT = 1


class BadBackup(Exception):
    """The archive is damaged, of another kind, or the target is not empty; carries a code."""


def _dump(settings: Settings, target: Path) -> str:
    if settings.database_url.startswith("sqlite"):
        source = sqlite3.connect(settings.data_dir / "gatehouse.db")
        copy = sqlite3.connect(target)
        with source, copy:
            source.backup(copy)
        copy.close()
        source.close()
        return "sqlite"
    address = settings.database_url.replace("postgresql+psycopg://", "postgresql://")
    subprocess.run(["pg_dump", "--format=custom", "--file", str(target), address], check=True)
    return "postgresql"


def backup(settings: Settings, archive: Path, *, with_key: bool) -> int:
    """Write the archive and return how many files it holds."""
    hashes: dict[str, str] = {}
    partial = archive.with_suffix(archive.suffix + ".part")
    with tempfile.TemporaryDirectory() as scratch:
        dump = Path(scratch) / "database"
        kind = _dump(settings, dump)
        members = [(dump, "database")]
        vault = settings.data_dir / "vault"
        members += [(p, f"vault/{p.relative_to(vault)}") for p in sorted(vault.rglob("*")) if p.is_file()]
        if with_key:
            members.append((settings.data_dir / keys.KEY_FILE, keys.KEY_FILE))
        with tarfile.open(partial, "w:gz") as tar:
            for path, name in members:
                hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
                tar.add(path, name)
            body = {"format": FORMAT, "kind": kind, "at": clock.now().isoformat(), "files": hashes}
            data = json.dumps(body, indent=1).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    partial.chmod(0o600)
    partial.replace(archive)
    return len(hashes)


def restore(settings: Settings, archive: Path) -> int:
    """Read an archive into an empty installation and check it: hashes, schema, keys, audit chain."""
    if settings.data_dir.exists() and any(settings.data_dir.glob("gatehouse.db*")):
        raise BadBackup("target_used")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            files: dict[str, str] = manifest["files"]
        except (OSError, tarfile.TarError, ValueError, KeyError) as error:
            raise BadBackup("unreadable") from error
        if manifest.get("format") != FORMAT:
            raise BadBackup("format")
        for name, digest in files.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise BadBackup("damaged")
        _fits(settings, manifest["kind"], keys.KEY_FILE in files)
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _load(settings, manifest["kind"], folder / "database")
        for name in files:
            if name != "database":
                target = settings.data_dir / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copy(folder / name, target)
    if (settings.data_dir / keys.KEY_FILE).exists():
        (settings.data_dir / keys.KEY_FILE).chmod(0o400)
    _check(settings)
    return len(files)


def _fits(settings: Settings, kind: str, has_key: bool) -> None:
    if settings.database_url.startswith("sqlite") != (kind == "sqlite"):
        raise BadBackup("other_database")
    if not has_key and not (settings.data_dir / keys.KEY_FILE).exists():
        raise BadBackup("key_missing")


def _load(settings: Settings, kind: str, dump: Path) -> None:
    if kind == "sqlite":
        shutil.copy(dump, settings.data_dir / "gatehouse.db")
        return
    address = settings.database_url.replace("postgresql+psycopg://", "postgresql://")
    subprocess.run(["pg_restore", "--no-owner", "--dbname", address, str(dump)], check=True)


def _check(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        migrations.upgrade(database.engine)
        database.write_now(lambda session: keys.load(session, settings.data_dir))
        if database.read_now(lambda session: next(audit.verify(session), None)) is not None:
            raise BadBackup("audit")
    except crypto.KeysMissing as error:
        raise BadBackup("key_missing") from error
    finally:
        database.close()
