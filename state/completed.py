"""What a visitor completed of a booking, in a line for the host and the gate (BK-04). A picture, or none, is no part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import i18n
from app.core.i18n import text
from app.domain.booking import photos

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.sites.models import Site


def fields(session: Session, booking_id: str, locale: str) -> str:
    """The names of the fields that the visitor filled in, empty where there are none."""
    row = photos.completion(session, booking_id)
    names = [text(locale, f"console.field.{name}") for name in row.fields] if row else []
    return text(locale, "visit.and").join(names)


def completed(session: Session, booking_id: str, site: Site, locale: str) -> str:
    """The same with the time of it."""
    row, names = photos.completion(session, booking_id), fields(session, booking_id, locale)
    if row is None or not names:
        return ""
    return text(
        locale, "visit.completed", fields=names, time=i18n.format_time(row.completed_at, site.time_zone)
    )
