"""Statements of the way of an arrival: compiled once for each kind of database, then run at the driver.

What a statement costs on its way through the toolkit (look up the compiled form, collect parameters, wrap the rows) is several
times what SQLite needs to run it, and an arrival takes a dozen. The statement is still written in the toolkit's language and
its types still convert what goes in and comes out. Everything else in the product uses the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Dialect, Insert, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Update
from sqlmodel import Session

Row = tuple[Any, ...]
Convert = Callable[[Any], Any] | None
CURRENT = "driver_connection"
REQUIRED = object()


class _Compiled:
    """One statement in one dialect: its text, how each parameter goes in, how each column comes out."""

    def __init__(
        self, statement: Select[Any] | Insert | Update, dialect: Dialect, names: tuple[str, ...]
    ) -> None:
        compiled = statement.compile(
            dialect=dialect, column_keys=list(names) if isinstance(statement, Insert) else None
        )
        defaults: dict[str, Any] = {column.key: column.default for column in compiled.insert_prefetch}
        changing = compiled.literal_execute_params or compiled.post_compile_params
        if changing or not all(default.is_scalar for default in defaults.values()):
            raise TypeError(
                "a prepared statement is the same text for all values, and its defaults are constants"
            )
        self.text = str(compiled)
        self.positional = bool(compiled.positional)
        binds: Mapping[str, Any] = compiled.binds
        order = compiled.positiontup if self.positional else list(binds)
        self.parameters: list[tuple[str, Any, Convert]] = [
            (
                name,
                _constant(binds[name], defaults.get(name)),
                binds[name].type.dialect_impl(dialect).bind_processor(dialect),
            )
            for name in order or ()
        ]
        types = (
            [column.type for column in statement.selected_columns] if isinstance(statement, Select) else []
        )
        self.columns: list[Convert] = [
            kind.dialect_impl(dialect).result_processor(dialect, None) for kind in types
        ]
        self.converts = any(self.columns)

    def values(self, given: Mapping[str, Any]) -> Any:
        """The parameters as the driver wants them; constants of the statement fill what is not given."""
        pairs = [
            (name, value if convert is None else convert(value))
            for name, constant, convert in self.parameters
            for value in (given[name] if constant is REQUIRED else given.get(name, constant),)
        ]
        return tuple(value for _, value in pairs) if self.positional else dict(pairs)

    def row(self, raw: Row) -> Row:
        """One row in the product's types."""
        if not self.converts:
            return tuple(raw)
        return tuple(
            value if convert is None else convert(value)
            for value, convert in zip(raw, self.columns, strict=True)
        )


def _constant(bind: Any, default: Any) -> Any:
    """What stands for a parameter that is not given."""
    if default is not None:
        return default.arg
    return REQUIRED if bind.required else bind.value


class Prepared:
    """A statement that is always the same text; parameters are given by name at each run."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[Row]:
        """Everything that it selects."""
        cursor, compiled = self._execute(session, values)
        try:
            return [compiled.row(raw) for raw in cursor.fetchall()]
        finally:
            cursor.close()

    def first(self, session: Session, values: Mapping[str, Any]) -> Row | None:
        """The first row that it selects."""
        cursor, compiled = self._execute(session, values)
        try:
            raw = cursor.fetchone()
            return None if raw is None else compiled.row(raw)
        finally:
            cursor.close()

    def scalar(self, session: Session, values: Mapping[str, Any]) -> Any:
        """The first value of the first row, None where there is no row."""
        row = self.first(session, values)
        return None if row is None else row[0]

    def change(self, session: Session, values: Mapping[str, Any]) -> int:
        """Write, and return how many rows were concerned."""
        cursor, _ = self._execute(session, values)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def _execute(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, _Compiled]:
        session.flush()  # what the object mapper still holds back is written first, so both see the same
        connection, dialect = _driver(session)
        names = tuple(values) if isinstance(self._statement, Insert) else ()
        compiled = self._compiled.get((dialect.name, names))
        if compiled is None:
            compiled = self._compiled[dialect.name, names] = _Compiled(self._statement, dialect, names)
        cursor = connection.cursor()
        errors = dialect.loaded_dbapi.Error
        try:
            cursor.execute(compiled.text, compiled.values(values))
        except errors as error:
            cursor.close()
            # Without its parameters: they are about people.
            raise DBAPIError.instance(
                compiled.text, None, error, errors, hide_parameters=True, dialect=dialect
            ) from error
        return cursor, compiled


def _driver(session: Session) -> tuple[Any, Any]:
    """The driver's connection of this session's transaction; asking the session each time costs as much as a statement.

    It is asked once in each transaction and savepoint: only then does it really begin one.
    """
    known = session.info.get(CURRENT)
    if known is not None and known[0] is _innermost(session):
        return known[1], known[2]
    connection = session.connection()
    session.info[CURRENT] = (_innermost(session), connection.connection, connection.dialect)
    return connection.connection, connection.dialect


def _innermost(session: Session) -> Any:
    return session.get_nested_transaction() or session.get_transaction()
