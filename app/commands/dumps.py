"""Copies of the database: taken from a running one at one moment, and loaded into an empty one, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, inspect, make_url, text
from sqlmodel import Session

from app.commands.errors import CommandError
from app.core import audit, keys, migrations
from app.core.settings import Settings

CONNECT_SECONDS = "10"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a copy holds, read from the copy itself or from the very moment it shows."""

    schema: str
    wrapped: dict[int, bytes]
    audit_seq: int
    audit_hash: bytes


def kind(settings: Settings) -> str:
    """``sqlite`` or ``postgresql``."""
    return make_url(settings.database_url).get_backend_name()


def database_file(settings: Settings) -> Path:
    """Where the SQLite database lies, inside of the data folder or where the address says."""
    return Path(make_url(settings.database_url).database or "")


def is_empty(settings: Settings) -> bool:
    """Whether there is no database yet: no file, or a PostgreSQL database without a table."""
    if kind(settings) == "sqlite":
        file = database_file(settings)
        return not any(file.with_name(file.name + end).exists() for end in ("", "-wal", "-journal"))
    with _engine(settings.database_url) as engine:
        return not inspect(engine).get_table_names()


def knows(schema: str | None) -> bool:
    """Whether this program's migrations lead from ``schema`` to the present one."""
    scripts = ScriptDirectory(str(migrations.ROOT / "alembic"))
    return schema is None or schema in {script.revision for script in scripts.walk_revisions()}


def dump(settings: Settings, target: Path) -> Facts:
    """Copy the database as it is at one moment while others go on writing; returns what the copy holds."""
    if kind(settings) == "sqlite":
        _copy(database_file(settings), target)
        with _engine(f"sqlite:///{target}") as engine, engine.connect() as connection:
            return _facts(connection)
    with (
        _engine(settings.database_url) as engine,
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
    ):
        # pg_dump looks at the same moment as the facts do.
        moment = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar())
        facts = _facts(connection)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}"]
        _run_tool("pg_dump", settings, [*options, f"--file={target}"])
        return facts


def load(settings: Settings, dump_file: Path) -> None:
    """Load a copy into an empty PostgreSQL database, in one transaction."""
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run_tool("pg_restore", settings, [*options, str(dump_file)])


def clear(settings: Settings) -> None:
    """Take away what ``load`` brought: every table of a database that was empty before."""
    with _engine(settings.database_url) as engine:
        quoted = [
            engine.dialect.identifier_preparer.quote(name) for name in inspect(engine).get_table_names()
        ]
        if quoted:
            with engine.begin() as connection:
                connection.execute(text(f"DROP TABLE {', '.join(quoted)} CASCADE"))


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _facts(connection: Connection) -> Facts:
    schema = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    with Session(connection) as session:
        seq, digest = audit.head(session)
        return Facts(schema, keys.stored(session), seq, digest)


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
    except sqlite3.Error as error:
        full = error.sqlite_errorcode in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
        raise CommandError("disk_full" if full else "database_unreadable", path=str(target.parent)) from error


def tool_call(url: URL) -> tuple[str, dict[str, str]]:
    """The address without its password, for a command line that everybody sees, and the environment with it."""
    query = {name: value for name, value in url.query.items() if name != "password"}
    password = url.password or url.query.get("password")
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    environment = {"PGCONNECT_TIMEOUT": CONNECT_SECONDS, **os.environ}
    if password:
        environment["PGPASSWORD"] = str(password)
    return bare.render_as_string(hide_password=False), environment


def _run_tool(tool: str, settings: Settings, options: list[str]) -> None:
    url = make_url(settings.database_url)
    address, environment = tool_call(url)
    try:
        done = subprocess.run(
            [tool, f"--dbname={address}", "--no-password", *options],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError("tool_missing", tool=tool) from error
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "")
        if url.password:
            said = said.replace(url.password, "***")
        raise CommandError("tool_failed", tool=tool, said=said)
