"""What another system is told of a booking: what it needs, masked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import crypto
from app.core.masking import mask_document, mask_name, mask_phone, mask_plate
from app.core.settings import get_settings
from app.domain.access import repository as access
from app.domain.access.models import VisitorPass
from app.domain.booking import links
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource
from app.domain.integration import hosts
from app.domain.integration.models import OutsideBooking
from app.domain.people import repository as people
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites.models import Area, Site, Unit


def booking_view(
    session: Session, booking: Booking, issued: VisitorPass | None = None, *, with_link: bool
) -> dict[str, Any]:
    """A booking as it stands, its pass looked up unless it is given; the link only where another system booked.

    ``with_link``: for whoever may book. Who may only look is shown the end of the phone and must not get the link as well,
    for the two together open the pass (S-19).
    """
    site, unit = sites.site(session, booking.site_id), sites.unit(session, booking.unit_id)
    outside = session.get(OutsideBooking, booking.id)
    host = people.person(session, booking.host_id) if booking.host_id else None
    area = session.get(Area, unit.area_id) if unit.area_id else None
    return {
        "id": booking.id,
        "site": booking.site_id,
        "ref": outside.ref if outside else None,
        "version": outside.version if outside else None,
        "state": str(booking.status),
        "source": str(booking.source),
        "urgent": booking.urgent,
        "host": _host(session, booking, unit, host),
        "visitor": _visitor(people.person(session, booking.visitor_id)),
        "visitor_type": booking.visitor_type,
        "from": _moment(booking.starts_at, site),
        "to": _moment(booking.ends_at, site),
        "purpose": booking.purpose,
        "head_count": booking.head_count,
        "plate": mask_plate(crypto.reveal(booking, "plate")),
        "area": area.name if area else "",
        "pass": _pass(
            session, booking, site, issued or access.of_booking(session, booking.id), with_link=with_link
        ),
    }


def _host(session: Session, booking: Booking, unit: Unit, host: Person | None) -> dict[str, str]:
    return {
        "ext_id": hosts.ext_id_of(session, booking.site_id, booking.host_id),
        "name": mask_name(crypto.reveal(host, "name")) if host else "",
        "unit": unit.label,
    }


def _visitor(visitor: Person) -> dict[str, str]:
    number, tail = crypto.reveal(visitor, "document_number"), crypto.reveal(visitor, "document_tail")
    return {
        "name": mask_name(crypto.reveal(visitor, "name")),
        "phone": mask_phone(crypto.reveal(visitor, "phone")),
        "company": crypto.reveal(visitor, "company"),
        "document": mask_document(number) if number else ("****" + tail if tail else ""),
    }


def _pass(
    session: Session, booking: Booking, site: Site, issued: VisitorPass | None, *, with_link: bool
) -> dict[str, str | None] | None:
    if issued is None:
        return None
    shown: dict[str, str | None] = {
        "state": str(issued.status),
        "not_before": _moment(issued.not_before, site),
        "not_after": _moment(issued.not_after, site),
        "link": None,
        "link_code": None,
    }
    # A resident's own guest is nobody else's to let in: other systems see that the booking is there, and no key to it.
    if with_link and booking.source == BookingSource.OA and links.end_of(session, booking) is None:
        shown["link"] = f"{get_settings().base_url}/v/{links.link_secret(booking)}"
        shown["link_code"] = links.open_code(session, booking) or None
    return shown


def _moment(moment: datetime, site: Site) -> str:
    return moment.astimezone(ZoneInfo(site.time_zone)).isoformat(timespec="seconds")
