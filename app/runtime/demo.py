"""The demonstration community: one residential site with invented people, emulated devices and a day's visits.

Only for trying out: a site made here is marked ``demo``, every page says so, and the passwords are made at
random and printed once at the start.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from app.core import clock
from app.core.actor import SYSTEM, Actor
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.access.models import VisitorPass
from app.domain.admission import exits, presenting
from app.domain.admission import repository as visits
from app.domain.admission import service as admission
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt
from app.domain.booking import service as bookings
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource, Purpose
from app.domain.booking.service import Invitation
from app.domain.people import repository as people_repository
from app.domain.people import service as people
from app.domain.people.models import Account, Person
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.models import Lane, Site
from app.domain.sites.rules import Direction, EntranceKind, SiteKind, VisitorKind

SIGN_IN_FILE = "demo-sign-in.json"
PARTNER_CARD = "04A1B2C3D4E580"
UNKNOWN_CARD = "04FFEE00112280"

RESIDENTS = (
    ("8 栋 1203", "王建平", "13800138000"),
    ("8 栋 1203", "林秋月", "13800138006"),
    ("2 栋 301", "何美玲", "13800138001"),
    ("3 栋 602", "陈国华", "13800138002"),
    ("5 栋 1801", "赵立新", "13800138003"),
    ("6 栋 1102", "欧阳静", "13800138004"),
    ("1 栋 204", "孙丽", "13800138005"),
)
STAFF = (
    ("guard", "李建国", Role.GUARD),
    ("guard2", "周海", Role.GUARD),
    ("supervisor", "吴敏", Role.SUPERVISOR),
    ("service", "郑晓燕", Role.SERVICE),
    ("manager", "钱伟", Role.MANAGER),
    ("auditor", "冯涛", Role.AUDITOR),
    ("admin", "许强", Role.ADMIN),
)
GUESTS = (
    # phone of the host, name, phone, hours from now, for how long, purpose, heads, plate
    ("13800138000", "张晓雯", "13900139001", -0.2, 4, Purpose.FAMILY, 2, "京A8C56Z"),
    ("13800138002", "陈立", "13900139002", 0.1, 3, Purpose.REPAIR, 1, ""),
    ("13800138003", "赵敏", "13900139003", 0.3, 5, Purpose.PARTY, 4, "京AD12345"),
    ("13800138001", "司马兰", "13900139004", 0.5, 2, Purpose.FAMILY, 1, ""),
    ("13800138004", "Anna Lindqvist", "+46701234567", 0.7, 3, Purpose.MEETING, 1, ""),
    ("13800138005", "𠮷田𡈽", "13900139006", 1.2, 4, Purpose.OTHER, 1, ""),
    ("13800138000", "周婷", "13900139007", 1.5, 3, Purpose.FAMILY, 1, ""),
)
INSIDE = (
    ("13800138001", "刘洋", "13900139010", -3.0, 2, Purpose.REPAIR, 1),
    ("13800138003", "高原", "13900139011", -2.0, 5, Purpose.FAMILY, 3),
    ("13800138005", "马晓东", "13900139012", -1.0, 3, Purpose.OTHER, 1),
)
LEFT = (
    ("13800138002", "黄蓉", "13900139013", -4.0, 2, Purpose.FAMILY, 1),
    ("13800138004", "徐志", "13900139014", -5.0, 2, Purpose.DELIVERY, 1),
    ("13800138000", "苏梅", "13900139015", -6.0, 2, Purpose.MEETING, 2),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One printed line: who, the user name, the password made for this installation."""

    role: str
    name: str
    username: str
    password: str


def exists(session: Session) -> bool:
    """Whether the demonstration community is there."""
    return session.exec(select(Site).where(col(Site.demo).is_(True))).first() is not None


def create(session: Session) -> list[SignIn]:
    """Build the community and return the accounts with their passwords."""
    site = sites_service.create_site(session, SYSTEM, "锦绣花园", SiteKind.RESIDENTIAL, demo=True)
    for number in range(1, 9):
        building = sites_service.add_area(session, site, f"{number} 栋")
        for floor in (2, 3, 6, 11, 12, 18):
            for door in (1, 2, 3, 4):
                label = f"{number} 栋 {floor}0{door}" if floor < 10 else f"{number} 栋 {floor}{door:02d}"
                sites_service.add_unit(session, site.id, label, area_id=building.id)
    _, east = sites_service.add_lane(
        session, SYSTEM, site, "东门", "1 号道", EntranceKind.GATE_POST, Direction.BOTH
    )
    _, west = sites_service.add_lane(
        session, SYSTEM, site, "西门", "出口道", EntranceKind.SIDE_DOOR, Direction.OUT
    )
    for lane in (east, west):
        sites_service.save_device(session, SYSTEM, lane, "摄像机", "camera", {"source": "emulator"})
        sites_service.save_device(session, SYSTEM, lane, "IC 读卡器", "pcsc", {"emulated": True})
    sites_service.save_device(session, SYSTEM, east, "身份证阅读器", "id_card", {"emulated": True})
    sites_service.save_device(session, SYSTEM, east, "打印机", "printer", {"emulated": True})
    lines = _people(session, site)
    _partner(session, site)
    return lines


def _people(session: Session, site: Site) -> list[SignIn]:
    lines = []
    for username, name, role in STAFF:
        person = people.add_person(session, site.id, people.STAFF, name)
        password = people.one_time_password()
        people.create_account(session, SYSTEM, site.id, person, username, password, [role], must_change=False)
        lines.append(SignIn(role, name, username, password))
    for index, (unit, name, phone) in enumerate(RESIDENTS):
        person = people.add_person(session, site.id, people.RESIDENT, name, phone)
        found = sites.unit_by_label(session, site.id, unit)
        if found is not None:
            people.join_unit(session, found.id, person.id)
        username, password = f"resident{index + 1}" if index else "resident", people.one_time_password()
        people.create_account(
            session, SYSTEM, site.id, person, username, password, [Role.RESIDENT], must_change=False
        )
        if index < 2:
            lines.append(SignIn(Role.RESIDENT, f"{name} · {unit}", username, password))
    return lines


def _partner(session: Session, site: Site) -> None:
    unit = sites.unit_by_label(session, site.id, "1 栋 201")
    now = clock.now()
    if unit is None:
        return
    form = Invitation(
        unit.id,
        "刘桂芳",
        "13900139020",
        now,
        now + timedelta(days=300),
        Purpose.OTHER,
        1,
        "",
        VisitorKind.PARTNER,
    )
    booking, _ = bookings.create(session, SYSTEM, form, BookingSource.STANDING)
    access.issue_card(session, SYSTEM, site.id, booking.id, PARTNER_CARD)


def refresh(session: Session) -> None:
    """Give the community visits around the present hour when it has none left; changes nothing otherwise."""
    site = session.exec(select(Site).where(col(Site.demo).is_(True))).first()
    if site is None:
        return
    now = clock.now()
    coming = select(Booking.id).where(
        Booking.site_id == site.id,
        Booking.status == "approved",
        col(Booking.ends_at) > now,
        Booking.source == "host",
    )
    if len(session.exec(coming.limit(4)).all()) >= 4:
        return
    guard = _actor(session, "guard")
    lane = sites.lanes(session, site.id)[0][0]
    for phone, name, mobile, start, hours, purpose, heads, plate in GUESTS:
        _book(session, site, phone, name, mobile, now + timedelta(hours=start), hours, purpose, heads, plate)
    for phone, name, mobile, start, hours, purpose, heads in INSIDE:
        _arrive(session, site, lane, guard, phone, name, mobile, start, hours, purpose, heads)
    for phone, name, mobile, start, hours, purpose, heads in LEFT:
        visit_id = _arrive(session, site, lane, guard, phone, name, mobile, start, hours, purpose, heads)
        exits.leave(session, guard, visit_id, lane.id, "search")
    presenting.present(
        session, lane.id, Presented("code", "https://example.com/", f"demo-foreign-{now.timestamp()}", now)
    )
    for attempt in session.exec(
        select(Attempt).where(Attempt.lane_id == lane.id, Attempt.status == "open")
    ).all():
        admission.refuse(session, guard, attempt.id)


def _actor(session: Session, username: str) -> Actor:
    account = people_repository.account_by_name(session, username)
    if account is None:
        return SYSTEM
    return Actor(
        kind="account",
        account_id=account.id,
        person_id=account.person_id,
        session_id="demo",
        site_id=account.site_id,
        roles=frozenset(Role(role) for role in account.roles),
    )


def _book(
    session: Session,
    site: Site,
    host_phone: str,
    name: str,
    mobile: str,
    starts_at: datetime,
    hours: int,
    purpose: Purpose,
    heads: int,
    plate: str = "",
) -> str:
    host = people_repository.by_phone(session, site.id, host_phone, (people.RESIDENT,))
    if host is None:
        return ""
    account = session.exec(select(Account).where(Account.person_id == host.id)).one()
    unit = people_repository.units_of(session, host.id)[0]
    now = clock.now()
    start = max(starts_at, now)
    end = max(starts_at + timedelta(hours=hours), now + timedelta(minutes=30))
    form = Invitation(unit.id, name, mobile, start, end, purpose, heads, plate)
    booking, issued, _ = invitations.invite(session, _actor(session, account.username), form)
    booking.starts_at, booking.ends_at = starts_at, starts_at + timedelta(hours=hours)
    issued.not_before, issued.not_after = booking.starts_at, booking.ends_at
    session.add(booking)
    session.add(issued)
    session.flush()
    return booking.id


def _arrive(
    session: Session,
    site: Site,
    lane: Lane,
    guard: Actor,
    phone: str,
    name: str,
    mobile: str,
    start: float,
    hours: int,
    purpose: Purpose,
    heads: int,
) -> str:
    now = clock.now()
    booking_id = _book(session, site, phone, name, mobile, now, 4, purpose, heads)
    booking = session.get(Booking, booking_id)
    issued = session.exec(select(VisitorPass).where(VisitorPass.booking_id == booking_id)).one()
    item = Presented("code", access.code_now(issued, now), f"demo-{booking_id}", now)
    arrival = presenting.present(session, lane.id, item)
    visit = admission.admit(session, guard, arrival.id)
    attempt = visits.attempt(session, arrival.id)
    session.refresh(attempt)
    begun = now + timedelta(hours=start)
    visit.entered_at, visit.due_at = begun, begun + timedelta(hours=hours)
    visit.serving_ms = 3000 + secrets.randbelow(9000)
    attempt.recorded_at = attempt.occurred_at = attempt.closed_at = begun
    if booking is not None:
        booking.starts_at, booking.ends_at = begun, visit.due_at
        session.add(booking)
    session.add(visit)
    session.add(attempt)
    session.flush()
    return visit.id


def keep_sign_in(folder: Path, lines: list[SignIn]) -> None:
    """Keep the passwords for the next start, readable by the owner only."""
    path = folder / SIGN_IN_FILE
    with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        json.dump(
            [[line.role, line.name, line.username, line.password] for line in lines], file, ensure_ascii=False
        )


def kept_sign_in(folder: Path) -> list[SignIn]:
    """The passwords made when the community was built."""
    path = folder / SIGN_IN_FILE
    if not path.exists():
        return []
    return [SignIn(*line) for line in json.loads(path.read_text("utf-8"))]


def is_demo_site(session: Session, site_id: str) -> bool:
    """Whether the panel with the emulated devices may be used at a site: in demo mode, at a demo site."""
    site = session.get(Site, site_id)
    return get_settings().demo and site is not None and site.demo


def name_of(session: Session, person_id: str) -> Person:
    """A person of the community, for the panel's list."""
    return people_repository.person(session, person_id)
