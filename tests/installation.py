"""A fresh installation for each test, on SQLite and on PostgreSQL, made by the real migrations.

A folder whose tests want it imports the fixtures in its ``conftest.py``:

    from tests.installation import *  # noqa: F403
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.configuration import set_hypothesis_home_dir
from sqlmodel import SQLModel

from app.core import clock, database, keys, migrations
from app.core.clock import Clock
from app.core.database import Database
from app.core.limiter import Limiter
from app.core.settings import get_settings
from app.domain.people import sessions
from app.runtime.installation import open_installation
from tests.factories import World, make_world

__all__ = ["fake_clock", "installation", "kept_databases", "migrated_folder", "sqlite", "world"]

# What Hypothesis remembers between runs; pytest would trip over its usual folder beside the sources.
set_hypothesis_home_dir(Path(__file__).parents[1] / "build" / "hypothesis")
# A shared machine may be slow at any moment; that is no fault of the code.
hypothesis_settings.register_profile("gatehouse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("gatehouse")

# Each commit waits for the disk (synchronous=FULL); a disk in memory never keeps it waiting.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# 10:00 at the gate, and the first second of a step of the dynamic code.
MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


class FakeClock(Clock):
    """A clock that stands until it is moved."""

    def __init__(self, moment: datetime = MORNING) -> None:
        self.moment = moment
        super().__init__(lambda: self.moment.timestamp())

    def move(self, **by: float) -> datetime:
        """Go on, or back, by so many ``seconds=``, ``hours=``, ``days=``."""
        self.moment += timedelta(**by)
        return self.now()


@pytest.fixture
def fake_clock() -> Iterator[FakeClock]:
    """The clock of this process, standing at ten in the morning."""
    made = FakeClock()
    previous = clock.use(made)
    yield made
    clock.use(previous)


@pytest.fixture(scope="session")
def migrated_folder() -> Iterator[Path]:
    """The data folder of an empty installation: key file, schema by the real migrations, first data key."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-", dir=MEMORY) as folder:
        _prepare(f"sqlite:///{folder}/gatehouse.db", Path(folder))
        yield Path(folder)


@pytest.fixture(scope="session")
def kept_databases(
    request: pytest.FixtureRequest, migrated_folder: Path
) -> Iterator[Callable[[str], Database]]:
    """The worker's two databases, opened when first asked for: a fresh engine would compile every statement anew."""
    opened: dict[str, Database] = {}
    folder = tempfile.TemporaryDirectory(prefix="gatehouse-", dir=MEMORY)

    def open_(kind: str) -> Database:
        if kind not in opened:
            if kind == "sqlite":
                url = f"sqlite:///{shutil.copy(migrated_folder / 'gatehouse.db', folder.name)}"
            else:
                server = request.getfixturevalue("postgres_server")
                url = server.url(server.create())
                _prepare(url, migrated_folder)
            opened[kind] = Database(url)
        return opened[kind]

    yield open_
    for kept in opened.values():
        kept.close()
    folder.cleanup()


def _prepare(url: str, folder: Path) -> None:
    made = Database(url)
    migrations.upgrade(made.engine)
    made.write_now(lambda session: keys.load(session, folder))
    made.close()


def empty(kept: Database) -> None:
    """Delete every row but the data key; far quicker than a new file, or TRUNCATE on tables this small."""
    off, on = ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
    if not kept.is_sqlite:
        off, on = ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT")
    deletes = [
        f'DELETE FROM "{table.name}"' for table in SQLModel.metadata.sorted_tables if table.name != "data_key"
    ]
    connection = kept.engine.raw_connection()
    try:
        for statement in (off, *deletes, on):
            connection.cursor().execute(statement)
        connection.commit()
    finally:
        connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def installation(
    request: pytest.FixtureRequest,
    kept_databases: Callable[[str], Database],
    migrated_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake_clock: FakeClock,
) -> Iterator[Database]:
    """An open installation without a single site, on either database."""
    kept = kept_databases(request.param)
    empty(kept)
    with _data_folder(migrated_folder, monkeypatch, str(kept.url)):
        monkeypatch.setattr(database, "_database", kept)
        kept.write_now(lambda session: keys.load(session, get_settings().data_dir))
        yield kept
    kept._listeners.clear()


@pytest.fixture
def sqlite(
    migrated_folder: Path, monkeypatch: pytest.MonkeyPatch, fake_clock: FakeClock
) -> Iterator[Database]:
    """A whole installation of its own on SQLite, for what concerns the files themselves."""
    with _data_folder(migrated_folder, monkeypatch, ""):
        opened = open_installation()
        yield opened
        opened.close()
        database._database = None


@contextmanager
def _data_folder(template: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-", dir=MEMORY) as folder:
        data = Path(shutil.copytree(template, Path(folder, "data")))
        monkeypatch.setenv("GATEHOUSE_DATA_DIR", str(data))
        monkeypatch.setenv("GATEHOUSE_DATABASE_URL", url)
        monkeypatch.setattr(sessions, "address_limit", Limiter(sessions.address_rate))
        get_settings.cache_clear()
        yield data
        get_settings.cache_clear()


@pytest.fixture
def world(installation: Database) -> World:
    """A site of medium risk with one household, three lanes and its staff."""
    return make_world(installation)
