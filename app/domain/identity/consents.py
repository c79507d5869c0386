"""The ledger of consent: who agreed to which purpose, shown what, and since when it is taken back (L-1, L-3, L-6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from app.core import audit, clock, crypto, i18n, inputs
from app.core.actor import SYSTEM, Actor
from app.core.errors import InvalidInput, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.booking import photos
from app.domain.booking import repository as bookings
from app.domain.identity import repository, templates
from app.domain.identity.models import ConsentRecord
from app.domain.identity.rules import TERMS, Age, Channel, Purpose, guardian_fault, stands
from app.domain.people import repository as people
from app.domain.people.models import Person
from app.domain.sites import webhooks


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is told before being asked; ``text`` is what the screen shows or the guard reads out."""

    purpose: Purpose
    locale: str
    text: str

    @property
    def hash(self) -> bytes:
        """The SHA-256 of what was shown, word for word."""
        return hashlib.sha256(self.text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared with a consent: the age, and who answers for somebody under fourteen."""

    age: str = ""
    guardian: str = field(default="", repr=False)
    guardian_relation: str = ""


def notice(purpose: Purpose, locale: str, *, site: str, days: int) -> Notice:
    """The notice of a purpose as it reads at a site today."""
    return Notice(purpose, locale, i18n.text(locale, f"faces.notice.{purpose}", site=site, days=days))


def give(
    session: Session, actor: Actor, person_id: str, shown: Notice, channel: Channel, declared: Declared
) -> ConsentRecord:
    """Record that a person agreed to what was shown; an older consent to the same purpose ends with it.

    Raises ``InvalidInput`` while the age is not declared, or nobody is named who answers for a child.
    """
    person = _present(session, person_id)
    actor.require(Right.PEOPLE_EDIT, person.site_id)
    return _give(session, actor, person, shown, channel, declared)


def give_own(session: Session, actor: Actor, shown: Notice, declared: Declared) -> ConsentRecord:
    """Record what a visitor agrees to on the own phone, behind the link and its second factor."""
    actor.require(Right.PASS_OWN)
    person = _present(session, bookings.booking(session, actor.booking_id).visitor_id)
    return _give(session, actor, person, shown, Channel.LINK, declared)


def _give(
    session: Session, actor: Actor, person: Person, shown: Notice, channel: Channel, declared: Declared
) -> ConsentRecord:
    guardian = inputs.clean(declared.guardian)
    if fault := guardian_fault(declared.age, declared.guardian_relation, guardian):
        raise InvalidInput("guardian_missing" if fault != "age" else "age_missing", fault)
    earlier = repository.newest_consent(session, person.id, shown.purpose)
    if earlier is not None and earlier.withdrawn_at is None:
        _end(session, actor, earlier, channel)
    terms = TERMS[shown.purpose]
    row = ConsentRecord(
        id=new_id(),
        site_id=person.site_id,
        person_id=person.id,
        purpose=shown.purpose,
        data_classes=[kind.value for kind in terms.classes],
        notice_version=terms.version,
        notice_hash=shown.hash,
        notice_locale=shown.locale,
        channel=channel,
        given_at=clock.now(),
        given_by=actor.account_id or actor.kind,
    )
    if declared.age == Age.UNDER_14:
        row.guardian_relation = declared.guardian_relation
        crypto.seal(row, "guardian", inputs.name(guardian, "guardian"))
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "privacy.consent",
        "privacy",
        row.id,
        site_id=row.site_id,
        details={"purpose": row.purpose, "version": row.notice_version, "channel": row.channel},
    )
    return row


def withdraw(session: Session, actor: Actor, consent_id: str, channel: Channel) -> None:
    """Take a consent back in one step: whatever hung on it is deleted in the same transaction (L-3).

    The person may, from the own phone, and whoever enters people at the site. Taking back twice is taking back once.
    """
    row = repository.consent(session, consent_id)
    if not _is_own(session, actor, row):
        actor.require(Right.PEOPLE_EDIT, row.site_id)
    if row.withdrawn_at is None:
        _end(session, actor, row, channel)
        told = {"consent": row.id, "purpose": row.purpose}
        webhooks.emit(session, row.site_id, "consent.withdrawn", told)


def _is_own(session: Session, actor: Actor, row: ConsentRecord) -> bool:
    if actor.booking_id and actor.has(Right.PASS_OWN):
        return bookings.booking(session, actor.booking_id).visitor_id == row.person_id
    return bool(actor.session_id) and actor.person_id == row.person_id


def in_force(row: ConsentRecord | None) -> bool:
    """Whether a consent covers what is done today; one to another notice or to less does not."""
    return row is not None and stands(
        row.purpose, tuple(row.data_classes), row.notice_version, row.given_at, row.withdrawn_at
    )


def forget_person(session: Session, person_id: str) -> None:
    """End everything that hangs on a person's consent, and take out who answered for it; the bare ledger stays."""
    for row in repository.consents_of(session, person_id):
        if row.withdrawn_at is None:
            _end(session, SYSTEM, row, Channel.CONSOLE)
        row.guardian = None
        session.add(row)


def forget_guardians(session: Session, site_id: str, before: datetime) -> int:
    """Take out who answered for a child where the consent ended before a moment; returns how many (RE-04)."""
    rows = repository.guardians_of_ended(session, site_id, before)
    for row in rows:
        row.guardian = None
        session.add(row)
    return len(rows)


def _end(session: Session, actor: Actor, row: ConsentRecord, channel: Channel) -> None:
    session.refresh(row, with_for_update=True)  # a face that is being stored under it is there, or is refused
    if row.withdrawn_at is not None:
        return
    row.withdrawn_at, row.withdrawn_by = clock.now(), actor.account_id or actor.kind
    row.withdrawn_channel = channel
    session.add(row)
    templates.forget_consent(session, row)
    photos.forget(session, actor, photos.of_consent(session, row.id), "withdrawn")
    audit.record(
        session,
        actor,
        "privacy.withdraw",
        "privacy",
        row.id,
        site_id=row.site_id,
        details={"purpose": row.purpose, "channel": channel},
    )


def _present(session: Session, person_id: str) -> Person:
    person = people.person(session, person_id)
    if person.erased_at is not None:
        raise NotAllowed("not_allowed")
    return person
