"""All queries on passes and cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, update
from sqlmodel import Session, col, func, select

from app.core import crypto
from app.core.errors import NotFound
from app.core.prepared import Prepared
from app.domain.access import card_numbers
from app.domain.access.models import Card, VisitorPass
from app.domain.access.rules import PassStatus

_BY_CODE = Prepared(
    select(  # type: ignore[call-overload]
        VisitorPass.id,
        VisitorPass.site_id,
        VisitorPass.booking_id,
        VisitorPass.code_id,
        VisitorPass.kid,
        VisitorPass.status,
    ).where(VisitorPass.code_id == bindparam("code"), VisitorPass.site_id == bindparam("site"))
)


class PassKey(NamedTuple):
    """What a presented code is checked against, as plain values: it is asked at every arrival."""

    id: str
    site_id: str
    booking_id: str
    code_id: str
    kid: int
    status: str


_PASS_STATUS = Prepared(select(VisitorPass.status).where(VisitorPass.id == bindparam("id")))
_CARD_STATUS = Prepared(select(Card.status).where(Card.id == bindparam("id")))


def _use_step(column: Any) -> Prepared:
    own = col(VisitorPass.id) == bindparam("pass_id")
    step: BindParameter[int] = bindparam("step")
    return Prepared(update(VisitorPass).where(own, column < step).values({column: step}))


_USE_STEP_IN, _USE_STEP_OUT = (
    _use_step(col(VisitorPass.last_step_in)),
    _use_step(col(VisitorPass.last_step_out)),
)


def by_code(session: Session, site_id: str, code_id: str) -> PassKey | None:
    """The pass with this opaque id at a site."""
    row = _BY_CODE.first(session, {"code": code_id, "site": site_id})
    return PassKey(*row) if row else None


def by_short_code(session: Session, site_id: str, digits: str) -> VisitorPass | None:
    """The live pass with these six digits at a site."""
    index = crypto.keyring().index("short_code", f"{site_id}|{digits}")
    return session.exec(select(VisitorPass).where(VisitorPass.short_index == index)).first()


def of_booking(session: Session, booking_id: str) -> VisitorPass | None:
    """The newest pass of a booking."""
    query = (
        select(VisitorPass).where(VisitorPass.booking_id == booking_id).order_by(col(VisitorPass.id).desc())
    )
    return session.exec(query).first()


def card(session: Session, site_id: str, uid: str) -> Card | None:
    """The card with this UID at a site, however a lane's reader spells the number."""
    index = card_index(site_id, card_numbers.normal(uid))
    return session.exec(select(Card).where(Card.site_id == site_id, Card.uid_index == index)).first()


def card_index(site_id: str, number: str) -> bytes:
    """The keyed hash by which a card is found; ``number`` as ``card_numbers`` spells it."""
    return crypto.keyring().index("card", f"{site_id}|{number}")


def card_by_id(session: Session, card_id: str) -> Card:
    """One card; raises ``NotFound``."""
    found = session.get(Card, card_id)
    if found is None:
        raise NotFound("card_unknown")
    return found


def cards_of(session: Session, booking_ids: Sequence[str]) -> dict[str, list[Card]]:
    """The cards of some standing bookings, newest first."""
    query = (
        select(Card)
        .where(col(Card.booking_id).in_(booking_ids))
        .order_by(col(Card.issued_at).desc(), col(Card.id))
    )
    found: dict[str, list[Card]] = {}
    for row in session.exec(query):
        found.setdefault(row.booking_id, []).append(row)
    return found


def pass_status(session: Session, pass_id: str) -> str:
    """Where a pass stands now."""
    return str(_PASS_STATUS.scalar(session, {"id": pass_id}))


def card_status(session: Session, card_id: str) -> str:
    """Where a card stands now."""
    return str(_CARD_STATUS.scalar(session, {"id": card_id}))


def use_step(session: Session, pass_id: str, step: int, *, leaving: bool) -> bool:
    """Take a step of a pass once; False when it, or a later one, was taken before (S-16)."""
    statement = _USE_STEP_OUT if leaving else _USE_STEP_IN
    return bool(statement.change(session, {"pass_id": pass_id, "step": step}))


def expired(session: Session, now: datetime, limit: int = 200) -> Sequence[VisitorPass]:
    """Active passes whose time has run out."""
    query = (
        select(VisitorPass)
        .where(VisitorPass.status == PassStatus.ACTIVE, col(VisitorPass.not_after) < now)
        .limit(limit)
    )
    return session.exec(query).all()


def next_expiry(session: Session, now: datetime) -> datetime | None:
    """When the next active pass runs out."""
    query = select(func.min(VisitorPass.not_after)).where(
        VisitorPass.status == PassStatus.ACTIVE, col(VisitorPass.not_after) >= now
    )
    return session.exec(query).one()
