"""Enrolling regulars and recognising them: only with a running permit, a consent that stands, and the policy on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from app.core import audit, clock
from app.core.actor import SYSTEM, Actor
from app.core.errors import Conflict, NotAllowed
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.identity import consents, face_policy, repository, templates
from app.domain.identity.models import FaceTemplate
from app.domain.identity.rules import Purpose, expiry
from app.domain.identity.templates import Face
from app.domain.people import repository as people

BATCH = 200


def require_regular(session: Session, actor: Actor, person_id: str) -> str:
    """The running permit of somebody who may be enrolled at the actor's site; raises otherwise."""
    person = people.person(session, person_id)
    actor.require(Right.PEOPLE_EDIT, person.site_id)
    if person.erased_at is not None:
        raise NotAllowed("not_allowed")
    if not face_policy.of_site(session, person.site_id).recognise:
        raise Conflict("faces_off")
    permit = repository.running_permit(session, person.id, clock.now())
    if permit is None:
        raise Conflict("face_permit_needed")
    return permit


def enrol(session: Session, actor: Actor, person_id: str, face: Face) -> FaceTemplate:
    """Store the face of a regular who agreed, in place of an earlier one; raises ``Conflict`` without the consent."""
    require_regular(session, actor, person_id)
    person = people.person(session, person_id)
    consent = repository.newest_consent(session, person.id, Purpose.FACE_RECOGNISE)
    if consent is not None:
        session.refresh(consent, with_for_update=True)  # nobody withdraws between this look and the storing
    if consent is None or not consents.in_force(consent):
        raise Conflict("privacy_missing")
    templates.forget(session, repository.templates_of(session, person.id), actor, "replaced")
    now = clock.now()
    row = FaceTemplate(
        id=new_id(),
        site_id=person.site_id,
        person_id=person.id,
        consent_id=consent.id,
        pack_id=face.pack_id,
        dimension=face.dimension,
        captured_at=now,
        captured_by=actor.account_id or actor.kind,
        expires_at=expiry(now, face_policy.of_site(session, person.site_id).template_days),
    )
    templates.seal(row, face)
    session.add(row)
    session.flush()
    audit.record(session, actor, "face.enrol", "face", row.id, site_id=row.site_id)
    templates.count_up(session)
    templates.tell(session, row.site_id)
    return row


def usable(session: Session, site_id: str, pack_id: str, now: datetime) -> list[tuple[str, Face]]:
    """What a site's index may hold, opened: nothing while recognising is off, and never vectors of another pack."""
    if not face_policy.of_site(session, site_id).recognise:
        return []
    return [
        (row.id, templates.reveal(row)) for row in _usable(session, site_id, now) if row.pack_id == pack_id
    ]


def permit_of(session: Session, site_id: str, template_id: str, now: datetime) -> str | None:
    """The permit of a face that was recognised; None for one that may not be used any more, whatever an index says."""
    row = repository.template(session, template_id)
    if row is None or row.site_id != site_id or not templates.is_usable(row, now):
        return None
    if not face_policy.of_site(session, site_id).recognise:
        return None
    if not consents.in_force(repository.consent(session, row.consent_id)):
        return None
    return repository.running_permit(session, row.person_id, now)


def is_known(session: Session, site_id: str, person_id: str, now: datetime) -> bool:
    """Whether a person could be recognised at a site as things stand now: by any face that may be used."""
    held = repository.templates_of(session, person_id)
    return any(permit_of(session, site_id, row.id, now) is not None for row in held)


def sweep(session: Session, site_id: str, now: datetime) -> int:
    """Delete one batch of templates that have no reason to be there; returns how many, 0 when none is left.

    Expired, the permit over, the notice changed since, or recognising switched off at the site.
    """
    off = not face_policy.of_site(session, site_id).recognise
    kept = set() if off else {row.id for row in _usable(session, site_id, now)}
    held = (row for row, _, _ in repository.templates_with_consent(session, site_id, now))
    due = [row for row in held if row.id not in kept][:BATCH]
    return templates.forget(session, due, SYSTEM, "due")


def _usable(session: Session, site_id: str, now: datetime) -> Sequence[FaceTemplate]:
    return [
        row
        for row, consent, permitted in repository.templates_with_consent(session, site_id, now)
        if permitted and templates.is_usable(row, now) and consents.in_force(consent)
    ]
