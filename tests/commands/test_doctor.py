"""``doctor`` names what is missing, in words, and changes nothing."""

from __future__ import annotations

import ctypes.util
import importlib
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from app import cli
from app.commands import doctor, dumps, frontend
from app.commands.doctor import Check
from app.core import clock, crypto, i18n, keys
from app.core.settings import Settings
from tests.commands.conftest import Command, contents, on_sqlite
from tests.factories import World, let_in
from tests.installation import FakeClock

pytestmark = pytest.mark.req("EV-01")


def found(settings: Settings) -> dict[str, Check]:
    """The checks by name; whatever is wrong has words in both languages."""
    checks = {check.name: check for check in doctor.examine(settings)}
    for check in checks.values():
        assert (check.level == "ok") == (check.code == ""), (
            "what is wrong says what, what is right says nothing"
        )
        for key in (f"cli.doctor_{check.name}", f"cli.doctor_{check.name}_{check.code}"):
            if not key.endswith("_"):
                assert all(key in i18n.catalogue(locale) for locale in i18n.LOCALES), key
    return checks


def test_nothing_is_wrong_with_what_works(world: World, here: Settings) -> None:
    let_in(world)
    checks = found(here)
    for name in ("opencv", "zbar", "libzbar0", "zxing", "pyscard", "font", "database", "key_file", "clock"):
        assert checks[name].level == "ok", name


def test_looking_changes_nothing(world: World, here: Settings, empty_machine: Settings) -> None:
    for place in (here, empty_machine):
        before = contents(place)
        found(place)
        assert contents(place) == before
    assert found(replace(here, data_dir=here.data_dir / "none", database="")) is not None
    assert not (here.data_dir / "none").exists()


@on_sqlite
@pytest.mark.parametrize(
    ("module", "name"),
    [("cv2", "opencv"), ("pyzbar.pyzbar", "zbar"), ("zxingcpp", "zxing"), ("smartcard.scard", "pyscard")],
)
@pytest.mark.parametrize("error", [ImportError, OSError])
def test_a_missing_library_is_named(
    here: Settings, module: str, name: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = importlib.import_module

    def without(wanted: str, package: str | None = None) -> ModuleType:
        if wanted == module:
            raise error(wanted)
        return load(wanted, package)

    monkeypatch.setattr(importlib, "import_module", without)
    checks = found(here)
    assert checks[name] == Check("warn", name, "missing")


@on_sqlite
def test_a_missing_system_library_is_named(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: None)
    assert found(here)["libzbar0"] == Check("warn", "libzbar0", "missing")


@on_sqlite
def test_a_card_service_that_answers_and_one_that_was_killed(
    here: Settings, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PCSCD_SOCKET", shelf / "pcscd.comm")
    gone = Check("warn", "pcscd", "not_running")
    assert found(here)["pcscd"] == gone
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(shelf / "pcscd.comm"))
        service.listen()
        assert found(here)["pcscd"].level == "ok"
    assert (shelf / "pcscd.comm").exists()
    assert found(here)["pcscd"] == gone


@on_sqlite
@pytest.mark.parametrize("built", [True, False])
def test_pages_that_are_not_built_are_told(
    here: Settings, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontend, "is_built", lambda: built)
    expected = Check("ok", "pages") if built else Check("warn", "pages", "not_built")
    assert found(here)["pages"] == expected


def share(path: Path) -> None:
    path.chmod(0o440)


def lose(path: Path) -> None:
    path.unlink()


def exchange(path: Path) -> None:
    path.unlink()
    crypto.create_key_file(path)


def scratch(path: Path) -> None:
    path.unlink()
    path.touch(0o400)


def hide(path: Path) -> None:
    path.unlink()
    path.mkdir()  # what cannot be read, also by root


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (share, "readable_by_others"),
        (lose, "gone"),
        (exchange, "wrong"),
        (scratch, "wrong"),
        (hide, "unreadable"),
    ],
)
def test_what_is_wrong_with_the_key_file_is_told(
    world: World, here: Settings, spoil: Callable[[Path], None], code: str
) -> None:
    spoil(here.data_dir / keys.KEY_FILE)
    assert found(here)["key_file"] == Check("bad", "key_file", code)


def test_before_the_first_start_nothing_is_bad(here: Settings, empty_machine: Settings) -> None:
    (empty_machine.data_dir / keys.KEY_FILE).unlink()
    checks = found(empty_machine)
    assert checks["database"] == Check("warn", "database", "absent")
    assert checks["key_file"] == Check("warn", "key_file", "absent")
    assert [check for check in checks.values() if check.level == "bad"] == []


@on_sqlite
@pytest.mark.parametrize(
    ("address", "code"),
    [("postgresql://gate:geheim@127.0.0.1:1/gate", "unreachable"), ("geheim", "address")],
)
def test_a_database_that_is_not_there_is_told(here: Settings, address: str, code: str) -> None:
    assert found(replace(here, database=address))["database"] == Check("bad", "database", code)


@on_sqlite
def test_a_damaged_database_is_told(here: Settings, shelf: Path) -> None:
    (shelf / "gatehouse.db").write_bytes(b"no database" * 1000)
    broken = Settings(data_dir=shelf, database="")
    assert found(broken)["database"] == Check("bad", "database", "unreadable")


@pytest.mark.parametrize(("revision", "code"), [("9999", "newer_schema"), (None, "old_schema")])
def test_another_schema_is_told(shelf: Path, sqlite, revision: str | None, code: str) -> None:
    file = Path(str(sqlite.engine.url.database))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision or ""])
        if revision is None:
            connection.execute("DELETE FROM alembic_version")
    place = Settings(data_dir=file.parent, database="")
    assert found(place)["database"] == Check("bad", "database", code)


def test_a_clock_that_was_set_back_is_told(world: World, here: Settings, fake_clock: FakeClock) -> None:
    let_in(world)
    set_back = FakeClock(fake_clock.moment)
    set_back.move(minutes=-1)
    before = clock.use(FakeClock(set_back.moment))  # a new process, which remembers no higher time
    try:
        assert found(here)["clock"] == Check("bad", "clock", "set_back")
    finally:
        clock.use(before)


@on_sqlite
def test_a_full_disk_is_told(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=doctor.LOW_DISK - 1))
    assert found(here)["disk"] == Check("bad", "disk", "low")


def test_missing_programs_for_the_backup_are_told(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled = dumps.kind(here) == "postgresql"
    assert ("pg_tools" in found(here)) == scaled
    if scaled:
        assert found(here)["pg_tools"].level == "ok"
        monkeypatch.setenv("PATH", os.fspath(tmp_path))
        assert found(here)["pg_tools"] == Check("warn", "pg_tools", "missing")


@on_sqlite
@pytest.mark.parametrize(("tls", "level"), [("", "warn"), ("cert.pem", "ok")])
def test_plain_http_is_told(here: Settings, tls: str, level: str) -> None:
    assert found(replace(here, tls_certificate=tls))["tls"].level == level


def test_the_command_answers_in_words_and_fails_only_for_what_is_bad(
    world: World, here: Settings, command: Command, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LOW_DISK", 0)
    good = command("doctor")
    assert (good.code, good.err) == (0, "")
    assert " ! " in good.out
    assert len(good.out.splitlines()) == len(found(here))
    (here.data_dir / keys.KEY_FILE).chmod(0o444)
    bad = command("doctor")
    assert bad.code == 1
    told = i18n.text(cli.LOCALE, "cli.doctor_key_file_readable_by_others")
    assert [line for line in bad.out.splitlines() if line.startswith(" ✗ ")] == [
        f" ✗ {i18n.text(locale, 'cli.doctor_key_file')}  {told}"
    ]
