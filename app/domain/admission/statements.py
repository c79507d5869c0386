"""The statements of every arrival, built once, on plain columns.

Building a statement anew costs more than running it, and mapping its rows to objects as much again; see
``core.prepared``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from app.core.errors import NotFound
from app.core.prepared import Prepared
from app.domain.admission.arrival import OPEN, Arrival, Dossier, Inside, Post
from app.domain.admission.models import Attempt, EvidenceRow, Visit
from app.domain.booking.models import Booking
from app.domain.sites import repository as sites
from app.domain.sites.models import Area, Lane, Site, Unit, VisitorType
from app.domain.sites.rules import stricter

# Not FOR UPDATE: rows that refer to the lane must still be insertable. SQLite has one writer anyway.
_LOCK_LANE = Prepared(
    select(Lane.id, Lane.direction, Site.id, Site.risk_class, Site.time_zone)  # type: ignore[call-overload]
    .join(Site, col(Site.id) == Lane.site_id)
    .where(Lane.id == bindparam("lane"))
    .with_for_update(of=Lane, key_share=True)
)
_BY_NONCE = Prepared(select(EvidenceRow.attempt_id).where(EvidenceRow.nonce == bindparam("nonce")))
_OPEN_AT_LANE = Prepared(
    select(Attempt.id, Attempt.booking_id, Attempt.outcome)
    .where(Attempt.lane_id == bindparam("lane"), Attempt.status == OPEN)
    .order_by(col(Attempt.id))
    .limit(20)
)
_EVIDENCE = Prepared(
    select(EvidenceRow.kind, EvidenceRow.result)
    .where(EvidenceRow.attempt_id == bindparam("attempt"))
    .order_by(col(EvidenceRow.id))
)
_DOSSIER = Prepared(
    select(  # type: ignore[call-overload]
        Booking.id,
        Booking.site_id,
        Booking.visitor_id,
        Booking.unit_id,
        Booking.visitor_type,
        Booking.purpose,
        Booking.head_count,
        Booking.source,
        Booking.status,
        Booking.starts_at,
        Booking.ends_at,
        Booking.renewed_on,
        VisitorType.early_minutes,
        VisitorType.late_minutes,
        VisitorType.needs_permit,
        VisitorType.daily_renewal,
        Area.risk_class,
        Area.parent_id,
        Visit.id,
        Visit.attempt_id,
        Visit.lane_in,
        Visit.entered_at,
    )
    .join(
        VisitorType,
        (col(VisitorType.site_id) == Booking.site_id) & (VisitorType.code == Booking.visitor_type),
    )
    .join(Unit, col(Unit.id) == Booking.unit_id)
    .join(Area, col(Area.id) == Unit.area_id, isouter=True)
    .join(Visit, (col(Visit.booking_id) == Booking.id) & col(Visit.left_at).is_(None), isouter=True)
    .where(Booking.id == bindparam("booking"))
    .limit(1)
)
_OWN = 16  # so many columns of it make the dossier as they are
# A statement of its own: one that waits for the lock reads the locked row anew, but what it joins as it was before.
_LOCK_BOOKING = Prepared(
    select(Booking.id).where(Booking.id == bindparam("booking")).with_for_update(key_share=True)
)
_CLAIM = Prepared(
    update(Attempt)
    .where(col(Attempt.id) == bindparam("attempt"), col(Attempt.status) == OPEN)
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("status", "closed_at", "closed_by", "outcome", "reasons", "visit_id", "pass_id")
        }
    )
)
_CLOSE = Prepared(
    update(Attempt)
    .where(col(Attempt.id) == bindparam("attempt"), col(Attempt.status) == OPEN)
    .values({name: bindparam(f"new_{name}") for name in ("status", "closed_at", "closed_by")})
)
_WHOM = Prepared(
    select(Booking.host_id, Visit.visitor_id, Visit.unit_id)
    .select_from(Visit)
    .join(Booking, col(Booking.id) == Visit.booking_id, isouter=True)
    .where(Visit.id == bindparam("visit"))
)
_INSERT_ATTEMPT, _INSERT_EVIDENCE = Prepared(insert(Attempt)), Prepared(insert(EvidenceRow))
_INSERT_VISIT = Prepared(insert(Visit))
_SET_BOOKING_STATUS = Prepared(
    update(Booking).where(col(Booking.id) == bindparam("booking")).values(status=bindparam("new_status"))
)


class Whom(NamedTuple):
    """Whom a visit concerns."""

    host_id: str | None
    visitor_id: str | None
    unit_id: str | None


class Waiting(NamedTuple):
    """What lies open at a lane."""

    attempt_id: str
    booking_id: str | None
    outcome: str


def lock_lane(session: Session, lane_id: str) -> Post:
    """The lane; whoever else records something at it waits until this transaction ends. Raises ``NotFound``."""
    row = _LOCK_LANE.first(session, {"lane": lane_id})
    if row is None:
        raise NotFound("lane_unknown")
    return Post._make(row)


def delivered(session: Session, nonce: str) -> str | None:
    """The attempt that a delivery belongs to, when it was delivered before."""
    found: str | None = _BY_NONCE.scalar(session, {"nonce": nonce})
    return found


def waiting_at(session: Session, lane_id: str) -> Sequence[Waiting]:
    """What lies open at a lane, oldest first."""
    return [Waiting._make(row) for row in _OPEN_AT_LANE.rows(session, {"lane": lane_id})]


def evidence_of(session: Session, attempt_id: str) -> Sequence[tuple[str, str]]:
    """Kind and result of what was presented in an attempt, in order."""
    return [(kind, result) for kind, result in _EVIDENCE.rows(session, {"attempt": attempt_id})]


def dossier(session: Session, booking_id: str, *, lock: bool = False) -> Dossier:
    """Everything on a booking in one statement; ``lock`` keeps others off the booking meanwhile."""
    if lock and session.get_bind().dialect.name == "postgresql":
        _LOCK_BOOKING.first(session, {"booking": booking_id})
    row = _DOSSIER.first(session, {"booking": booking_id})
    if row is None:
        raise NotFound("booking_unknown")
    values: list[Any] = list(row)
    risk, parent, visit_id = values[_OWN : _OWN + 3]
    around = sites.area_class(session, parent) if parent else ""
    area_class = stricter(risk or around, around) if around else risk or ""
    inside = Inside._make(values[_OWN + 2 :]) if visit_id else None
    return Dossier(*values[:_OWN], area_class, inside)  # type: ignore[call-arg]  # the star hides how many


def whom(session: Session, visit_id: str) -> Whom:
    """Host, visitor and unit of a visit; raises ``NotFound``."""
    row = _WHOM.first(session, {"visit": visit_id})
    if row is None:
        raise NotFound("visit_unknown")
    return Whom._make(row)


def insert_arrival(session: Session, arrival: Arrival) -> None:
    """Write a new attempt."""
    _INSERT_ATTEMPT.change(session, arrival.row())


def insert_evidence(session: Session, row: dict[str, Any]) -> None:
    """Put down one presented item; its attempt is written already."""
    _INSERT_EVIDENCE.change(session, row)


def insert_visit(session: Session, row: dict[str, Any]) -> None:
    """Write a new visit."""
    _INSERT_VISIT.change(session, row)


def set_booking_status(session: Session, booking_id: str, status: str) -> None:
    """Move a booking on."""
    _SET_BOOKING_STATUS.change(session, {"booking": booking_id, "new_status": status})


def close(session: Session, attempt_id: str, status: str, now: datetime, by: str) -> bool:
    """Close an open attempt as it is; False when somebody else was faster."""
    values = {"attempt": attempt_id, "new_status": status, "new_closed_at": now, "new_closed_by": by}
    return bool(_CLOSE.change(session, values))


def claim(
    session: Session,
    attempt: Attempt | Arrival,
    status: str,
    now: datetime,
    by: str,
    *,
    outcome: str = "",
    reasons: Sequence[str] | None = None,
    visit_id: str | None = None,
    pass_id: str | None = None,
) -> bool:
    """Close an open attempt; False when somebody else was faster or pressed twice.

    The statement itself asks whether the row is still open, whatever this session believes of it.
    """
    values: dict[str, Any] = {
        "attempt": attempt.id,
        "new_status": status,
        "new_closed_at": now,
        "new_closed_by": by,
        "new_outcome": outcome or attempt.outcome,
        "new_reasons": attempt.reasons if reasons is None else list(reasons),
        "new_visit_id": visit_id or attempt.visit_id,
        "new_pass_id": pass_id or attempt.pass_id,
    }
    return bool(_CLAIM.change(session, values))
