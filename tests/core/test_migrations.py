"""The migrations make exactly the tables of the models, and can be taken back, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

import app.domain.models  # noqa: F401 - fills the metadata
from app.core import migrations
from app.core.database import Database


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a table."""
    url = (
        f"sqlite:///{tmp_path / 'x.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    made = Database(url)
    yield made
    made.close()


def tables(made: Database) -> set[str]:
    return set(inspect(made.engine).get_table_names())


@pytest.mark.req("EV-03")
def test_the_migrations_make_the_tables_of_the_models(empty_database: Database) -> None:
    migrations.upgrade(empty_database.engine)
    assert migrations.current(empty_database.engine) == migrations.head()
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


@pytest.mark.req("EV-03")
def test_the_migrations_can_be_taken_back_and_run_again(empty_database: Database) -> None:
    migrations.upgrade(empty_database.engine)
    migrations.downgrade(empty_database.engine, "base")
    assert tables(empty_database) <= {"alembic_version"}
    migrations.upgrade(empty_database.engine)
    assert tables(empty_database) == {*SQLModel.metadata.tables, "alembic_version"}


@pytest.mark.req("EV-03")
def test_upgrading_twice_changes_nothing(empty_database: Database) -> None:
    migrations.upgrade(empty_database.engine)
    migrations.upgrade(empty_database.engine)
    assert migrations.current(empty_database.engine) == migrations.head()


def test_every_constraint_has_a_name(empty_database: Database) -> None:
    # SQLite and PostgreSQL would invent different ones, and no later migration could drop them.
    migrations.upgrade(empty_database.engine)
    inspector = inspect(empty_database.engine)
    for table in SQLModel.metadata.tables:
        keys = [*inspector.get_foreign_keys(table), *inspector.get_unique_constraints(table)]
        assert all(key["name"] for key in keys), table
