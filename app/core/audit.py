"""The audit log: append-only, hash-chained, written in the transaction of the act itself (S-20, RE-07)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import insert, text
from sqlmodel import Field, Session, SQLModel, col, select

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.prepared import Prepared
from app.core.types import JsonText, UtcDateTime

GENESIS = bytes(32)
CHAIN_LOCK = 0x6761746521  # names the advisory lock that orders the chain on PostgreSQL
HEAD_FILE = "audit.head"


class AuditEntry(SQLModel, table=True):
    """One act: who, what, on which object, with what result. Object ids only, no personal data."""

    __tablename__ = "audit_entry"
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str
    role: str
    site_id: str
    action: str = Field(index=True)
    object_kind: str
    object_id: str
    result: str
    reason: str
    details: dict[str, Any] = Field(sa_type=JsonText)
    ip: str
    prev_hash: bytes
    hash: bytes


_HEAD = Prepared(
    select(col(AuditEntry.seq), col(AuditEntry.hash)).order_by(col(AuditEntry.seq).desc()).limit(1)
)
_INSERT = Prepared(insert(AuditEntry))


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the chain breaks and how."""

    seq: int
    kind: str


def _digest(row: Mapping[str, Any], prev: bytes) -> bytes:
    body: dict[str, Any] = {
        "seq": row["seq"],
        "at": row["at"].isoformat(),
        "actor": row["actor"],
        "role": row["role"],
        "site": row["site_id"],
        "action": row["action"],
        "object": f"{row['object_kind']}:{row['object_id']}",
        "result": row["result"],
        "reason": row["reason"],
        "details": row["details"],
        "ip": row["ip"],
    }
    return hashlib.sha256(prev + rfc8785.dumps(body)).digest()


def record(
    session: Session,
    actor: Actor,
    action: str,
    object_kind: str,
    object_id: str,
    *,
    site_id: str = "",
    result: str = "ok",
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> int:
    """Append one entry and return its number; if this fails the act fails with it.

    The row is written at once, not at the flush, so that two entries of one transaction chain up.
    """
    session.flush()  # before the lock: whoever waits for a row of ours must not hold the chain meanwhile
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    head = _HEAD.first(session, {})
    seq, prev = (head[0] + 1, head[1]) if head else (1, GENESIS)
    row: dict[str, Any] = {
        "seq": seq,
        "at": clock.now(),
        "actor": actor.account_id or actor.kind,
        "role": actor.role_text,
        "site_id": site_id or actor.site_id,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "result": result,
        "reason": reason,
        "details": details or {},
        "ip": actor.ip,
        "prev_hash": prev,
    }
    _INSERT.change(session, {**row, "hash": _digest(row, prev)})
    return int(seq)


def head(session: Session) -> tuple[int, bytes]:
    """Sequence number and hash of the newest entry."""
    row = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def ship_head(session: Session, folder: Path) -> None:
    """Write the signed head outside the database; without it a cut tail could not be told."""
    seq, digest = head(session)
    body = {"seq": seq, "hash": digest.hex()}
    mac = crypto.keyring().sign("audit-head", json.dumps(body).encode()).hex()
    target = folder / HEAD_FILE
    target.with_suffix(".tmp").write_text(json.dumps({**body, "mac": mac}), "ascii")
    target.with_suffix(".tmp").replace(target)


def verify(session: Session, folder: Path | None = None) -> Iterator[Fault]:
    """Walk the chain and yield every fault: altered, missing, reordered, or a tail cut below the shipped head."""
    prev, expected, seen = GENESIS, 1, {0: GENESIS}
    shipped = _shipped_head(folder)
    for entry in session.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).yield_per(1000):
        if entry.seq != expected:
            yield Fault(expected, "missing")
        if entry.prev_hash != prev:
            yield Fault(entry.seq, "chain")
        if entry.hash != _digest(entry.model_dump(), entry.prev_hash):
            yield Fault(entry.seq, "altered")
        prev, expected = entry.hash, entry.seq + 1
        if shipped and entry.seq == shipped[0]:
            seen[entry.seq] = entry.hash
    if shipped is not None and shipped[0] > 0 and seen.get(shipped[0]) != shipped[1]:
        yield Fault(shipped[0], "tail")


def _shipped_head(folder: Path | None) -> tuple[int, bytes] | None:
    path = folder / HEAD_FILE if folder else None
    if path is None or not path.exists():
        return None
    try:
        stored = json.loads(path.read_text("ascii"))
        body = {"seq": int(stored["seq"]), "hash": str(stored["hash"])}
        good = crypto.keyring().sign("audit-head", json.dumps(body).encode()).hex() == stored["mac"]
        return (body["seq"], bytes.fromhex(body["hash"])) if good else (2**62, b"")  # type: ignore[return-value, arg-type]
    except (ValueError, KeyError, TypeError):
        return (2**62, b"")
