"""All queries on consents, face policies and face templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlmodel import Session, col, exists, func, select

from app.core.errors import NotFound
from app.domain.booking import photos
from app.domain.booking.models import Booking, BookingPhoto
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.identity.models import ConsentRecord, FacePolicy, FaceTemplate, ImpactAssessment
from app.domain.identity.rules import TERMS, Purpose
from app.domain.people.models import Account, Person


def consent(session: Session, consent_id: str) -> ConsentRecord:
    """One consent; raises ``NotFound``."""
    found = session.get(ConsentRecord, consent_id)
    if found is None:
        raise NotFound("privacy_unknown")
    return found


def newest_consent(session: Session, person_id: str, purpose: str) -> ConsentRecord | None:
    """The last consent that a person gave to a purpose, taken back or not."""
    query = select(ConsentRecord).where(
        ConsentRecord.person_id == person_id, ConsentRecord.purpose == purpose
    )
    return session.exec(query.order_by(col(ConsentRecord.id).desc())).first()


def consents_of(session: Session, person_id: str) -> Sequence[ConsentRecord]:
    """Everything a person ever agreed to."""
    return session.exec(select(ConsentRecord).where(ConsentRecord.person_id == person_id)).all()


def guardians_of_ended(session: Session, site_id: str, before: datetime) -> Sequence[ConsentRecord]:
    """Consents that were taken back before a moment and still name who answered for a child."""
    query = select(ConsentRecord).where(
        ConsentRecord.site_id == site_id,
        col(ConsentRecord.withdrawn_at) < before,
        col(ConsentRecord.guardian).is_not(None),
    )
    return session.exec(query).all()


def face_policy(session: Session, site_id: str) -> FacePolicy | None:
    """What a site has set for faces, None where it never did."""
    return session.get(FacePolicy, site_id)


def assessment(session: Session, assessment_id: str | None) -> ImpactAssessment | None:
    """The assessment that a policy names."""
    return session.get(ImpactAssessment, assessment_id) if assessment_id else None


def template(session: Session, template_id: str) -> FaceTemplate | None:
    """One template."""
    return session.get(FaceTemplate, template_id)


def templates_of(session: Session, person_id: str) -> Sequence[FaceTemplate]:
    """The templates of a person: one at most."""
    return session.exec(select(FaceTemplate).where(FaceTemplate.person_id == person_id)).all()


def templates_with_consent(
    session: Session, site_id: str, now: datetime
) -> Sequence[tuple[FaceTemplate, ConsentRecord, bool]]:
    """Every template of a site with the consent that it hangs on, and whether the person's permit runs."""
    holds: Any = Booking.visitor_id == FaceTemplate.person_id
    permit = exists().where(holds, *_runs(now)).label("permitted")
    query: Any = (
        select(FaceTemplate, ConsentRecord, permit)
        .join(ConsentRecord, col(ConsentRecord.id) == FaceTemplate.consent_id)
        .where(FaceTemplate.site_id == site_id)
        .order_by(FaceTemplate.id)
    )
    return cast("Sequence[tuple[FaceTemplate, ConsentRecord, bool]]", session.exec(query).all())


def count_people(session: Session) -> int:
    """On how many people the whole installation holds a face now."""
    enrolled = int(session.exec(select(func.count(func.distinct(FaceTemplate.person_id)))).one())
    return enrolled + photos.count(session)  # a booking has a visitor of its own


def running_permit(session: Session, person_id: str, now: datetime) -> str | None:
    """The standing permit that lets a person in now."""
    query = select(Booking.id).where(Booking.visitor_id == person_id, *_runs(now))
    return session.exec(query.order_by(col(Booking.id).desc())).first()


def _runs(now: datetime) -> list[Any]:
    return [
        Booking.source == BookingSource.STANDING,
        Booking.status == BookingStatus.APPROVED,
        col(Booking.ends_at) > now,
    ]


def photos_without_ground(session: Session) -> Sequence[BookingPhoto]:
    """A batch of visitors' pictures without a consent to the present notice, or at a site that compares no more."""
    present = TERMS[Purpose.FACE_VISIT].version
    query = (
        select(BookingPhoto)
        .join(ConsentRecord, col(ConsentRecord.id) == BookingPhoto.consent_id)
        .join(FacePolicy, col(FacePolicy.site_id) == BookingPhoto.site_id, isouter=True)
        .where(
            col(ConsentRecord.withdrawn_at).is_not(None)
            | (col(ConsentRecord.notice_version) != present)
            | col(FacePolicy.verify).is_(False)
        )
        .order_by(col(BookingPhoto.id))
        .limit(photos.BATCH)
    )
    return session.exec(query).all()


Agreed = tuple[Person, ConsentRecord, FaceTemplate | None]


def agreed(session: Session, site_id: str, purpose: str, limit: int, offset: int) -> Sequence[Agreed]:
    """Who has agreed to a purpose and not taken it back, the newest first, with the template if there is one."""
    query: Any = (
        select(Person, ConsentRecord, FaceTemplate)
        .join(ConsentRecord, col(ConsentRecord.person_id) == Person.id)
        .join(FaceTemplate, col(FaceTemplate.consent_id) == ConsentRecord.id, isouter=True)
        .where(*_open(site_id, purpose))
        .order_by(col(ConsentRecord.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return cast("Sequence[Agreed]", session.exec(query).all())


def count_agreed(session: Session, site_id: str, purpose: str) -> int:
    """How many rows ``agreed`` has in all."""
    query = select(func.count()).select_from(ConsentRecord).where(*_open(site_id, purpose))
    return int(session.exec(query).one())


def _open(site_id: str, purpose: str) -> list[Any]:
    return [
        ConsentRecord.site_id == site_id,
        ConsentRecord.purpose == purpose,
        col(ConsentRecord.withdrawn_at).is_(None),
    ]


def accounts_with_roles(session: Session) -> Sequence[Account]:
    """Every account that is not shut, at any site."""
    return session.exec(select(Account).where(col(Account.disabled).is_(False))).all()
