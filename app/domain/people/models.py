"""Tables of people; every personal field is sealed, what must be found has a keyed hash beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import JsonText, UtcDateTime


class Person(SQLModel, table=True):
    """A human being known at one site."""

    __tablename__ = "person"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    kind: str
    name: bytes | None = None
    phone: bytes | None = None
    company: bytes | None = None
    document_tail: bytes | None = None
    document_number: bytes | None = None
    phone_index: bytes | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class UnitMember(SQLModel, table=True):
    """Who lives or works in a unit and may receive visitors there."""

    __tablename__ = "unit_member"
    __table_args__ = (UniqueConstraint("unit_id", "person_id"),)
    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="unit.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    relation: str = "owner"


class Account(SQLModel, table=True):
    """A user name with a password; belongs to one person, never shared."""

    __tablename__ = "account"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    person_id: str = Field(foreign_key="person.id")
    username: str = Field(unique=True)
    password_hash: str
    roles: list[str] = Field(sa_type=JsonText)
    locale: str = ""
    disabled: bool = False
    must_change: bool = False
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    password_set_at: datetime = Field(sa_type=UtcDateTime)


class WebSession(SQLModel, table=True):
    """A signed-in browser of an account, or a visitor's browser that opened a pass link; only the hash is kept."""

    __tablename__ = "web_session"
    id: bytes = Field(primary_key=True)
    account_id: str | None = Field(default=None, foreign_key="account.id", index=True)
    booking_id: str | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    idle_minutes: int
    ip: str = ""


class ApiKey(SQLModel, table=True):
    """A key by which a lane's computer speaks for that lane; only the hash is kept."""

    __tablename__ = "api_key"
    id: bytes = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    lane_id: str = Field(foreign_key="lane.id")
    label: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InboxMessage(SQLModel, table=True):
    """A message shown inside the product; topic and ids, worded when it is read."""

    __tablename__ = "inbox_message"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    topic: str
    payload: dict[str, Any] = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SessionEnded:
    """Announced when a session ended, so that every cache drops it at once."""

    def __init__(self, session_ids: list[bytes]) -> None:
        self.session_ids = session_ids


class InboxChanged:
    """Announced when somebody got a message or an answerable question."""

    def __init__(self, person_id: str) -> None:
        self.person_id = person_id
