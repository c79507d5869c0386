"""Plain functions that make what tests stand on. Each takes the session or the world and says only what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlmodel import Session

from app.core import clock
from app.core.actor import SYSTEM, Actor
from app.core.database import Database
from app.core.permissions import Role
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.access.models import Card, VisitorPass
from app.domain.admission import presenting, walk_ins
from app.domain.admission import service as admission
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, Visit
from app.domain.admission.rules import Kind, Result
from app.domain.booking import service as booking_service
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource
from app.domain.booking.service import Invitation
from app.domain.people import service as people
from app.domain.people.models import Account, Person
from app.domain.sites import service as sites
from app.domain.sites.models import Lane, Site, Unit
from app.domain.sites.rules import VisitorKind

T = TypeVar("T")
PASSWORD = "Lantern-42-river"
GUEST, GUEST_PHONE, GUEST_PLATE = "周婷婷", "13800138001", "京A8C56Z"
HOST, HOST_PHONE = "欧阳建国", "13900139002"
STRANGER, STRANGER_PHONE, STRANGER_TAIL = "何强生", "13911112222", "123X"

_numbers = count(1)


def nonce() -> str:
    """A nonce nobody used before."""
    return f"nonce-{next(_numbers)}"


def actor(site_id: str, *roles: Role, person_id: str = "", lane_id: str = "") -> Actor:
    """Somebody signed in at a site."""
    number = next(_numbers)
    return Actor(
        kind="account",
        account_id=f"account-{number}",
        person_id=person_id,
        session_id=f"{number:064x}",
        site_id=site_id,
        roles=frozenset(roles),
        lane_id=lane_id,
    )


@dataclass
class World:
    """A community with one household, three lanes, and those who work there."""

    database: Database
    site: Site
    unit: Unit
    resident: Person
    both: Lane
    entry: Lane
    exit: Lane
    host: Actor
    guard: Actor
    other_guard: Actor
    supervisor: Actor
    manager: Actor

    def do(self, work: Callable[..., T], *args: object, **options: object) -> T:
        """One service call in a transaction of its own."""
        return self.database.write_now(lambda session: work(session, *args, **options))

    def ask(self, work: Callable[..., T], *args: object, **options: object) -> T:
        """One query."""
        return self.database.read_now(lambda session: work(session, *args, **options))

    def get(self, table: type[T], key: object) -> T:
        """A row as it is now."""
        found = self.ask(lambda session: session.get(table, key))
        assert found is not None
        return found


def make_world(database: Database, risk_class: str = "medium", name: str = "锦绣花园") -> World:
    """A site with everything a visit needs."""
    return database.write_now(lambda session: build_world(session, database, risk_class, name))


def build_world(session: Session, database: Database, risk_class: str, name: str) -> World:
    site = sites.create_site(session, SYSTEM, name, "residential", risk_class)
    unit = sites.add_unit(session, site.id, "8栋1203")
    both, entry, way_out = (
        sites.add_lane(session, SYSTEM, site, "东门", f"{n}号道", "gate_post", direction)[1]
        for n, direction in enumerate(("both", "in", "out"), 1)
    )
    resident = people.add_person(session, site.id, people.RESIDENT, HOST, HOST_PHONE)
    people.join_unit(session, unit.id, resident.id)
    return World(
        database,
        site,
        unit,
        resident,
        both,
        entry,
        way_out,
        host=actor(site.id, Role.RESIDENT, person_id=resident.id),
        guard=actor(site.id, Role.GUARD),
        other_guard=actor(site.id, Role.GUARD),
        supervisor=actor(site.id, Role.SUPERVISOR),
        manager=actor(site.id, Role.MANAGER),
    )


def make_account(world: World, *roles: Role, username: str = "guard.li", password: str = PASSWORD) -> Account:
    """An account with a person of its own."""

    def work(session: Session) -> Account:
        person = people.add_person(session, world.site.id, people.STAFF, "李建国")
        return people.create_account(
            session,
            SYSTEM,
            world.site.id,
            person,
            username,
            password,
            roles or [Role.GUARD],
            must_change=False,
        )

    return world.do(work)


def invitation(world: World, **changes: object) -> Invitation:
    """What a host fills in for a guest who comes now and stays for four hours."""
    now = clock.now()
    form = Invitation(world.unit.id, GUEST, GUEST_PHONE, now, now + timedelta(hours=4), plate=GUEST_PLATE)
    return replace(form, **changes)  # type: ignore[arg-type]


def invite(world: World, **changes: object) -> tuple[Booking, VisitorPass, str]:
    """A guest with a pass, and the secret of the link."""
    return world.do(invitations.invite, world.host, invitation(world, **changes))


def standing(
    world: World, visitor_type: str = VisitorKind.PARTNER, uid: str = "04A1B2C3"
) -> tuple[Booking, Card]:
    """A partner or worker with an IC card for thirty days."""

    def work(session: Session) -> tuple[Booking, Card]:
        now = clock.now()
        form = invitation(world, visitor_type=visitor_type, ends_at=now + timedelta(days=30))
        booking, _ = booking_service.create(session, SYSTEM, form, BookingSource.STANDING, world.resident.id)
        return booking, access.issue_card(session, SYSTEM, world.site.id, booking.id, uid)

    return world.do(work)


def present(
    world: World,
    text: str,
    kind: str = "code",
    *,
    lane: Lane | None = None,
    nonce_: str = "",
    at: datetime | None = None,
) -> Attempt:
    """Something held before a reader."""
    item = Presented(kind, text, nonce_ or nonce(), at or clock.now())
    return world.do(presenting.present, (lane or world.both).id, item)


def show_code(world: World, issued: VisitorPass, lane: Lane | None = None) -> Attempt:
    """The visitor's phone held before the camera now."""
    return present(world, access.code_now(issued, clock.now()), lane=lane)


def admit(world: World, attempt: Attempt, by: Actor | None = None, note: str = "") -> Visit:
    """The guard's key."""
    return world.do(admission.admit, by or world.guard, attempt.id, note)


def let_in(world: World, **changes: object) -> tuple[Booking, VisitorPass, Visit]:
    """A guest who is inside."""
    booking, issued, _ = invite(world, **changes)
    return booking, issued, admit(world, show_code(world, issued))


def walk_in(world: World, **changes: object) -> Attempt:
    """A stranger without a booking at the desk."""
    form = walk_ins.WalkInForm(world.unit.id, STRANGER, STRANGER_PHONE, document_tail=STRANGER_TAIL)
    return world.do(walk_ins.register, world.guard, world.both.id, replace(form, **changes))  # type: ignore[arg-type]


def see_document(world: World, attempt: Attempt, result: Result = Result.OK) -> Attempt:
    """The guard looks at the identity card."""
    return world.do(presenting.see, world.guard, attempt.id, Kind.DOCUMENT, result, nonce())


def answer(world: World, attempt: Attempt, *, agree: bool) -> None:
    """The host is asked and answers on the phone."""
    asked = world.do(walk_ins.ask_host, world.guard, attempt.id)
    world.do(walk_ins.answer, world.host, asked.id, agree=agree)
