"""When a visitor's link is over, and what opens one where no phone is known (S-19)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.errors import Conflict, NotFound, TooMany
from app.domain.access import invitations
from app.domain.admission import exits
from app.domain.booking import links
from app.domain.booking import service as bookings
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus, LinkEnd, link_end, link_until
from app.domain.people import sessions
from app.domain.sites import service as sites
from app.domain.sites.rules import Rule, VisitorField, VisitorKind
from app.runtime import sweeps
from tests.factories import World, admit, invite, let_in, show_code
from tests.installation import MORNING, FakeClock

TAIL = "8001"


def without_phone(world: World) -> tuple[Booking, str]:
    """A guest at a place that asks for no phone, and the secret of the link."""
    world.do(
        sites.set_field_rule, world.manager, world.site.id, VisitorKind.GUEST, VisitorField.PHONE, Rule.OFF
    )
    booking, _, secret = invite(world, phone="")
    return booking, secret


def over(world: World, secret: str) -> LinkEnd | None:
    """Why the link is dead; a dead one opens with the right answer no more than with a wrong one."""
    end = world.ask(links.look, secret).end
    if end is None:
        assert world.do(links.open_link, secret, TAIL) is not None
        return None
    for answer in (TAIL, "0000"):
        with pytest.raises(Conflict) as caught:
            world.do(links.open_link, secret, answer)
        assert caught.value.code == "link_over"
    return end


@pytest.mark.req("BK-07")
def test_the_link_of_a_cancelled_visit_is_over(world: World) -> None:
    booking, _, secret = invite(world)
    assert over(world, secret) is None
    world.do(invitations.cancel, world.host, booking.id)
    assert over(world, secret) is LinkEnd.CANCELLED


@pytest.mark.req("BK-07")
def test_the_link_of_somebody_who_has_left_is_over(world: World) -> None:
    booking, _, secret = invite(world)
    issued = world.ask(invitations.repository.of_booking, booking.id)
    assert issued is not None
    visit = admit(world, show_code(world, issued))
    assert over(world, secret) is None  # the code is needed for the way out
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    assert over(world, secret) is LinkEnd.COMPLETED


@pytest.mark.req("BK-07")
def test_the_link_of_a_visit_that_never_came_is_over_when_the_gate_takes_it_no_more(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, secret = invite(world)
    fake_clock.move(hours=4, minutes=29)  # a guest may be half an hour late
    assert over(world, secret) is None
    assert show_code(world, issued).outcome == "admit"
    fake_clock.move(minutes=1)
    assert over(world, secret) is LinkEnd.EXPIRED
    fake_clock.move(hours=2)
    world.do(sweeps.expire)
    assert over(world, secret) is LinkEnd.EXPIRED


@pytest.mark.req("BK-07")
def test_who_overstays_opens_the_link_for_the_way_out_but_not_for_ever(
    world: World, fake_clock: FakeClock
) -> None:
    booking, _, _ = let_in(world)
    secret = links.link_secret(booking)
    fake_clock.move(hours=15)
    assert over(world, secret) is None
    fake_clock.move(hours=1)
    assert over(world, secret) is LinkEnd.EXPIRED


@pytest.mark.req("BK-07")
def test_a_visitors_session_lasts_as_long_as_the_link(world: World, fake_clock: FakeClock) -> None:
    booking, _, _ = invite(world)
    until = world.ask(links.until, booking)
    assert until == MORNING + timedelta(hours=4, minutes=30)
    cookie = world.do(sessions.open_visitor_session, booking.id, until, "10.0.0.1")
    fake_clock.move(hours=4, minutes=30)
    assert world.ask(sessions.resolve, cookie).kind == "anonymous"


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("status", ["", "draft", "rejected"])
def test_a_state_nobody_knows_is_a_dead_link(status: str) -> None:
    assert link_end(status, MORNING + timedelta(days=1), MORNING) is LinkEnd.CANCELLED


@pytest.mark.req("BK-07")
def test_the_end_of_a_link_is_exact() -> None:
    until = link_until(BookingStatus.APPROVED, MORNING, timedelta(minutes=30))
    assert link_end(BookingStatus.APPROVED, until, until - timedelta(microseconds=1)) is None
    assert link_end(BookingStatus.APPROVED, until, until) is LinkEnd.EXPIRED


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("answer", ["", "0000", "8001", " "])
def test_without_a_phone_a_link_alone_opens_nothing(world: World, answer: str) -> None:
    booking, secret = without_phone(world)
    if answer == world.ask(links.open_code, booking):
        answer = f"{(int(answer) + 1) % 10_000:04}"  # the code is random, and this one is right
    assert not world.ask(links.look, secret).by_phone
    assert world.do(links.open_link, secret, answer) is None


@pytest.mark.req("BK-07")
def test_without_a_phone_the_hosts_code_opens_the_link(world: World) -> None:
    booking, secret = without_phone(world)
    code = world.ask(links.open_code, booking)
    assert len(code) == 4
    assert code.isdecimal()
    opened = world.do(links.open_link, secret, code)
    assert opened is not None
    assert opened.id == booking.id


@pytest.mark.req("BK-07")
def test_guessing_the_code_locks_the_link(world: World) -> None:
    booking, secret = without_phone(world)
    code = world.ask(links.open_code, booking)
    wrong = f"{(int(code) + 1) % 10_000:04d}"
    for _ in range(5):
        assert world.do(links.open_link, secret, wrong) is None
    with pytest.raises(TooMany):
        world.do(links.open_link, secret, code)


@pytest.mark.req("BK-07")
def test_codes_differ_and_a_guest_with_a_phone_has_none(world: World) -> None:
    with_phone, _, secret = invite(world)
    assert world.ask(links.open_code, with_phone) == ""
    assert world.ask(links.look, secret).by_phone
    assert len({world.ask(links.open_code, without_phone(world)[0]) for _ in range(5)}) > 1


@pytest.mark.req("BK-07")
def test_no_message_is_promised_where_there_is_no_phone_or_no_visit(world: World) -> None:
    reachable, _, _ = invite(world)
    world.do(bookings.send_link, world.host, reachable.id)
    world.do(invitations.cancel, world.host, reachable.id)
    phoneless, _ = without_phone(world)
    codes = []
    for booking in (reachable, phoneless):
        with pytest.raises(Conflict) as caught:
            world.do(bookings.send_link, world.host, booking.id)
        codes.append(caught.value.code)
    assert codes == ["link_over", "link_no_phone"]


@pytest.mark.req("BK-07")
def test_looking_at_a_made_up_link_tells_nothing(world: World) -> None:
    invite(world)
    with pytest.raises(NotFound):
        world.ask(links.look, "A" * 24)
