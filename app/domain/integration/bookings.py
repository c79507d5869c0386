"""Bookings by another system (BK-03): made, changed and cancelled in the order of its own versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.core import clock, inputs, outbox
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.permissions import Right
from app.domain.access import invitations
from app.domain.access import service as access_service
from app.domain.access.models import VisitorPass
from app.domain.admission import repository as admission
from app.domain.admission import statements
from app.domain.admission.models import LaneChanged
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.booking import service as booking_service
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, BookingStatus, Purpose
from app.domain.booking.service import Invitation
from app.domain.identity import consents, numbers
from app.domain.integration import hosts, keys
from app.domain.integration.hosts import Wanted
from app.domain.integration.models import OutsideBooking
from app.domain.integration.requests import Reply
from app.domain.integration.rules import Order, order_of
from app.domain.integration.views import booking_view
from app.domain.messages import preferences
from app.domain.people import sessions as sign_ins
from app.domain.sites import repository as sites
from app.domain.sites.rules import VisitorKind

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Request:
    """A visit as another system asks for it; texts as sent, moments aware."""

    version: int
    host: Wanted
    name: str = field(repr=False)
    phone: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    ref: str = ""
    company: str = ""
    document: str = field(default="", repr=False)
    document_kind: str = numbers.DocumentKind.RESIDENT_ID
    purpose: str = Purpose.OTHER
    head_count: int = 1
    plate: str = field(default="", repr=False)
    visitor_type: str = VisitorKind.GUEST
    urgent: bool = False
    notify: bool = False


def create(session: Session, actor: Actor, asked: Request) -> Reply:
    """Book a visit with its pass; a ``ref`` that is known already makes it a change of that booking."""
    actor.require(Right.BOOKING_WRITE)
    if asked.ref:
        known = of_ref(session, actor, asked.ref)
        if known is not None:
            return change(session, actor, known.booking_id, asked)
    form, host_id, warnings = _form(session, actor.site_id, asked)
    booking, _ = booking_service.create(session, actor, form, BookingSource.OA, host_id)
    issued = access_service.issue_pass(
        session, booking.site_id, booking.id, booking.starts_at, booking.ends_at
    )
    session.add(
        OutsideBooking(
            booking_id=booking.id,
            site_id=booking.site_id,
            key_id=keys.key_of(actor),
            ref=asked.ref or None,
            version=asked.version,
        )
    )
    session.flush()
    _send(session, booking, asked)
    return _reply(session, booking, warnings, status=201, issued=issued)


def change(session: Session, actor: Actor, booking_id: str, asked: Request) -> Reply:
    """Bring a booking to a newer version; an older or the same one changes nothing and says so."""
    booking, outside = _own(session, actor, booking_id)
    order = order_of(outside.version, asked.version)
    if order is not Order.NEWER:
        return _reply(session, booking, stale=order is Order.OLDER)
    form, host_id, warnings = _form(session, actor.site_id, asked)
    booking, other = invitations.change(session, actor, booking.id, form, host_id)
    outside.version = asked.version
    session.add(outside)
    if other:
        _part_from(session, booking)
    _send(session, booking, asked)
    return _reply(session, booking, warnings)


def cancel(session: Session, actor: Actor, booking_id: str, version: int) -> Reply:
    """Withdraw a booking: the pass dies with it, and whoever stands at the gate is judged anew (I-9)."""
    booking, outside = _own(session, actor, booking_id)
    order = order_of(outside.version, version)
    cancelled = booking.status == BookingStatus.CANCELLED
    if order is Order.OLDER or (order is Order.SAME and cancelled):
        return _reply(session, booking, stale=order is Order.OLDER)
    booking = invitations.withdraw(session, actor, booking.id)
    outside.version = version
    session.add(outside)
    session.flush()
    return _reply(session, booking)


def get(session: Session, actor: Actor, booking_id: str) -> dict[str, Any]:
    """One booking of the key's site, masked; a permit is none."""
    actor.require(Right.BOOKING_READ)
    found = session.get(Booking, booking_id)
    if found is None or found.site_id != actor.site_id or found.source == BookingSource.STANDING:
        raise NotFound("booking_unknown")
    return booking_view(session, found, with_link=actor.has(Right.BOOKING_WRITE))


def page(
    session: Session, actor: Actor, *, after: str, limit: int, state: str, ref: str
) -> tuple[Sequence[dict[str, Any]], str]:
    """Bookings of the key's site, oldest first, from behind ``after``; and what to ask with for more, empty at the end."""
    actor.require(Right.BOOKING_READ)
    query = (
        select(Booking)
        .where(Booking.site_id == actor.site_id, Booking.source != BookingSource.STANDING)
        .where(col(Booking.id) > after)
        .order_by(col(Booking.id))
        .limit(limit + 1)
    )
    if state:
        query = query.where(Booking.status == state)
    if ref:
        query = query.join(OutsideBooking, col(OutsideBooking.booking_id) == Booking.id)
        query = query.where(OutsideBooking.ref == ref)
    rows = session.exec(query).all()
    with_link = actor.has(Right.BOOKING_WRITE)
    shown = [booking_view(session, booking, with_link=with_link) for booking in rows[:limit]]
    return shown, rows[limit - 1].id if len(rows) > limit else ""


def of_ref(session: Session, actor: Actor, ref: str) -> OutsideBooking | None:
    """What this system calls by a number of its own; what a key called so that was revoked since counts as well."""
    found = session.exec(
        select(OutsideBooking)
        .where(OutsideBooking.site_id == actor.site_id, OutsideBooking.ref == ref)
        .order_by(col(OutsideBooking.booking_id).desc())
    ).all()
    own = next((row for row in found if row.key_id == keys.key_of(actor)), None)
    return own or next((row for row in found if keys.is_revoked(session, row.key_id)), None)


def _own(session: Session, actor: Actor, booking_id: str) -> tuple[Booking, OutsideBooking]:
    """A booking that this system made, kept as it is meanwhile; any other does not exist for it.

    Numbers and versions of two systems say nothing of each other. A key that took the place of a revoked one goes on
    with its bookings.
    """
    actor.require(Right.BOOKING_WRITE)
    outside = session.get(OutsideBooking, booking_id)
    if outside is None or outside.site_id != actor.site_id:
        raise NotFound("booking_unknown")
    key_id = keys.key_of(actor)
    if outside.key_id != key_id and not keys.is_revoked(session, outside.key_id):
        raise NotFound("booking_unknown")
    booking = bookings.locked(session, booking_id)
    session.refresh(outside)  # what it said before the wait may be old
    outside.key_id = key_id
    session.add(outside)
    return booking, outside


def _form(session: Session, site_id: str, asked: Request) -> tuple[Invitation, str, list[dict[str, str]]]:
    warnings = []
    purpose = asked.purpose
    if purpose not in set(Purpose):
        purpose = Purpose.OTHER
        warnings.append({"code": "purpose_unknown", "field": "purpose"})
    unit_id, host_id = hosts.find(session, site_id, asked.host)
    return (
        Invitation(
            unit_id=unit_id,
            name=asked.name,
            phone=asked.phone,
            starts_at=asked.starts_at,
            ends_at=asked.ends_at,
            purpose=purpose,
            head_count=asked.head_count,
            plate=asked.plate,
            visitor_type=asked.visitor_type,
            company=asked.company,
            document=_document(session, site_id, asked),
            urgent=asked.urgent,
        ),
        host_id,
        warnings,
    )


def _document(session: Session, site_id: str, asked: Request) -> str:
    """The number as it is written down; raises ``InvalidInput`` for one that cannot be right (BK-05)."""
    if not inputs.clean(asked.document):
        return ""
    if asked.document_kind not in set(numbers.DocumentKind):
        raise InvalidInput("choice_wrong", "document_kind")
    today = clock.now().astimezone(ZoneInfo(sites.site(session, site_id).time_zone)).date()
    seen = numbers.check(numbers.DocumentKind(asked.document_kind), asked.document, today)
    if not seen.holds:
        raise InvalidInput("document_number_wrong", "document")
    return seen.number


def _part_from(session: Session, booking: Booking) -> None:
    """Somebody else comes now: what the first one was shown, agreed to and presented counts no more."""
    consents.forget_person(session, booking.visitor_id)
    preferences.forget(session, booking.visitor_id)
    sign_ins.end_visitor_sessions(session, booking.id)
    now = clock.now()
    for attempt in admission.open_attempts_of_booking(session, booking.id):
        if statements.close(session, attempt.id, "set_aside", now, "system"):
            announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))


def _send(session: Session, booking: Booking, asked: Request) -> None:
    if not asked.notify:
        return
    if not links.phone_of(session, booking):
        raise Conflict("link_no_phone")
    outbox.post(session, "sms", "pass_link", booking.site_id, {"booking": booking.id})


def _reply(
    session: Session,
    booking: Booking,
    warnings: Sequence[dict[str, str]] = (),
    *,
    stale: bool = False,
    status: int = 200,
    issued: VisitorPass | None = None,
) -> Reply:
    return Reply(
        status,
        {
            **booking_view(session, booking, issued, with_link=True),
            "stale": stale,
            "warnings": list(warnings),
        },
    )
