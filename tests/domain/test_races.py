"""Two at the same moment: deliveries, guards, lanes, a cancellation and the key. One of them counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from app.core.errors import Conflict, GateError
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.admission import presenting
from app.domain.admission import service as admission
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, EvidenceRow, Visit
from app.domain.admission.rules import Outcome, Reason
from app.domain.admission.service import NotAdmissible
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from tests.factories import (
    World,
    admit,
    invite,
    nonce,
    present,
    show_code,
)
from tests.installation import FakeClock


def count_rows(world: World, table: type) -> int:
    return world.ask(lambda session: session.exec(select(func.count()).select_from(table)).one())


def at_once(*works) -> list[object]:
    """Run the works on threads that start together; what each returned or raised."""
    barrier = Barrier(len(works))

    def run(work) -> object:
        barrier.wait(10)
        try:
            return work()
        except GateError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.req("AD-22")
def test_the_same_event_delivered_at_the_same_moment_makes_one_row(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, _ = invite(world)
    item = Presented("code", access.code_now(issued, fake_clock.now()), nonce(), fake_clock.now())
    results = at_once(*[lambda: world.do(presenting.present, world.both.id, item)] * 3)
    assert (count_rows(world, Attempt), count_rows(world, EvidenceRow)) == (1, 1)
    kept = world.ask(lambda session: session.exec(select(Attempt)).one())
    assert (kept.outcome, kept.reasons) == (Outcome.ADMIT, [Reason.BOOKED])
    assert {getattr(result, "id", None) for result in results} == {kept.id}


@pytest.mark.req("BK-07")
def test_the_same_code_at_two_lanes_at_the_same_moment_opens_one(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world)
    code = access.code_now(issued, fake_clock.now())
    results = at_once(
        lambda: present(world, code, lane=world.both, nonce_="a"),
        lambda: present(world, code, lane=world.entry, nonce_="b"),
    )
    assert sorted(attempt.outcome for attempt in results) == [Outcome.ADMIT, Outcome.REFUSE]


@pytest.mark.req("AD-22")
def test_a_double_press_admits_once(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)
    results = at_once(*[lambda: admit(world, attempt)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Visit"]
    assert count_rows(world, Visit) == 1


@pytest.mark.req("AD-22")
def test_two_guards_on_one_visitor_admit_once(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)
    admit(world, attempt, world.guard)
    with pytest.raises(Conflict):
        admit(world, attempt, world.other_guard)
    assert world.get(Attempt, attempt.id).closed_by == world.guard.account_id


@pytest.mark.req("AD-22", "BK-07")
def test_two_guards_at_two_lanes_with_one_booking_admit_once(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world)
    first = show_code(world, issued, world.both)
    fake_clock.move(seconds=30)
    second = show_code(world, issued, world.entry)
    assert (first.outcome, second.outcome) == (Outcome.ADMIT, Outcome.ADMIT)
    results = at_once(
        lambda: admit(world, first, world.guard), lambda: admit(world, second, world.other_guard)
    )
    assert count_rows(world, Visit) == 1
    assert sorted(type(result).__name__ for result in results) == ["NotAdmissible", "Visit"]


@pytest.mark.req("AD-22", "EV-03")
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_a_guard_who_had_to_wait_for_another_sees_what_that_one_did(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, _ = invite(world)
    first = show_code(world, issued, world.both)
    fake_clock.move(seconds=30)
    second = show_code(world, issued, world.entry)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as session:
            admission.admit(session, world.guard, first.id)
            session.flush()
            later = pool.submit(admit, world, second, world.other_guard)
            while not world.ask(lambda s: s.connection().execute(waiting).scalar()):
                assert not later.done(), later.exception()
        with pytest.raises(NotAdmissible) as caught:
            later.result(10)
    assert caught.value.reason == Reason.ALREADY_INSIDE


@pytest.mark.req("AD-03")
def test_a_cancellation_and_an_admission_at_the_same_moment_do_not_both_happen(world: World) -> None:
    booking, issued, _ = invite(world)
    attempt = show_code(world, issued)
    results = at_once(
        lambda: admit(world, attempt), lambda: world.do(invitations.cancel, world.host, booking.id)
    )
    assert sum(isinstance(result, GateError) for result in results) == 1
    status = world.get(Booking, booking.id).status
    assert (status, count_rows(world, Visit)) in {(BookingStatus.ARRIVED, 1), (BookingStatus.CANCELLED, 0)}
