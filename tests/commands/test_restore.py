"""What must not be restored is refused with words, and nothing has changed (RE-08)."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.commands import archive, dumps, safekeeping
from app.commands.errors import CommandError
from app.core import audit, crypto, i18n, keys, migrations
from app.core.errors import Conflict
from app.core.settings import Settings
from tests.commands.conftest import Command, contents, on_sqlite
from tests.commands.test_backup import stranger_with_picture
from tests.factories import World

pytestmark = pytest.mark.req("RE-08")

Spoil = Callable[[bytes], bytes]


@pytest.fixture
def backup(world: World, here: Settings, shelf: Path) -> Path:
    """A good backup of an installation with a picture."""
    stranger_with_picture(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    return shelf / "backup"


def refused(place: Settings, file: Path, *codes: str) -> None:
    """A restore is refused with words in both languages, and leaves the machine as it was."""
    before = contents(place)
    with pytest.raises(CommandError) as caught:
        safekeeping.restore(place, file)
    code = caught.value.code
    assert code in codes
    for locale in i18n.LOCALES:
        assert "{" not in i18n.text(locale, f"cli.{code}", **caught.value.params)
        assert f"cli.{code}" in i18n.catalogue(locale)
    assert contents(place) == before


# Damaged at its very beginning a backup is hard to tell from anything else; the words for that say both.
BROKEN = ("restore_damaged", "restore_foreign")


@pytest.mark.parametrize("share", [0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_cut_backup_is_refused(backup: Path, empty_machine: Settings, share: float) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: int(len(data) * share)])
    refused(empty_machine, backup, *BROKEN)


@on_sqlite
@pytest.mark.parametrize("missing", [1, 4, 8, 9])
def test_a_backup_that_lacks_its_last_bytes_is_refused(
    backup: Path, empty_machine: Settings, missing: int
) -> None:
    backup.write_bytes(backup.read_bytes()[:-missing])
    refused(empty_machine, backup, *BROKEN)


@pytest.mark.parametrize("place", [0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
def test_changed_bytes_are_found(backup: Path, empty_machine: Settings, place: float) -> None:
    # A few in a row: one bit alone can unpack to the very same data, a zero copied from another place.
    data = bytearray(backup.read_bytes())
    start = int((len(data) - 8) * place)
    data[start : start + 8] = bytes(byte ^ 0xFF for byte in data[start : start + 8])
    backup.write_bytes(data)
    refused(empty_machine, backup, *BROKEN)


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link_to(target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("vault/00/" + "0" * 32)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


FOREIGN = {
    "nothing": b"",
    "words": "不是备份".encode(),
    "a zip": b"PK\x03\x04" + bytes(100),
    "packed words": gzip.compress(b"hello"),
    "an empty tar": tar_of(),
    "another tar": tar_of((tarfile.TarInfo("etc/passwd"), b"root")),
    "a way out": tar_of((tarfile.TarInfo("../../keys/kek"), b"00" * 32)),
    "an absolute path": tar_of((tarfile.TarInfo("/etc/cron.d/x"), b"* * * * *")),
    "a link": tar_of((link_to("/etc/passwd"), b"")),
    "a manifest that is none": tar_of((tarfile.TarInfo(archive.MANIFEST), b"[1, 2]")),
    "a manifest of another": tar_of((tarfile.TarInfo(archive.MANIFEST), b'{"files": {}}')),
}
CHANGED = {
    "a file twice": tar_of((tarfile.TarInfo("database"), b"1"), (tarfile.TarInfo("database"), b"2")),
    "a file besides": tar_of((tarfile.TarInfo("database"), b"1"), (tarfile.TarInfo("vault/../kek"), b"2")),
    "a link besides": tar_of((tarfile.TarInfo("database"), b"1"), (link_to("/etc/passwd"), b"")),
    "no manifest": tar_of((tarfile.TarInfo("database"), b"1")),
}


@on_sqlite
@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_backup_is_refused(empty_machine: Settings, shelf: Path, name: str) -> None:
    (shelf / "file").write_bytes(FOREIGN[name])
    refused(empty_machine, shelf / "file", "restore_foreign")
    assert sorted(path.name for path in shelf.iterdir()) == ["file", "machine"]


@on_sqlite
@pytest.mark.parametrize("name", CHANGED)
def test_what_was_a_backup_and_is_none_any_more_is_refused(
    empty_machine: Settings, shelf: Path, name: str
) -> None:
    (shelf / "file").write_bytes(CHANGED[name])
    refused(empty_machine, shelf / "file", "restore_damaged")


def test_a_file_that_is_not_there_is_told(empty_machine: Settings, shelf: Path) -> None:
    refused(empty_machine, shelf / "nothing", "restore_absent")


def repacked(backup: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Pack a backup anew after a change to its members, as somebody who found it could."""
    with tarfile.open(backup) as tar:
        members = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    change(members)
    backup.write_bytes(tar_of(*((tarfile.TarInfo(name), data) for name, data in members.items())))


def manifest_of(members: dict[str, bytes]) -> dict[str, object]:
    signed: dict[str, object] = json.loads(members[archive.MANIFEST])
    return signed


def test_another_format_is_refused(backup: Path, empty_machine: Settings) -> None:
    def change(members: dict[str, bytes]) -> None:
        signed = manifest_of(members)
        signed["manifest"]["format"] = 99  # type: ignore[index]
        members[archive.MANIFEST] = json.dumps(signed).encode()

    repacked(backup, change)
    refused(empty_machine, backup, "restore_format")


def test_a_lost_member_is_found(backup: Path, empty_machine: Settings) -> None:
    repacked(backup, lambda members: members.pop(next(n for n in members if n.startswith("vault/"))) and None)
    refused(empty_machine, backup, "restore_damaged")


def test_whoever_found_a_backup_cannot_forge_it(backup: Path, empty_machine: Settings) -> None:
    def change(members: dict[str, bytes]) -> None:
        import hashlib

        signed = manifest_of(members)
        members["database"] = members["database"].replace(b"guard", b"admin") + b"\0"
        fit = hashlib.sha256(members["database"]).hexdigest()
        signed["manifest"]["files"]["database"] = fit  # type: ignore[index]
        members[archive.MANIFEST] = json.dumps(signed).encode()

    repacked(backup, change)
    refused(empty_machine, backup, "restore_damaged")


def test_the_untouched_repacked_backup_is_good(backup: Path, empty_machine: Settings) -> None:
    # So that the three above fail for what they changed and not for having been packed anew.
    repacked(backup, lambda members: None)
    safekeeping.restore(empty_machine, backup)


def test_without_the_key_file_nothing_is_restored(backup: Path, empty_machine: Settings) -> None:
    (empty_machine.data_dir / keys.KEY_FILE).unlink()
    refused(empty_machine, backup, "restore_key_missing")


@pytest.mark.parametrize("with_key", [False, True])
def test_the_key_file_of_another_installation_is_told_and_kept(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, with_key: bool
) -> None:
    safekeeping.backup(here, world.database, shelf / "backup", with_key=with_key)
    key_file = empty_machine.data_dir / keys.KEY_FILE
    key_file.unlink()
    crypto.create_key_file(key_file)
    refused(empty_machine, shelf / "backup", "restore_key_wrong")


def test_a_backup_of_another_kind_of_database_is_refused(
    backup: Path, empty_machine: Settings, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "postgresql://nobody@127.0.0.1:1/x" if dumps.kind(here) == "sqlite" else ""
    # Whether the other is empty is asked before, and nobody answers there.
    monkeypatch.setattr(dumps, "is_empty", lambda _settings: True)
    with pytest.raises(CommandError) as caught:
        safekeeping.restore(replace(empty_machine, database=other), backup)
    assert caught.value.code == "restore_other_database"


def test_a_backup_of_a_newer_version_is_refused(
    world: World, here: Settings, empty_machine: Settings, shelf: Path
) -> None:
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    finally:
        with world.database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{migrations.head()}'")
    refused(empty_machine, shelf / "backup", "restore_newer")


def test_a_broken_audit_log_is_refused_after_it_was_loaded_and_leaves_nothing(
    world: World, here: Settings, empty_machine: Settings, shelf: Path
) -> None:
    stranger_with_picture(world)
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2")
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    refused(empty_machine, shelf / "backup", "restore_audit")


def test_a_copy_that_ends_before_its_manifest_says_is_refused(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(settings: Settings, target: Path) -> dumps.Facts:
        facts = copy(settings, target)
        return replace(facts, audit_seq=facts.audit_seq + 1)

    copy = dumps.dump
    monkeypatch.setattr(dumps, "dump", older)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    refused(empty_machine, shelf / "backup", "restore_audit")


def test_a_restore_that_fails_at_its_last_step_leaves_nothing(
    backup: Path, empty_machine: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(empty_machine)

    def full(_settings: Settings, _stage: Path, _undo: object) -> None:
        place(_settings, _stage, _undo)
        raise OSError(28, "No space left on device")

    place = safekeeping._place
    monkeypatch.setattr(safekeeping, "_place", full)
    if dumps.kind(empty_machine) == "sqlite":
        monkeypatch.setattr(safekeeping, "_place_file", lambda *_: None)
    with pytest.raises(OSError, match="No space"):
        safekeeping.restore(empty_machine, backup)
    assert contents(empty_machine) == before


def test_the_running_installation_is_never_overwritten(
    backup: Path, here: Settings, world: World, command: Command, locale: str
) -> None:
    before = contents(here)
    said = command("restore", backup)
    assert (said.code, said.out) == (1, "")
    assert str(here.data_dir) in said.err
    assert contents(here) == before


@pytest.mark.parametrize("name", ["vault/ab/x", "outbox/2026-01-01.txt", audit.HEAD_FILE, "setup-token"])
def test_a_folder_in_use_is_never_overwritten(backup: Path, empty_machine: Settings, name: str) -> None:
    path = empty_machine.data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something")
    refused(empty_machine, backup, "restore_target_used")


def test_a_database_in_use_is_never_overwritten(backup: Path, empty_machine: Settings) -> None:
    if dumps.kind(empty_machine) == "sqlite":
        (empty_machine.data_dir / "gatehouse.db").write_bytes(b"")
    else:
        from sqlalchemy import create_engine

        engine = create_engine(empty_machine.database_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE of_somebody_else (id int)")
        engine.dispose()
    refused(empty_machine, backup, "restore_target_used")


@on_sqlite
def test_a_server_that_starts_meanwhile_keeps_its_database(
    backup: Path, empty_machine: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = safekeeping._begin_anew

    def late(*arguments: object) -> None:
        began(*arguments)  # type: ignore[arg-type]
        (empty_machine.data_dir / "gatehouse.db").write_bytes(b"of the server")

    monkeypatch.setattr(safekeeping, "_begin_anew", late)
    with pytest.raises(CommandError) as caught:
        safekeeping.restore(empty_machine, backup)
    assert caught.value.code == "restore_target_used"
    files, _ = contents(empty_machine)
    assert files["gatehouse.db"] == b"of the server"
    assert set(files) == {"gatehouse.db", keys.KEY_FILE}


def test_what_a_killed_restore_left_is_cleared(backup: Path, empty_machine: Settings) -> None:
    stale = empty_machine.data_dir / "restore-abc"
    stale.mkdir()
    (stale / "database").write_bytes(b"half")
    safekeeping.restore(empty_machine, backup)
    assert not stale.exists()


def test_a_folder_that_was_not_there_is_not_there_after_a_refusal(
    backup: Path, empty_machine: Settings, shelf: Path
) -> None:
    place = replace(empty_machine, data_dir=shelf / "new")
    with pytest.raises(CommandError):
        safekeeping.restore(place, backup)
    assert not (shelf / "new").exists()


def test_one_command_at_a_time(
    world: World, here: Settings, empty_machine: Settings, backup: Path, command: Command, locale: str
) -> None:
    with keys.exclusive(here.data_dir):
        for arguments in (("backup", backup), ("rotate-keys",)):
            said = command(*arguments)
            assert (said.code, said.out) == (1, "")
            assert said.err.strip() == i18n.text(locale, "error.maintenance_running")
    with keys.exclusive(empty_machine.data_dir), pytest.raises(Conflict):
        safekeeping.restore(empty_machine, backup)
