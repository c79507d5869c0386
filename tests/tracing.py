"""What a database is asked to do, however it is asked: through the toolkit or at the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event

FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "--")


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that run on the engine's connections, the frame of transactions left out."""
    seen: list[str] = []
    endings: list[Callable[[], None]] = []

    def note(statement: str) -> None:
        if not statement.startswith(FRAME):
            seen.append(statement)

    def lent(connection, _record, _proxy) -> None:
        trace = _trace_postgres if isinstance(connection, psycopg.Connection) else _trace_sqlite
        endings.append(trace(connection, note))

    event.listen(engine, "checkout", lent)
    try:
        yield seen
    finally:
        event.remove(engine, "checkout", lent)
        for end in endings:
            end()


def _trace_sqlite(connection: Any, note: Callable[[str], None]) -> Callable[[], None]:
    connection.set_trace_callback(note)
    return lambda: connection.set_trace_callback(None)


def _trace_postgres(connection: Any, note: Callable[[str], None]) -> Callable[[], None]:
    plain = connection.cursor_factory

    class Noting(psycopg.Cursor):
        def execute(self, query, *args: Any, **options: Any):
            note(str(query))
            return super().execute(query, *args, **options)

    connection.cursor_factory = Noting
    return lambda: setattr(connection, "cursor_factory", plain)
