"""A throw-away PostgreSQL for tests of the scaled setting (EV-03).

    def test_ledger(postgres_url): ...          an empty database of its own for each test

    @pytest.fixture(scope="session")
    def postgres_template(postgres_server):     a module or folder whose tests want tables overrides this
        return postgres_server.template("migrated", upgrade)   # upgrade(url) runs once per worker

Each worker has a cluster in a folder of its own, reached by a unix socket and a random loopback port, with nothing synced
to disk. It is started by the first test that asks for it and removed at the end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.plugins.browser import missing

USER = "gatehouse"
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=100"
START_TRIES = 3


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl, the newest release first."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    releases = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(releases, key=lambda path: float(path.parent.name), default=None)


class Server:
    """One running cluster."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._numbers = count(1)
        self._templates: set[str] = set()

    def url(self, database: str) -> str:
        """The URL of a database, as SQLAlchemy takes it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """Run one statement on the maintenance database."""
        target = f"host={self.folder} port={self.port} user={USER} dbname=postgres"
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """Make a database from a template and return its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever still looks at it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Make a template once: ``prepare(url)`` fills it and must close its connections."""
        if name not in self._templates:
            self.run(f'CREATE DATABASE "{name}" TEMPLATE template0')
            prepare(self.url(name))
            self._templates.add(name)
        return name


def _as_owner(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root.
    return ["runuser", "-u", _owner(), "--", *command] if os.geteuid() == 0 else command


def _owner() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # The server must not inherit our pipes: whoever reads them would wait for it to end.
    with (folder / "command.log").open("a+") as log:
        done = subprocess.run(_as_owner(command), stdout=log, stderr=log, cwd=folder, check=False)
        log.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, log.read(), "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, tools: Path) -> Server:
    data = folder / "data"
    made = _run(
        [
            str(tools / "initdb"),
            "-D",
            str(data),
            "-U",
            USER,
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ],
        folder,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed:\n{made.stdout}")
    for _ in range(START_TRIES):  # somebody else may take the free port first
        port = _free_port()
        options = f"{FAST} -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        log = str(folder / "server.log")
        started = _run(
            [str(tools / "pg_ctl"), "-D", str(data), "-w", "-l", log, "-o", options, "start"], folder
        )
        if started.returncode == 0:
            return Server(folder, port)
    raise RuntimeError(f"PostgreSQL did not start:\n{started.stdout}\n{Path(log).read_text()}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The worker's cluster."""
    tools = binaries()
    if tools is None:
        missing("PostgreSQL", "postgresql")
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _owner())
    try:
        yield _start(folder, tools)
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            _run([str(tools / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop"], folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """Which database each test's own is a copy of; override it to start with tables."""
    return "template0"


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh database that goes when the test ends."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)
