"""Idempotent sweeps: each looks at the database, does what is due, and may run at any time, twice or late.

APScheduler is only the alarm clock. Of several processes the holder of the lease sweeps; whether a pass is
valid never depends on a sweep having run, because the decision reads the rows themselves.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.adapters.channels import CHANNELS, remote_channels, sweep_files
from app.core import audit, clock, lease
from app.core.actor import SYSTEM
from app.core.database import Database, announce
from app.core.errors import Retryable
from app.core.settings import get_settings
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.rules import PassStatus
from app.domain.admission import checkouts, self_registration, statements, walk_ins
from app.domain.admission.models import Attempt, LaneChanged
from app.domain.booking import photos
from app.domain.booking import repository as bookings
from app.domain.booking.models import BookingChanged
from app.domain.booking.rules import BookingStatus
from app.domain.identity import booking_photos, faces
from app.domain.integration import requests
from app.domain.messages import outgoing, reminders
from app.domain.people.models import WebSession
from app.domain.records import retention, vault_sweep
from app.domain.sites import faults, webhooks
from app.domain.sites import repository as sites
from app.domain.sites.rules import last_nightly
from app.runtime import dispatch
from app.runtime.dispatch import Dispatcher

logger = logging.getLogger(__name__)

LEASE = "sweeps"
LEASE_TIME = timedelta(seconds=30)
QUICK_SECONDS = 5
STEADY_SECONDS = 20
NIGHTLY_SECONDS = 60
IDLE_ATTEMPT = timedelta(minutes=30)
PASS_GRACE = timedelta(hours=12)


def expire(session: Session) -> int:
    """End the passes and bookings whose time is over; the visitor inside keeps the pass for the way out."""
    now, ended = clock.now(), 0
    for row in access.expired(session, now - PASS_GRACE):
        access_service.end_pass(session, row, PassStatus.EXPIRED)
        ended += 1
    for booking in bookings.overdue(session, now - timedelta(hours=1)):
        booking.status = BookingStatus.EXPIRED
        session.add(booking)
        photos.end_visit(session, SYSTEM, booking.id, "expired")
        announce(session, BookingChanged(booking.site_id, booking.id))
        ended += 1
    return ended


def clear_idle_attempts(session: Session) -> int:
    """Set aside what nobody has touched for half an hour."""
    now = clock.now()
    query = (
        select(Attempt)
        .where(Attempt.status == "open", col(Attempt.recorded_at) < now - IDLE_ATTEMPT)
        .limit(200)
    )
    rows = session.exec(query).all()
    for attempt in rows:
        if statements.close(session, attempt.id, "set_aside", now, SYSTEM.kind):
            announce(session, LaneChanged(attempt.site_id, attempt.lane_id, attempt.id))
    return len(rows)


def clear_sessions(session: Session) -> None:
    """Drop sessions that ended by themselves."""
    session.connection().execute(delete(WebSession).where(col(WebSession.expires_at) < clock.now()))


def nights_due(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Sites whose nightly moment has passed since it was last worked off, with that moment; late is as good as sharp."""
    found = []
    for site, policy in sites.policies(session):
        moment = last_nightly(now, site.time_zone, policy.nightly_minute)
        if policy.swept_at < moment:
            found.append((site.id, moment))
    return found


def night_done(session: Session, site_id: str, moment: datetime) -> None:
    """Note that a site's nightly moment is worked off."""
    policy = sites.policy(session, site_id)
    policy.swept_at = moment
    session.add(policy)


class Sweeper:
    """The scheduler of this process and its share in the election."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dispatcher = Dispatcher(database, CHANNELS, remote_channels(get_settings()))
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1}
        )

    async def start(self) -> None:
        """Set the alarms; the first quick round runs at once, to catch up after a stop."""
        dispatch.use(self.dispatcher)
        add = self._scheduler.add_job
        add(self._quick, "interval", seconds=QUICK_SECONDS, id="quick")
        add(self._steady, "interval", seconds=STEADY_SECONDS, id="steady")
        add(self._nightly, "interval", seconds=NIGHTLY_SECONDS, id="nightly")
        self._scheduler.start()
        await self._steady()

    async def stop(self) -> None:
        """Stop the alarms and hand the lease on."""
        self._scheduler.shutdown(wait=False)
        await self.dispatcher.stop()
        dispatch.use(None)
        await self._database.write(lambda session: lease.release(session, LEASE, self._holder))

    async def dispatch(self) -> int:
        """Deliver one batch of what is due in the outbox; a message that fails takes no other with it."""
        return await self.dispatcher.dispatch()

    async def _leads(self) -> bool:
        try:
            return await self._database.write(
                lambda session: lease.acquire(session, LEASE, self._holder, LEASE_TIME)
            )
        except Retryable:
            return False

    async def _quick(self) -> None:
        if await self._leads():
            await self._database.write(lambda session: walk_ins.time_out(session, clock.now()))
            await self.dispatch()

    async def _steady(self) -> None:
        if await self._leads():
            await self._database.write(expire)
            await self._database.write(clear_idle_attempts)
            await self._database.write(lambda session: self_registration.expire(session, clock.now()))
            while await self._database.write(lambda session: booking_photos.sweep(session, clock.now())):
                logger.info("Pictures of visitors whose time is over were deleted")
            while await self._database.write(lambda session: checkouts.close_overdue(session, clock.now())):
                logger.info("Visits that nobody was seen leaving were closed")
            await self._database.write(lambda session: reminders.remind(session, clock.now()))
            await self.dispatch()

    async def _nightly(self) -> None:
        if not await self._leads():
            return
        due = await self._database.read(lambda session: nights_due(session, clock.now()))
        for site_id, moment in due:
            if not await self._work_off(site_id, moment):
                return
        if due:
            await self._database.write(clear_sessions)
            await self._database.write(lambda session: reminders.forget_old(session, clock.now()))
            while await self._database.write(lambda session: outgoing.forget_old(session, clock.now())):
                logger.info("A batch of old messages was removed")
            await self._database.write(lambda session: requests.forget_old(session, clock.now()))
            folder = get_settings().data_dir
            await self._database.read(lambda session: audit.ship_head(session, folder))
            if clock.current().trusted():  # else nobody knows how old a file is
                await self._database.read(lambda session: vault_sweep.sweep(session, clock.now()))
            sweep_files(folder / "outbox", clock.now())

    async def _work_off(self, site_id: str, moment: datetime) -> bool:
        """Purge a site batch by batch; False when another process took the lead meanwhile and goes on with it."""
        while await self._database.write(lambda session: retention.purge(session, site_id, clock.now())):
            logger.info("A batch of expired personal data was removed")
            if not await self._leads():
                return False
        while await self._database.write(lambda session: faces.sweep(session, site_id, clock.now())):
            if not await self._leads():
                return False
        await self._database.write(lambda session: faults.forget_old(session, site_id, clock.now()))
        await self._database.write(lambda session: webhooks.forget_old(session, site_id, clock.now()))
        await self._database.write(lambda session: night_done(session, site_id, moment))
        return True
