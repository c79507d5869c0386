"""Bringing the schema up to date; used by the command line, the start and the tests."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

ROOT = Path(__file__).resolve().parents[2]


def _config() -> Config:
    made = Config(str(ROOT / "alembic.ini"))
    made.set_main_option("script_location", str(ROOT / "alembic"))
    return made


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to ``revision``."""
    with engine.connect() as connection:
        made = _config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Run the migrations down to ``revision``."""
    with engine.connect() as connection:
        made = _config()
        made.attributes["connection"] = connection
        command.downgrade(made, revision)
        connection.commit()


def current(engine: Engine) -> str | None:
    """The revision that the database is at."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision of the code."""
    return ScriptDirectory.from_config(_config()).get_current_head()
