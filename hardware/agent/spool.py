"""Store and forward: what was read is on this computer's disk, sealed, until the server has acknowledged it.

Events are numbered 1, 2, 3 … within a *stream*, which is one start of the program, so that a number is never given twice
even when the disk could not be written. They leave in the order in which they were read.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hardware.ports import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardware.ports import DeviceEvent

logger = logging.getLogger(__name__)

NONCE_BYTES = 12
STREAM_BYTES = 8
BATCH = 64
BATCH_BYTES = 1_000_000
# What nobody presented may be dropped when very much waits; cards, codes, documents and faces never are.
NOISE = frozenset({EventKind.CARD_REMOVED, EventKind.UNREADABLE})
MOST_WITH_NOISE = 10_000
# A full disk is tried again now and then, not at each event: all that is held goes into one transaction.
RETRY_SECONDS = 1.0
LOCAL = frozenset({"up", "started"})

SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE (stream, seq)
);
CREATE TABLE IF NOT EXISTS aside (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one stream in order, as the server takes them; `repr` leaves out who they are about."""

    stream: str
    events: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def first(self) -> int:
        """The lowest number in it."""
        return int(self.events[0]["seq"])


@dataclass(frozen=True, slots=True)
class _Entry:
    stream: str
    seq: int
    body: dict[str, Any] = field(repr=False)


class Spool:
    """The queue on disk; any thread may put, one takes."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._lock = threading.RLock()
        self._held: deque[_Entry] = deque()
        self._aside: list[_Entry] = []
        self._done = 0  # the highest row that is acknowledged; a full disk may not let it go yet
        self._database = _open(path)
        self._length = self._count("event")
        self.stream = secrets.token_hex(STREAM_BYTES)
        self._next = 1
        self._tried = 0.0
        self.trouble = ""
        self.dropped = 0
        if self._count("aside"):
            self.restart_stream()  # what a server once refused, this version or a newer server may take

    def put(self, event: DeviceEvent) -> None:
        """Keep an event; it is on disk when this returns, or in memory and `trouble` says why."""
        with self._lock:
            if event.kind in NOISE and self.waiting >= MOST_WITH_NOISE:
                self.dropped += 1
                return
            self._held.append(_Entry(self.stream, self._next, _body_of(event)))
            self._next += 1
            self._flush()

    def batch(self, most: int = BATCH) -> Batch | None:
        """The oldest events that are not acknowledged; None when nothing waits."""
        with self._lock:
            self._flush()
            try:
                entries = self._oldest(most)
            except (InvalidTag, ValueError):
                logger.error("Events of the spool do not open; they are set aside")
                self.restart_stream()
                entries = self._oldest(most)
            return _batch(entries or list(self._held)[:most])

    def acknowledge(self, stream: str, seq: int) -> None:
        """Forget what the server has recorded, and nothing else."""
        with self._lock:
            while self._held and self._held[0].stream == stream and self._held[0].seq <= seq:
                self._held.popleft()
            query = "SELECT count(*), max(id) FROM event WHERE id > ? AND stream = ? AND seq <= ?"
            count, last = self._database.execute(query, (self._done, stream, seq)).fetchone()
            self._length -= count
            self._done = last or self._done
            self._flush()

    def restart_stream(self, refused: Iterable[int] = ()) -> None:
        """Number all that waits anew, in a new stream: the server's count and ours have come apart.

        What does not open, and what of the oldest stream the server `refused` for good, is set aside on the disk.
        Events that the server knows already are told by their own names, so sending them again changes nothing.
        """
        with self._lock:
            made, unwanted = secrets.token_hex(STREAM_BYTES), set(refused)
            rows = [] if unwanted else self._rows("SELECT stream, seq, body FROM aside ORDER BY id")
            rows += self._rows("SELECT stream, seq, body FROM event WHERE id > ? ORDER BY id", self._done)
            oldest = rows[0][0] if rows else self.stream
            kept: list[_Entry] = []
            shut: list[tuple[str, int, bytes]] = []
            for stream, seq, sealed in rows:
                try:
                    body = self._open(stream, seq, sealed)
                except (InvalidTag, ValueError):
                    shut.append((stream, seq, sealed))
                    continue
                if stream == oldest and seq in unwanted:
                    shut.append((stream, seq, sealed))
                else:
                    kept.append(_Entry(made, len(kept) + 1, body))
            with self._transaction():
                self._database.execute("DELETE FROM event")
                if not unwanted:
                    self._database.execute("DELETE FROM aside")
                self._database.executemany("INSERT INTO aside (stream, seq, body) VALUES (?, ?, ?)", shut)
                self._insert(kept)
            self._length, self._done, self.stream, self._next = len(kept), 0, made, len(kept) + 1
            held, self._held = self._held, deque()
            for entry in held:
                if not rows and entry.seq in unwanted:
                    self._aside.append(entry)
                    continue
                self._held.append(_Entry(made, self._next, entry.body))
                self._next += 1

    @property
    def waiting(self) -> int:
        """How many events are not acknowledged."""
        with self._lock:
            return self._length + len(self._held)

    @property
    def set_aside(self) -> int:
        """How many events could not be opened or were refused for good; they are kept all the same."""
        with self._lock:
            return self._count("aside") + len(self._aside)

    def close(self) -> None:
        """Write what can be written and close the file."""
        with self._lock:
            self._tried = 0.0
            self._flush()
            if self._held:
                logger.error("Stopped with %d events that the disk did not take", len(self._held))
            self._database.close()

    def _flush(self) -> None:
        """Bring the disk up to date: what is held in memory onto it, what is acknowledged off it."""
        if self.trouble and time.monotonic() - self._tried < RETRY_SECONDS:
            return
        self._tried = time.monotonic()
        try:
            with self._transaction():
                self._database.execute("DELETE FROM event WHERE id <= ?", (self._done,))
                self._insert(self._held)
        except sqlite3.Error:
            if not self.trouble:
                logger.exception("The spool cannot be written; events are held in memory")
            self.trouble = "disk_full"
            return
        self._length += len(self._held)
        self._held.clear()
        self.trouble = ""

    def _oldest(self, most: int) -> list[_Entry]:
        """Up to so many rows of one stream; raises what opening them raises."""
        entries: list[_Entry] = []
        size = 0
        query = "SELECT stream, seq, body FROM event WHERE id > ? ORDER BY id LIMIT ?"
        for stream, seq, sealed in self._database.execute(query, (self._done, most)).fetchall():
            if entries and (stream != entries[0].stream or size > BATCH_BYTES):
                break
            entries.append(_Entry(stream, seq, self._open(stream, seq, sealed)))
            size += len(sealed)
        return entries

    def _rows(self, query: str, *values: int) -> list[tuple[str, int, bytes]]:
        return self._database.execute(query, values).fetchall()

    def _count(self, table: str) -> int:
        return int(self._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours

    def _insert(self, entries: Iterable[_Entry]) -> None:
        self._database.executemany(
            "INSERT INTO event (stream, seq, body) VALUES (?, ?, ?)",
            [(entry.stream, entry.seq, self._seal(entry)) for entry in entries],
        )

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)

    def _seal(self, entry: _Entry) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        plain = json.dumps(entry.body, ensure_ascii=False).encode()
        return nonce + self._cipher.encrypt(nonce, plain, _place(entry.stream, entry.seq))

    def _open(self, stream: str, seq: int, sealed: bytes) -> dict[str, Any]:
        plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _place(stream, seq))
        found: dict[str, Any] = json.loads(plain)
        return found


class _Transaction:
    """BEGIN … COMMIT, or ROLLBACK and the error."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._database.execute("COMMIT")
                return
            except sqlite3.Error:
                self._roll_back()
                raise
        self._roll_back()

    def _roll_back(self) -> None:
        # SQLite may have rolled back by itself when the disk was full.
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # Not a database any more, after a failing disk: kept for whoever can read it, and begun anew.
        logger.exception("The spool is damaged; it is kept beside the new one")
        path.replace(path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            database.execute(f"PRAGMA {pragma}")
        database.executescript(SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _place(stream: str, seq: int) -> bytes:
    return f"spool|{stream}|{seq}".encode()


def _up() -> float:
    """Seconds since the machine was started: unlike the clock they never jump."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@lru_cache(maxsize=1)
def _machine_start() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return secrets.token_hex(STREAM_BYTES)


def _age(body: dict[str, Any]) -> float:
    """How long ago it was read. A computer without a battery may have had a wrong clock then, so the uptime goes first."""
    if body["started"] == _machine_start():
        return max(0.0, _up() - float(body["up"]))
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(body["at"])).total_seconds())


def _sent(entry: _Entry) -> dict[str, Any]:
    own = {name: value for name, value in entry.body.items() if name not in LOCAL}
    return {"seq": entry.seq, "age": round(_age(entry.body), 3), **own}


def _body_of(event: DeviceEvent) -> dict[str, Any]:
    return {
        "up": _up(),
        "started": _machine_start(),
        "lane_id": event.lane_id,
        "device_id": event.device_id,
        "kind": str(event.kind),
        "payload": dict(event.payload),
        "at": event.at.isoformat(),
        "number": event.seq,
        "boot": event.boot,
    }


def _batch(entries: list[_Entry]) -> Batch | None:
    if not entries:
        return None
    return Batch(entries[0].stream, tuple(_sent(entry) for entry in entries))
