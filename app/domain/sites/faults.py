"""Fault tickets: opened when a device stops working, closed when it works again, taken by whoever sees to it (DU-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from app.core import audit, clock
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.sites import webhooks
from app.domain.sites.models import Device, DeviceFault, FaultChanged

BROKEN = frozenset({"offline", "fault", "unavailable"})
WORKING = "online"
# A loose plug makes one ticket with a count, not a hundred.
SAME_FAULT = timedelta(minutes=2)
KEEP = timedelta(days=200)


def note(session: Session, device: Device, now: datetime) -> None:
    """Open a ticket when a device has stopped working, end it when it works, or is switched off."""
    last = _last(session, device.id)
    is_open = last is not None and last.ended_at is None
    if device.enabled and device.status in BROKEN:
        if not is_open:
            _open(session, device, last, now)
            _tell(session, device, "device.down")
    elif is_open and last is not None and (device.status == WORKING or not device.enabled):
        last.ended_at = now
        session.add(last)
        if device.status == WORKING:
            _tell(session, device, "device.up")


def _tell(session: Session, device: Device, event: str) -> None:
    told = {"device": device.id, "lane": device.lane_id, "status": device.status}
    webhooks.emit(session, device.site_id, event, told)


def _last(session: Session, device_id: str) -> DeviceFault | None:
    query = (
        select(DeviceFault)
        .where(DeviceFault.device_id == device_id)
        .order_by(col(DeviceFault.began_at).desc())
    )
    return session.exec(query).first()


def _open(session: Session, device: Device, last: DeviceFault | None, now: datetime) -> None:
    if last is not None and last.ended_at is not None and now - last.ended_at < SAME_FAULT:
        last.ended_at, last.times = None, last.times + 1
        last.status, last.detail = device.status, device.status_detail
        session.add(last)
        return
    session.add(
        DeviceFault(
            id=new_id(),
            site_id=device.site_id,
            lane_id=device.lane_id,
            device_id=device.id,
            device_name=device.name,
            status=device.status,
            detail=device.status_detail,
            began_at=now,
        )
    )


def end_of(session: Session, device_id: str, now: datetime) -> None:
    """End what is open of a device that is taken out."""
    last = _last(session, device_id)
    if last is not None and last.ended_at is None:
        last.ended_at = now
        session.add(last)


def take(session: Session, actor: Actor, fault_id: str) -> DeviceFault:
    """Say that somebody sees to it; raises ``Conflict`` when somebody does already, or it works again."""
    found = session.get(DeviceFault, fault_id)
    if found is None or found.site_id != actor.site_id:
        raise NotFound("fault_unknown")
    actor.require(Right.DEVICE_VIEW, found.site_id)
    if found.taken_by or found.ended_at is not None:
        raise Conflict("fault_taken")
    found.taken_by, found.taken_at = actor.account_id, clock.now()
    session.add(found)
    audit.record(session, actor, "device.fault_take", "device_fault", found.id, site_id=found.site_id)
    announce(session, FaultChanged(found.site_id))
    return found


def recent(session: Session, site_id: str, limit: int = 20) -> Sequence[DeviceFault]:
    """The newest tickets of a site, the open ones first."""
    query = (
        select(DeviceFault)
        .where(DeviceFault.site_id == site_id)
        .order_by(col(DeviceFault.ended_at).is_not(None), col(DeviceFault.began_at).desc())
        .limit(limit)
    )
    return session.exec(query).all()


def forget_old(session: Session, site_id: str, now: datetime) -> None:
    """Delete tickets that ended long ago."""
    session.connection().execute(
        delete(DeviceFault).where(col(DeviceFault.site_id) == site_id, col(DeviceFault.ended_at) < now - KEEP)
    )
