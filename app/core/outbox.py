"""The outbox (I-2): a change and its messages commit together; a dispatcher delivers at least once, with one id.

A local channel (the inbox, a file) works inside the transaction that marks its message. A remote one must not: nobody waits
for another host with a transaction open. So its messages are taken under a lease, composed, sent without a transaction, and
marked. A process that dies anywhere between leaves a lease that runs out; whoever takes the message then is told that an
earlier try may have got through.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import and_, bindparam, insert, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from app.core import clock
from app.core.ids import new_id
from app.core.prepared import Prepared
from app.core.types import JsonText, UtcDateTime

logger = logging.getLogger(__name__)

BACK_OFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 21_600, 86_400))
BATCH = 20
FAMILY = ":"  # a channel may be one of many of a kind, such as ``webhook:<id>``
LEASE = timedelta(seconds=60)
REMOTE_BATCH = 5  # so many tries of five seconds each end well before the lease does
JITTER = 0.25


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
    leased_by: str = ""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    doubtful: bool = False
    receipt: str = ""


class Message(NamedTuple):
    """What a channel is handed."""

    id: str
    channel: str
    topic: str
    site_id: str
    payload: dict[str, Any]
    attempts: int
    doubtful: bool = False


class Result(StrEnum):
    """What became of one try at a remote channel."""

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    SKIPPED = "skipped"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with its code, the provider's receipt, and when to try again.

    ``doubtful``: the provider may have taken the message although no answer came. ``reached``: it does its work, whatever
    it says of this message; False when it is down, refuses everybody, or wants to be left alone.
    """

    result: Result
    error: str = ""
    receipt: str = ""
    retry_after: timedelta | None = None
    until: datetime | None = None
    doubtful: bool = False
    reached: bool = True


class Remote(Protocol):
    """A channel to another host: it looks up what to send, then sends it without a transaction."""

    def compose(self, session: Session, message: Message) -> Any:
        """What ``send`` needs, or an ``Outcome`` when there is nothing to send now; reads only."""

    def send(self, message: Message, letter: Any) -> Outcome:
        """Try once, within seconds, on a thread of its own; ``message.doubtful`` tells that a try may have got through."""


_INSERT = Prepared(insert(OutboxMessage))
_COLUMNS = (
    OutboxMessage.id,
    OutboxMessage.channel,
    OutboxMessage.topic,
    OutboxMessage.site_id,
    OutboxMessage.payload,
    OutboxMessage.attempts,
    OutboxMessage.doubtful,
)
_TAKE = select(*_COLUMNS).where(OutboxMessage.state == "pending")  # type: ignore[call-overload]
_TAKE_ONE = Prepared(_TAKE.where(OutboxMessage.id == bindparam("message")).with_for_update(skip_locked=True))
_FREE = or_(col(OutboxMessage.lease_until).is_(None), col(OutboxMessage.lease_until) <= bindparam("now"))
_TAKE_DUE = (
    _TAKE.where(col(OutboxMessage.due_at) <= bindparam("now"), _FREE)
    .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
    .with_for_update(skip_locked=True)
)
_TAKE_REMOTE = Prepared(_TAKE_DUE.where(OutboxMessage.channel == bindparam("channel")).limit(REMOTE_BATCH))
_LEASE = Prepared(
    update(OutboxMessage)
    .where(col(OutboxMessage.id) == bindparam("message"))
    .values(
        attempts=bindparam("new_attempts"),
        leased_by=bindparam("holder"),
        lease_until=bindparam("until"),
    )
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


class OutboxMarked:
    """Announced when something became of a message to the outside."""

    def __init__(self, site_id: str) -> None:
        self.site_id = site_id


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
        "leased_by": "",
        "doubtful": False,
        "receipt": "",
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


def deliver_due(
    session: Session, now: datetime, channels: dict[str, Channel], remote: Collection[str] = ()
) -> int:
    """Deliver one batch of local channels in one transaction; returns how many were delivered, 0 when nothing is left.

    Channels and families in ``remote`` are left to ``take``.
    """
    rows = _take_local(frozenset(remote)).rows(session, {"now": now})
    return sum(_deliver(session, Message._make(row), channels) for row in rows)


@lru_cache(maxsize=16)
def _take_local(remote: frozenset[str]) -> Prepared:
    names = [col(OutboxMessage.channel) != name for name in sorted(remote)]
    families = [col(OutboxMessage.channel).not_like(f"{name}{FAMILY}%") for name in sorted(remote)]
    return Prepared(_TAKE_DUE.where(and_(True, *names, *families)).limit(BATCH))


def family(channel: str) -> str:
    """The kind of a channel: ``webhook`` of ``webhook:<id>``."""
    return channel.partition(FAMILY)[0]


def due_channels(session: Session, now: datetime, remote: Collection[str]) -> list[str]:
    """Remote channels that have something to send now."""
    query = (
        select(OutboxMessage.channel)
        .where(OutboxMessage.state == "pending", col(OutboxMessage.due_at) <= now)
        .where(or_(col(OutboxMessage.lease_until).is_(None), col(OutboxMessage.lease_until) <= now))
        .distinct()
    )
    return sorted(channel for channel in session.exec(query) if family(channel) in remote)


def take(
    session: Session, now: datetime, channel: str, holder: str, limit: int = REMOTE_BATCH
) -> list[Message]:
    """Lease the next messages of a remote channel, oldest first; each counts as tried."""
    taken = [
        Message._make(row) for row in _TAKE_REMOTE.rows(session, {"now": now, "channel": channel})[:limit]
    ]
    for message in taken:
        lease = {"new_attempts": message.attempts + 1, "holder": holder, "until": now + LEASE}
        _LEASE.change(session, {"message": message.id, **lease})
    return [message._replace(attempts=message.attempts + 1) for message in taken]


def begin(session: Session, message: Message, holder: str) -> bool:
    """Note that a message is handed over from here on, doubtful until marked; False when the lease ran out."""
    changed = session.connection().execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message.id, col(OutboxMessage.leased_by) == holder)
        .where(col(OutboxMessage.state) == "pending")
        .values(doubtful=True)
    )
    return bool(changed.rowcount)


def mark(session: Session, now: datetime, message: Message, holder: str, outcome: Outcome) -> bool:
    """Write down what became of a message; False when the lease ran out and another has taken it over."""
    from app.core.database import announce

    values: dict[str, Any] = {
        "leased_by": "",
        "lease_until": None,
        "doubtful": outcome.doubtful,
        "last_error": outcome.error,
        "receipt": outcome.receipt,
        "due_at": now,
        "finished_at": now,
    }
    if outcome.result is Result.HELD:
        values |= {"state": "pending", "due_at": outcome.until or now, "attempts": message.attempts - 1}
        values |= {"finished_at": None, "doubtful": message.doubtful}
    elif outcome.result is Result.LATER and message.attempts <= len(BACK_OFF):
        pause = BACK_OFF[message.attempts - 1] * random.uniform(1, 1 + JITTER)
        values |= {"state": "pending", "finished_at": None}
        values["due_at"] = now + max(pause, outcome.retry_after or pause)
    else:
        ends = {Result.SENT: "sent", Result.SKIPPED: "skipped"}
        values["state"] = ends.get(outcome.result, "dead")
    changed = session.connection().execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message.id, col(OutboxMessage.leased_by) == holder)
        .where(col(OutboxMessage.state) == "pending")
        .values(values)
    )
    if changed.rowcount:
        announce(session, OutboxMarked(message.site_id))
    return bool(changed.rowcount)


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
