"""How people and sites want messages: channels and an address, quiet hours, the reminder."""

from __future__ import annotations

import re

from sqlalchemy import delete
from sqlmodel import Session, col

from app.core import audit, crypto, inputs, outbox
from app.core.actor import Actor
from app.core.errors import InvalidInput, NotSignedIn
from app.core.permissions import Right
from app.domain.booking.models import Booking
from app.domain.booking.service import own_booking
from app.domain.messages.models import MessagePolicy, MessagePreference
from app.domain.messages.rules import DAY

# What mail servers take, without quoted names and comments; anything that could end a header line is out.
ADDRESS = re.compile(
    r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})\.)+[A-Za-z]{2,24}", re.ASCII
)
MAX_ADDRESS = 254
LONGEST_REMINDER = 2 * DAY


def of_site(session: Session, site_id: str) -> MessagePolicy:
    """A site's hours; what nobody set is the default."""
    return session.get(MessagePolicy, site_id) or MessagePolicy(site_id=site_id)


def set_hours(
    session: Session, actor: Actor, quiet_from: int, quiet_until: int, reminder_minutes: str | int
) -> bool:
    """Put a site's hours into force; False when nothing differs."""
    actor.require(Right.POLICY_EDIT, actor.site_id)
    row = of_site(session, actor.site_id)
    wanted = {
        "quiet_from": inputs.count(quiet_from, "quiet_from", 0, DAY - 1),
        "quiet_until": inputs.count(quiet_until, "quiet_until", 0, DAY - 1),
        "reminder_minutes": inputs.count(reminder_minutes, "reminder_minutes", 0, LONGEST_REMINDER),
    }
    before = {name: getattr(row, name) for name in wanted}
    if before == wanted:
        return False
    for name, value in wanted.items():
        setattr(row, name, value)
    session.add(row)
    details = {"from": before, "to": wanted}
    audit.record(
        session, actor, "policy.message_hours", "site", actor.site_id, site_id=actor.site_id, details=details
    )
    return True


def of_person(session: Session, person_id: str) -> MessagePreference:
    """What somebody chose; nothing but the inbox unless they did."""
    return session.get(MessagePreference, person_id) or MessagePreference(id=person_id)


def address_of(session: Session, person_id: str) -> str:
    """Somebody's mail address, empty where none is known."""
    return crypto.reveal(of_person(session, person_id), "address")


def choose(session: Session, actor: Actor, *, sms: bool, email: bool, address: str) -> None:
    """Keep one's own choice; raises ``InvalidInput`` for mail without an address."""
    if not actor.person_id:
        raise NotSignedIn("not_signed_in")
    clean = mail_address(address)
    if email and not clean:
        raise InvalidInput("email_missing", "address")
    row = of_person(session, actor.person_id)
    row.sms, row.email = sms, email
    crypto.seal(row, "address", clean)
    session.add(row)
    details = {"sms": sms, "email": email}
    audit.record(
        session, actor, "message.choose", "person", actor.person_id, site_id=actor.site_id, details=details
    )


def give_address(session: Session, actor: Actor, booking: Booking, address: str) -> bool:
    """Keep the mail address that a host gives for a guest, and send the invitation there; False where none is given."""
    if own_booking(session, actor, booking.id).visitor_id == actor.person_id:
        return False
    clean = mail_address(address, "email")
    if not clean:
        return False
    row = of_person(session, booking.visitor_id)
    row.email = True
    crypto.seal(row, "address", clean)
    session.add(row)
    session.flush()
    outbox.post(session, "email", "pass_link", booking.site_id, {"booking": booking.id})
    return True


def mail_address(value: str, field: str = "address") -> str:
    """An optional mail address as typed; raises ``InvalidInput``."""
    text = inputs.clean(value)
    if text and (len(text) > MAX_ADDRESS or not ADDRESS.fullmatch(text)):
        raise InvalidInput("email_wrong", field)
    return text


def forget(session: Session, person_id: str) -> None:
    """Take out somebody's address and choice."""
    session.connection().execute(delete(MessagePreference).where(col(MessagePreference.id) == person_id))
