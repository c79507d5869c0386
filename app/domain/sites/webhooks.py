"""Telling other systems (I-1, I-5): an event and the messages about it commit together, and are sent afterwards.

Each address is a channel of the outbox of its own, so that a receiver that is down keeps nobody else waiting.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, delete, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import Pool
from sqlmodel import Session, col, func, select

from app.core import audit, crypto, outbox
from app.core.actor import SYSTEM
from app.core.database import announce
from app.core.outbox import OutboxMessage
from app.core.prepared import Prepared
from app.domain.sites.webhook_models import WebhooksChanged, WebhookSubscription

FAMILY = "webhook"
KEEP = timedelta(days=30)
FRESH_SECONDS = 5.0

_Listeners = tuple[tuple[str, list[str]], ...]
# By database, which its pool stands for: engines with other options share it.
_remembered: WeakKeyDictionary[Pool, dict[str, tuple[float, _Listeners]]] = WeakKeyDictionary()

_LISTENING = Prepared(
    select(col(WebhookSubscription.id), col(WebhookSubscription.events)).where(
        col(WebhookSubscription.site_id) == bindparam("site"),
        col(WebhookSubscription.enabled).is_(True),
        col(WebhookSubscription.deleted_at).is_(None),
    )
)


def emit(session: Session, site_id: str, name: str, data: Mapping[str, Any]) -> None:
    """Put a message into this transaction for everybody who wants to be told; ``data`` is ids and codes only."""
    for subscription_id, events in _listening(session, site_id):
        if name in events:
            outbox.post(session, channel_of(subscription_id), name, site_id, dict(data))


def _listening(session: Session, site_id: str) -> _Listeners:
    """Who listens at a site; remembered for seconds, for every arrival asks several times and most sites have nobody."""
    held = _remembered.setdefault(session.get_bind().engine.pool, {})
    now = time.monotonic()
    known = held.get(site_id)
    if known is None or now - known[0] > FRESH_SECONDS:
        rows = tuple((row[0], row[1]) for row in _LISTENING.rows(session, {"site": site_id}))
        known = held[site_id] = (now, rows)
    return known[1]


@event.listens_for(WebhookSubscription, "after_insert")
@event.listens_for(WebhookSubscription, "after_update")
@event.listens_for(WebhookSubscription, "after_delete")
def _forget(_mapper: object, connection: Connection, _row: object) -> None:
    """An address that changes here counts at once; one that changes in another process, within seconds."""
    _remembered.pop(connection.engine.pool, None)


def channel_of(subscription_id: str) -> str:
    """The outbox channel of an address."""
    return f"{FAMILY}{outbox.FAMILY}{subscription_id}"


def subscription_of(session: Session, channel: str) -> WebhookSubscription | None:
    """The address of a channel, as long as it is told anything."""
    found = session.get(WebhookSubscription, channel.partition(outbox.FAMILY)[2])
    return found if found is not None and found.deleted_at is None else None


def live_secrets(subscription: WebhookSubscription, now: datetime) -> tuple[str, ...]:
    """What signs a message now: the secret, and the one before it while it is being replaced."""
    made = [crypto.reveal(subscription, "secret")]
    if subscription.old_secret is not None and subscription.old_until and now < subscription.old_until:
        made.append(crypto.reveal(subscription, "old_secret"))
    return tuple(made)


def stop_gone(session: Session, subscription_id: str) -> None:
    """A receiver said that it is gone: it is told nothing more until a manager switches it on again."""
    found = session.get(WebhookSubscription, subscription_id)
    if found is None or not found.enabled:
        return
    found.enabled, found.stopped_by = False, "gone"
    session.add(found)
    audit.record(session, SYSTEM, "webhook.stop", "webhook", found.id, site_id=found.site_id, reason="gone")
    announce(session, WebhooksChanged(found.site_id))


def log(session: Session, subscription_id: str, limit: int, offset: int = 0) -> Sequence[OutboxMessage]:
    """The newest messages to an address."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.channel == channel_of(subscription_id))
        .order_by(col(OutboxMessage.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return session.exec(query).all()


def counts(session: Session, site_id: str) -> dict[tuple[str, str], int]:
    """How many messages each address of a site has in each state."""
    query = (
        select(OutboxMessage.channel, OutboxMessage.state, func.count())
        .where(OutboxMessage.site_id == site_id, col(OutboxMessage.channel).startswith(f"{FAMILY}:"))
        .group_by(OutboxMessage.channel, OutboxMessage.state)
    )
    rows = session.exec(query).all()
    return {(channel.partition(":")[2], state): int(count) for channel, state, count in rows}


def forget_old(session: Session, site_id: str, now: datetime) -> None:
    """Delete messages that were done with long ago."""
    session.connection().execute(
        delete(OutboxMessage).where(
            col(OutboxMessage.site_id) == site_id,
            col(OutboxMessage.channel).startswith(f"{FAMILY}:"),
            col(OutboxMessage.finished_at) < now - KEEP,
        )
    )
