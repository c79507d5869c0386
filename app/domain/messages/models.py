"""Tables of messages: the manager's texts, the site's hours, what people chose, and who was reminded of which visit."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.core.types import UtcDateTime


class MessageTemplate(SQLModel, table=True):
    """A text that a manager wrote for an event in a language; without one the catalogue's holds."""

    __tablename__ = "message_template"
    __table_args__ = (UniqueConstraint("site_id", "event", "locale"),)
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id")
    event: str
    locale: str
    text: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


class MessagePolicy(SQLModel, table=True):
    """A site's quiet hours, in minutes after midnight, and how long before a visit its visitor is reminded; 0 is never."""

    __tablename__ = "message_policy"
    site_id: str = Field(primary_key=True, foreign_key="site.id")
    quiet_from: int = 22 * 60
    quiet_until: int = 7 * 60
    reminder_minutes: int = 120


class MessagePreference(SQLModel, table=True):
    """How somebody wants to be told beside the product's own inbox; ``id`` is the person's."""

    __tablename__ = "message_preference"
    id: str = Field(primary_key=True, foreign_key="person.id")
    sms: bool = False
    email: bool = False
    address: bytes | None = None


class VisitReminder(SQLModel, table=True):
    """That the visitor of a booking was reminded of the visit at this time; another time is another reminder."""

    __tablename__ = "visit_reminder"
    booking_id: str = Field(primary_key=True, foreign_key="booking.id")
    starts_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    posted_at: datetime = Field(sa_type=UtcDateTime, index=True)
