"""Showing a masked person in full: for a reason, a few times an hour, and never without an audit entry (RE-05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from app.core import audit, crypto, inputs
from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.core.limiter import Limiter
from app.core.permissions import Right
from app.domain.records import repository

SHORTEST_REASON = 4

reveal_limit = Limiter(20, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Revealed:
    """What the masks hide of one visitor."""

    name: str
    phone: str


def reveal(session: Session, actor: Actor, attempt_id: str, reason: str) -> Revealed:
    """Name and phone of the visitor of an attempt; raises ``TooMany`` beyond twenty an hour."""
    actor.require(Right.REVEAL)
    attempt, person, _, _ = repository.ledger_row(session, actor.site_id, attempt_id)
    if person is None or person.erased_at is not None:
        raise NotFound("person_erased")
    why = inputs.text(reason, "reason")
    if len(why) < SHORTEST_REASON:
        raise InvalidInput("note_missing", "reason")
    reveal_limit.hit(actor.account_id)
    audit.record(
        session,
        actor,
        "person.reveal",
        "person",
        person.id,
        site_id=attempt.site_id,
        reason=why,
        details={"attempt": attempt.id},
    )
    return Revealed(crypto.reveal(person, "name"), crypto.reveal(person, "phone"))
