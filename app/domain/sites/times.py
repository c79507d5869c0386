"""The times a manager sets for a site: retention, answers, automatic check-out, the nightly hour (RE-04, AD-16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.core import audit, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput
from app.core.permissions import Right
from app.domain.sites import repository
from app.domain.sites.models import PolicyChanged, SitePolicy
from app.domain.sites.rules import LIMITS, RETENTION_FIELDS, Checkout, RiskClass, pictures_outlive

CLOCK = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)", re.ASCII)


def default_policy(site_id: str, created_at: datetime) -> SitePolicy:
    """What a new site starts with."""
    numbers: dict[str, Any] = {name: limit.default for name, limit in LIMITS.items()}
    return SitePolicy(site_id=site_id, checkout=Checkout.GRACE, swept_at=created_at, **numbers)


def retention_days(policy: SitePolicy, risk: RiskClass) -> int:
    """For how many days visits of a class are kept after they ended."""
    return int(getattr(policy, RETENTION_FIELDS[risk]))


def minute_of(text: str, field: str = "nightly_minute") -> int:
    """Minutes after midnight of a time of day such as 03:10; raises ``InvalidInput``."""
    match = CLOCK.fullmatch(inputs.clean(text))
    if match is None:
        raise InvalidInput("time_wrong", field)
    return int(match[1]) * 60 + int(match[2])


def set_times(
    session: Session, actor: Actor, site_id: str, checkout: str, wanted: Mapping[str, str | int]
) -> int:
    """Put times into force and return how many differ; each is an audit entry of its own.

    ``wanted`` holds whole numbers, as typed, by the names in ``LIMITS``; what is absent stays. Raises
    ``InvalidInput`` beyond the limits, and where pictures would outlive their visits.
    """
    actor.require(Right.POLICY_EDIT, site_id)
    policy = repository.policy(session, site_id)
    if checkout not in set(Checkout):
        raise InvalidInput("choice_wrong", "checkout")
    numbers = {
        name: inputs.count(wanted.get(name, getattr(policy, name)), name, limit.low, limit.high)
        for name, limit in LIMITS.items()
    }
    if pictures_outlive(numbers):
        raise InvalidInput("pictures_outlive", "picture_days")
    changed = 0
    for name, value in {**numbers, "checkout": checkout}.items():
        before = getattr(policy, name)
        if value == before:
            continue
        setattr(policy, name, value)
        details = {"field": name, "from": before, "to": value}
        audit.record(session, actor, "policy.time", "site", site_id, site_id=site_id, details=details)
        changed += 1
    if changed:
        session.add(policy)
        announce(session, PolicyChanged(site_id))
    return changed
