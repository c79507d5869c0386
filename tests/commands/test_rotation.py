"""The key file changes; whatever happens on the way, the data open afterwards (RE-05, S-5)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from app.commands import doctor, rotation, safekeeping
from app.commands.errors import CommandError
from app.core import audit, crypto, keys, vault
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.settings import Settings
from app.domain.people.models import Person
from tests.commands.conftest import Command, bring_key
from tests.factories import GUEST, World, admit, invite, let_in, show_code

pytestmark = pytest.mark.req("RE-05")

Opened = Callable[[Settings], Database]
KEYS = {"kek"}


@pytest.fixture(autouse=True)
def kept_keys(installation: Database) -> Iterator[None]:
    """The databases are kept for the tests that follow, and so is the key file that fits them."""
    before = installation.read_now(keys.stored)
    yield

    def put_back(session: Session) -> None:
        for row in session.exec(select(keys.DataKey)).all():
            row.wrapped = before[row.kid]
            session.add(row)

    installation.write_now(put_back)


def key_files(place: Settings) -> set[str]:
    return {path.name for path in (place.data_dir / "keys").iterdir()}


def names_in(database: Database) -> set[str]:
    rows = database.read_now(lambda session: session.exec(select(Person)).all())
    return {crypto.reveal(person, "name") for person in rows}


def wrapped(world: World) -> dict[int, bytes]:
    return world.ask(keys.stored)


def test_a_new_key_file_opens_everything_and_the_old_one_nothing(
    world: World, here: Settings, opened: Opened
) -> None:
    let_in(world)
    picture = vault.put(b"a face")
    before, old = wrapped(world), crypto.load_key_file(here.data_dir / keys.KEY_FILE)
    rotated = rotation.rotate(world.database, here.data_dir)
    new = crypto.load_key_file(here.data_dir / keys.KEY_FILE)
    assert new != old
    assert rotated.count == len(before) == 1
    assert wrapped(world).keys() == before.keys()
    assert not set(wrapped(world).values()) & set(before.values())
    # The data keys are the same ones: nothing has to be sealed again.
    assert keys.unwrap(new, wrapped(world)) == keys.unwrap(old, before)
    with pytest.raises(crypto.KeysMissing):
        keys.unwrap(old, wrapped(world))
    assert GUEST in names_in(opened(here))
    assert vault.get(picture) == b"a face"


def test_the_old_key_file_is_kept_for_the_backups_made_so_far(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    let_in(world)
    safekeeping.backup(here, world.database, shelf / "before", with_key=False)
    old = crypto.load_key_file(here.data_dir / keys.KEY_FILE)
    retired = rotation.rotate(world.database, here.data_dir).retired
    assert retired is not None
    assert crypto.load_key_file(retired) == old
    assert retired.stat().st_mode & 0o777 == 0o400
    bring_key(here, empty_machine)
    with pytest.raises(CommandError) as caught:
        safekeeping.restore(empty_machine, shelf / "before")
    # The message names the file that is needed by the mark in its name.
    assert caught.value.code == "restore_key_wrong"
    assert retired.name.endswith(str(caught.value.params["key"]))
    bring_key(here, empty_machine, f"keys/{retired.name}")
    safekeeping.restore(empty_machine, shelf / "before")
    assert GUEST in names_in(opened(empty_machine))


def test_a_backup_made_afterwards_opens_with_the_new_file(
    world: World, here: Settings, empty_machine: Settings, shelf: Path, opened: Opened
) -> None:
    let_in(world)
    rotation.rotate(world.database, here.data_dir)
    safekeeping.backup(here, world.database, shelf / "after", with_key=True)
    (empty_machine.data_dir / keys.KEY_FILE).unlink()
    safekeeping.restore(empty_machine, shelf / "after")
    assert GUEST in names_in(opened(empty_machine))
    assert key_files(empty_machine) == KEYS


def test_the_change_stands_in_the_log_without_a_key(world: World, here: Settings) -> None:
    old = crypto.load_key_file(here.data_dir / keys.KEY_FILE)
    rotation.rotate(world.database, here.data_dir)
    new = crypto.load_key_file(here.data_dir / keys.KEY_FILE)
    newest = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)
    entry = world.ask(lambda session: session.exec(newest).one())
    assert (entry.action, entry.object_id) == ("key.rotate", crypto.fingerprint(new))
    assert entry.details == {"keys": 1, "from": crypto.fingerprint(old)}
    assert old.hex() not in str(entry)
    assert new.hex() not in str(entry)
    assert world.ask(lambda session: list(audit.verify(session))) == []


def test_a_gate_that_is_running_goes_on(world: World, here: Settings, opened: Opened) -> None:
    _, issued, _ = invite(world)
    with ThreadPoolExecutor(1) as gate:
        work = gate.submit(lambda: [let_in(world, name=f"访客{number}") for number in range(10)])
        for _ in range(3):
            rotation.rotate(world.database, here.data_dir)
        work.result()
    assert admit(world, show_code(world, issued)).booking_id == issued.booking_id
    assert names_in(opened(here)) >= {GUEST, *(f"访客{number}" for number in range(10))}
    assert len(key_files(here)) == 4


def test_with_a_key_file_that_does_not_fit_nothing_changes(world: World, here: Settings) -> None:
    key_file, before = here.data_dir / keys.KEY_FILE, wrapped(world)
    key_file.unlink()
    stranger = crypto.create_key_file(key_file)
    with pytest.raises(crypto.KeysMissing):
        rotation.rotate(world.database, here.data_dir)
    assert wrapped(world) == before
    assert crypto.load_key_file(key_file) == stranger
    assert key_files(here) == KEYS


def test_copies_that_people_made_stay(world: World, here: Settings) -> None:
    own = {"kek.bak", "kek.old", "kek.part", "kek.newer"}
    for name in own:
        (here.data_dir / "keys" / name).write_bytes((here.data_dir / keys.KEY_FILE).read_bytes())
    rotation.rotate(world.database, here.data_dir)
    assert key_files(here) >= own | KEYS


# Where the power goes, as the process sees it: it ends, and nothing of it runs any more.
CUT = "lambda *_a, **_k: os._exit(9)"
CUTS = {
    "before the new file": f"crypto.create_key_file = {CUT}",
    "the new file half written": f"os.link = {CUT}",
    "before the database": f"keys.rewrap = {CUT}",
    "before the commit": f"keys.audit.record = {CUT}",
    "after the commit": f"keys.promote = {CUT}",
    "before the old file is kept": f"crypto.write_key_file = later(crypto.write_key_file, 1, {CUT})",
    "before the new file takes its place": f"keys.Path.replace = {CUT}",
    "at the very end": f"crypto.sync_folder = later(crypto.sync_folder, 2, {CUT})",
}
PROGRAM = """
import os, sys
from app import cli
from app.commands import rotation
from app.core import crypto, keys

def later(real, calls, cut):
    left = [calls]
    def call(*arguments):
        if not left[0]:
            cut()
        left[0] -= 1
        return real(*arguments)
    return call

{cut}
sys.exit(cli.main(["rotate-keys"]))
"""


@pytest.mark.parametrize("cut", CUTS)
def test_a_power_cut_leaves_a_key_file_that_opens_everything(
    world: World, here: Settings, opened: Opened, cut: str
) -> None:
    let_in(world)
    before = wrapped(world)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cut=CUTS[cut])], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 9, ended.stderr
    committed = wrapped(world) != before
    assert committed == (list(CUTS).index(cut) >= 4)

    # The next start opens everything, and the next rotation clears up.
    assert GUEST in names_in(opened(here))
    rotation.rotate(world.database, here.data_dir)
    assert GUEST in names_in(opened(here))
    left = key_files(here)
    retired = {name for name in left if name.startswith(keys.RETIRED)}
    assert len(retired) == (2 if committed else 1)
    assert left - retired == KEYS
    assert world.ask(lambda session: list(audit.verify(session))) == []


def test_doctor_tells_of_a_rotation_that_was_cut_short(world: World, here: Settings) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cut=CUTS["after the commit"])], capture_output=True, check=False
    )
    check = doctor._key_file(here.data_dir, wrapped(world))
    assert (check.level, check.code) == ("warn", "half_rotated")
    world.do(keys.load, here.data_dir)
    assert doctor._key_file(here.data_dir, wrapped(world)).level == "ok"


def test_two_starts_after_a_cut_finish_the_rotation_once(world: World, here: Settings) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cut=CUTS["after the commit"])], capture_output=True, check=False
    )
    with ThreadPoolExecutor(2) as starts:
        for done in [starts.submit(world.do, keys.load, here.data_dir) for _ in range(2)]:
            done.result()
    assert len(key_files(here)) == 2


def test_a_lost_old_key_file_does_not_stop_the_finish(world: World, here: Settings) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cut=CUTS["after the commit"])], capture_output=True, check=False
    )
    (here.data_dir / keys.KEY_FILE).unlink()
    world.do(keys.load, here.data_dir)
    assert key_files(here) == KEYS


@pytest.mark.req("EV-01")
def test_the_command_says_what_to_keep(world: World, here: Settings, command: Command, locale: str) -> None:
    said = command("rotate-keys")
    assert (said.code, said.err) == (0, "")
    new, old = said.out.splitlines()
    assert str(here.data_dir / keys.KEY_FILE) in new
    assert any(str(here.data_dir / "keys" / name) in old for name in key_files(here) - KEYS)
    (here.data_dir / keys.KEY_FILE).unlink()
    said = command("rotate-keys")
    assert (said.code, said.out) == (1, "")
    assert str(here.data_dir / "keys") in said.err
