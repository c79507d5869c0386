"""Leaving: by scan, by badge, without the pass, unseen."""

from __future__ import annotations

import pytest

from app.core.errors import Conflict, GateError
from app.domain.access import repository as passes
from app.domain.access import service as access
from app.domain.access.models import VisitorPass
from app.domain.access.rules import PassStatus
from app.domain.admission import exits, repository
from app.domain.admission.models import Visit
from app.domain.admission.rules import Outcome, Reason
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from tests.factories import (
    World,
    admit,
    invite,
    let_in,
    make_world,
    present,
    show_code,
)
from tests.installation import FakeClock


@pytest.mark.req("AD-16")
def test_leaving_ends_the_visit_the_pass_and_the_booking(world: World) -> None:
    booking, issued, visit = let_in(world)
    left = world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    assert left.left_at is not None
    assert world.get(VisitorPass, issued.id).status == PassStatus.RETURNED
    assert world.get(Booking, booking.id).status == BookingStatus.COMPLETED
    assert world.ask(repository.count_inside, world.site.id) == 0


@pytest.mark.req("AD-16")
def test_leaving_twice_is_a_conflict(world: World) -> None:
    _, _, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    with pytest.raises(Conflict) as caught:
        world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    assert caught.value.code == "visit_over"


@pytest.mark.req("AD-16")
def test_a_badge_lets_its_bearer_out(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = let_in(world)
    fake_clock.move(hours=1)
    attempt = present(world, access.badge_code(issued))
    assert (attempt.leaving, attempt.outcome, attempt.reasons) == (True, Outcome.ADMIT, [Reason.LEAVING])
    assert admit(world, attempt).id == visit.id
    assert world.get(Visit, visit.id).exit_kind == "scan"


@pytest.mark.req("AD-16")
def test_a_badge_left_on_the_scanner_after_the_exit_begins_no_new_arrival(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, _ = let_in(world)
    fake_clock.move(hours=1)
    out = present(world, access.badge_code(issued))
    admit(world, out)
    fake_clock.move(seconds=5)
    assert present(world, access.badge_code(issued)).id == out.id


@pytest.mark.req("AD-16")
def test_a_pass_does_not_enter_again_after_the_exit(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    fake_clock.move(minutes=5)
    assert Reason.PASS_ENDED in show_code(world, issued).reasons


@pytest.mark.req("AD-16")
def test_an_unknown_person_at_the_exit_is_looked_at_not_refused(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued, world.exit)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REVIEW, [Reason.NOT_INSIDE])


@pytest.mark.req("AD-16")
def test_a_lost_pass_costs_a_fee_and_holds_nobody_back(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = let_in(world)
    loss = world.do(
        exits.lose_pass, world.guard, visit.id, world.both.id, "掉进河里了", identity_seen=True, paid=False
    )
    assert (loss.fee_fen, loss.paid) == (2000, False)
    assert world.get(Visit, visit.id).exit_kind == "lost"
    fake_clock.move(minutes=5)
    assert present(world, access.badge_code(issued)).reasons[0] in {Reason.BOOKING_USED, Reason.PASS_LOST}


@pytest.mark.req("AD-16")
@pytest.mark.parametrize(
    ("seen", "reason", "code"), [(False, "丢了", "identity_again"), (True, " \u200b", "reason_missing")]
)
def test_a_lost_pass_needs_identity_again_and_a_reason(
    world: World, seen: bool, reason: str, code: str
) -> None:
    _, _, visit = let_in(world)
    with pytest.raises(GateError) as caught:
        world.do(exits.lose_pass, world.guard, visit.id, world.both.id, reason, identity_seen=seen, paid=True)
    assert caught.value.code == code
    assert world.get(Visit, visit.id).left_at is None


@pytest.mark.req("AD-10", "AD-16")
def test_whoever_is_let_in_again_had_left_unseen_and_is_inside_once(
    world: World, fake_clock: FakeClock
) -> None:
    booking, issued, first = let_in(world)
    fake_clock.move(minutes=10)
    attempt = show_code(world, issued, world.entry)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REVIEW, [Reason.ALREADY_INSIDE])
    second = admit(world, attempt, world.supervisor, "刚从侧门出去，现在回来")
    assert (world.get(Visit, first.id).exit_kind, world.get(Visit, first.id).left_at) == (
        "unseen",
        fake_clock.now(),
    )
    inside = world.ask(repository.inside_of_booking, booking.id)
    assert inside is not None
    assert inside.id == second.id


def test_the_six_digits_are_free_again_after_the_visit(world: World) -> None:
    _, issued, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    row = world.get(VisitorPass, issued.id)
    assert (row.short_code, row.short_index) == (None, None)
    assert world.ask(passes.next_expiry, FakeClock().now()) is None


@pytest.mark.req("AD-16")
def test_an_exit_is_not_recorded_at_a_lane_of_another_site(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    _, _, visit = let_in(world)
    with pytest.raises(GateError):
        world.do(exits.leave, world.guard, visit.id, elsewhere.both.id, "search")
    assert world.get(Visit, visit.id).left_at is None
