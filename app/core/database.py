"""The unit of work: one transaction per change, committed at the edge, announced after the commit.

Services are plain functions of a ``Session`` and never commit. The edge (event handler, route, hub, sweep,
command) runs them through ``Database.write`` or ``Database.read`` on a database thread, so the event loop
never waits for a disk. On SQLite one thread does all the writing with ``BEGIN IMMEDIATE``: writers queue in
order instead of failing with "database is locked". What queued meanwhile shares the next commit, each work inside
a savepoint of its own: a work that fails leaves nothing behind, and waiting for the disk is paid for once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.core.errors import Retryable

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5000
READERS = 4
GROUP = 16  # works that share one commit at most: the first of them waits for the last

Listener = Callable[[object], None]
T = TypeVar("T")


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # this module decides how a transaction begins
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "synchronous=FULL",  # an admission must survive a power cut, not only a crash
            "temp_store=MEMORY",
            "secure_delete=ON",  # purged personal data must leave the file (RE-04)
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@dataclass(slots=True)
class _Job:
    """A work that waits for the writing thread, and what came of it."""

    work: Callable[[Session], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None
    announcements: list[object] = field(default_factory=list)


class Database:
    """The engine, its threads, and the listeners that hear what was committed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = (
            {"connect_args": {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000}}
            if self.is_sqlite
            else {"pool_size": READERS * 2, "pool_pre_ping": True}
        )
        # What stands in an error may be about a person, and errors go to the log.
        self.engine = create_engine(url, hide_parameters=True, **options)
        if self.is_sqlite:
            _configure_sqlite(self.engine)
        self._writing = self.engine.execution_options(write=True)
        self._write_lock = threading.RLock() if self.is_sqlite else None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else READERS, thread_name_prefix="db-write")
        self._queue: deque[_Job] = deque()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with each announcement, after its transaction is on disk."""
        self._listeners.append(listener)

    @contextmanager
    def transaction(self, *, announce_now: bool = True) -> Iterator[Session]:
        """One writing unit of work; commits at the end, or leaves nothing behind."""
        lock = self._write_lock
        if lock is not None:
            lock.acquire()
        try:
            with Session(self._writing, expire_on_commit=False) as session:
                yield session
                session.commit()
        except OperationalError as error:
            raise Retryable("database_busy") from error
        finally:
            if lock is not None:
                lock.release()
        if announce_now:
            for announcement in session.info.pop("announcements", []):
                self._announce(announcement)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """One consistent view for reading; whatever it changed is rolled back."""
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except OperationalError as error:
            raise Retryable("database_busy") from error

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction on a database thread; it is on disk when this returns."""
        if not self.is_sqlite:
            return await asyncio.get_running_loop().run_in_executor(self._writers, self.write_now, work)
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._queue.append(job)
        self._writers.submit(self._write_queued)
        result: T = await job.future
        return result

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` against a snapshot on a database thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def write_now(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction on this thread."""
        with self.transaction() as session:
            return work(session)

    def read_now(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` against a snapshot on this thread."""
        with self.snapshot() as session:
            return work(session)

    def _write_queued(self) -> None:
        """Run what waits, up to ``GROUP`` works, in one transaction; an earlier call may have taken it all."""
        jobs: list[_Job] = []
        while self._queue and len(jobs) < GROUP:
            job = self._queue.popleft()
            if not job.future.cancelled():
                jobs.append(job)
        if not jobs:
            return
        try:
            self._write_group(jobs)
        except Exception as error:
            for job in jobs:
                job.error, job.announcements = error, []
        for job in jobs:
            for announcement in job.announcements:
                self._announce(announcement)
        _answer(jobs)

    def _write_group(self, jobs: list[_Job]) -> None:
        if len(jobs) == 1:
            with self.transaction(announce_now=False) as session:
                jobs[0].result = jobs[0].work(session)
            jobs[0].announcements = session.info.pop("announcements", [])
            return
        assert self._write_lock is not None
        try:
            with self._write_lock, self._writing.connect() as connection, connection.begin():
                for job in jobs:
                    _run_in_savepoint(job, connection)
        except OperationalError as error:  # a full disk ends the transaction for all of them
            raise Retryable("database_busy") from error

    def fold_log(self) -> None:
        """Have what was deleted leave the log as well (SQLite), as far as no reader is still at it; it is overwritten anyway.

        Elsewhere the server sees to its own log.
        """
        if not self.is_sqlite:
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        """Let running work end, then close every connection."""
        self._readers.shutdown(wait=True)
        self._writers.shutdown(wait=True)
        self.engine.dispose()

    def _announce(self, announcement: object) -> None:
        for listener in self._listeners:
            try:
                listener(announcement)
            except Exception:
                logger.exception("A listener failed")


def _run_in_savepoint(job: _Job, connection: Connection) -> None:
    with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
        try:
            job.result = job.work(session)
            session.commit()
        except OperationalError:
            raise
        except Exception as error:
            job.error = error
        else:
            job.announcements = session.info.pop("announcements", [])


def _answer(jobs: list[_Job]) -> None:
    """Tell those who wait, with one wake-up of each loop: on a busy gate a wake-up costs as much as a statement."""
    waiting: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        waiting.setdefault(job.loop, []).append(job)
    for loop, its in waiting.items():
        with suppress(RuntimeError):  # the loop ended meanwhile, and nobody waits
            loop.call_soon_threadsafe(_set, its)


def _set(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # who waited went away
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def announce(session: Session, announcement: object) -> None:
    """Publish ``announcement`` once this transaction is committed; dropped when it is rolled back."""
    session.info.setdefault("announcements", []).append(announcement)


@contextmanager
def keeping_rows(session: Session) -> Iterator[None]:
    """Hold on to every row that is loaded meanwhile, so that asking for it again by its id costs no statement.

    A session itself forgets a row that nobody holds.
    """
    kept: list[object] = []

    def keep(_session: Any, row: object) -> None:
        kept.append(row)

    names = ("loaded_as_persistent", "pending_to_persistent")
    for name in names:
        event.listen(session, name, keep)
    try:
        yield
    finally:
        for name in names:
            event.remove(session, name, keep)


_database: Database | None = None


def configure(url: str) -> Database:
    """Open the database of this process; an earlier one is closed."""
    global _database
    if _database is not None:
        _database.close()
    _database = Database(url)
    return _database


def get_database() -> Database:
    """The database of this process, opened from the settings on first use."""
    global _database
    if _database is None:
        from app.core.settings import get_settings

        _database = Database(get_settings().database_url)
    return _database
