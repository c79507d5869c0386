"""The messages of a site as those see them who look after them: states, errors as codes, and a second chance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, func, select

from app.core import audit, clock, outbox
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.outbox import OutboxFilled, OutboxMarked, OutboxMessage
from app.core.permissions import Right
from app.domain.messages.letters import GROUPS, TEST

STATES = ("pending", "sent", "dead", "skipped", "given_up")
SHOWN = ("sms", "email", *sorted(GROUPS))
KEPT = timedelta(days=30)
BATCH = 500
DOUBTFUL = "doubtful"


def page(
    session: Session, site_id: str, state: str, channel: str, limit: int, offset: int
) -> Sequence[OutboxMessage]:
    """Messages to people outside, newest first."""
    query = _of(select(OutboxMessage), site_id, state, channel)
    found: Sequence[OutboxMessage] = session.exec(
        query.order_by(col(OutboxMessage.id).desc()).limit(limit).offset(offset)
    ).all()
    return found


def count(session: Session, site_id: str, state: str = "", channel: str = "") -> int:
    """How many there are."""
    query = _of(select(func.count()).select_from(OutboxMessage), site_id, state, channel)
    return int(session.exec(query).one())


def counts(session: Session, site_id: str) -> dict[tuple[str, str], int]:
    """How many there are by channel and state."""
    query = _of(select(OutboxMessage.channel, OutboxMessage.state, func.count()), site_id, "", "")
    grouped = query.group_by(OutboxMessage.channel, OutboxMessage.state)
    return {(channel, state): number for channel, state, number in session.exec(grouped)}


def last_sent(session: Session, site_id: str) -> dict[str, datetime]:
    """When something last got through, by channel."""
    query = _of(select(OutboxMessage.channel, func.max(OutboxMessage.finished_at)), site_id, "sent", "")
    return dict(session.exec(query.group_by(OutboxMessage.channel)).all())


def _of(query: Any, site_id: str, state: str, channel: str) -> Any:
    query = query.where(OutboxMessage.site_id == site_id, col(OutboxMessage.channel).in_(SHOWN))
    query = query.where(OutboxMessage.state == state) if state else query
    return query.where(OutboxMessage.channel == channel) if channel else query


def replay(session: Session, actor: Actor, message_id: str) -> None:
    """Try a dead letter again from the start, also one that may have got through: whoever presses has looked.

    Raises ``Conflict`` for a message that is not dead.
    """
    row = _own(session, actor, message_id)
    changed = session.connection().execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == row.id, *_DEAD)
        .values(**_again(), doubtful=False)
    )
    if not changed.rowcount:
        raise Conflict("message_not_dead")
    announce(session, OutboxFilled())
    audit.record(session, actor, "message.replay", "message", row.id, site_id=row.site_id)


def replay_all(session: Session, actor: Actor, channel: str) -> int:
    """Try all dead letters of a channel again, except those that may have got through: each of them wants a look."""
    actor.require(Right.POLICY_EDIT, actor.site_id)
    if channel not in SHOWN:
        raise InvalidInput("choice_wrong", "channel")
    changed = session.connection().execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.site_id) == actor.site_id, col(OutboxMessage.channel) == channel, *_DEAD)
        .where(col(OutboxMessage.last_error) != DOUBTFUL)
        .values(**_again())
    )
    if changed.rowcount:
        announce(session, OutboxFilled())
        details = {"channel": channel, "count": changed.rowcount}
        audit.record(
            session,
            actor,
            "message.replay_all",
            "site",
            actor.site_id,
            site_id=actor.site_id,
            details=details,
        )
    return int(changed.rowcount)


def give_up(session: Session, actor: Actor, message_id: str) -> None:
    """Let a message be that waits or is dead; raises ``Conflict`` for one that is done or on its way."""
    row = _own(session, actor, message_id)
    free = or_(col(OutboxMessage.lease_until).is_(None), col(OutboxMessage.lease_until) <= clock.now())
    changed = session.connection().execute(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == row.id, col(OutboxMessage.state).in_(("pending", "dead")), free)
        .values(state="given_up", finished_at=clock.now())
    )
    if not changed.rowcount:
        raise Conflict("message_done")
    announce(session, OutboxMarked(row.site_id))
    audit.record(session, actor, "message.give_up", "message", row.id, site_id=row.site_id)


def send_test(session: Session, actor: Actor, channel: str) -> str:
    """Send a test to the acting manager, or to the group; returns the message's id."""
    actor.require(Right.POLICY_EDIT, actor.site_id)
    if channel not in SHOWN:
        raise InvalidInput("choice_wrong", "channel")
    message_id = outbox.post(session, channel, TEST, actor.site_id, {"person": actor.person_id})
    details = {"channel": channel}
    audit.record(
        session, actor, "message.test", "message", message_id, site_id=actor.site_id, details=details
    )
    return message_id


def forget_old(session: Session, now: datetime) -> int:
    """Drop one batch of messages that were done with a month ago; they hold ids only, and even those have had their time."""
    old = select(OutboxMessage.id).where(col(OutboxMessage.finished_at) < now - KEPT).limit(BATCH)
    return int(
        session.connection()
        .execute(delete(OutboxMessage).where(col(OutboxMessage.id).in_(list(session.exec(old).all()))))
        .rowcount
    )


_DEAD = (col(OutboxMessage.state) == "dead",)


def _again() -> dict[str, Any]:
    """A message as it was when it was posted, but due now."""
    return {"state": "pending", "attempts": 0, "finished_at": None, "due_at": clock.now()}


def _own(session: Session, actor: Actor, message_id: str) -> OutboxMessage:
    actor.require(Right.POLICY_EDIT, actor.site_id)
    found = session.get(OutboxMessage, message_id)
    if found is None or found.site_id != actor.site_id or found.channel not in SHOWN:
        raise NotFound("message_unknown")
    return found
