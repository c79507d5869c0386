"""The visitor's link: one purpose, dead with the visit, and a second factor before anything is shown (S-19)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.errors import Conflict, NotFound, TooMany
from app.domain.booking import repository
from app.domain.booking.models import Booking
from app.domain.booking.rules import LinkEnd, link_end, link_until
from app.domain.people import repository as people
from app.domain.sites import repository as sites

LINK_FAILURES = 5
LINK_LOCK = timedelta(minutes=30)
FACTOR_DIGITS = 4


@dataclass(frozen=True, slots=True)
class LinkState:
    """What may be told of a link before the second factor: why it is dead, or which factor opens it."""

    end: LinkEnd | None
    by_phone: bool


def link_secret(booking: Booking) -> str:
    """The secret in the visitor's link: derived, so that the host can send it again; only its hash is stored."""
    return base64.urlsafe_b64encode(_derived("link", booking)[:18]).decode()


def open_code(session: Session, booking: Booking) -> str:
    """The four digits that open the link of a guest without a phone, told by the host apart from the link.

    Empty for a guest with a phone: there the last four digits of the number do it.
    """
    return "" if phone_of(session, booking) else _spoken(booking)


def until(session: Session, booking: Booking) -> datetime:
    """Until when the link, the visitor's session and the code on the phone live."""
    kind = sites.visitor_type(session, booking.site_id, booking.visitor_type)
    return link_until(booking.status, booking.ends_at, timedelta(minutes=kind.late_minutes))


def end_of(session: Session, booking: Booking) -> LinkEnd | None:
    """Why the visit's link is dead, None while it lives."""
    return link_end(booking.status, until(session, booking), clock.now())


def look(session: Session, secret: str) -> LinkState:
    """What stands behind a link, without a word about who it is; raises ``NotFound`` for a made-up one."""
    booking = repository.of_link(session, secret)
    if booking is None:
        raise NotFound("link_unknown")
    return LinkState(end_of(session, booking), bool(phone_of(session, booking)))


def open_link(session: Session, secret: str, factor: str) -> Booking | None:
    """The booking behind a link once its second factor fits; None after a wrong answer.

    The factor is the last four digits of the visitor's phone, or the host's code where no phone is known: a link
    alone never opens. Five wrong answers lock it for half an hour; the caller commits either way, or the count is
    lost. Raises ``NotFound`` for a made-up link, ``Conflict`` when the visit is over, ``TooMany`` while locked.
    """
    booking = repository.by_link(session, secret)
    if booking is None:
        raise NotFound("link_unknown")
    if end_of(session, booking) is not None:
        raise Conflict("link_over")
    now = clock.now()
    if booking.link_locked_until and booking.link_locked_until > now:
        raise TooMany("link_locked", minutes=int(LINK_LOCK.total_seconds() // 60))
    phone = phone_of(session, booking)
    wanted = phone[-FACTOR_DIGITS:] if phone else _spoken(booking)
    actor = Actor(kind="visitor", site_id=booking.site_id)
    if not hmac.compare_digest(wanted.encode(), inputs.digits(factor).encode()):
        booking.link_failures += 1
        if booking.link_failures >= LINK_FAILURES:
            booking.link_failures, booking.link_locked_until = 0, now + LINK_LOCK
        session.add(booking)
        reason = "phone_tail" if phone else "open_code"
        audit.record(session, actor, "link.fail", "booking", booking.id, result="refused", reason=reason)
        return None
    booking.link_failures, booking.link_locked_until = 0, None
    session.add(booking)
    audit.record(session, actor, "link.open", "booking", booking.id)
    return booking


def phone_of(session: Session, booking: Booking) -> str:
    """The visitor's number, empty where none was given."""
    return crypto.reveal(people.person(session, booking.visitor_id), "phone")


def _spoken(booking: Booking) -> str:
    number = int.from_bytes(_derived("link-code", booking)[:8])
    return f"{number % 10**FACTOR_DIGITS:0{FACTOR_DIGITS}d}"


def _derived(purpose: str, booking: Booking) -> bytes:
    return crypto.keyring().sign(purpose, f"{booking.id}|{booking.link_version}".encode())
