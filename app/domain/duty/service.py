"""Signing on to a lane and off again."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from app.core import audit, clock
from app.core.actor import Actor
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.duty.models import LaneDuty
from app.domain.sites import repository as sites


def present_duty(session: Session, account_id: str) -> LaneDuty | None:
    """Where a guard is signed on."""
    query = select(LaneDuty).where(LaneDuty.account_id == account_id, col(LaneDuty.until_at).is_(None))
    return session.exec(query).first()


def on_duty(session: Session, lane_id: str, at: datetime) -> list[str]:
    """The accounts that were signed on to a lane at a moment."""
    query = (
        select(LaneDuty.account_id)
        .where(LaneDuty.lane_id == lane_id, col(LaneDuty.from_at) <= at)
        .where(col(LaneDuty.until_at).is_(None) | (col(LaneDuty.until_at) > at))
        .order_by(col(LaneDuty.from_at))
    )
    return list(dict.fromkeys(session.exec(query).all()))


def sign_on(session: Session, actor: Actor, lane_id: str) -> LaneDuty:
    """Take a lane; being signed on elsewhere ends. Signing on where one is already changes nothing."""
    lane = sites.lane(session, lane_id)
    actor.require(Right.DESK_USE, lane.site_id)
    duty = present_duty(session, actor.account_id)
    if duty is not None and duty.lane_id == lane.id:
        return duty
    if duty is not None:
        sign_off(session, actor)
    duty = LaneDuty(id=new_id(), lane_id=lane.id, account_id=actor.account_id, from_at=clock.now())
    session.add(duty)
    audit.record(session, actor, "duty.on", "lane", lane.id, site_id=lane.site_id)
    return duty


def sign_off(session: Session, actor: Actor) -> None:
    """Leave the lane."""
    duty = present_duty(session, actor.account_id)
    if duty is None:
        return
    duty.until_at = clock.now()
    session.add(duty)
    audit.record(session, actor, "duty.off", "lane", duty.lane_id, site_id=actor.site_id)
