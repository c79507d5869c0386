"""All queries on people, accounts and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlmodel import Session, col, func, select

from app.core import crypto
from app.core.errors import NotFound
from app.domain.people.models import Account, ApiKey, InboxMessage, Person, UnitMember, WebSession
from app.domain.sites.models import Unit


def person(session: Session, person_id: str) -> Person:
    """One person; raises ``NotFound``."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound("person_unknown")
    return found


def staff(session: Session, site_id: str) -> Sequence[Person]:
    """Who works at a site, in the order they were entered."""
    query = select(Person).where(
        Person.site_id == site_id, Person.kind == "staff", col(Person.erased_at).is_(None)
    )
    return session.exec(query.order_by(Person.id)).all()


def by_phone(session: Session, site_id: str, phone: str, kinds: Sequence[str]) -> Person | None:
    """The newest person of these kinds at a site with this phone."""
    query = (
        select(Person)
        .where(Person.phone_index == crypto.keyring().index("phone", f"{site_id}|{phone}"))
        .where(col(Person.kind).in_(kinds))
        .order_by(col(Person.id).desc())
    )
    return session.exec(query).first()


def account_by_name(session: Session, username: str, *, lock: bool = False) -> Account | None:
    """The account with this user name; ``lock`` makes sign-ins with it queue, so that each failure counts."""
    query = select(Account).where(Account.username == username.strip().lower())
    return session.exec(query.with_for_update(key_share=True) if lock else query).first()


def account(session: Session, account_id: str) -> Account:
    """One account; raises ``NotFound``."""
    found = session.get(Account, account_id)
    if found is None:
        raise NotFound("account_unknown")
    return found


def accounts(
    session: Session, site_id: str, limit: int = 50, offset: int = 0
) -> Sequence[tuple[Account, Person]]:
    """Accounts of a site with their persons, by user name."""
    query = (
        select(Account, Person)
        .join(Person, col(Person.id) == Account.person_id)
        .where(Account.site_id == site_id)
        .order_by(Account.username)
        .limit(limit)
        .offset(offset)
    )
    return session.exec(query).all()


def count_accounts(session: Session) -> int:
    """How many accounts there are; none means that the installation is not set up."""
    return int(session.exec(select(func.count()).select_from(Account)).one())


def web_session(session: Session, session_id: bytes) -> WebSession | None:
    """One session row by the hash of its cookie."""
    return session.get(WebSession, session_id)


def sessions_of(session: Session, account_id: str) -> Sequence[WebSession]:
    """All sessions of an account."""
    return session.exec(select(WebSession).where(WebSession.account_id == account_id)).all()


def api_key(session: Session, key_hash: bytes) -> ApiKey | None:
    """One live API key."""
    found = session.get(ApiKey, key_hash)
    return found if found is not None and found.revoked_at is None else None


def members(session: Session, unit_id: str) -> Sequence[tuple[UnitMember, Person]]:
    """Who belongs to a unit, in the order they were entered."""
    query = (
        select(UnitMember, Person)
        .join(Person, col(Person.id) == UnitMember.person_id)
        .where(UnitMember.unit_id == unit_id, col(Person.erased_at).is_(None))
        .order_by(UnitMember.id)
    )
    return session.exec(query).all()


def units_of(session: Session, person_id: str) -> Sequence[Unit]:
    """The units somebody may receive visitors in."""
    query = (
        select(Unit)
        .join(UnitMember, col(UnitMember.unit_id) == Unit.id)
        .where(UnitMember.person_id == person_id)
        .order_by(Unit.label)
    )
    return session.exec(query).all()


def residents(
    session: Session, site_id: str, limit: int, offset: int, needle: str = "", *, occupied: bool = False
) -> Sequence[tuple[Unit, UnitMember | None, Person | None]]:
    """Units with their members, by unit; one without anyone is a row as well, unless only ``occupied`` are wanted."""
    query = (
        _dwellings(select(Unit, UnitMember, Person), site_id, needle, occupied)
        .order_by(Unit.label, UnitMember.id)
        .limit(limit)
        .offset(offset)
    )
    return cast("Sequence[tuple[Unit, UnitMember | None, Person | None]]", session.exec(query).all())


def count_residents(session: Session, site_id: str, needle: str = "", *, occupied: bool = False) -> int:
    """How many rows ``residents`` has in all."""
    query = _dwellings(select(func.count()).select_from(Unit), site_id, needle, occupied)
    return int(session.exec(query).one())


def _dwellings(query: Any, site_id: str, needle: str, occupied: bool) -> Any:
    found = (
        query.join(UnitMember, col(UnitMember.unit_id) == Unit.id, isouter=not occupied)
        .join(Person, col(Person.id) == UnitMember.person_id, isouter=not occupied)
        .where(Unit.site_id == site_id, col(Person.erased_at).is_(None))
    )
    return found.where(col(Unit.label).contains(needle, autoescape=True)) if needle else found


def accounts_of(session: Session, person_ids: Sequence[str]) -> dict[str, Account]:
    """The accounts of some people, by person."""
    query = select(Account).where(col(Account.person_id).in_(person_ids))
    return {account.person_id: account for account in session.exec(query).all()}


def usernames(session: Session, account_ids: Sequence[str]) -> dict[str, str]:
    """User names by account."""
    query = select(Account.id, Account.username).where(col(Account.id).in_(account_ids))
    return dict(session.exec(query).all())


def holders(session: Session, site_id: str, role: str) -> list[str]:
    """The people of a site who hold a role and may sign in."""
    query = select(Account).where(Account.site_id == site_id, col(Account.disabled).is_(False))
    return sorted({account.person_id for account in session.exec(query).all() if role in account.roles})


def unread(session: Session, person_id: str, topic: str, limit: int = 5) -> Sequence[InboxMessage]:
    """What somebody was told of a topic and has not seen yet, oldest first."""
    query = (
        select(InboxMessage)
        .where(InboxMessage.person_id == person_id, InboxMessage.topic == topic)
        .where(col(InboxMessage.read_at).is_(None))
        .order_by(col(InboxMessage.id))
        .limit(limit)
    )
    return session.exec(query).all()


def inbox(session: Session, person_id: str, limit: int = 20) -> Sequence[InboxMessage]:
    """The newest messages of a person."""
    query = (
        select(InboxMessage)
        .where(InboxMessage.person_id == person_id)
        .order_by(col(InboxMessage.id).desc())
        .limit(limit)
    )
    return session.exec(query).all()
