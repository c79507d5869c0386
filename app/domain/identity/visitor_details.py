"""What a visitor completes on the own phone: the fields that the site's policy asks and the host left out (BK-04, SI-03).

What the host gave is not shown and not touched; what the visitor gave may be corrected until the arrival. Of a document's
number the check is made and the last four characters are kept, as everywhere at this gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs, search
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput
from app.core.permissions import Right
from app.domain.booking import photos
from app.domain.booking import repository as bookings
from app.domain.booking.models import Booking, BookingChanged, BookingCompletion
from app.domain.booking.rules import HEADS, BookingStatus
from app.domain.identity.numbers import DocumentKind, check
from app.domain.people import repository as people
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import Rule, VisitorField

TAIL = 4
ALONE = 1
# In the order of the page. A host who says nothing of the party books for one.
FIELDS = (
    VisitorField.HEAD_COUNT,
    VisitorField.COMPANY,
    VisitorField.PLATE,
    VisitorField.DOCUMENT_NUMBER,
    VisitorField.DOCUMENT_TAIL,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that is the visitor's to fill in."""

    field: VisitorField
    required: bool
    value: str = ""


def is_open(booking: Booking) -> bool:
    """Whether details may still be given: the visitor is expected and has not come."""
    return booking.status == BookingStatus.APPROVED and clock.now() < booking.ends_at


def asked(session: Session, booking: Booking) -> list[Asked]:
    """What is asked of a booking's visitor, with what the visitor said before; nothing of what the host gave."""
    if not is_open(booking):
        return []
    site, unit = sites.site(session, booking.site_id), sites.unit(session, booking.unit_id)
    policy = sites_service.field_policy(session, site, booking.visitor_type, unit.area_id)
    if policy[VisitorField.DOCUMENT_NUMBER] != Rule.OFF:
        policy[VisitorField.DOCUMENT_TAIL] = Rule.OFF  # the number holds it
    visitor = people.person(session, booking.visitor_id)
    kept = photos.completion(session, booking.id)
    own = frozenset(kept.fields) if kept else frozenset()
    given = _given(booking, visitor)
    return [
        Asked(
            name,
            policy[name] == Rule.REQUIRED and name is not VisitorField.HEAD_COUNT,
            given[name] if name in own else "",
        )
        for name in FIELDS
        if policy[name] != Rule.OFF and (name in own or not given[name])
    ]


def complete(session: Session, actor: Actor, form: Mapping[str, str]) -> BookingCompletion:
    """Take in what the visitor filled in; a field that is not asked for is not stored even when sent (SI-03).

    Raises ``InvalidInput`` naming the field, ``Conflict`` once the visitor has come or the visit is over.
    """
    actor.require(Right.PASS_OWN)
    booking = bookings.locked(session, actor.booking_id)
    if not is_open(booking):
        raise Conflict("details_closed")
    visitor = people.person(session, booking.visitor_id)
    kept = photos.completion(session, booking.id)
    fields = set(kept.fields) if kept else set()
    for field in asked(session, booking):
        value = inputs.clean(form.get(field.field, ""))
        if field.field is VisitorField.DOCUMENT_NUMBER and not value and field.value:
            continue  # of what was given only the end is known; left empty it stays
        if field.required and not value:
            raise InvalidInput("field_missing", field.field)
        _put(session, booking, visitor, field.field, value, form)
        (fields.add if value else fields.discard)(field.field.value)
    session.add(booking)
    session.add(visitor)
    row = kept or BookingCompletion(
        id=booking.id, site_id=booking.site_id, fields=[], completed_at=clock.now()
    )
    row.fields, row.completed_at = [name.value for name in FIELDS if name in fields], clock.now()
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "booking.complete",
        "booking",
        booking.id,
        site_id=booking.site_id,
        details={"fields": row.fields},
    )
    announce(session, BookingChanged(booking.site_id, booking.id))
    return row


def _given(booking: Booking, visitor: Person) -> dict[VisitorField, str]:
    tail = crypto.reveal(visitor, "document_tail")
    return {
        VisitorField.HEAD_COUNT: str(booking.head_count) if booking.head_count > 1 else "",
        VisitorField.COMPANY: crypto.reveal(visitor, "company"),
        VisitorField.PLATE: crypto.reveal(booking, "plate"),
        VisitorField.DOCUMENT_NUMBER: tail,
        VisitorField.DOCUMENT_TAIL: tail,
    }


def _put(
    session: Session,
    booking: Booking,
    visitor: Person,
    field: VisitorField,
    value: str,
    form: Mapping[str, str],
) -> None:
    if field is VisitorField.HEAD_COUNT:
        booking.head_count = inputs.count(value or ALONE, field, *HEADS)
    elif field is VisitorField.COMPANY:
        crypto.seal(visitor, "company", inputs.text(value, field))
    elif field is VisitorField.PLATE:
        plate = inputs.plate(value)
        crypto.seal(booking, "plate", plate)
        spellings = search.name_spellings(crypto.reveal(visitor, "name"))
        spellings |= search.phone_spellings(crypto.reveal(visitor, "phone")) | search.plate_spellings(plate)
        search.put(session, booking.site_id, visitor.id, spellings)
    elif field is VisitorField.DOCUMENT_NUMBER:
        crypto.seal(visitor, "document_tail", _end_of_number(session, booking, value, form))
    else:
        tail = value.upper()
        if tail and (len(tail) != TAIL or not tail.isalnum()):
            raise InvalidInput("document_tail_wrong", field)
        crypto.seal(visitor, "document_tail", tail)


def _end_of_number(session: Session, booking: Booking, value: str, form: Mapping[str, str]) -> str:
    if not value:
        return ""
    kind = form.get("document_kind", "")
    if kind not in set(DocumentKind):
        raise InvalidInput("choice_wrong", "document_kind")
    zone = ZoneInfo(sites.site(session, booking.site_id).time_zone)
    checked = check(DocumentKind(kind), value, clock.now().astimezone(zone).date())
    if checked.faults:
        fault = min(checked.faults)
        raise InvalidInput(f"document_number_{fault}", VisitorField.DOCUMENT_NUMBER)
    return checked.number[-TAIL:]
