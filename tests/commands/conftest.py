"""An installation that works, an empty machine of the same kind, and the commands themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from app import cli
from app.commands import dumps
from app.core import database, i18n, keys
from app.core.database import Database
from app.core.settings import Settings, get_settings
from tests.installation import *  # noqa: F403
from tests.installation import MEMORY

Command = Callable[..., "Said"]

# For what has nothing to do with the database, or with one kind of it alone.
on_sqlite = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("installation", ["postgres"], indirect=True)


class Said:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def here(installation: Database) -> Settings:
    """The settings of the installation that works."""
    return get_settings()


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder for backups."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-shelf-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def empty_machine(request: pytest.FixtureRequest, here: Settings, shelf: Path) -> Settings:
    """Another machine with nothing on it, of the same kind of database, that knows the key file."""
    url = "" if dumps.kind(here) == "sqlite" else request.getfixturevalue("postgres_url")
    place = Settings(data_dir=shelf / "machine", database=url)
    bring_key(here, place)
    return place


def bring_key(source: Settings, target: Settings, name: str = keys.KEY_FILE) -> None:
    """Copy the key file, as an operator does from the safe."""
    aim = target.data_dir / keys.KEY_FILE
    aim.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    aim.unlink(missing_ok=True)
    aim.write_bytes((source.data_dir / name).read_bytes())
    aim.chmod(0o400)


def contents(place: Settings) -> tuple[dict[str, bytes], list[str]]:
    """Every file of a data folder, and the tables of its database."""
    folder = place.data_dir
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    if dumps.kind(place) == "sqlite":
        return files, []
    engine = create_engine(place.database_url)
    try:
        return files, sorted(inspect(engine).get_table_names())
    finally:
        engine.dispose()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Settings], Database]]:
    """Open a restored installation, its vault and its keys, as the server would."""
    made: list[Database] = []

    def open_(place: Settings) -> Database:
        monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(place.data_dir))
        monkeypatch.setenv("GATEHOUSE_DATABASE_URL", place.database)
        get_settings.cache_clear()
        made.append(Database(place.database_url))
        made[-1].write_now(lambda session: keys.load(session, place.data_dir))
        return made[-1]

    yield open_
    for each in made:
        each.close()


@pytest.fixture(params=i18n.LOCALES)
def locale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both languages of the commands."""
    monkeypatch.setattr(cli, "LOCALE", request.param)
    return str(request.param)


@pytest.fixture
def command(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Run a command in this process, on the present environment; the answer must be words."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(database, "_database", None)  # the command opens its own
        get_settings.cache_clear()
        capsys.readouterr()
        try:
            code = cli.main([str(argument) for argument in arguments])
        finally:
            if database._database is not None:
                database._database.close()
        said = Said(code, *capsys.readouterr())
        for text in (said.out, said.err):
            assert "Traceback" not in text
            assert "cli." not in text, "a text is missing in the catalogue"
            assert "{" not in text, "a placeholder was not filled"
        return said

    return run
