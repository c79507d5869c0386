"""A backup that cannot be made says why, leaves no half file, and gives no password away (RE-08)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlmodel import col, select

from app.commands import safekeeping
from app.core import i18n
from app.core.audit import AuditEntry
from app.core.errors import Retryable
from app.core.settings import Settings
from tests.commands.conftest import Command, contents, on_postgres, on_sqlite
from tests.commands.test_backup import stranger_with_picture
from tests.factories import World, let_in

pytestmark = pytest.mark.req("RE-08")

PASSWORD = "pf0rte-geheim"
STAND_IN = """#!{python}
import os, sys
with open({log!r}, "a") as log:
    print(sys.argv, os.environ.get("PGPASSWORD"), file=log)
{then}
"""


@pytest.fixture
def small_disk(shelf: Path) -> Iterator[Path]:
    """A disk on which a small file has room and a backup has not."""
    folder = shelf / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def audited(world: World) -> int:
    query = select(AuditEntry).where(col(AuditEntry.action) == "backup.create")
    return len(world.ask(lambda session: session.exec(query).all()))


def test_a_full_disk_leaves_no_half_file_and_the_backup_before(
    world: World, small_disk: Path, command: Command, locale: str
) -> None:
    (small_disk / "backup").write_bytes(b"of yesterday")
    let_in(world)
    said = command("backup", small_disk / "backup")
    assert (said.code, said.out) == (1, "")
    assert said.err.strip()
    assert [path.name for path in small_disk.iterdir()] == ["backup"]
    assert (small_disk / "backup").read_bytes() == b"of yesterday"
    assert audited(world) == 0


def test_a_disk_that_cannot_sync_leaves_no_half_file(
    world: World, shelf: Path, command: Command, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    said = command("backup", shelf / "backup")
    assert said.code == 1
    assert said.err.startswith(i18n.text(locale, "cli.disk_full", path="X").partition("X")[0])
    assert list(shelf.iterdir()) == []
    assert audited(world) == 0


def test_a_backup_that_cannot_be_audited_is_not_made(
    world: World, here: Settings, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_arguments: object, **_options: object) -> int:
        raise Retryable("database_busy")

    monkeypatch.setattr(safekeeping.audit, "record", busy)
    with pytest.raises(Retryable):
        safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    assert list(shelf.iterdir()) == []


@on_sqlite
@pytest.mark.parametrize("target", ["", "nowhere/backup"])
def test_a_place_that_is_no_file_is_told(
    world: World, shelf: Path, command: Command, locale: str, target: str
) -> None:
    said = command("backup", shelf / target)
    assert (said.code, said.out) == (1, "")
    assert str(shelf / target) in said.err
    assert list(shelf.iterdir()) == []


@pytest.mark.parametrize("name", ["backup", "rotate-keys", "verify-audit"])
def test_where_there_is_no_installation_none_is_made(
    empty_machine: Settings, shelf: Path, command: Command, locale: str, name: str, monkeypatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(empty_machine.data_dir))
    monkeypatch.setenv("GATEHOUSE_DATABASE_URL", empty_machine.database)
    before = contents(empty_machine)
    said = command(name, *([shelf / "backup"] if name == "backup" else []))
    assert (said.code, said.out) == (1, "")
    assert str(empty_machine.data_dir) in said.err
    assert contents(empty_machine) == before
    assert not (shelf / "backup").exists()


@on_sqlite
def test_a_damaged_database_is_told(
    world: World, here: Settings, shelf: Path, monkeypatch: pytest.MonkeyPatch, command: Command, locale: str
) -> None:
    place = shelf / "broken"
    shutil.copytree(here.data_dir, place)
    (place / "gatehouse.db").write_bytes(b"this is no database, whatever its name says" * 100)
    monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(place))
    monkeypatch.setenv("GATEHOUSE_DATABASE_URL", "")
    said = command("backup", shelf / "backup")
    assert (said.code, said.out) == (1, "")
    assert said.err.strip() == i18n.text(locale, "cli.database_failed", what="DatabaseError")


@on_sqlite
@pytest.mark.parametrize(
    ("address", "key"),
    [
        (f"postgresql://gate:{PASSWORD}@127.0.0.1:1/gate", "cli.database_failed"),
        (f"not an address {PASSWORD}", "cli.database_address"),
        (f"oracle9://gate:{PASSWORD}@127.0.0.1/gate", "cli.database_address"),
    ],
)
@pytest.mark.parametrize("arguments", [("backup", "x"), ("restore", "x"), ("migrate",), ("doctor",)])
def test_an_address_that_leads_nowhere_is_told_without_its_password(
    here: Settings,
    command: Command,
    locale: str,
    address: str,
    key: str,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GATEHOUSE_DATABASE_URL", address)
    monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(tmp_path))
    said = command(*arguments)
    assert said.code == 1
    assert PASSWORD not in said.out + said.err
    if arguments[0] != "doctor":
        assert said.err.strip() == i18n.text(locale, key, what="OperationalError")


@on_sqlite
def test_a_wrong_setting_is_told(
    here: Settings, command: Command, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_PORT", "none")
    said = command("doctor")
    assert (said.code, said.out) == (1, "")
    assert "GATEHOUSE_PORT" in said.err


Place = Callable[..., Path]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Put something in the place of a program of PostgreSQL; it notes how it was called."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    log = tmp_path / "calls"

    def place(tool: str, then: str) -> Path:
        program = tmp_path / tool
        program.write_text(STAND_IN.format(python=sys.executable, log=str(log), then=then))
        program.chmod(0o755)
        return log

    return place


@pytest.fixture
def with_password(here: Settings, empty_machine: Settings) -> tuple[Settings, Settings]:
    """The installation and the empty machine, their addresses with a password."""

    def named(place: Settings) -> Settings:
        url = make_url(place.database_url).set(password=PASSWORD)
        return Settings(data_dir=place.data_dir, database=url.render_as_string(hide_password=False))

    return named(here), named(empty_machine)


@on_postgres
def test_the_password_of_the_database_is_in_no_process_list(
    world: World, with_password: tuple[Settings, Settings], shelf: Path, stand_in: Place
) -> None:
    here, machine = with_password
    log = Path()
    for tool in ("pg_dump", "pg_restore"):
        real = shutil.which(tool)
        log = stand_in(tool, f"os.execv({real!r}, [{real!r}, *sys.argv[1:]])")
    stranger_with_picture(world)
    safekeeping.backup(here, world.database, shelf / "backup", with_key=False)
    safekeeping.restore(machine, shelf / "backup")
    calls = log.read_text().splitlines()
    assert len(calls) == 2
    for call in calls:
        arguments, _, password = call.rpartition("] ")
        assert PASSWORD not in arguments
        assert password == PASSWORD


@on_postgres
def test_what_a_program_says_is_passed_on_without_the_password(
    world: World,
    with_password: tuple[Settings, Settings],
    shelf: Path,
    stand_in: Place,
    command: Command,
    locale: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in("pg_dump", f"sys.exit('pg_dump: error: version mismatch ({PASSWORD})')")
    monkeypatch.setenv("GATEHOUSE_DATABASE_URL", with_password[0].database)
    said = command("backup", shelf / "backup")
    assert (said.code, said.out) == (1, "")
    assert "version mismatch (***)" in said.err
    assert [path.name for path in shelf.iterdir()] == ["machine"]


@on_postgres
def test_a_missing_program_is_named(
    world: World,
    with_password: tuple[Settings, Settings],
    shelf: Path,
    tmp_path: Path,
    command: Command,
    locale: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = command("backup", shelf / "backup")
    assert (said.code, said.out) == (1, "")
    assert "pg_dump" in said.err
    assert "postgresql-client" in said.err


@on_postgres
def test_a_backup_that_is_stopped_clears_up(
    world: World, here: Settings, shelf: Path, stand_in: Place
) -> None:
    log = stand_in("pg_dump", "import signal\nsignal.pause()")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "backup", shelf / "backup"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert (out, err) == ("", "")
    assert list(shelf.iterdir()) == []
