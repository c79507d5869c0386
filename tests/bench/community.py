"""A community for measuring: one site, some lanes, one host, as many booked guests as wanted."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.core import clock
from app.core.actor import SYSTEM, Actor
from app.core.database import Database
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.access.models import VisitorPass
from app.domain.booking.service import Invitation
from app.domain.people import service as people
from app.domain.sites import service as sites
from app.domain.sites.models import Lane, Unit
from app.runtime.installation import open_installation


@dataclass
class Community:
    """What a measurement needs to know."""

    database: Database
    folder: Path
    lanes: list[Lane]
    unit: Unit
    host: Actor
    guard: Actor


def build(lanes: int = 1, url: str = "") -> Community:
    """Make it in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    os.environ["GATEHOUSE_DATA_DIR"] = str(folder)
    os.environ["GATEHOUSE_DATABASE_URL"] = url
    get_settings.cache_clear()
    database = open_installation(migrate=True)
    with database.transaction() as session:
        site = sites.create_site(session, SYSTEM, "Bench", "residential")
        unit = sites.add_unit(session, site.id, "1-101")
        made = [
            sites.add_lane(session, SYSTEM, site, "Gate", f"Lane {n}", "gate_post", "in")[1]
            for n in range(lanes)
        ]
        resident = people.add_person(session, site.id, people.RESIDENT, "Host", "13800138000")
        people.join_unit(session, unit.id, resident.id)
        staff = people.add_person(session, site.id, people.STAFF, "Guard")
        first = people.create_account(
            session, SYSTEM, site.id, resident, "host", "Bench-1234", [Role.RESIDENT]
        )
        second = people.create_account(
            session, SYSTEM, site.id, staff, "guard", "Bench-1234", [Role.GUARD], must_change=False
        )
    return Community(
        database,
        folder,
        made,
        unit,
        Actor("account", first.id, resident.id, "bench", site.id, frozenset({Role.RESIDENT})),
        Actor("account", second.id, staff.id, "bench", site.id, frozenset({Role.GUARD})),
    )


def guests(community: Community, count: int) -> list[VisitorPass]:
    """Book ``count`` guests and return their passes."""
    now = clock.now()
    passes = []
    with community.database.transaction() as session:
        for number in range(count):
            form = Invitation(
                community.unit.id, f"Guest {number}", "13900139000", now, now + timedelta(hours=4)
            )
            passes.append(invitations.invite(session, community.host, form)[1])
    return passes
