"""Showing a masked person in full: for a reason, a few times an hour, and never without an audit entry (RE-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.core.ids import new_id
from app.core.limiter import Limiter
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.records import repository
from app.domain.records.models import RevealNote
from app.domain.records.rules import note_fault


def reveal_rate() -> tuple[int, timedelta]:
    """How many people somebody may unmask, and within what time (S-12)."""
    return get_settings().reveals_per_hour, timedelta(hours=1)


reveal_limit = Limiter(reveal_rate)


@dataclass(frozen=True, slots=True)
class Revealed:
    """What the masks hide of one visitor."""

    name: str
    phone: str


def reveal(session: Session, actor: Actor, attempt_id: str, reason: str, note: str = "") -> Revealed:
    """Name and phone of the visitor of an attempt, for a ``RevealReason``; ``other`` needs a note.

    The reason goes into the audit log, the note sealed into a row beside the entry. Raises ``InvalidInput``,
    ``NotFound`` when there is nobody to show, ``TooMany`` beyond the hourly limit.
    """
    actor.require(Right.REVEAL)
    attempt, person, _, _ = repository.ledger_row(session, actor.site_id, attempt_id)
    if person is None or person.erased_at is not None:
        raise NotFound("person_erased")
    words = inputs.text(note, "note")
    if fault := note_fault(reason, words):
        raise InvalidInput(fault, "note" if fault == "note_missing" else "reason")
    reveal_limit.hit(actor.account_id)
    seq = audit.record(
        session,
        actor,
        "person.reveal",
        "person",
        person.id,
        site_id=attempt.site_id,
        reason=reason,
        details={"attempt": attempt.id, "note": bool(words)},
    )
    if words:
        row = RevealNote(
            id=new_id(),
            site_id=attempt.site_id,
            audit_seq=seq,
            person_id=person.id,
            written_at=clock.now(),
        )
        crypto.seal(row, "note", words)
        session.add(row)
    return Revealed(crypto.reveal(person, "name"), crypto.reveal(person, "phone"))


def notes_beside(session: Session, actor: Actor, seqs: Sequence[int]) -> set[int]:
    """Which of some audit entries still have a note beside them."""
    actor.require(Right.AUDIT_VIEW)
    return {row.audit_seq for row in repository.reveal_notes(session, actor.site_id, seqs)}


def read_note(session: Session, actor: Actor, seq: int) -> str:
    """The note beside an audit entry, for whoever checks the log; reading it is an entry of its own."""
    actor.require(Right.AUDIT_VIEW)
    row = next(iter(repository.reveal_notes(session, actor.site_id, [seq])), None)
    if row is None:
        raise NotFound("note_gone")
    reveal_limit.hit(actor.account_id)
    audit.record(
        session, actor, "note.read", "audit", str(seq), site_id=row.site_id, details={"person": row.person_id}
    )
    return crypto.reveal(row, "note")
