"""Signing in and out, lock-out, idle log-out (EV-05, GB/T 22239): rows in the database, a random id in a cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from app.core import audit, clock, crypto, passwords
from app.core.actor import ANONYMOUS, Actor
from app.core.database import announce
from app.core.errors import NotSignedIn, TooMany
from app.core.ids import new_secret
from app.core.limiter import Limiter
from app.core.permissions import STAFF, Role
from app.core.settings import get_settings
from app.domain.people import repository
from app.domain.people.models import Account, SessionEnded, WebSession

LONGEST = timedelta(days=30)
TOUCH_EVERY = timedelta(seconds=60)


def _lock_time() -> timedelta:
    return timedelta(minutes=get_settings().sign_in_lock_minutes)


def address_rate() -> tuple[int, timedelta]:
    """How often one address may try to sign in, and within what time (GB/T 22239)."""
    return get_settings().sign_in_address_attempts, _lock_time()


address_limit = Limiter(address_rate)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the cookie's value, shown once, and whom it belongs to."""

    secret: str
    account: Account
    expires_at: datetime


def idle_minutes(roles: frozenset[str]) -> int:
    """After how long without an event a session ends, by what its owner may do."""
    settings = get_settings()
    if roles & {Role.ADMIN, Role.MANAGER, Role.AUDITOR}:
        return settings.idle_minutes_manager
    return settings.idle_minutes_staff if roles & STAFF else settings.idle_minutes_resident


def sign_in(session: Session, username: str, password: str, ip: str) -> SignedIn | None:
    """Check a password and open a session; None when it does not fit (the failure is counted and audited).

    A locked account fits no password; ``locked_minutes`` says for how long. The caller commits in both cases, or
    the count is lost.
    """
    account = repository.account_by_name(session, username, lock=True)
    visitor = Actor(kind="anonymous", ip=ip)
    now = clock.now()
    if account is None:
        passwords.waste_time()
        audit.record(session, visitor, "session.fail", "account", "", result="refused", reason="unknown")
        return None
    if account.locked_until and account.locked_until > now:
        audit.record(
            session, visitor, "session.fail", "account", account.id, result="refused", reason="locked"
        )
        return None
    fits, renewed = passwords.verify_password(password, account.password_hash)
    if not fits or account.disabled:
        account.failures += 1
        if account.failures >= get_settings().sign_in_failures:
            account.failures, account.locked_until = 0, now + _lock_time()
        session.add(account)
        reason = "disabled" if fits else "password"
        audit.record(session, visitor, "session.fail", "account", account.id, result="refused", reason=reason)
        return None
    account.failures, account.locked_until = 0, None
    account.password_hash = renewed or account.password_hash
    session.add(account)
    roles = frozenset(account.roles)
    if roles & {Role.ADMIN, Role.MANAGER, Role.AUDITOR}:
        _end_all(session, account.id)
    secret = new_secret()
    expires = now + LONGEST
    session.add(
        WebSession(
            id=crypto.hash_secret(secret),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            expires_at=expires,
            idle_minutes=idle_minutes(roles),
            ip=ip,
        )
    )
    session.flush()
    actor = _actor(account, crypto.hash_secret(secret), ip)
    audit.record(session, actor, "session.open", "account", account.id, site_id=account.site_id)
    return SignedIn(secret, account, expires)


def locked_minutes(session: Session, username: str) -> int:
    """For how many minutes sign-in with this name is closed; raises nothing, reveals nothing of unknown names."""
    account = repository.account_by_name(session, username)
    if account is None or account.locked_until is None or account.locked_until <= clock.now():
        return 0
    return max(1, int((account.locked_until - clock.now()).total_seconds() // 60) + 1)


def open_visitor_session(session: Session, booking_id: str, expires_at: datetime, ip: str) -> str:
    """A session for the browser of a visitor who proved the link and the phone; returns the cookie's value."""
    secret, now = new_secret(), clock.now()
    session.add(
        WebSession(
            id=crypto.hash_secret(secret),
            booking_id=booking_id,
            created_at=now,
            seen_at=now,
            expires_at=min(expires_at, now + LONGEST),
            idle_minutes=get_settings().idle_minutes_resident,
            ip=ip,
        )
    )
    return secret


def end_visitor_sessions(session: Session, booking_id: str) -> None:
    """Have every browser that opened the link of a booking ask for its second factor again."""
    rows = session.exec(select(WebSession).where(WebSession.booking_id == booking_id)).all()
    for row in rows:
        session.delete(row)
    announce(session, SessionEnded([row.id for row in rows]))


def resolve(session: Session, secret: str, ip: str = "") -> Actor:
    """The actor behind a cookie; anonymous when it is unknown, expired or was idle too long."""
    key = crypto.hash_secret(secret)
    row = repository.web_session(session, key)
    now = clock.now()
    if row is None or row.expires_at <= now or row.seen_at + timedelta(minutes=row.idle_minutes) <= now:
        return ANONYMOUS
    if row.booking_id:
        return Actor(
            kind="visitor",
            session_id=key.hex(),
            roles=frozenset({Role.VISITOR}),
            booking_id=row.booking_id,
            ip=ip or row.ip,
        )
    account = repository.account(session, row.account_id or "")
    return ANONYMOUS if account.disabled else _actor(account, key, ip or row.ip)


def touch(session: Session, session_id: str) -> None:
    """Note that somebody is there; called at most once a minute per session."""
    row = repository.web_session(session, bytes.fromhex(session_id))
    if row is not None:
        row.seen_at = clock.now()
        session.add(row)


def sign_out(session: Session, actor: Actor) -> None:
    """End the actor's session."""
    row = repository.web_session(session, bytes.fromhex(actor.session_id)) if actor.session_id else None
    if row is None:
        raise NotSignedIn("not_signed_in")
    session.delete(row)
    audit.record(session, actor, "session.close", "account", actor.account_id, site_id=actor.site_id)
    announce(session, SessionEnded([row.id]))


def check_address(ip: str) -> None:
    """Count a sign-in attempt from an address; raises ``TooMany``."""
    try:
        address_limit.hit(ip)
    except TooMany as error:
        raise TooMany("sign_in_locked", minutes=get_settings().sign_in_lock_minutes) from error


def _end_all(session: Session, account_id: str) -> None:
    rows = repository.sessions_of(session, account_id)
    for row in rows:
        session.delete(row)
    announce(session, SessionEnded([row.id for row in rows]))


def _actor(account: Account, key: bytes, ip: str) -> Actor:
    return Actor(
        kind="account",
        account_id=account.id,
        person_id=account.person_id,
        session_id=key.hex(),
        site_id=account.site_id,
        # Until a one-time password is replaced the account can do nothing else (EV-05).
        roles=frozenset() if account.must_change else frozenset(Role(role) for role in account.roles),
        locale=account.locale,
        ip=ip,
    )
