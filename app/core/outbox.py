"""The outbox (I-2): a change and its messages commit together; a dispatcher delivers at least once, with one id."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, update
from sqlmodel import Field, Session, SQLModel, col, select

from app.core import clock
from app.core.ids import new_id
from app.core.prepared import Prepared
from app.core.types import JsonText, UtcDateTime

logger = logging.getLogger(__name__)

BACK_OFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 21_600, 86_400))
BATCH = 20


class OutboxMessage(SQLModel, table=True):
    """One message to the outside; the payload holds ids only, a channel looks up what it may send."""

    __tablename__ = "outbox_message"
    id: str = Field(primary_key=True)
    channel: str
    topic: str
    site_id: str
    payload: dict[str, Any] = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime, index=True)
    attempts: int = 0
    state: str = Field(default="pending", index=True)
    last_error: str = ""
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Message(NamedTuple):
    """What a channel is handed."""

    id: str
    channel: str
    topic: str
    site_id: str
    payload: dict[str, Any]
    attempts: int


_INSERT = Prepared(insert(OutboxMessage))
_COLUMNS = (
    OutboxMessage.id,
    OutboxMessage.channel,
    OutboxMessage.topic,
    OutboxMessage.site_id,
    OutboxMessage.payload,
    OutboxMessage.attempts,
)
_TAKE = select(*_COLUMNS).where(OutboxMessage.state == "pending")  # type: ignore[call-overload]
_TAKE_ONE = Prepared(_TAKE.where(OutboxMessage.id == bindparam("message")).with_for_update(skip_locked=True))
_TAKE_DUE = Prepared(
    _TAKE.where(col(OutboxMessage.due_at) <= bindparam("now"))
    .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_MARK = Prepared(
    update(OutboxMessage)
    .where(col(OutboxMessage.id) == bindparam("message"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("state", "attempts", "last_error", "due_at", "finished_at")
        }
    )
)


class OutboxFilled:
    """Announced after a commit that put messages into the outbox."""


Channel = Callable[[Session, Message], None]


def post(session: Session, channel: str, topic: str, site_id: str, payload: dict[str, Any]) -> str:
    """Put a message into the outbox of this transaction and return its id."""
    from app.core.database import announce

    now = clock.now()
    message_id = new_id()
    row = {
        "id": message_id,
        "channel": channel,
        "topic": topic,
        "site_id": site_id,
        "payload": payload,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "state": "pending",
        "last_error": "",
    }
    _INSERT.change(session, row)
    announce(session, OutboxFilled())
    return message_id


def due(session: Session, now: datetime) -> list[str]:
    """Ids of the messages to deliver now, oldest first."""
    query = (
        select(OutboxMessage.id)
        .where(OutboxMessage.state == "pending", col(OutboxMessage.due_at) <= now)
        .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
        .limit(BATCH)
    )
    return list(session.exec(query).all())


def deliver(session: Session, message_id: str, channels: dict[str, Channel]) -> bool:
    """Deliver one message and mark it in the same transaction; False when it has to be tried again.

    A crash after delivery and before the commit repeats it with the same id, which receivers use to tell.
    """
    row = _TAKE_ONE.first(session, {"message": message_id})
    return row is None or _deliver(session, Message._make(row), channels)


def deliver_due(session: Session, now: datetime, channels: dict[str, Channel]) -> int:
    """Deliver one batch in one transaction and return how many were delivered; 0 when nothing is left."""
    rows = _TAKE_DUE.rows(session, {"now": now})
    return sum(_deliver(session, Message._make(row), channels) for row in rows)


def _deliver(session: Session, message: Message, channels: dict[str, Channel]) -> bool:
    attempts, now = message.attempts + 1, clock.now()
    mark = {"message": message.id, "new_attempts": attempts, "new_due_at": now, "new_finished_at": now}
    try:
        with session.begin_nested():  # what a failing channel wrote goes; the count of its attempts stays
            channels[message.channel](session, message)
    except Exception as error:
        logger.warning("Outbox message %s failed: %s", message.id, type(error).__name__)
        mark |= {"new_state": "dead", "new_last_error": type(error).__name__}
        if attempts <= len(BACK_OFF):
            mark |= {
                "new_state": "pending",
                "new_due_at": now + BACK_OFF[attempts - 1],
                "new_finished_at": None,
            }
    else:
        mark |= {"new_state": "sent", "new_last_error": ""}
    _MARK.change(session, mark)
    return mark["new_state"] != "pending"
