"""How a site prints its badges: at once or at a key, and what stands there as the name (AD-15)."""

from __future__ import annotations

from sqlmodel import Session

from app.core import audit
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput
from app.core.masking import mask_name
from app.core.permissions import Right
from app.domain.sites import repository
from app.domain.sites.models import PolicyChanged
from app.domain.sites.rules import BadgeName


def set_printing(session: Session, actor: Actor, site_id: str, *, at_once: bool, name: str) -> int:
    """Put both into force and return how many differ; each is an audit entry of its own."""
    actor.require(Right.POLICY_EDIT, site_id)
    if name not in set(BadgeName):
        raise InvalidInput("choice_wrong", "badge_name")
    policy = repository.policy(session, site_id)
    changed = 0
    for field, value in {"print_at_once": at_once, "badge_name": name}.items():
        before = getattr(policy, field)
        if before == value:
            continue
        setattr(policy, field, value)
        details = {"field": field, "from": before, "to": value}
        audit.record(session, actor, "policy.badge", "site", site_id, site_id=site_id, details=details)
        changed += 1
    if changed:
        session.add(policy)
        announce(session, PolicyChanged(site_id))
    return changed


def name_on_badge(rule: str, name: str) -> str:
    """The name as the site has it printed; a rule that is not known masks it."""
    if rule == BadgeName.FULL:
        return name
    return "" if rule == BadgeName.NONE else mask_name(name)
