"""Visits that end by themselves because nobody was seen leaving, and what happens when the visitor turns up after all.

Closed like this a visit is marked, counted apart from the exits that somebody saw, and never told to the host as a
departure (AD-16). A pass shown later makes the visit a present one again, so that the exit can be recorded as seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from app.core import audit, clock
from app.core.actor import SYSTEM
from app.core.database import announce
from app.domain.access import service as access_service
from app.domain.access.rules import PassStatus
from app.domain.admission import repository
from app.domain.admission.arrival import OPEN
from app.domain.admission.judging import judge
from app.domain.admission.models import Attempt, LaneChanged, Visit
from app.domain.admission.rules import Outcome, Reason
from app.domain.booking import photos
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, BookingStatus
from app.domain.sites import repository as sites
from app.domain.sites import webhooks
from app.domain.sites.models import Site, SitePolicy
from app.domain.sites.rules import STANDING_STAY, Direction, HolderKind, close_before, overdue_since

AUTOMATIC = "automatic"
# Few at a time: arrivals share the one writer, and each visit is an audit entry.
BATCH = 25
# At a lane that leads both ways a pass that is over says "out" only for so long; later it may well be a return.
SEEN_AGAIN = timedelta(hours=24)
OVER = {Reason.BOOKING_USED, Reason.TOO_LATE, Reason.PASS_ENDED}


def close_overdue(session: Session, now: datetime) -> int:
    """Close a batch of the visits that their site's policy says are over; returns how many, 0 when none is left."""
    closed = 0
    for site, policy in sites.policies(session):
        before = close_before(
            policy.checkout, policy.checkout_hours, policy.nightly_minute, now, site.time_zone
        )
        if before is not None and closed < BATCH:
            for visit, booking in _overdue(session, site, before, BATCH - closed):
                closed += _close(session, policy, visit, booking, now)
    return closed


def _overdue(
    session: Session, site: Site, before: datetime, limit: int
) -> Sequence[tuple[Visit, Booking | None]]:
    # Who lives or works here is no visitor; whoever stands at the way out now is about to be seen leaving.
    at_the_gate = select(Attempt.id).where(Attempt.visit_id == Visit.id, Attempt.status == OPEN).exists()
    standing = col(Booking.source) == BookingSource.STANDING
    query = (
        select(Visit, Booking)
        .join(Booking, col(Booking.id) == Visit.booking_id, isouter=True)
        .where(Visit.site_id == site.id, col(Visit.left_at).is_(None), ~at_the_gate)
        .where(col(Visit.visitor_type).not_in(list(HolderKind)))
        .where((col(Visit.due_at) <= before) | (standing & (col(Visit.entered_at) <= before - STANDING_STAY)))
        .order_by(col(Visit.due_at), col(Visit.id))
        .limit(limit)
    )
    return session.exec(query).all()


def _close(
    session: Session, policy: SitePolicy, visit: Visit, booking: Booking | None, now: datetime
) -> bool:
    done = session.connection().execute(
        update(Visit)
        .where(col(Visit.id) == visit.id, col(Visit.left_at).is_(None))
        .values(left_at=now, exit_kind=AUTOMATIC)
    )
    if not done.rowcount:
        return False
    standing = booking is not None and booking.source == BookingSource.STANDING
    issued = repository.visitor_pass(session, visit.pass_id) if visit.pass_id else None
    if issued is not None:
        # Not RETURNED: nobody has it in hand. It opens nothing any more.
        access_service.end_pass(session, issued, PassStatus.EXPIRED)
    if booking is not None and not standing:
        booking.status = BookingStatus.COMPLETED
        session.add(booking)
        photos.end_visit(session, SYSTEM, booking.id, "left")
    late = now - overdue_since(visit.entered_at, visit.due_at, standing=standing)
    audit.record(
        session,
        SYSTEM,
        "visit.close",
        "visit",
        visit.id,
        site_id=visit.site_id,
        reason=policy.checkout,
        details={"minutes_overdue": int(late.total_seconds() // 60)},
    )
    told = {"booking": visit.booking_id or "", "visit": visit.id, "how": AUTOMATIC}
    webhooks.emit(session, visit.site_id, "visit.checked_out", told)
    announce(session, LaneChanged(visit.site_id, visit.lane_in, ""))
    return True


def closed_unseen(session: Session, attempt_id: str) -> Visit | None:
    """The visit that an open arrival is the late way out of; None where the arrival is anything else."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.status != OPEN or attempt.booking_id is None:
        return None
    query = select(Visit).where(Visit.booking_id == attempt.booking_id)
    visit = session.exec(query.order_by(col(Visit.entered_at).desc(), col(Visit.id).desc()).limit(1)).first()
    if visit is None or visit.exit_kind != AUTOMATIC or visit.left_at is None or visit.purged_at is not None:
        return None
    if attempt.leaving:
        return visit
    # What no longer leads in can only mean out; what still leads in, such as a partner's card, is a new arrival.
    over = attempt.outcome == Outcome.REFUSE and set(attempt.reasons) <= OVER
    both = sites.lane(session, attempt.lane_id).direction == Direction.BOTH
    return visit if both and over and clock.now() - visit.left_at < SEEN_AGAIN else None


def recognise(session: Session, attempt_id: str) -> bool:
    """Take an arrival for the exit nobody had seen: the visit is a present one again and the guard may let out."""
    visit = closed_unseen(session, attempt_id)
    if visit is None:
        return False
    attempt = repository.attempt(session, attempt_id)
    reopened = session.connection().execute(
        update(Visit)
        .where(col(Visit.id) == visit.id, col(Visit.exit_kind) == AUTOMATIC)
        .values(left_at=None, exit_kind="")
    )
    if not reopened.rowcount:
        return False
    attempt.leaving, attempt.visit_id = True, visit.id
    session.add(attempt)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "visit.reopen",
        "visit",
        visit.id,
        site_id=visit.site_id,
        reason="seen_again",
        details={"attempt": attempt.id},
    )
    judge(session, attempt, sites.site(session, attempt.site_id))
    return True
