"""Registering by one's own phone at a lane: the visitor fills in, the guard confirms, the host decides (AD-06).

Nothing a visitor sends rings at a host or opens anything: it waits in the guard's list until a guard has looked at the
person and taken it over, and then goes the way of every unbooked visitor (AD-08).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from app.core import audit, clock, crypto, i18n, inputs
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound, TooMany
from app.core.ids import new_id, new_secret
from app.core.permissions import Right
from app.domain.admission import lane_codes, repository, self_queries
from app.domain.admission.lane_codes import LaneCodeFault
from app.domain.admission.models import LaneChanged
from app.domain.admission.self_models import SelfRegistration, SelfRegistrationChanged, SelfStatus
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.booking.rules import HEADS, Purpose
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.models import Lane, Site
from app.domain.sites.rules import Direction, Rule, VisitorField, VisitorKind

NOTICE_VERSION = "2026-11"
KINDS = (VisitorKind.SHORT_TERM, VisitorKind.GUEST, VisitorKind.SERVICE)
# What a phone is asked; numbers of documents are looked at by the guard and never typed at a stranger's code (L-8).
FIELDS = (VisitorField.PHONE, VisitorField.PLATE, VisitorField.COMPANY)
WAITING_TIME = timedelta(minutes=30)
MOST_WAITING = 20
NUMBERS = 99


@dataclass(frozen=True, slots=True)
class Opened:
    """What stands behind a lane's code: where it is, and what is asked there of each kind of visitor."""

    lane: Lane
    site: Site
    rules: dict[str, dict[str, Rule]]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A registration, and the secret by which the visitor's phone follows it."""

    row: SelfRegistration
    secret: str


def code_of(session: Session, actor: Actor, lane_id: str) -> str:
    """The code that a lane shows at this moment, for a guard of its site."""
    lane = sites.lane(session, lane_id)
    actor.require(Right.DESK_USE, lane.site_id)
    if lane.direction == Direction.OUT:
        raise InvalidInput("lane_wrong_way")
    return lane_codes.make(lane.id, clock.now(), _sign)


def look(session: Session, code: str, *, filling: bool = False) -> Opened:
    """Where a scanned code leads; raises ``NotFound`` for a made-up one and ``Conflict`` for one that is over."""
    lane_id = lane_codes.read(code, clock.now(), _sign, filling=filling)
    if lane_id is LaneCodeFault.STALE:
        raise Conflict(LaneCodeFault.STALE)
    if isinstance(lane_id, LaneCodeFault):
        raise NotFound(lane_id)
    lane = sites.lane(session, lane_id)
    site = sites.site(session, lane.site_id)
    rules = {kind.value: sites_service.field_policy(session, site, kind) for kind in KINDS}
    return Opened(lane, site, rules)


def submit(
    session: Session, code: str, form: Mapping[str, str], nonce: str, locale: str, *, agreed: bool
) -> Submitted:
    """Take in what a visitor entered; sent twice with one nonce it is one registration, followed by the newer secret.

    Raises ``InvalidInput`` naming the field, ``TooMany`` when the lane's list is full.
    """
    opened = look(session, code, filling=True)
    site, lane = opened.site, opened.lane
    kind = str(form.get("visitor_type", ""))
    if kind not in opened.rules:
        raise InvalidInput("choice_wrong", "visitor_type")
    details = _checked(opened.rules[kind], form)
    if not agreed:
        raise InvalidInput("notice_unread", "agreed")
    secret = new_secret()
    known = self_queries.by_nonce(session, nonce)
    if known is not None:
        if known.lane_id != lane.id or known.status != SelfStatus.WAITING:
            raise Conflict("self_closed")
        known.secret_hash = crypto.hash_secret(secret)
        _put(session, known, details, kind)
        return Submitted(known, secret)
    if self_queries.count_waiting(session, lane.id) >= MOST_WAITING:
        raise TooMany("self_lane_full", minutes=5)
    row = SelfRegistration(
        id=new_id(),
        site_id=site.id,
        lane_id=lane.id,
        number=self_queries.last_number(session, lane.id) % NUMBERS + 1,
        status=SelfStatus.WAITING,
        visitor_type=kind,
        secret_hash=crypto.hash_secret(secret),
        nonce=nonce,
        notice_version=NOTICE_VERSION,
        notice_locale=locale if locale in i18n.LOCALES else i18n.DEFAULT,
        created_at=clock.now(),
    )
    _put(session, row, details, kind)
    actor = Actor(kind="visitor", site_id=site.id)
    told = {"version": NOTICE_VERSION, "lane": lane.id}
    audit.record(session, actor, "self.submit", "self_registration", row.id, site_id=site.id, details=told)
    announce(session, LaneChanged(site.id, lane.id, "", "attention"))
    return Submitted(row, secret)


def details_of(row: SelfRegistration) -> dict[str, str]:
    """What the visitor entered; empty once it was taken over or given up."""
    text = crypto.reveal(row, "details")
    return dict(json.loads(text)) if text else {}


def waiting(session: Session, lane_id: str) -> Sequence[SelfRegistration]:
    """Those of a lane whom no guard has taken yet, in the order they came."""
    return self_queries.waiting(session, lane_id, clock.now() - WAITING_TIME)


def for_guard(session: Session, actor: Actor, lane_id: str, registration_id: str) -> SelfRegistration:
    """One that waits at a lane, for the guard of that lane's site; raises ``NotFound`` or ``Conflict``."""
    row = self_queries.one(session, registration_id)
    if row is None or row.lane_id != lane_id:
        raise NotFound("self_unknown")
    actor.require(Right.DESK_USE, row.site_id)
    if row.status != SelfStatus.WAITING:
        raise Conflict("self_closed")
    return row


def take(session: Session, actor: Actor, lane_id: str, registration_id: str, attempt_id: str) -> None:
    """A guard has looked at the visitor and registered the arrival; of two guards the first one counts."""
    row = for_guard(session, actor, lane_id, registration_id)
    attempt = repository.attempt(session, attempt_id)
    if attempt.lane_id != lane_id or not attempt.walk_in:
        raise NotFound("attempt_unknown")
    booking = bookings.booking(session, attempt.booking_id or "")
    # Nobody invited this visitor, so nobody sends a link: the phone that registered shows it, once the visitor is in.
    booking.link_hash = crypto.hash_secret(links.link_secret(booking))
    session.add(booking)
    _close(session, actor, row, SelfStatus.TAKEN, attempt_id)


def turn_away(session: Session, actor: Actor, lane_id: str, registration_id: str) -> None:
    """Take out a registration that belongs to nobody here; the phone says that it was not taken."""
    _close(session, actor, for_guard(session, actor, lane_id, registration_id), SelfStatus.TURNED_AWAY)


def followed(session: Session, secret: str) -> SelfRegistration | None:
    """The registration that a phone follows; None for a made-up secret."""
    return self_queries.by_secret(session, crypto.hash_secret(secret)) if secret else None


def withdraw(session: Session, secret: str) -> None:
    """The visitor takes the registration back before a guard took it; what was entered is gone at once (L-3)."""
    row = followed(session, secret)
    if row is None:
        raise NotFound("self_unknown")
    if row.status == SelfStatus.WAITING:
        _close(session, Actor(kind="visitor", site_id=row.site_id), row, SelfStatus.WITHDRAWN)


def expire(session: Session, now: datetime) -> int:
    """Close those nobody came to the window with; returns how many."""
    rows = self_queries.overdue(session, now - WAITING_TIME)
    for row in rows:
        _close(session, SYSTEM, row, SelfStatus.EXPIRED)
    return len(rows)


def _close(
    session: Session, actor: Actor, row: SelfRegistration, status: SelfStatus, attempt_id: str | None = None
) -> None:
    if not self_queries.close(
        session, row.id, status, clock.now(), actor.account_id or actor.kind, attempt_id
    ):
        raise Conflict("self_closed")
    audit.record(session, actor, f"self.{status}", "self_registration", row.id, site_id=row.site_id)
    announce(session, LaneChanged(row.site_id, row.lane_id, ""))
    announce(session, SelfRegistrationChanged(row.id))


def _put(session: Session, row: SelfRegistration, details: dict[str, str], kind: str) -> None:
    row.visitor_type = kind
    crypto.seal(row, "details", json.dumps(details, ensure_ascii=False))
    session.add(row)
    session.flush()


def _checked(rules: dict[str, Rule], form: Mapping[str, str]) -> dict[str, str]:
    """The fields the policy asks for, each in the form the gate keeps it in; raises ``InvalidInput``."""

    def given(field: VisitorField) -> str:
        value = inputs.clean(str(form.get(field, "")))
        if rules[field] == Rule.REQUIRED and not value:
            raise InvalidInput("field_missing", field)
        return "" if rules[field] == Rule.OFF else value

    unit = inputs.text(str(form.get("unit", "")), "unit", 60)
    if not unit:
        raise InvalidInput("field_missing", "unit")
    purpose = str(form.get("purpose", "") or Purpose.OTHER)
    if purpose not in set(Purpose):
        raise InvalidInput("choice_wrong", "purpose")
    values = {field: given(field) for field in FIELDS}
    return {
        "name": inputs.name(str(form.get("name", ""))),
        "unit": unit,
        "phone": inputs.phone(values[VisitorField.PHONE], required=False),
        "plate": inputs.plate(values[VisitorField.PLATE]),
        "company": inputs.text(values[VisitorField.COMPANY], "company", 60),
        "purpose": purpose,
        "head_count": str(inputs.count(str(form.get("head_count", "1")), "head_count", *HEADS)),
    }


def _sign(body: bytes) -> bytes:
    return crypto.keyring().sign("lane-code", body)
