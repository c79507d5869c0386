"""The sweeps of a process: the night is worked off once, by whoever leads, and made up for after a stop."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.core import lease
from app.core.settings import get_settings
from app.domain.access import service as access
from app.domain.admission import exits, presenting
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, Visit
from app.domain.admission.rules import Outcome
from app.domain.identity.models import FaceTemplate
from app.domain.people.models import Person
from app.domain.sites import repository as sites
from app.runtime import sweeps
from app.runtime.sweeps import Sweeper
from tests.domain.faces_at_hand import enrolled
from tests.factories import World, let_in
from tests.installation import FakeClock


@pytest.mark.req("RE-04", "RE-07")
async def test_the_night_forgets_what_is_due_and_ships_the_head_of_the_log(
    world: World, fake_clock: FakeClock
) -> None:
    booking, _, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    fake_clock.move(days=31)
    await Sweeper(world.database)._nightly()
    assert world.get(Person, booking.visitor_id).erased_at == fake_clock.now()
    assert (get_settings().data_dir / "audit.head").exists()
    assert world.ask(sweeps.nights_due, fake_clock.now()) == []


async def test_by_day_there_is_nothing_to_do(world: World, fake_clock: FakeClock) -> None:
    before = world.ask(sites.policy, world.site.id).swept_at
    fake_clock.move(hours=2)
    await Sweeper(world.database)._nightly()
    assert world.ask(sites.policy, world.site.id).swept_at == before
    assert not (get_settings().data_dir / "audit.head").exists()


@pytest.mark.req("AD-16")
async def test_who_does_not_lead_sweeps_nothing(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world)
    fake_clock.move(days=31)
    world.do(lease.acquire, sweeps.LEASE, "another process", sweeps.LEASE_TIME)
    sweeper = Sweeper(world.database)
    await sweeper._steady()
    await sweeper._nightly()
    assert world.get(Visit, visit.id).left_at is None
    assert len(world.ask(sweeps.nights_due, fake_clock.now())) == 1
    fake_clock.move(minutes=1)  # the other one is gone, its lease runs out
    await sweeper._steady()
    await sweeper._nightly()
    assert world.get(Visit, visit.id).exit_kind == "automatic"
    assert world.ask(sweeps.nights_due, fake_clock.now()) == []


@pytest.mark.req("AD-16")
async def test_a_late_exit_is_known_before_the_reader_has_its_answer(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, visit = let_in(world)
    fake_clock.move(days=1)
    await Sweeper(world.database)._steady()
    assert world.get(Visit, visit.id).exit_kind == "automatic"
    item = Presented("code", access.badge_code(issued), "n1", fake_clock.now())
    read = await world.database.write(lambda session: presenting.present(session, world.both.id, item))
    attempt = world.get(Attempt, read.id)
    assert (attempt.leaving, attempt.outcome, attempt.visit_id) == (True, Outcome.ADMIT, visit.id)


@pytest.mark.req("ID-06")
async def test_the_night_takes_faces_whose_time_is_over(world: World, fake_clock: FakeClock) -> None:
    enrolled(world)
    night = Sweeper(world.database)
    fake_clock.move(days=1)
    await night._nightly()
    assert len(world.ask(lambda s: s.exec(select(FaceTemplate)).all())) == 1
    fake_clock.move(days=31)
    await night._nightly()
    assert world.ask(lambda s: s.exec(select(FaceTemplate)).all()) == []
