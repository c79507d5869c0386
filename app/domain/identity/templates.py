"""Face templates: sealed beside their pack, bound to a consent, gone with it; their number is watched (F-3, F-5, F-12)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from app.core import audit, crypto
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.permissions import Role
from app.domain.identity import repository
from app.domain.identity.models import ConsentRecord, FacesChanged, FaceTemplate
from app.domain.identity.rules import gauge_level
from app.domain.people import service as people_service


@dataclass(frozen=True, slots=True)
class Face:
    """The vector of a face as bytes, and which models made it."""

    pack_id: str
    dimension: int
    vector: bytes = field(repr=False)


def seal(row: FaceTemplate, face: Face) -> None:
    """Put a vector sealed into its row."""
    row.pack_id, row.dimension = face.pack_id, face.dimension
    crypto.seal(row, "vector", base64.b64encode(face.vector).decode("ascii"))


def reveal(row: FaceTemplate) -> Face:
    """The vector of a row, for the running index and nothing else."""
    return Face(row.pack_id, row.dimension, base64.b64decode(crypto.reveal(row, "vector")))


def forget(session: Session, rows: Iterable[FaceTemplate], actor: Actor, reason: str) -> int:
    """Delete templates, and have them out of the running index the moment this is committed."""
    count = 0
    for row in list(rows):
        session.delete(row)
        session.flush()
        announce(session, FacesChanged(row.site_id, (row.id,)))
        audit.record(session, actor, "face.delete", "face", row.id, site_id=row.site_id, reason=reason)
        count += 1
    return count


def forget_consent(session: Session, consent: ConsentRecord) -> int:
    """Delete what hangs on a consent that is taken back."""
    held = [
        row for row in repository.templates_of(session, consent.person_id) if row.consent_id == consent.id
    ]
    return forget(session, held, SYSTEM, "withdrawn")


def forget_holder(session: Session, person_id: str, reason: str) -> int:
    """Delete the template of somebody whose permit has ended."""
    return forget(session, repository.templates_of(session, person_id), SYSTEM, reason)


def count_up(session: Session) -> None:
    """After a face was stored: tell every manager when the number of people has reached another level (F-12).

    Called after the audit entry of the storing: its chain lets one transaction at a time go on, so that of two
    that store the faces before and after a level, the second counts both.
    """
    people = repository.count_people(session)
    level = gauge_level(people)
    if level == gauge_level(people - 1):
        return
    for account in repository.accounts_with_roles(session):
        if Role.MANAGER in account.roles:
            payload = {"level": str(level), "people": str(people)}
            people_service.notify(session, account.person_id, "face_gauge", payload)
    audit.record(session, SYSTEM, "face.gauge", "face", "", details={"level": level, "people": people})


def tell(session: Session, site_id: str) -> None:
    """Have a site's index made anew once this is committed."""
    announce(session, FacesChanged(site_id))


def is_usable(row: FaceTemplate, now: datetime) -> bool:
    """Whether a template's own time has not run out."""
    return now < row.expires_at
