"""A backup taken while the gate works restores to a gate that works (RE-08)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from app.commands import archive, dumps, safekeeping
from app.core import audit, crypto, keys, vault
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.settings import Settings
from app.domain.admission.models import Attempt, Visit
from app.domain.people import repository as people
from app.domain.people.models import Person, WebSession
from app.domain.people.sessions import sign_in
from tests.commands.conftest import Command, bring_key, contents
from tests.factories import (
    GUEST,
    PASSWORD,
    STRANGER,
    World,
    admit,
    answer,
    invite,
    let_in,
    make_account,
    see_document,
    show_code,
    walk_in,
)

pytestmark = pytest.mark.req("RE-08")

Opened = Callable[[Settings], Database]
_ACTIONS = select(AuditEntry.action).order_by(col(AuditEntry.seq))
PICTURE = b"\xff\xd8 a face " * 50


def stranger_with_picture(world: World) -> str:
    """A walk-in with a picture, let in; returns the picture's id."""
    picture = vault.put(PICTURE)
    attempt = see_document(world, walk_in(world))

    def keep(session: Session) -> None:
        row = session.get(Attempt, attempt.id)
        assert row is not None
        row.snapshot_id = picture
        session.add(row)

    world.do(keep)
    answer(world, attempt, agree=True)
    admit(world, attempt)
    return picture


class Traffic:
    """Strangers with pictures, one after the other, from a thread of their own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._passed = threading.Condition()
        self._count = 0
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                stranger_with_picture(self._world)
                with self._passed:
                    self._count += 1
                    self._passed.notify_all()
        except BaseException as error:
            self._fault = error

    def wait_for_more(self, wanted: int = 3) -> None:
        with self._passed:
            aim = self._count + wanted
            assert self._passed.wait_for(lambda: self._count >= aim or self._fault, 60)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        assert self._fault is None


@contextmanager
def traffic(world: World) -> Iterator[Traffic]:
    running = Traffic(world)
    try:
        yield running
    finally:
        running.stop()


def pictures_of(database: Database) -> list[str]:
    query = select(Attempt.snapshot_id).where(col(Attempt.snapshot_id) != "")
    return list(database.read_now(lambda session: session.exec(query).all()))


def test_a_backup_taken_while_the_gate_writes_restores_to_a_consistent_gate(
    world: World,
    here: Settings,
    empty_machine: Settings,
    shelf: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_in(world)
    with traffic(world) as running:
        running.wait_for_more()

        def dump(settings: Settings, target: Path) -> dumps.Facts:
            facts = copy(settings, target)
            running.wait_for_more()  # rows and pictures that the copy does not know
            return facts

        copy = dumps.dump
        monkeypatch.setattr(dumps, "dump", dump)
        safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
        monkeypatch.undo()
    written = world.ask(lambda session: session.exec(select(func.count()).select_from(Visit)).one())
    restored = safekeeping.restore(empty_machine, shelf / "backup")
    assert restored.missing_pictures == 0

    database = opened(empty_machine)
    visits = database.read_now(lambda session: session.exec(select(Visit)).all())
    assert 3 < len(visits) < written
    # A visit and its audit entry are one transaction: the copy has both of each or neither.
    actions = database.read_now(lambda session: session.exec(_ACTIONS).all())
    assert actions.count("visit.admit") == len(visits)
    assert actions[-1] == "backup.restore"
    assert database.read_now(lambda session: list(audit.verify(session, empty_machine.data_dir))) == []
    names = database.read_now(
        lambda s: {crypto.reveal(people.person(s, visit.visitor_id or ""), "name") for visit in visits}
    )
    assert names == {GUEST, STRANGER}
    pictures = pictures_of(database)
    assert len(pictures) >= 3
    assert {vault.get(picture) for picture in pictures} == {PICTURE}
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_the_restored_gate_goes_on_where_the_other_stood(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    _, issued, _ = invite(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    safekeeping.restore(empty_machine, shelf / "backup")
    world.database = opened(empty_machine)
    # The code on the guest's phone is still good, and the log goes on without a break.
    assert admit(world, show_code(world, issued)).booking_id == issued.booking_id
    assert world.ask(lambda session: list(audit.verify(session))) == []


def test_a_restore_ends_every_session(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    account = make_account(world)
    assert world.do(sign_in, account.username, PASSWORD, "") is not None
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    safekeeping.restore(empty_machine, shelf / "backup")
    database = opened(empty_machine)
    assert database.read_now(lambda session: session.exec(select(WebSession)).all()) == []
    assert database.write_now(lambda session: sign_in(session, account.username, PASSWORD, "")) is not None


def test_a_backup_without_the_key_holds_neither_key_nor_name(
    world: World, here: Settings, shelf: Path, tmp_path: Path
) -> None:
    let_in(world)
    stranger_with_picture(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    manifest, _ = archive.unpack(shelf / "backup", tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert keys.KEY_FILE not in manifest.files
    key = (here.data_dir / keys.KEY_FILE).read_bytes().strip()
    stored = b"".join(path.read_bytes() for path in files) + repr(manifest).encode()
    assert [word for word in (key, GUEST.encode(), STRANGER.encode(), b"a face") if word in stored] == []


def test_a_backup_with_the_key_needs_nothing_else(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    let_in(world)
    (empty_machine.data_dir / keys.KEY_FILE).unlink()
    safekeeping.backup(here, world.database, shelf / "backup", with_key=True)
    safekeeping.restore(empty_machine, shelf / "backup")
    key_file = empty_machine.data_dir / keys.KEY_FILE
    assert key_file.stat().st_mode & 0o777 == 0o400
    database = opened(empty_machine)
    people_there = database.read_now(lambda session: session.exec(select(Person)).all())
    assert GUEST in {crypto.reveal(person, "name") for person in people_there}


def test_what_is_restored_is_for_its_owner_only(
    world: World, here: Settings, empty_machine: Settings, shelf: Path
) -> None:
    stranger_with_picture(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=True)
    assert (shelf / "backup").stat().st_mode & 0o777 == 0o600
    safekeeping.restore(empty_machine, shelf / "backup")
    shared = [p for p in empty_machine.data_dir.rglob("*") if p.stat().st_mode & 0o077]
    assert shared == []


def test_a_picture_that_retention_deletes_meanwhile_is_told_and_stops_nothing(
    world: World,
    here: Settings,
    empty_machine: Settings,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgotten, kept = stranger_with_picture(world), stranger_with_picture(world)
    add, calls = archive.Writer.add, count()

    def slow(self: archive.Writer, path: Path, name: str) -> None:
        if next(calls) == 0:  # the database is copied, the pictures are not
            vault.delete(forgotten)
        add(self, path, name)

    monkeypatch.setattr(archive.Writer, "add", slow)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    restored = safekeeping.restore(empty_machine, shelf / "backup")
    assert restored.missing_pictures == 1
    assert [p.name for p in (empty_machine.data_dir / "vault").rglob("*") if p.is_file()] == [kept]


def test_a_backup_and_a_restore_stand_in_the_audit_log(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    newest = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)
    made = world.ask(lambda session: session.exec(newest).one())
    assert (made.action, made.details["with_key"]) == ("backup.create", False)
    safekeeping.restore(empty_machine, shelf / "backup")
    back = opened(empty_machine).read_now(lambda session: session.exec(newest).one())
    assert (back.action, back.object_id) == ("backup.restore", made.object_id)


def test_a_later_backup_replaces_the_file_of_the_same_name(
    world: World, here: Settings, empty_machine: Settings, shelf: Path
) -> None:
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    picture = stranger_with_picture(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    assert sorted(path.name for path in shelf.iterdir()) == ["backup", "machine"]
    safekeeping.restore(empty_machine, shelf / "backup")
    assert (empty_machine.data_dir / "vault" / picture[-2:] / picture).exists()


@pytest.mark.req("EV-01")
def test_the_commands_say_what_they_did(
    world: World,
    here: Settings,
    empty_machine: Settings,
    shelf: Path,
    command: Command,
    locale: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = command("backup", shelf / "backup")
    assert (said.code, said.err) == (0, "")
    assert str(shelf / "backup") in said.out
    assert "keys/kek" in said.out
    with_key = command("backup", shelf / "with-key", "--with-key")
    assert with_key.code == 0
    assert with_key.out.splitlines()[1] != said.out.splitlines()[1]

    bring_key(here, empty_machine)
    monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(empty_machine.data_dir))
    monkeypatch.setenv("GATEHOUSE_DATABASE_URL", empty_machine.database)
    said = command("restore", shelf / "backup")
    assert (said.code, said.err) == (0, "")
    assert command("verify-audit").code == 0
    before = contents(empty_machine)
    again = command("restore", shelf / "backup")
    assert (again.code, again.out) == (1, "")
    assert str(empty_machine.data_dir) in again.err
    if locale == "en":
        assert "nothing was restored" in again.err
    assert contents(empty_machine) == before
