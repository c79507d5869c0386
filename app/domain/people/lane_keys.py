"""Keys by which a lane's own computer speaks for it: shown once, kept as a hash, revoked by name (AD-03, EV-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session, col, select

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.ids import new_secret
from app.core.permissions import Right
from app.domain.people.models import ApiKey
from app.domain.sites import repository as sites

MAX_LABEL = 40
# Each answer of the route would otherwise cost a second transaction; to know the quarter of an hour is enough.
TOUCH_EVERY = timedelta(minutes=15)


def create(session: Session, actor: Actor, lane_id: str, label: str) -> str:
    """A new key of a lane; returns its secret, which is stored nowhere."""
    lane = sites.lane(session, lane_id)
    if actor.kind != "system":
        actor.require(Right.DEVICE_EDIT, lane.site_id)
    name = inputs.name(inputs.text(label, "label", MAX_LABEL), "label")
    secret = new_secret()
    key = ApiKey(
        id=crypto.hash_secret(secret),
        site_id=lane.site_id,
        lane_id=lane.id,
        label=name,
        created_at=clock.now(),
    )
    session.add(key)
    _record(session, actor, "key.create", key)
    return secret


def revoke(session: Session, actor: Actor, key_id: bytes) -> None:
    """Take a key out of use; revoking twice is revoking once. Processes that know it forget it within seconds."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("key_unknown")
    if actor.kind != "system":
        actor.require(Right.DEVICE_EDIT, key.site_id)
    if key.revoked_at is not None:
        return
    key.revoked_at = clock.now()
    session.add(key)
    _record(session, actor, "key.revoke", key)


def of_lane(session: Session, lane_id: str) -> Sequence[ApiKey]:
    """The keys of a lane that are in use, newest first."""
    query = (
        select(ApiKey)
        .where(ApiKey.lane_id == lane_id, col(ApiKey.revoked_at).is_(None))
        .order_by(col(ApiKey.created_at).desc(), ApiKey.label)
    )
    return session.exec(query).all()


def counts(session: Session, site_id: str) -> dict[str, int]:
    """How many keys in use each lane of a site has."""
    query = select(ApiKey.lane_id).where(ApiKey.site_id == site_id, col(ApiKey.revoked_at).is_(None))
    found: dict[str, int] = {}
    for lane_id in session.exec(query):
        found[lane_id] = found.get(lane_id, 0) + 1
    return found


def needs_touch(key: ApiKey) -> bool:
    """Whether the last use on record is old enough to be written anew."""
    return key.used_at is None or clock.now() - key.used_at >= TOUCH_EVERY


def touch(session: Session, key_id: bytes) -> None:
    """Note that a key was used."""
    key = session.get(ApiKey, key_id)
    if key is not None:
        key.used_at = clock.now()
        session.add(key)


def _record(session: Session, actor: Actor, action: str, key: ApiKey) -> None:
    # The beginning of the hash is also what the log calls the key when it acts.
    details = {"key": key.id.hex()[:12]}
    audit.record(session, actor, action, "lane", key.lane_id, site_id=key.site_id, details=details)
