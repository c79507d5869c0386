"""The outbox (I-2): a change and its messages commit together; a dispatcher delivers at least once, with one id."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import Field, Session, SQLModel, col, select

from app.core import clock
from app.core.ids import new_id
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


_INSERT = insert(OutboxMessage)


class OutboxFilled:
    """Announced after a commit that put messages into the outbox."""


Channel = Callable[[Session, OutboxMessage], None]


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
    session.connection().execute(_INSERT, row)
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
    query = select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update(skip_locked=True)
    message = session.exec(query).first()
    if message is None or message.state != "pending":
        return True
    message.attempts += 1
    try:
        with session.begin_nested():  # what a failing channel wrote goes; the count of its attempts stays
            channels[message.channel](session, message)
    except Exception as error:
        logger.warning("Outbox message %s failed: %s", message.id, type(error).__name__)
        message.last_error = type(error).__name__
        if message.attempts > len(BACK_OFF):
            message.state, message.finished_at = "dead", clock.now()
            return True
        message.due_at = clock.now() + BACK_OFF[message.attempts - 1]
        return False
    message.state, message.last_error, message.finished_at = "sent", "", clock.now()
    return True


def deliver_due(session: Session, now: datetime, channels: dict[str, Channel]) -> int:
    """Deliver one batch in one transaction and return how many were delivered; 0 when nothing is left."""
    return sum(deliver(session, message_id, channels) for message_id in due(session, now))
