"""Statements on self-registrations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from app.domain.admission.self_models import SelfRegistration, SelfStatus


def one(session: Session, registration_id: str) -> SelfRegistration | None:
    """One by its id."""
    return session.get(SelfRegistration, registration_id)


def by_nonce(session: Session, nonce: str) -> SelfRegistration | None:
    """The one that was sent with a nonce."""
    return session.exec(select(SelfRegistration).where(SelfRegistration.nonce == nonce)).first()


def by_secret(session: Session, secret_hash: bytes) -> SelfRegistration | None:
    """The one that a phone follows."""
    query = select(SelfRegistration).where(SelfRegistration.secret_hash == secret_hash)
    return session.exec(query).first()


def waiting(session: Session, lane_id: str, since: datetime) -> Sequence[SelfRegistration]:
    """Those that wait at a lane and came after a moment, the oldest first."""
    query = select(SelfRegistration).where(
        SelfRegistration.lane_id == lane_id,
        SelfRegistration.status == SelfStatus.WAITING,
        col(SelfRegistration.created_at) > since,
    )
    return session.exec(query.order_by(col(SelfRegistration.id))).all()


def count_waiting(session: Session, lane_id: str) -> int:
    """How many wait at a lane."""
    query = (
        select(func.count())
        .select_from(SelfRegistration)
        .where(SelfRegistration.lane_id == lane_id, SelfRegistration.status == SelfStatus.WAITING)
    )
    return int(session.exec(query).one())


def last_number(session: Session, lane_id: str) -> int:
    """The number that was given out last at a lane, 0 for none."""
    query = select(SelfRegistration.number).where(SelfRegistration.lane_id == lane_id)
    return session.exec(query.order_by(col(SelfRegistration.id).desc()).limit(1)).first() or 0


def overdue(session: Session, before: datetime) -> Sequence[SelfRegistration]:
    """Those that have waited since before a moment."""
    query = select(SelfRegistration).where(
        SelfRegistration.status == SelfStatus.WAITING, col(SelfRegistration.created_at) <= before
    )
    return session.exec(query.limit(200)).all()


def close(
    session: Session, registration_id: str, status: SelfStatus, now: datetime, by: str, attempt_id: str | None
) -> bool:
    """Close one that waits and forget what was entered; False when somebody else was faster."""
    session.flush()
    done = session.connection().execute(
        update(SelfRegistration)
        .where(
            col(SelfRegistration.id) == registration_id,
            col(SelfRegistration.status) == SelfStatus.WAITING,
        )
        .values(status=status, details=None, closed_at=now, closed_by=by, attempt_id=attempt_id)
    )
    row = session.get(SelfRegistration, registration_id)
    if row is not None:
        session.refresh(row)
    return int(done.rowcount) == 1


def forget_old(session: Session, site_id: str, before: datetime) -> int:
    """Delete the rows of those closed before a moment; returns how many."""
    query = select(SelfRegistration).where(
        SelfRegistration.site_id == site_id, col(SelfRegistration.closed_at) < before
    )
    rows = session.exec(query.limit(500)).all()
    for row in rows:
        session.delete(row)
    return len(rows)
