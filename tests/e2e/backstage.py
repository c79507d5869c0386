"""The hand behind the stage: prepares people, lanes and bookings in the data of a running server.

Runs as a program of its own beside the server, on the same database and with the same keys, so that nothing of the
product is set up inside the process of the tests. One JSON line in, one JSON line out.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from app.core import audit, clock, crypto
from app.core.actor import SYSTEM, Actor
from app.core.database import get_database
from app.core.ids import new_secret
from app.core.permissions import STAFF, Role
from app.domain.access import invitations, permits
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.rules import DYNAMIC, STEP_SECONDS, make, step_at
from app.domain.booking import repository as bookings
from app.domain.booking.service import Invitation
from app.domain.duty import service as duty
from app.domain.people import repository as people_repository
from app.domain.people import service as people
from app.domain.people import sessions as sign_ins
from app.domain.people.models import ApiKey, WebSession
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import Direction, EntranceKind

ROOT = Path(__file__).resolve().parents[2]
COUNTED = (
    "audit_log",
    "attempt",
    "evidence",
    "booking",
    "visit",
    "person",
    "account",
    "device",
    "lane",
    "field_rule",
)


def _site(session: Session) -> Any:
    return next(site for site in sites.sites(session) if site.demo)


def _session(session: Session, account_id: str, roles: list[str]) -> str:
    now, secret = clock.now(), new_secret()
    session.add(
        WebSession(
            id=crypto.hash_secret(secret),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=1),
            idle_minutes=sign_ins.idle_minutes(frozenset(roles)),
            ip="127.0.0.1",
        )
    )
    return secret


def account(
    session: Session, roles: list[str], name: str = "", phone: str = "", unit: str = ""
) -> dict[str, str]:
    """A new person with an account, signed in."""
    site = _site(session)
    kind = people.STAFF if set(roles) & set(STAFF) else people.RESIDENT
    person = people.add_person(session, site.id, kind, name or f"测试{secrets.token_hex(2)}", phone)
    username = f"{roles[0]}-{secrets.token_hex(4)}"
    password = f"{secrets.token_hex(6)}-Aa9"
    made = people.create_account(
        session,
        SYSTEM,
        site.id,
        person,
        username,
        password,
        [Role(role) for role in roles],
        must_change=False,
    )
    if unit:
        people.join_unit(session, _unit(session, unit).id, person.id)
    return {
        "username": username,
        "password": password,
        "cookie": _session(session, made.id, roles),
        "account": made.id,
        "person": person.id,
        "unit": unit,
    }


def _unit(session: Session, label: str) -> Any:
    site = _site(session)
    found = sites.unit_by_label(session, site.id, label)
    return found or sites_service.add_unit(
        session, site.id, label, area_id=sites.areas(session, site.id)[0].id
    )


def cookie(session: Session, username: str) -> str:
    """One more session of an account of the demonstration, without asking for the password."""
    found = people_repository.account_by_name(session, username)
    if found is None:
        raise LookupError(username)
    return _session(session, found.id, found.roles)


def lane(session: Session, direction: str = "both") -> dict[str, str]:
    """A new lane without devices, with the key of its computer."""
    site = _site(session)
    name = f"试验门 {secrets.token_hex(2)}"
    _, made = sites_service.add_lane(
        session, SYSTEM, site, name, "1 号道", EntranceKind.GATE_POST, Direction(direction)
    )
    return {"lane": made.id, "title": f"{name} · {made.name}", "key": lane_key(session, made.id)}


def lane_key(session: Session, lane: str) -> str:
    """A key for a lane's computer."""
    found, secret = sites.lane(session, lane), new_secret()
    session.add(
        ApiKey(
            id=crypto.hash_secret(secret),
            site_id=found.site_id,
            lane_id=lane,
            label="test",
            created_at=clock.now(),
        )
    )
    return secret


def lanes(session: Session) -> list[dict[str, str]]:
    """The lanes with their titles."""
    return [
        {"lane": lane.id, "title": f"{door.name} · {lane.name}"}
        for lane, door in sites.lanes(session, _site(session).id)
    ]


def devices(session: Session, lane: str) -> list[dict[str, str]]:
    """The devices of a lane."""
    return [{"id": d.id, "name": d.name, "driver": d.driver} for d in sites.devices(session, lane_id=lane)]


def on_duty(session: Session, username: str, lane: str) -> None:
    """Sign a guard on to a lane."""
    duty.sign_on(session, _actor(session, username), lane)


def _actor(session: Session, username: str) -> Actor:
    found = people_repository.account_by_name(session, username)
    if found is None:
        raise LookupError(username)
    return Actor(
        kind="account",
        account_id=found.id,
        person_id=found.person_id,
        session_id="backstage",
        site_id=found.site_id,
        roles=frozenset(Role(role) for role in found.roles),
    )


def guest(
    session: Session, host: str, name: str, phone: str = "13900137788", starts: int = -5
) -> dict[str, str]:
    """A booking by a host, for about now, with its link."""
    actor = _actor(session, host)
    unit = people_repository.units_of(session, actor.person_id)[0]
    now = clock.now()
    form = Invitation(unit.id, name, phone, now + timedelta(minutes=starts), now + timedelta(hours=3))
    booking, issued, secret = invitations.invite(session, actor, form)
    digits = crypto.reveal(issued, "short_code")
    return {"booking": booking.id, "link": secret, "short_code": digits, "unit": unit.label, "phone": phone}


def cancel(session: Session, booking: str) -> None:
    """The host of a booking withdraws it."""
    host = bookings.booking(session, booking).host_id or ""
    account = people_repository.accounts_of(session, [host])[host]
    invitations.cancel(session, _actor(session, account.username), booking)


def code(session: Session, booking: str, kind: str = "live") -> str:
    """What a booking's phone shows now, showed two minutes ago, or what a forger would make of it."""
    issued = access.of_booking(session, booking)
    if issued is None:
        raise LookupError(booking)
    step = step_at(clock.now().timestamp()) - (120 // STEP_SECONDS if kind == "stale" else 0)
    secret = secrets.token_bytes(32) if kind == "forged" else access_service.secret_of(issued)
    return make(DYNAMIC, secret, issued.kid, issued.code_id, step)


def badge_code(session: Session, booking: str) -> str:
    """The code on the printed badge."""
    issued = access.of_booking(session, booking)
    if issued is None:
        raise LookupError(booking)
    return access_service.badge_code(issued)


def pass_status(session: Session, booking: str) -> str:
    """Where a pass stands."""
    issued = access.of_booking(session, booking)
    return str(issued.status) if issued else ""


def card(session: Session, booking: str, uid: str) -> None:
    """Give a booking an IC card."""
    access_service.issue_card(session, SYSTEM, _site(session).id, booking, uid)


def permit(session: Session, username: str) -> str:
    """A standing permit for somebody who lives here, for a month."""
    manager, account = _actor(session, "manager"), people_repository.account_by_name(session, username)
    if account is None:
        raise LookupError(username)
    unit = people_repository.units_of(session, account.person_id)[0]
    until = clock.now() + timedelta(days=30)
    return permits.grant(session, manager, account.person_id, unit.id, until).id


def film(session: Session, lane: str, source: str) -> None:
    """A lane's camera shows a film instead of the drawn entrance; only before the server starts."""
    camera = next(device for device in sites.devices(session, lane_id=lane) if device.driver == "camera")
    camera.settings = {"source": source, "loop": True}
    session.add(camera)


def counts(session: Session) -> dict[str, int]:
    """How many rows each table has, and a sum over all rows that could be changed in place."""
    tables = (
        session.connection()
        .execute(text("SELECT name FROM sqlite_master WHERE type='table'"))
        .scalars()
        .all()
    )
    return {
        name: int(session.connection().execute(text(f'SELECT count(*) FROM "{name}"')).scalar() or 0)
        for name in sorted(tables)
        if not name.startswith(("sqlite_", "search_"))
    }


def contents(session: Session) -> str:
    """A hash over everything that an event could change, but for what a running server touches by itself."""
    import hashlib

    digest = hashlib.sha256()
    quiet = {
        "web_session": "seen_at",
        "device": "status",
        "device_fault": "*",
        "lease": "*",
        "outbox_message": "*",
    }
    for name in counts(session):
        if quiet.get(name) == "*":
            continue
        for row in session.connection().execute(text(f'SELECT * FROM "{name}"')).mappings():
            kept = {k: v for k, v in row.items() if not k.startswith(quiet.get(name, "\0"))}
            digest.update(repr((name, sorted(kept.items()))).encode())
    return digest.hexdigest()


def visits_of(session: Session, booking: str) -> list[dict[str, Any]]:
    """The visits that came of a booking."""
    rows = session.connection().execute(
        text("SELECT id, left_at, exit_kind FROM visit WHERE booking_id = :b"), {"b": booking}
    )
    return [dict(row) for row in rows.mappings()]


def attempts_of(session: Session, lane: str) -> list[dict[str, Any]]:
    """The attempts at a lane."""
    rows = session.connection().execute(
        text(
            "SELECT id, status, outcome, reasons, booking_id FROM attempt WHERE lane_id = :l ORDER BY recorded_at"
        ),
        {"l": lane},
    )
    return [dict(row) for row in rows.mappings()]


def clear_lane(session: Session, lane: str) -> None:
    """Set aside what an earlier test left open at a lane."""
    session.connection().execute(
        text("UPDATE attempt SET status = 'set_aside' WHERE lane_id = :l AND status = 'open'"), {"l": lane}
    )


def audit_faults(session: Session) -> int:
    """How many faults the chain of the audit log has."""
    return len(list(audit.verify(session, Path(os.environ["GATEHOUSE_DATA_DIR"]))))


COMMANDS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        account, cookie, lane, lane_key, lanes, devices, on_duty, guest, cancel, code, badge_code, pass_status, card, counts,
        contents, visits_of, attempts_of, clear_lane, audit_faults, permit, film,
    )
}  # fmt: skip


def main() -> None:
    """Obey line after line until the other end goes."""
    from app.runtime.installation import open_installation

    open_installation()
    database = get_database()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            work = COMMANDS[asked["command"]]
            answer: dict[str, Any] = {"ok": database.write_now(lambda s: work(s, **asked["options"]))}  # noqa: B023
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, ensure_ascii=False), flush=True)


class Backstage:
    """The other end: ``backstage.guest(host=..., name=...)`` runs that command."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.backstage"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __getattr__(self, command: str) -> Callable[..., Any]:
        def call(**options: Any) -> Any:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({"command": command, "options": options}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            answer = json.loads(line) if line else {"error": "the helper process ended"}
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["ok"]

        return call

    def close(self) -> None:
        """End the program."""
        self._process.communicate(timeout=10)


if __name__ == "__main__":
    main()
