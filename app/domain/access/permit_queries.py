"""All queries on standing permits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlmodel import Session, col, func, or_, select

from app.core import search
from app.domain.access import repository
from app.domain.access.models import Card
from app.domain.access.rules import CardStatus
from app.domain.booking.models import Booking
from app.domain.booking.repository import Row
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.people.models import Person
from app.domain.sites.models import Unit


def _wanted(session: Session, site_id: str, needle: str, ended: bool) -> list[Any]:
    running = Booking.status == BookingStatus.APPROVED
    wanted: list[Any] = [
        Booking.site_id == site_id,
        Booking.source == BookingSource.STANDING,
        ~running if ended else running,
    ]
    if needle:
        found: list[Any] = [
            col(Unit.label).contains(needle, autoescape=True),
            col(Booking.visitor_id).in_(search.find(session, site_id, needle)),
        ]
        card = repository.card(session, site_id, needle)
        if card is not None:
            found.append(Booking.id == card.booking_id)
        wanted.append(or_(*found))
    return wanted


def permits(
    session: Session, site_id: str, limit: int, offset: int, needle: str = "", *, ended: bool = False
) -> Sequence[Row]:
    """Running permits, or those that have ended: by unit, the newest first.

    ``needle`` is part of a unit's label, a partner's name or phone as the desk would search it, or a card's number.
    """
    query: Any = (
        select(Booking, Person, Unit)
        .join(Person, col(Person.id) == Booking.visitor_id)
        .join(Unit, col(Unit.id) == Booking.unit_id)
        .where(*_wanted(session, site_id, needle, ended))
        .order_by(Unit.label, col(Booking.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return cast("Sequence[Row]", session.exec(query).all())


def count(session: Session, site_id: str, needle: str = "", *, ended: bool = False) -> int:
    """How many rows ``permits`` has in all."""
    query = (
        select(func.count())
        .select_from(Booking)
        .join(Unit, col(Unit.id) == Booking.unit_id)
        .where(*_wanted(session, site_id, needle, ended))
    )
    return int(session.exec(query).one())


def of_person(session: Session, person_id: str) -> Booking | None:
    """The running permit of a person."""
    query = select(Booking).where(
        Booking.visitor_id == person_id,
        Booking.source == BookingSource.STANDING,
        Booking.status == BookingStatus.APPROVED,
    )
    return session.exec(query.order_by(col(Booking.id).desc())).first()


def cards_of_person(session: Session, person_id: str) -> Sequence[Card]:
    """Every card that a person ever had, whatever became of it."""
    query = select(Card).join(Booking, col(Booking.id) == Card.booking_id)
    return session.exec(query.where(Booking.visitor_id == person_id)).all()


def held_by(session: Session, person_ids: Sequence[str]) -> dict[str, int]:
    """How many cards in use each of some people has; who has no running permit is not in it."""
    active: Any = (Card.booking_id == Booking.id) & (Card.status == CardStatus.ACTIVE)
    query: Any = (
        select(Booking.visitor_id, func.count(col(Card.id)))
        .select_from(Booking)
        .join(Card, active, isouter=True)
        .where(
            col(Booking.visitor_id).in_(person_ids),
            Booking.source == BookingSource.STANDING,
            Booking.status == BookingStatus.APPROVED,
        )
        .group_by(col(Booking.visitor_id))
    )
    return {str(person): int(cards) for person, cards in session.exec(query)}
