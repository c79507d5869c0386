"""The unit of work under trouble: another process holds the file, the process dies, a listener fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, func, select

from app.core import database
from app.core.database import Database, announce
from app.core.errors import GateError, Retryable
from app.core.settings import get_settings
from app.domain.access import service as access
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, EvidenceRow, Visit
from app.domain.admission.presenting import present
from app.domain.sites.models import Site
from app.runtime.installation import open_installation
from tests.factories import World, admit, invite, make_world
from tests.factories import present as show

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@pytest.fixture
def patient(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world on a database that waits for others a tenth of a second instead of five."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    opened = open_installation()
    yield make_world(opened)
    opened.close()


@pytest.fixture
def locked(patient: World) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the database file."""
    path = get_settings().data_dir / "gatehouse.db"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        if process.stdin and not process.stdin.closed:
            process.communicate()


@pytest.mark.req("AD-22")
def test_a_database_locked_by_another_process_is_a_passing_fault_and_nothing_is_half_done(
    patient: World, locked: subprocess.Popen[str], fake_clock
) -> None:
    item = Presented("code", "HELLO", "n1", fake_clock.now())
    with pytest.raises(Retryable) as caught:
        patient.do(present, patient.both.id, item)
    assert caught.value.code == "database_busy"
    assert patient.ask(lambda session: session.get(Site, patient.site.id)) is not None  # reading goes on
    locked.communicate()
    assert patient.ask(rows) == []
    attempt = patient.do(present, patient.both.id, item)
    assert [row.id for row in patient.ask(rows)] == [attempt.id]


def rows(session: Session) -> list[Attempt]:
    return list(session.exec(select(Attempt)).all())


@pytest.mark.req("EV-03")
def test_many_writers_queue_and_none_fails(world: World) -> None:
    bookings = [invite(world) for _ in range(3)]

    def run(number: int) -> None:
        world.do(present, world.entry.id, Presented("code", "HELLO", f"n{number}", bookings[0][0].starts_at))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(24)))
    assert len(world.ask(rows)) == 24


def test_what_a_reader_changes_is_rolled_back(world: World) -> None:
    def work(session: Session) -> None:
        site = session.get(Site, world.site.id)
        assert site is not None
        site.name = "改了"
        session.flush()

    world.ask(work)
    assert world.get(Site, world.site.id).name == "锦绣花园"


def test_announcements_are_heard_after_the_commit_and_only_then(world: World) -> None:
    heard: list[object] = []
    world.database.listen(heard.append)

    def work(session: Session) -> None:
        announce(session, "done")
        assert heard == []

    world.do(work)
    assert heard == ["done"]


def test_a_listener_that_fails_harms_neither_the_change_nor_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[object] = []

    def broken(_announcement: object) -> None:
        raise ValueError

    world.database.listen(broken)
    world.database.listen(heard.append)
    world.do(lambda session: announce(session, "done"))
    assert heard == ["done"]
    assert "A listener failed" in caplog.text


async def test_work_runs_off_the_event_loop(world: World) -> None:
    here = threading.get_ident()
    assert await world.database.write(lambda _session: threading.get_ident()) != here
    assert await world.database.read(lambda _session: threading.get_ident()) != here


@pytest.mark.req("EV-03")
async def test_who_went_away_before_their_turn_changes_nothing_and_the_others_are_answered(
    sqlite: Database,
) -> None:
    held, go = threading.Event(), threading.Event()

    def slow(_session: Session) -> str:
        held.set()
        go.wait(10)
        return "slow"

    ran: list[str] = []

    def refuse(_session: Session) -> None:
        raise Retryable("database_busy")

    first = asyncio.create_task(sqlite.write(slow))
    await asyncio.to_thread(held.wait, 10)
    gone = asyncio.create_task(sqlite.write(lambda _session: ran.append("gone")))
    kept = asyncio.create_task(sqlite.write(lambda _session: ran.append("kept")))
    refused = asyncio.create_task(sqlite.write(refuse))
    await asyncio.sleep(0)  # all of them are in the queue
    gone.cancel()
    await asyncio.sleep(0)
    go.set()
    answers = await asyncio.gather(first, gone, kept, refused, return_exceptions=True)
    assert answers[0] == "slow"
    assert isinstance(answers[1], asyncio.CancelledError)
    assert isinstance(answers[3], Retryable)
    assert ran == ["kept"]


DIE = """
import os, signal, sys
from app.core import clock
from app.domain.access import service as access
from app.domain.admission import presenting
from app.domain.admission import service as admission
from app.domain.admission.evidence import Presented
from app.domain.access.models import VisitorPass
from app.core.actor import Actor
from app.core.permissions import Role
from app.runtime.installation import open_installation
from tests.installation import FakeClock

clock.use(FakeClock())
step, lane, pass_id, site = sys.argv[1:]
database = open_installation()
guard = Actor(kind="account", account_id="g", session_id="s", site_id=site, roles=frozenset({Role.GUARD}))

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def arrive(session):
    code = access.code_now(session.get(VisitorPass, pass_id), clock.now())
    attempt = presenting.present(session, lane, Presented("code", code, "n1", clock.now()))
    session.flush()
    if step == "presenting":
        die()
    return attempt

def enter(session):
    admission.admit(session, guard, attempt.id)
    session.flush()
    if step == "admitting":
        die()

attempt = database.write_now(arrive)
database.write_now(enter)
die()
"""


@pytest.mark.req("AD-22", "EV-03")
@pytest.mark.parametrize(
    ("step", "attempts", "visits"), [("presenting", 0, 0), ("admitting", 1, 0), ("admitted", 1, 1)]
)
def test_a_server_killed_at_any_step_loses_nothing_and_admits_nobody_twice(
    sqlite: Database, fake_clock, step: str, attempts: int, visits: int
) -> None:
    world = make_world(sqlite)
    _, issued, _ = invite(world)
    died = subprocess.run(
        [sys.executable, "-c", DIE, step, world.both.id, issued.id, world.site.id], check=False
    )
    assert died.returncode == -9

    def count(table: type) -> int:
        return world.ask(lambda session: session.exec(select(func.count()).select_from(table)).one())

    assert (count(Attempt), count(EvidenceRow), count(Visit)) == (attempts, attempts, visits)
    again = show(world, access.code_now(issued, fake_clock.now()), nonce_="n1")
    if visits:
        with pytest.raises(GateError):
            admit(world, again)
    else:
        admit(world, again)
    assert (count(Attempt), count(Visit)) == (1, 1)
