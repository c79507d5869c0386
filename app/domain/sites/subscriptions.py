"""Addresses of other systems that are told of events: made, changed, tried, stopped, replayed (I-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from app.core import audit, clock, crypto, inputs, outbox, webhook_signing
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.ids import new_id
from app.core.outbox import OutboxFilled, OutboxMessage
from app.core.permissions import Right
from app.domain.sites import webhooks
from app.domain.sites.webhook_models import WebhooksChanged, WebhookSubscription
from app.domain.sites.webhook_rules import EVENTS, TEST_EVENT

MAX_LABEL = 40
MAX_URL = 500
MAX_OVERLAP = 168


def create(
    session: Session, actor: Actor, label: str, url: str, events: Sequence[str]
) -> tuple[WebhookSubscription, str]:
    """A new address of the actor's site; returns it and the signing secret, to be shown once."""
    actor.require(Right.INTEGRATION_EDIT)
    secret = webhook_signing.new_secret()
    made = WebhookSubscription(
        id=new_id(),
        site_id=actor.site_id,
        label=inputs.name(inputs.text(label, "label", MAX_LABEL), "label"),
        url=checked_url(url),
        events=_checked(events),
        created_by=actor.account_id or actor.kind,
        created_at=clock.now(),
    )
    crypto.seal(made, "secret", secret)
    session.add(made)
    session.flush()
    _record(session, actor, "webhook.create", made)
    return made, secret


def change(session: Session, actor: Actor, subscription_id: str, url: str, events: Sequence[str]) -> None:
    """Another address or other events; what waits goes to the new address."""
    found = own(session, actor, subscription_id)
    found.url, found.events = checked_url(url), _checked(events)
    session.add(found)
    _record(session, actor, "webhook.change", found)


def rotate(session: Session, actor: Actor, subscription_id: str, hours: int) -> str:
    """A new signing secret; for so many hours messages are signed by the old one as well."""
    found = own(session, actor, subscription_id)
    hours = inputs.count(hours, "overlap", 0, MAX_OVERLAP)
    old, secret = crypto.reveal(found, "secret"), webhook_signing.new_secret()
    crypto.seal(found, "old_secret", old)
    crypto.seal(found, "secret", secret)
    found.old_until = clock.now() + timedelta(hours=hours)
    session.add(found)
    _record(session, actor, "webhook.rotate", found)
    return secret


def set_enabled(session: Session, actor: Actor, subscription_id: str, *, enabled: bool) -> None:
    """Stop telling, or begin again; neither what waited nor what happened meanwhile is told later."""
    found = own(session, actor, subscription_id)
    if found.enabled == enabled:
        return
    found.enabled, found.stopped_by = enabled, "" if enabled else "manager"
    session.add(found)
    _record(session, actor, "webhook.start" if enabled else "webhook.stop", found)
    announce(session, OutboxFilled())


def remove(session: Session, actor: Actor, subscription_id: str) -> None:
    """Take an address out; the log of what it was told stays as long as any."""
    found = own(session, actor, subscription_id)
    found.deleted_at, found.enabled = clock.now(), False
    found.secret = found.old_secret = None
    session.add(found)
    _record(session, actor, "webhook.remove", found)


def send_test(session: Session, actor: Actor, subscription_id: str) -> str:
    """Send a message that says nothing, to see whether it arrives; returns its id."""
    found = own(session, actor, subscription_id)
    if not found.enabled:
        raise Conflict("webhook_stopped")
    _record(session, actor, "webhook.test", found)
    return outbox.post(session, webhooks.channel_of(found.id), TEST_EVENT, found.site_id, {})


def replay(session: Session, actor: Actor, delivery_id: str) -> None:
    """Send a message again that was given up on, with the same id; raises ``Conflict`` for any other."""
    row = session.get(OutboxMessage, delivery_id)
    if row is None or row.site_id != actor.site_id or not row.channel.startswith(webhooks.FAMILY + ":"):
        raise NotFound("webhook_unknown")
    found = own(session, actor, row.channel.partition(":")[2])
    if row.state != "dead" or not found.enabled:
        raise Conflict("webhook_stopped" if not found.enabled else "webhook_not_dead")
    row.state, row.attempts, row.due_at, row.finished_at = "pending", 0, clock.now(), None
    session.add(row)
    audit.record(session, actor, "webhook.replay", "message", row.id, site_id=row.site_id)
    announce(session, OutboxFilled())
    announce(session, WebhooksChanged(row.site_id))


def of_site(session: Session, site_id: str) -> Sequence[WebhookSubscription]:
    """The addresses of a site, in the order they were made."""
    query = select(WebhookSubscription).where(
        WebhookSubscription.site_id == site_id, col(WebhookSubscription.deleted_at).is_(None)
    )
    return session.exec(query.order_by(WebhookSubscription.id)).all()


def own(session: Session, actor: Actor, subscription_id: str) -> WebhookSubscription:
    """An address of the actor's site; another's looks as if it did not exist."""
    actor.require(Right.INTEGRATION_EDIT)
    found = session.get(WebhookSubscription, subscription_id)
    if found is None or found.site_id != actor.site_id or found.deleted_at is not None:
        raise NotFound("webhook_unknown")
    return found


def checked_url(url: str) -> str:
    """An address as it may be called; whom it leads to is looked at with each attempt."""
    text = inputs.clean(url)
    try:
        parts = urlsplit(text)
        bad = parts.port == 0
    except ValueError:
        raise InvalidInput("webhook_url", "url") from None
    odd = not text.isascii() or " " in text or "\\" in text or parts.fragment
    if (
        bad
        or odd
        or len(text) > MAX_URL
        or parts.scheme not in {"https", "http"}
        or not parts.hostname
        or "@" in parts.netloc
    ):
        raise InvalidInput("webhook_url", "url")
    return text


def _checked(events: Sequence[str]) -> list[str]:
    chosen = [event for event in EVENTS if event in set(events)]
    if not chosen or len(chosen) != len(set(events)):
        raise InvalidInput("webhook_events", "events")
    return chosen


def _record(session: Session, actor: Actor, action: str, row: WebhookSubscription) -> None:
    details = {"host": urlsplit(row.url).netloc, "events": len(row.events)}
    audit.record(session, actor, action, "webhook", row.id, site_id=row.site_id, details=details)
    announce(session, WebhooksChanged(row.site_id))
