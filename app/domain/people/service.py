"""Entering people and giving them accounts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col

from app.core import audit, clock, crypto, inputs, passwords, search
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput, NotAllowed, NotFound
from app.core.ids import new_id
from app.core.permissions import Right, Role, may_hold_together
from app.domain.people import repository
from app.domain.people.models import Account, InboxChanged, InboxMessage, Person, SessionEnded, UnitMember

_INSERT_INBOX = insert(InboxMessage)

RESIDENT, STAFF, VISITOR = "resident", "staff", "visitor"


def add_person(
    session: Session,
    site_id: str,
    kind: str,
    name: str,
    phone: str = "",
    *,
    company: str = "",
    document_tail: str = "",
    document_number: str = "",
    more_spellings: Iterable[str] = (),
) -> Person:
    """Enter a person with checked input; visitors become findable at the desk."""
    clean_name = inputs.name(name)
    number = inputs.phone(phone, required=False)
    tail = inputs.clean(document_tail).upper()
    if tail and (len(tail) != 4 or not tail.isalnum()):
        raise InvalidInput("document_tail_wrong", "document_tail")
    person = Person(id=new_id(), site_id=site_id, kind=kind, created_at=clock.now())
    crypto.seal(person, "name", clean_name)
    crypto.seal(person, "phone", number)
    crypto.seal(person, "company", inputs.text(company, "company"))
    crypto.seal(person, "document_tail", tail)
    crypto.seal(person, "document_number", document_number)
    if number:
        person.phone_index = crypto.keyring().index("phone", f"{site_id}|{number}")
    session.add(person)
    session.flush()
    if kind == VISITOR:
        spellings = search.name_spellings(clean_name) | search.phone_spellings(number) | set(more_spellings)
        search.add(session, site_id, person.id, spellings)
    return person


def change_visitor(
    session: Session,
    person_id: str,
    name: str,
    phone: str,
    *,
    company: str,
    document_tail: str,
    document_number: str,
    keep_company: bool = False,
    more_spellings: Iterable[str] = (),
) -> bool:
    """Correct what is known of an expected visitor; True when that makes it somebody else: name, phone or document.

    What the visitor said stays where nothing is said against it (``keep_company`` for the company); of somebody else
    nothing stays.
    """
    person = repository.person(session, person_id)
    clean_name = inputs.name(name)
    wanted = {
        "name": clean_name,
        "phone": inputs.phone(phone, required=False),
        "document_tail": document_tail,
        "document_number": document_number,
    }
    known = {column: crypto.reveal(person, column) for column in wanted}
    for column in ("document_tail", "document_number"):
        wanted[column] = wanted[column] or known[column]
    # What was not known before, or is not told any more, names the same person more or less closely.
    other = any(known[column] and value and known[column] != value for column, value in wanted.items())
    if other:
        wanted |= {"document_tail": document_tail, "document_number": document_number}
    elif keep_company:
        company = company or crypto.reveal(person, "company")
    for column, value in wanted.items():
        if known[column] != value:
            crypto.seal(person, column, value)
    crypto.seal(person, "company", inputs.text(company, "company"))
    number = wanted["phone"]
    place = f"{person.site_id}|{number}"
    person.phone_index = crypto.keyring().index("phone", place) if number else None
    session.add(person)
    session.flush()
    search.remove(session, person.id)
    spellings = search.name_spellings(clean_name) | search.phone_spellings(number) | set(more_spellings)
    search.add(session, person.site_id, person.id, spellings)
    return other


def join_unit(session: Session, unit_id: str, person_id: str, relation: str = "owner") -> UnitMember:
    """Let a person receive visitors in a unit."""
    member = UnitMember(id=new_id(), unit_id=unit_id, person_id=person_id, relation=relation)
    session.add(member)
    session.flush()
    return member


def correct(session: Session, person: Person, name: str, phone: str | None) -> None:
    """Set the name of somebody who lives or works here, and the phone unless nothing is said of it (None)."""
    crypto.seal(person, "name", inputs.name(name))
    if phone is not None:
        number = inputs.phone(phone, required=False)
        crypto.seal(person, "phone", number)
        place = f"{person.site_id}|{number}"
        person.phone_index = crypto.keyring().index("phone", place) if number else None
    session.add(person)
    session.flush()


def take_leave(session: Session, actor: Actor, person_id: str) -> None:
    """Somebody left: no unit receives visitors for them, and they can sign in no more, unless they work at the gate too.

    Whether they left is the caller's to know.
    """
    person = repository.person(session, person_id)
    leave_units(session, person.id)
    account = repository.accounts_of(session, [person.id]).get(person.id)
    if account is not None and set(account.roles) <= {Role.HOST, Role.RESIDENT}:
        account.disabled = True
        session.add(account)
        rows = repository.sessions_of(session, account.id)
        for row in rows:
            session.delete(row)
        announce(session, SessionEnded([row.id for row in rows]))
    audit.record(session, actor, "person.leave", "person", person.id, site_id=person.site_id)


def leave_units(session: Session, person_id: str) -> None:
    """Take somebody out of every unit."""
    session.flush()
    session.connection().execute(delete(UnitMember).where(col(UnitMember.person_id) == person_id))


def create_account(
    session: Session,
    actor: Actor,
    site_id: str,
    person: Person,
    username: str,
    password: str,
    roles: Iterable[Role],
    *,
    must_change: bool = True,
) -> Account:
    """Give a person a way to sign in; refuses weak passwords, taken names and roles that exclude each other."""
    held = frozenset(roles)
    if actor.kind != "system":
        actor.require(
            Right.PEOPLE_EDIT if held <= {Role.RESIDENT, Role.HOST} else Right.ACCOUNT_EDIT, site_id
        )
    if person.site_id != site_id:
        raise NotFound("person_unknown")
    login = inputs.clean(username).lower()
    if not 3 <= len(login) <= 40 or " " in login:
        raise InvalidInput("username_wrong", "username")
    if repository.account_by_name(session, login):
        raise InvalidInput("username_taken", "username")
    if not held or not may_hold_together(held):
        raise InvalidInput("roles_exclude", "roles")
    privileged = bool(held & {Role.MANAGER, Role.ADMIN, Role.AUDITOR})
    minimum = passwords.MIN_LENGTH_MANAGER if privileged else passwords.MIN_LENGTH
    passwords.check_strength(password, login, minimum)
    account = Account(
        id=new_id(),
        site_id=site_id,
        person_id=person.id,
        username=login,
        password_hash=passwords.hash_password(password),
        roles=sorted(held),
        must_change=must_change,
        password_set_at=clock.now(),
    )
    session.add(account)
    session.flush()
    audit.record(
        session,
        actor,
        "account.create",
        "account",
        account.id,
        site_id=site_id,
        details={"roles": sorted(held)},
    )
    return account


def give_account(session: Session, actor: Actor, person_id: str, username: str, roles: Iterable[Role]) -> str:
    """Open an account for somebody of the actor's site; returns the password of the first sign-in, kept nowhere."""
    person = repository.person(session, person_id)
    if person.site_id != actor.site_id or person.kind == VISITOR or person.erased_at is not None:
        raise NotAllowed("not_allowed")
    if repository.accounts_of(session, [person.id]):
        raise InvalidInput("account_exists", "username")
    password = one_time_password()
    create_account(session, actor, person.site_id, person, username, password, roles, must_change=True)
    return password


def one_time_password() -> str:
    """A random password that can be read out: no letter that looks like a digit."""
    groups = ("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(4)) for _ in range(3))
    return f"{'-'.join(groups)}-{secrets.randbelow(90) + 10}{secrets.choice('ABCDEFGHJKLMNPQRSTUVWXYZ')}"


def change_password(session: Session, actor: Actor, account_id: str, old: str, new: str) -> None:
    """Set one's own password; every other session of the account ends."""
    account = repository.account(session, account_id)
    if actor.account_id != account_id:
        raise NotAllowed("not_allowed")
    if not passwords.verify_password(old, account.password_hash)[0]:
        raise InvalidInput("password_not_right", "old_password")
    if old == new:
        raise InvalidInput("password_same", "password")
    privileged = bool(frozenset(account.roles) & {Role.MANAGER, Role.ADMIN, Role.AUDITOR})
    passwords.check_strength(
        new, account.username, passwords.MIN_LENGTH_MANAGER if privileged else passwords.MIN_LENGTH
    )
    account.password_hash, account.must_change = passwords.hash_password(new), False
    account.password_set_at = clock.now()
    session.add(account)
    ended = []
    for row in repository.sessions_of(session, account_id):
        if row.id.hex() != actor.session_id:
            ended.append(row.id)
            session.delete(row)
    # One's own session goes on, but with the rights it now has.
    announce(session, SessionEnded([*ended, bytes.fromhex(actor.session_id)]))
    audit.record(session, actor, "account.password", "account", account.id, site_id=account.site_id)


def set_disabled(session: Session, actor: Actor, account_id: str, disabled: bool) -> None:
    """Shut or reopen an account; shutting ends its sessions at once."""
    account = repository.account(session, account_id)
    actor.require(Right.ACCOUNT_EDIT, account.site_id)
    if account.id == actor.account_id:
        raise InvalidInput("account_self", "account")
    account.disabled = disabled
    session.add(account)
    rows = repository.sessions_of(session, account_id) if disabled else []
    for row in rows:
        session.delete(row)
    announce(session, SessionEnded([row.id for row in rows]))
    action = "account.disable" if disabled else "account.enable"
    audit.record(session, actor, action, "account", account.id, site_id=account.site_id)


def set_locale(session: Session, actor: Actor, locale: str) -> None:
    """Keep the language somebody chose."""
    if actor.account_id:
        account = repository.account(session, actor.account_id)
        account.locale = locale
        session.add(account)


def notify(session: Session, person_id: str, topic: str, payload: dict[str, str]) -> None:
    """Put a message into somebody's inbox and wake the pages that show it."""
    session.flush()
    row = {
        "id": new_id(),
        "person_id": person_id,
        "topic": topic,
        "payload": payload,
        "created_at": clock.now(),
    }
    session.connection().execute(_INSERT_INBOX, row)
    announce(session, InboxChanged(person_id))


def mark_read(session: Session, actor: Actor, topic: str) -> None:
    """Note that somebody has seen what they were told of a topic."""
    session.connection().execute(
        update(InboxMessage)
        .where(col(InboxMessage.person_id) == actor.person_id, col(InboxMessage.topic) == topic)
        .where(col(InboxMessage.read_at).is_(None))
        .values(read_at=clock.now())
    )
