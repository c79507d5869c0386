"""A clock that ran ahead and was mended is distrusted until somebody who can answer for it says that it is right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select

from app.core import clock
from app.core.audit import AuditEntry
from app.domain.admission import repository as admission
from app.domain.admission.rules import Outcome, Reason
from tests.commands.conftest import Command
from tests.factories import World, invite, let_in, show_code
from tests.installation import FakeClock


@pytest.fixture
def mended(world: World, fake_clock: FakeClock) -> Iterator[None]:
    """Yesterday the clock ran a day ahead; it was set right and the computer started anew."""
    right = FakeClock(fake_clock.moment)
    let_in(world)
    fake_clock.move(hours=24)
    let_in(world)
    before = clock.use(right)
    yield
    clock.use(before)


def start(world: World) -> None:
    """What the server does at its start."""
    clock.current().observe(world.ask(admission.newest_moment))


@pytest.mark.req("BK-07")
@pytest.mark.usefixtures("mended")
def test_a_mended_clock_is_trusted_after_it_was_accepted(world: World, command: Command) -> None:
    start(world)
    assert not clock.current().trusted()
    assert command("accept-clock").code == 0
    clock.use(FakeClock(clock.now()))
    start(world)
    assert clock.current().trusted()
    entry = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == clock.ACCEPTED)).one())
    assert entry.at == clock.now()


@pytest.mark.usefixtures("mended")
def test_what_is_recorded_after_the_acceptance_counts_again(world: World, command: Command) -> None:
    start(world)
    command("accept-clock")
    ahead = FakeClock(clock.now())
    ahead.move(minutes=5)
    clock.use(ahead)
    let_in(world)
    behind = FakeClock(clock.now())
    behind.move(minutes=-2)
    clock.use(behind)
    start(world)
    assert not clock.current().trusted()
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [Reason.CLOCK_UNSURE])


def test_a_clock_that_is_right_needs_no_acceptance(world: World, command: Command) -> None:
    let_in(world)
    assert command("accept-clock").code == 0
    accepted = select(AuditEntry).where(AuditEntry.action == clock.ACCEPTED)
    assert world.database.read_now(lambda s: s.exec(accepted).all()) == []
