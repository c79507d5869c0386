"""Permits and cards in words; names and phones stay masked, of a card's number only its end is shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.core import clock, crypto
from app.core.errors import InvalidInput, NotFound
from app.core.i18n import text
from app.core.masking import mask_name, mask_phone
from app.domain.access import permit_queries, permits
from app.domain.access import repository as access
from app.domain.access.rules import CARD_MOVES, CardStatus
from app.domain.booking import repository as bookings
from app.domain.booking.rules import BookingSource
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import VisitorField
from state.console_words import PAGE, Row, stamp

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.access.models import Card
    from app.domain.booking.models import Booking
    from app.domain.people.models import Person
    from app.domain.sites.models import Site, Unit

CARD_TONES = {"active": "ok", "blocked": "wait", "lost": "no", "returned": "plain"}
TONES = {"approved": "ok", "expired": "wait", "cancelled": "plain"}


def now() -> datetime:
    """The present moment, for a permit that begins with it."""
    return clock.now()


def page(
    session: Session, site_id: str, locale: str, needle: str, number: int, *, ended: bool
) -> dict[str, Any]:
    """One page of permits as the list shows them."""
    site = sites.site(session, site_id)
    total = permit_queries.count(session, site_id, needle, ended=ended)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = permit_queries.permits(session, site_id, PAGE, (number - 1) * PAGE, needle, ended=ended)
    cards = access.cards_of(session, [booking.id for booking, *_ in found])
    daily = {kind.code for kind in sites.visitor_types(session, site_id) if kind.daily_renewal}
    rows = [
        {
            **_row(booking, person, unit, site, locale, daily=booking.visitor_type in daily),
            "cards": _cards_word(cards.get(booking.id, []), locale),
        }
        for booking, person, unit in found
    ]
    today = permits.today(site).isoformat()
    return {"rows": rows, "total": total, "number": number, "pages": pages, "today": today}


def _row(booking: Booking, person: Person, unit: Unit, site: Site, locale: str, *, daily: bool) -> Row:
    running = booking.status == "approved"
    renewed = booking.renewed_on == permits.today(site)
    word = ""
    if daily and running:
        word = text(locale, "permits.renewed_today" if renewed else "permits.not_renewed")
    return {
        "id": booking.id,
        "name": mask_name(crypto.reveal(person, "name")) or text(locale, "person.erased"),
        "phone": mask_phone(crypto.reveal(person, "phone")),
        "kind": text(locale, f"visitor_type.{booking.visitor_type}"),
        "unit": unit.label,
        "until": _last_day(booking.ends_at, site),
        "status": text(locale, f"permits.status_{booking.status}"),
        "tone": TONES.get(booking.status, "plain"),
        "running": "1" if running else "",
        "renewal": word,
        "renewal_tone": "ok" if renewed else "wait",
        "renew": "1" if word and not renewed else "",
    }


def _last_day(moment: datetime, site: Site) -> str:
    # Midnight is the end of the day before.
    return f"{(moment - timedelta(seconds=1)).astimezone(ZoneInfo(site.time_zone)):%Y-%m-%d}"


def _cards_word(cards: list[Card], locale: str) -> str:
    out = [card for card in cards if card.status != CardStatus.RETURNED]
    if not out:
        return text(locale, "permits.no_card")
    return text(locale, "permits.cards_count", count=len(out))


def permit(session: Session, site_id: str, permit_id: str, locale: str) -> dict[str, Any]:
    """One permit in full, as values of the page's vars."""
    booking, person, unit = bookings.full(session, permit_id)
    if booking.site_id != site_id or booking.source != BookingSource.STANDING:
        raise NotFound("booking_unknown")
    site = sites.site(session, site_id)
    kind = sites.visitor_type(session, site_id, booking.visitor_type)
    row = _row(booking, person, unit, site, locale, daily=kind.daily_renewal)
    pairs = [
        ("unit", row["unit"]),
        ("kind", row["kind"]),
        ("company", crypto.reveal(person, "company")),
        ("phone", row["phone"]),
        ("until", row["until"]),
    ]
    return {
        "permit": {**row, "prolong": "1" if booking.status in {"approved", "expired"} else ""},
        "facts": [{"term": text(locale, f"permits.{key}"), "value": value} for key, value in pairs if value],
        "cards": [
            _card(card, site, locale) for card in access.cards_of(session, [booking.id]).get(booking.id, [])
        ],
        "until": row["until"],
    }


def _card(card: Card, site: Site, locale: str) -> Row:
    moves = CARD_MOVES[CardStatus(card.status)]
    return {
        "id": card.id,
        "tail": f"…{card.uid_tail}",
        "label": crypto.reveal(card, "label"),
        "status": text(locale, f"card_status.{card.status}"),
        "tone": CARD_TONES.get(card.status, "plain"),
        "since": stamp(card.changed_at, site.time_zone)[:16],
        **{status.value: "1" if status in moves else "" for status in CardStatus},
    }


def staff(session: Session, site_id: str) -> list[list[str]]:
    """Staff without a permit, by user name where they have one: masked names alone would not tell them apart."""
    found = permits.staff_without(session, site_id)
    accounts = people.accounts_of(session, [person.id for person in found])
    return [
        [
            person.id,
            " · ".join(
                part
                for part in (
                    mask_name(crypto.reveal(person, "name")),
                    accounts[person.id].username if person.id in accounts else "",
                )
                if part
            ),
        ]
        for person in found
    ]


def resident(session: Session, site_id: str, person_id: str) -> tuple[str, list[list[str]]]:
    """A resident's masked name and own units; raises ``NotFound`` for anybody who is none."""
    person = people.person(session, person_id)
    units = people.units_of(session, person.id)
    if person.site_id != site_id or person.erased_at is not None or not units:
        raise NotFound("person_unknown")
    return mask_name(crypto.reveal(person, "name")), [[unit.id, unit.label] for unit in units]


def asked(session: Session, site_id: str, kind: str) -> dict[str, str]:
    """What the form asks of a kind of partner, by the site's class; an area that demands more says so on saving."""
    rules = sites_service.field_policy(session, sites.site(session, site_id), kind)
    return {field.value: rules[field].value for field in (VisitorField.PHONE, VisitorField.COMPANY)}


def last_moment(session: Session, site_id: str, form: dict[str, Any]) -> datetime:
    """The end of the day in the field ``until`` of a form; raises ``InvalidInput`` for no date."""
    try:
        day = date.fromisoformat(str(form.get("until", "")))
    except ValueError:
        raise InvalidInput("window_unclear", "until") from None
    return permits.end_of_day(day, sites.site(session, site_id))
