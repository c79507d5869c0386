"""Keys of other systems: scoped, shown once, rotated with an overlap, revoked (EV-06, BK-03)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.core import audit, clock, crypto, inputs, webhook_signing
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from app.core.ids import new_id, new_secret
from app.core.permissions import SCOPES, Right, Role
from app.domain.integration.models import IntegrationChanged, IntegrationKey, IntegrationSecret

PREFIX = "ghi_"
MAX_LABEL = 40
MAX_OVERLAP = 168
TOUCH_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Issued:
    """What is shown once: by the bearer a system says who it is, by the signing secret it signs what it asks."""

    key_id: str
    bearer: str = field(repr=False)
    signing: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a bearer: the actor, the live signing secrets, until when this may be remembered."""

    actor: Actor
    signing: tuple[str, ...] = field(repr=False)
    expires_at: datetime | None
    used_at: datetime | None


def issue(session: Session, actor: Actor, label: str, scopes: Iterable[str]) -> Issued:
    """A new key of the actor's site with at least one scope."""
    actor.require(Right.INTEGRATION_EDIT)
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= SCOPES:
        raise InvalidInput("scopes_wrong", "scopes")
    key = IntegrationKey(
        id=new_id(),
        site_id=actor.site_id,
        label=inputs.name(inputs.text(label, "label", MAX_LABEL), "label"),
        scopes=wanted,
        created_by=actor.account_id or actor.kind,
        created_at=clock.now(),
    )
    session.add(key)
    session.flush()
    made = _add_secret(session, key)
    _record(session, actor, "integration.issue", key)
    return made


def rotate(session: Session, actor: Actor, key_id: str, hours: int | str) -> Issued:
    """New secrets for a key; the newest of the old ones lives for so many hours more, older ones end at once."""
    key = own(session, actor, key_id)
    overlap = inputs.count(hours, "overlap", 0, MAX_OVERLAP)
    if key.revoked_at is not None:
        raise Conflict("integration_revoked")
    now = clock.now()
    for number, old in enumerate(_live(session, key.id, now)):
        end = now + timedelta(hours=overlap) if number == 0 else now
        old.expires_at = min(end, old.expires_at) if old.expires_at else end
        session.add(old)
    made = _add_secret(session, key)
    _record(session, actor, "integration.rotate", key)
    return made


def revoke(session: Session, actor: Actor, key_id: str) -> None:
    """Take a key out of use at once; revoking twice is revoking once."""
    key = own(session, actor, key_id)
    if key.revoked_at is not None:
        return
    key.revoked_at = clock.now()
    session.add(key)
    for secret in session.exec(select(IntegrationSecret).where(IntegrationSecret.key_id == key.id)).all():
        secret.expires_at, secret.signing = min(secret.expires_at or key.revoked_at, key.revoked_at), None
        session.add(secret)
    _record(session, actor, "integration.revoke", key)


def resolve(session: Session, bearer: str) -> Holder:
    """Who holds a bearer; raises ``NotSignedIn`` for one that is unknown, over or revoked."""
    now = clock.now()
    query = (
        select(IntegrationSecret, IntegrationKey)
        .join(IntegrationKey, col(IntegrationKey.id) == IntegrationSecret.key_id)
        .where(IntegrationSecret.token_hash == crypto.hash_secret(bearer))
    )
    row = session.exec(query).first()
    if row is None:
        raise NotSignedIn("key_unknown")
    secret, key = row
    if key.revoked_at is not None or (secret.expires_at is not None and secret.expires_at <= now):
        raise NotSignedIn("key_unknown")
    live = _live(session, key.id, now)
    actor = Actor(
        kind="integration",
        session_id=f"integration:{key.id}",
        account_id=f"integration:{key.id}",
        site_id=key.site_id,
        roles=frozenset({Role.INTEGRATION}),
        limits=frozenset(Right(scope) for scope in key.scopes),
    )
    ends = [other.expires_at for other in live if other.expires_at is not None]
    signing = tuple(crypto.reveal(other, "signing") for other in live)
    return Holder(actor, signing, min(ends, default=None), key.used_at)


def key_of(actor: Actor) -> str:
    """The key by which another system acts."""
    return actor.account_id.removeprefix("integration:")


def is_revoked(session: Session, key_id: str) -> bool:
    """Whether a key was revoked."""
    key = session.get(IntegrationKey, key_id)
    return key is None or key.revoked_at is not None


def needs_touch(used_at: datetime | None) -> bool:
    """Whether the last use on record is old enough to be written anew."""
    return used_at is None or clock.now() - used_at >= TOUCH_EVERY


def touch(session: Session, key_id: str) -> None:
    """Note that a key was used."""
    key = session.get(IntegrationKey, key_id)
    if key is not None:
        key.used_at = clock.now()
        session.add(key)


def of_site(session: Session, site_id: str) -> Sequence[IntegrationKey]:
    """The keys of a site that are in use, in the order they were made."""
    query = select(IntegrationKey).where(
        IntegrationKey.site_id == site_id, col(IntegrationKey.revoked_at).is_(None)
    )
    return session.exec(query.order_by(IntegrationKey.id)).all()


def ending(session: Session, key_ids: Sequence[str]) -> dict[str, datetime]:
    """Until when the old secrets of keys live that are being rotated."""
    query = select(IntegrationSecret).where(
        col(IntegrationSecret.key_id).in_(key_ids), col(IntegrationSecret.expires_at) > clock.now()
    )
    return {row.key_id: row.expires_at for row in session.exec(query).all() if row.expires_at}


def own(session: Session, actor: Actor, key_id: str) -> IntegrationKey:
    """A key of the actor's site; another's looks as if it did not exist."""
    actor.require(Right.INTEGRATION_EDIT)
    key = session.get(IntegrationKey, key_id)
    if key is None or key.site_id != actor.site_id:
        raise NotFound("integration_unknown")
    return key


def _add_secret(session: Session, key: IntegrationKey) -> Issued:
    bearer, signing = PREFIX + new_secret(), webhook_signing.new_secret()
    row = IntegrationSecret(
        id=new_id(), key_id=key.id, token_hash=crypto.hash_secret(bearer), created_at=clock.now()
    )
    crypto.seal(row, "signing", signing)
    session.add(row)
    session.flush()
    return Issued(key.id, bearer, signing)


def _live(session: Session, key_id: str, now: datetime) -> Sequence[IntegrationSecret]:
    """The secrets of a key that live, newest first."""
    query = (
        select(IntegrationSecret)
        .where(IntegrationSecret.key_id == key_id)
        .where(col(IntegrationSecret.expires_at).is_(None) | (col(IntegrationSecret.expires_at) > now))
    )
    return session.exec(query.order_by(col(IntegrationSecret.id).desc())).all()


def _record(session: Session, actor: Actor, action: str, key: IntegrationKey) -> None:
    details = {"scopes": ",".join(key.scopes)}
    audit.record(session, actor, action, "integration", key.id, site_id=key.site_id, details=details)
    announce(session, IntegrationChanged(key.site_id, key.id))
