"""Backup and restore: one archive of the database and the sealed files, checked when it is made and when it is read.

The key file is left out unless asked for: a backup without it shows no personal data to whoever finds it.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.commands import archive, dumps
from app.commands.errors import CommandError
from app.core import audit, clock, crypto, keys, migrations
from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.settings import Settings
from app.domain.admission.models import Attempt
from app.domain.people.models import WebSession

VAULT = "vault"
STAGE = "restore-"
# What makes a data folder one that is in use; the key file may lie there before.
IN_USE = (VAULT, "outbox", audit.HEAD_FILE, "setup-token", "demo-sign-in.json")


@dataclass(frozen=True, slots=True)
class Restored:
    """How many files came back, of what time, and how many pictures had been deleted while the backup was made."""

    files: int
    at: str
    missing_pictures: int


def backup(settings: Settings, database: Database, target: Path, *, with_key: bool) -> int:
    """Write the archive beside a running gate and return how many files it holds.

    Everything is made in a hidden folder beside ``target`` and renamed at the end, in the transaction of its audit
    entry. Raises ``CommandError``, ``OSError``, ``Conflict``, and leaves no half archive.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise CommandError("backup_target", path=str(target))
    with (
        keys.exclusive(settings.data_dir),
        tempfile.TemporaryDirectory(prefix=".gatehouse-", dir=target.parent) as scratch,
    ):
        finished = Path(scratch, "archive")
        manifest = _pack(settings, finished, Path(scratch, archive.DATABASE), with_key=with_key)
        details = {"files": len(manifest.files), "with_key": with_key}
        with database.transaction() as session:
            audit.record(session, SYSTEM, "backup.create", "backup", manifest.at, details=details)
            archive.publish(finished, target)
    return len(manifest.files)


def _pack(settings: Settings, path: Path, copy: Path, *, with_key: bool) -> archive.Manifest:
    """Write database, vault and manifest into the archive at ``path``; ``copy`` is room for the database.

    Rows first, then files: a picture is on the disk before its row is, so no row of the copy lacks its picture but
    those that retention deletes meanwhile.
    """
    vault, key_file = settings.data_dir / VAULT, settings.data_dir / keys.KEY_FILE
    with archive.writing(path) as tar:
        at = clock.now().isoformat()
        facts = dumps.dump(settings, copy)
        tar.add(copy, archive.DATABASE)
        copy.unlink()
        for file in sorted(vault.rglob("*")):
            name = f"{VAULT}/{file.relative_to(vault)}"
            if archive.MEMBER.fullmatch(name):
                with suppress(FileNotFoundError):  # retention was faster
                    tar.add(file, name)
        if with_key:
            tar.add(key_file, keys.KEY_FILE)
        kek = crypto.load_key_file(key_file)
        manifest = archive.Manifest(
            kind=dumps.kind(settings),
            at=at,
            schema=facts.schema,
            wrapped={str(kid): key.hex() for kid, key in facts.wrapped.items()},
            key_file=crypto.fingerprint(kek),
            audit_seq=facts.audit_seq,
            audit_hash=facts.audit_hash.hex(),
            files=dict(tar.hashes),
        )
        tar.finish(manifest, crypto.Keyring(keys.unwrap(kek, facts.wrapped)))
    return manifest


def restore(settings: Settings, source: Path) -> Restored:
    """Read an archive into an empty installation, after everything about it was checked.

    The archive is unpacked beside its place, opened with the key file, brought to the present schema, and its audit chain
    walked; only then is it put in place. Whatever fails leaves the folder and the database as they were.
    Raises ``CommandError``, ``OSError``, ``Conflict``, ``KeysMissing``.
    """
    with _folder(settings.data_dir) as folder, keys.exclusive(folder):
        _refuse_used(settings)
        for stale in folder.glob(STAGE + "*"):  # of a restore that was killed
            shutil.rmtree(stale)
        with tempfile.TemporaryDirectory(prefix=STAGE, dir=folder) as scratch, ExitStack() as undo:
            stage = Path(scratch)
            manifest, mac = archive.unpack(source, stage)
            if manifest.kind != dumps.kind(settings):
                raise CommandError("restore_other_database")
            if not dumps.knows(manifest.schema):
                raise CommandError("restore_newer")
            _bring_key(folder, stage, manifest)
            if not archive.genuine(manifest, mac, _ring(stage, manifest)):
                raise CommandError("restore_damaged")
            missing = _load(settings, stage, manifest, undo)
            _place(settings, stage, undo)
            undo.pop_all()
    return Restored(len(manifest.files), manifest.at, missing)


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """The data folder, made when it is not there and taken away again when nothing came into it."""
    made = not path.exists()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield path
    finally:
        if made:
            with suppress(OSError):
                path.rmdir()


def _refuse_used(settings: Settings) -> None:
    in_use = [name for name in IN_USE if (settings.data_dir / name).exists()]
    if in_use or not dumps.is_empty(settings):
        raise CommandError("restore_target_used", path=str(settings.data_dir))


def _bring_key(folder: Path, stage: Path, manifest: archive.Manifest) -> None:
    """See that the stage has a key file: the one that lies in ``folder``, else the one out of the archive.

    A key file that lies there is never replaced: it may be the only one of its kind.
    """
    there, packed = folder / keys.KEY_FILE, stage / keys.KEY_FILE
    if there.exists():
        packed.unlink(missing_ok=True)
        crypto.write_key_file(packed, crypto.load_key_file(there))
    elif not packed.exists():
        raise CommandError("restore_key_missing", path=str(there), key=manifest.key_file)


def _ring(stage: Path, manifest: archive.Manifest) -> crypto.Keyring:
    try:
        kek = crypto.load_key_file(stage / keys.KEY_FILE)
        return crypto.Keyring(keys.unwrap(kek, manifest.wrapped_keys()))
    except crypto.KeysMissing as error:
        raise CommandError("restore_key_wrong", key=manifest.key_file) from error


def _load(settings: Settings, stage: Path, manifest: archive.Manifest, undo: ExitStack) -> int:
    """Open the copy (on SQLite in the stage, on PostgreSQL in its place), check it; returns the missing pictures."""
    copy = stage / archive.DATABASE
    url = settings.database_url
    if manifest.kind == "sqlite":
        url = f"sqlite:///{copy}"
    else:
        dumps.load(settings, copy)
        undo.callback(dumps.clear, settings)
    database = Database(url)
    try:
        migrations.upgrade(database.engine)
        database.write_now(lambda session: keys.load(session, stage))
        seen = database.read_now(audit.head)
        faults = database.read_now(lambda session: next(audit.verify(session), None))
        if faults is not None or seen != (manifest.audit_seq, bytes.fromhex(manifest.audit_hash)):
            raise CommandError("restore_audit")
        database.write_now(lambda session: _begin_anew(session, manifest))
        return database.read_now(lambda session: _missing_pictures(session, manifest))
    finally:
        database.close()


def _begin_anew(session: Session, manifest: archive.Manifest) -> None:
    """End every sign-in, since one that was ended after the backup would be alive again; and write the restore down."""
    session.connection().execute(delete(WebSession))
    audit.record(
        session, SYSTEM, "backup.restore", "backup", manifest.at, details={"files": len(manifest.files)}
    )


def _missing_pictures(session: Session, manifest: archive.Manifest) -> int:
    wanted = session.exec(select(Attempt.snapshot_id).where(col(Attempt.snapshot_id) != "")).all()
    return sum(f"{VAULT}/{name[-2:]}/{name}" not in manifest.files for name in wanted)


def _place(settings: Settings, stage: Path, undo: ExitStack) -> None:
    """Put the checked stage in its place, the database last: it is what makes a folder an installation."""
    folder = settings.data_dir
    key_file = folder / keys.KEY_FILE
    if not key_file.exists():
        crypto.write_key_file(key_file, crypto.load_key_file(stage / keys.KEY_FILE))
        undo.callback(key_file.unlink)
    if (stage / VAULT).is_dir():
        (stage / VAULT).rename(folder / VAULT)
        undo.callback(shutil.rmtree, folder / VAULT)
    crypto.sync_folder(folder)
    if dumps.kind(settings) == "sqlite":
        _place_file(stage / archive.DATABASE, dumps.database_file(settings))


def _place_file(source: Path, target: Path) -> None:
    """Give a file its name without ever taking that name from another."""
    try:
        os.link(source, target)
    except FileExistsError as error:
        raise CommandError("restore_target_used", path=str(target)) from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = target.with_name(target.name + ".part")
        shutil.copyfile(source, near)
        near.chmod(0o600)
        try:
            _place_file(near, target)
        finally:
            near.unlink()
    crypto.sync_folder(target.parent)
