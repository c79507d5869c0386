"""Prepared statements: what goes in and comes out is what the toolkit would have put in and got out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from app.core.database import Database
from app.core.prepared import Prepared
from app.core.types import JsonText, UtcDateTime

NOW = datetime(2026, 3, 2, 2, 0, 0, 123456, tzinfo=UTC)


class Apart(SQLModel):
    metadata = MetaData()  # the product's tables are compared with the migrations


class Sample(Apart, table=True):
    __tablename__ = "prepared_sample"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    words: list[str] = Field(sa_type=JsonText)
    yes: bool = False
    secret: bytes | None = None
    number: int = 0


INSERT = Prepared(insert(Sample))
COLUMNS = (Sample.id, Sample.at, Sample.words, Sample.yes, Sample.secret, Sample.number)
BY_ID = Prepared(select(*COLUMNS).where(Sample.id == bindparam("id"), col(Sample.yes).is_(True)))
ALL = Prepared(select(Sample.id).order_by(col(Sample.id)).limit(20))
STEP = Prepared(update(Sample).where(col(Sample.number) < bindparam("step")).values(number=bindparam("step")))
ROW: dict[str, Any] = {
    "id": "a", "at": NOW, "words": ["门岗", "𠮷"], "yes": True, "secret": b"\x00\xff", "number": 1,
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/prepared.db"
    else:
        url = request.getfixturevalue("postgres_url")
    made = Database(url)
    Apart.metadata.create_all(made.engine)
    yield made
    Apart.metadata.drop_all(made.engine)
    made.close()


def write(database: Database, work) -> Any:
    return database.write_now(work)


def test_what_is_written_is_what_the_object_mapper_reads(database: Database) -> None:
    write(database, lambda s: INSERT.change(s, ROW))
    found = database.read_now(lambda s: s.get(Sample, "a").model_dump())
    assert found == ROW


def test_what_the_object_mapper_wrote_is_what_is_read(database: Database) -> None:
    write(database, lambda s: s.add(Sample(**ROW)))
    assert database.read_now(lambda s: BY_ID.first(s, {"id": "a"})) == tuple(ROW.values())


def test_what_the_object_mapper_holds_back_is_written_first(database: Database) -> None:
    def work(session: Session) -> Any:
        session.add(Sample(**ROW))
        return BY_ID.first(session, {"id": "a"})

    assert write(database, work) is not None


def test_nothing_and_several_rows(database: Database) -> None:
    write(database, lambda s: [INSERT.change(s, {**ROW, "id": name}) for name in "cab"])
    assert database.read_now(lambda s: BY_ID.first(s, {"id": "z"})) is None
    assert database.read_now(lambda s: BY_ID.scalar(s, {"id": "z"})) is None
    assert database.read_now(lambda s: ALL.rows(s, {})) == [("a",), ("b",), ("c",)]


def test_a_change_counts_its_rows(database: Database) -> None:
    write(database, lambda s: INSERT.change(s, ROW))
    assert write(database, lambda s: STEP.change(s, {"step": 5})) == 1
    assert write(database, lambda s: STEP.change(s, {"step": 5})) == 0


def test_rows_of_different_columns_are_told_apart(database: Database) -> None:
    write(database, lambda s: INSERT.change(s, ROW))
    short = {name: ROW[name] for name in ("at", "words", "yes", "number")}
    write(database, lambda s: INSERT.change(s, {"id": "b", **short}))
    assert database.read_now(lambda s: s.get(Sample, "b").secret) is None


def test_a_missing_parameter_is_an_error(database: Database) -> None:
    with pytest.raises(KeyError):
        database.read_now(lambda s: BY_ID.first(s, {}))


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="naive"):
        write(database, lambda s: INSERT.change(s, {**ROW, "at": datetime(2026, 1, 1)}))  # noqa: DTZ001


def test_an_error_is_the_toolkits_and_names_no_value(database: Database) -> None:
    write(database, lambda s: INSERT.change(s, ROW))
    with pytest.raises(IntegrityError) as caught:
        write(database, lambda s: INSERT.change(s, {**ROW, "words": ["张三"]}))
    assert "张三" not in str(caught.value)


def test_a_session_that_goes_on_after_its_commit_uses_its_new_transaction(database: Database) -> None:
    with database.transaction() as session:
        INSERT.change(session, ROW)
        session.commit()
        assert INSERT.change(session, {**ROW, "id": "b"}) == 1
    assert len(database.read_now(lambda s: ALL.rows(s, {}))) == 2


def test_a_savepoint_takes_back_what_was_written_at_the_driver(database: Database) -> None:
    def work(session: Session) -> None:
        INSERT.change(session, ROW)
        savepoint = session.begin_nested()
        INSERT.change(session, {**ROW, "id": "b"})
        savepoint.rollback()
        INSERT.change(session, {**ROW, "id": "c"})

    write(database, work)
    assert database.read_now(lambda s: ALL.rows(s, {})) == [("a",), ("c",)]


def test_a_statement_with_defaults_of_its_own_is_refused(database: Database) -> None:
    table = Table("with_default", MetaData(), Column("id", Integer), Column("n", Integer, default=lambda: 3))
    with pytest.raises(TypeError):
        write(database, lambda s: Prepared(insert(table)).change(s, {"id": 1}))
