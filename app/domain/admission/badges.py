"""What stands on the badge of a visitor who is inside; never more (AD-15)."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.core import crypto
from app.core.actor import Actor
from app.core.errors import Conflict
from app.core.permissions import Right
from app.domain.access.models import VisitorPass
from app.domain.access.service import badge_code
from app.domain.admission import repository
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.domain.sites.badges import name_on_badge


@dataclass(frozen=True, slots=True, repr=False)
class Badge:
    """The texts of a badge, on the site's clock; ``code`` opens the way out. Its ``repr`` says nothing of the bearer."""

    visit_id: str
    site_id: str
    site: str
    demo: bool
    name: str
    unit: str
    window: str
    heads: int
    lane: str
    entered: str
    code: str

    def __repr__(self) -> str:
        return "<Badge>"


def badge_of(session: Session, actor: Actor, visit_id: str) -> Badge:
    """The badge of a visit; raises ``Conflict`` when there is no pass, or the visitor has left."""
    visit = repository.visit(session, visit_id)
    if actor.kind != "system":
        actor.require(Right.DESK_USE, visit.site_id)
    issued = session.get(VisitorPass, visit.pass_id) if visit.pass_id else None
    if issued is None or visit.left_at is not None:
        raise Conflict("badge_none")
    site = sites.site(session, visit.site_id)
    person = people.person(session, visit.visitor_id or "")
    zone = ZoneInfo(site.time_zone)
    entered, due = visit.entered_at.astimezone(zone), visit.due_at.astimezone(zone)
    lane = next(
        (
            f"{door.name} · {lane.name}"
            for lane, door in sites.lanes(session, site.id)
            if lane.id == visit.lane_in
        ),
        "",
    )
    return Badge(
        visit_id=visit.id,
        site_id=site.id,
        site=site.name,
        demo=site.demo,
        name=name_on_badge(sites.policy(session, site.id).badge_name, crypto.reveal(person, "name")),
        unit=sites.unit(session, visit.unit_id or "").label,
        window=f"{entered:%m-%d %H:%M} – {due:%H:%M}"
        if due.date() == entered.date()
        else f"{entered:%m-%d %H:%M} – {due:%m-%d %H:%M}",
        heads=visit.head_count,
        lane=lane,
        entered=f"{entered:%Y-%m-%d %H:%M}",
        code=badge_code(issued),
    )
