"""Each request has its effect once (I-3): by its message id and by its idempotency key it is answered from the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert
from sqlmodel import Session, col, select

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.database import keeping_rows
from app.core.errors import GateError, NotSignedIn
from app.core.ids import new_id
from app.core.prepared import Prepared
from app.domain.integration import keys
from app.domain.integration.models import IntegrationKey, IntegrationRequest
from app.domain.integration.rules import KEEP

MAX_KEY = 200

_LOCK = Prepared(
    select(col(IntegrationKey.revoked_at)).where(col(IntegrationKey.id) == bindparam("key")).with_for_update()
)
_RECORDED = Prepared(
    select(col(IntegrationRequest.id)).where(
        col(IntegrationRequest.key_id) == bindparam("key"),
        (col(IntegrationRequest.webhook_id) == bindparam("message"))
        # No record has an empty one: where there is none it is NULL.
        | (col(IntegrationRequest.idempotency_key) == bindparam("idempotency_key")),
    )
)
_INSERT = Prepared(insert(IntegrationRequest))


class Reused(GateError):
    """A message id or an idempotency key came again with another request."""

    status = 422


@dataclass(frozen=True, slots=True)
class Asked:
    """What names a request, and what it asks for."""

    webhook_id: str
    idempotency_key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its status; ``replayed`` when it came from the record."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


def once(session: Session, actor: Actor, asked: Asked, work: Callable[[Session], Reply]) -> Reply:
    """Do the work, or answer what was answered when it was done; all of it in the caller's transaction.

    A request that is refused leaves no record and no effect, so that it may be sent again when its cause is gone.
    """
    key_id = keys.key_of(actor)
    # Requests of one system queue, so that the same one at the same moment finds the first one's record.
    if _LOCK.scalar(session, {"key": key_id}) is not None:
        raise NotSignedIn("key_unknown")
    recorded = _recorded(session, key_id, asked)
    if recorded is not None:
        if recorded.digest != asked.digest:
            code = "webhook_id_reused" if recorded.webhook_id == asked.webhook_id else "idempotency_reused"
            raise Reused(code)
        return Reply(recorded.status, json.loads(crypto.reveal(recorded, "answer")), replayed=True)
    # Rows looked up by their ids stay at hand until the end: a booking asks for some of them four times.
    with keeping_rows(session):
        reply = work(session)
    row = IntegrationRequest(
        id=new_id(),
        key_id=key_id,
        webhook_id=asked.webhook_id,
        idempotency_key=asked.idempotency_key or None,
        digest=asked.digest,
        status=reply.status,
        created_at=clock.now(),
    )
    crypto.seal(row, "answer", json.dumps(reply.body, ensure_ascii=False))
    _INSERT.change(session, {name: getattr(row, name) for name in IntegrationRequest.model_fields})
    return reply


def _recorded(session: Session, key_id: str, asked: Asked) -> IntegrationRequest | None:
    named = {"key": key_id, "message": asked.webhook_id, "idempotency_key": asked.idempotency_key}
    found = [session.get_one(IntegrationRequest, row_id) for (row_id,) in _RECORDED.rows(session, named)]
    # Both may be known from different requests: the message's own id says more.
    return next((row for row in found if row.webhook_id == asked.webhook_id), found[0] if found else None)


def forget_old(session: Session, now: datetime) -> None:
    """Delete the records of requests that are too old to be sent again."""
    session.connection().execute(
        delete(IntegrationRequest).where(col(IntegrationRequest.created_at) < now - KEEP)
    )
