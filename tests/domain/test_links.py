"""Inviting, and the link that the visitor gets: one purpose, a second factor, a lock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotFound, TooMany
from app.core.permissions import Role
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.booking import links
from app.domain.booking import service as bookings
from app.domain.booking.models import Booking
from app.domain.people import sessions
from app.domain.sites import service as sites
from app.domain.sites.rules import Rule, VisitorField, VisitorKind
from tests.factories import World, actor, invitation, invite, let_in, make_world
from tests.installation import MORNING, FakeClock

HOUR = timedelta(hours=1)


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("tail", ["8001", " 8001 ", "８００１"])
def test_a_link_opens_with_the_last_four_digits_of_the_phone(world: World, tail: str) -> None:
    booking, _, secret = invite(world)
    opened = world.do(links.open_link, secret, tail)
    assert opened is not None
    assert opened.id == booking.id


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("tail", ["8002", "", "138", "13800138001", "\u202e8001x"])
def test_a_link_stays_shut_with_anything_else(world: World, tail: str) -> None:
    _, _, secret = invite(world)
    assert world.do(links.open_link, secret, tail) is None


@pytest.mark.req("BK-07")
def test_a_link_locks_for_half_an_hour_after_five_wrong_answers(world: World, fake_clock: FakeClock) -> None:
    _, _, secret = invite(world)
    for _ in range(5):
        assert world.do(links.open_link, secret, "0000") is None
    with pytest.raises(TooMany):
        world.do(links.open_link, secret, "8001")
    fake_clock.move(minutes=30)
    assert world.do(links.open_link, secret, "8001") is not None


@pytest.mark.req("BK-07")
def test_a_made_up_link_leads_nowhere(world: World) -> None:
    invite(world)
    with pytest.raises(NotFound):
        world.do(links.open_link, "A" * 24, "8001")


@pytest.mark.req("BK-07")
def test_a_link_can_be_made_again_but_is_not_stored(world: World) -> None:
    booking, _, secret = invite(world)
    row = world.get(Booking, booking.id)
    assert links.link_secret(row) == secret
    assert row.link_hash is not None
    assert secret.encode() not in row.link_hash


@pytest.mark.req("BK-07")
def test_a_visitors_browser_sees_its_own_booking_only(world: World) -> None:
    booking, _, _ = invite(world)
    cookie = world.do(sessions.open_visitor_session, booking.id, booking.ends_at, "10.0.0.1")
    who = world.ask(sessions.resolve, cookie)
    assert (who.booking_id, who.roles, who.site_id, who.account_id) == (
        booking.id,
        frozenset({Role.VISITOR}),
        "",
        "",
    )


@pytest.mark.req("BK-07")
def test_a_visitors_session_ends_with_the_visit(world: World, fake_clock: FakeClock) -> None:
    booking, _, _ = invite(world)
    cookie = world.do(sessions.open_visitor_session, booking.id, booking.ends_at, "10.0.0.1")
    fake_clock.move(hours=4)
    assert world.ask(sessions.resolve, cookie).kind == "anonymous"


@pytest.mark.req("BK-01")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_at": MORNING}, "window_order"),
        ({"starts_at": MORNING - 3 * HOUR, "ends_at": MORNING - HOUR}, "window_past"),
        ({"starts_at": MORNING - 3 * HOUR}, "window_past"),
        ({"starts_at": MORNING + 31 * 24 * HOUR, "ends_at": MORNING + 31 * 24 * HOUR + HOUR}, "window_far"),
        ({"ends_at": MORNING + 25 * HOUR}, "window_long"),
        ({"name": " "}, "name_missing"),
        ({"name": "长" * 10_000}, "name_long"),
        ({"phone": ""}, "phone_missing"),
        ({"phone": "1380013800"}, "phone_wrong"),
        ({"plate": "?"}, "plate_wrong"),
        ({"head_count": 51}, "number_wrong"),
        ({"head_count": "1e1"}, "number_wrong"),
        ({"purpose": "x"}, "choice_wrong"),
        ({"visitor_type": "x"}, "visitor_type_unknown"),
        ({"visitor_type": VisitorKind.EMERGENCY}, "visitor_type_unbookable"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused_by_name(world: World, changes: dict, code: str) -> None:
    with pytest.raises(GateError) as caught:
        invite(world, **changes)
    assert caught.value.code == code


@pytest.mark.req("SI-03")
def test_an_invitation_stores_no_field_that_the_policy_switches_off(world: World) -> None:
    for field in (VisitorField.PLATE, VisitorField.PHONE):
        world.do(sites.set_field_rule, world.manager, world.site.id, VisitorKind.GUEST, field, Rule.OFF)
    booking, _, _ = invite(world)
    assert booking.plate is None
    assert world.ask(lambda session: bookings.people.person(session, booking.visitor_id)).phone is None


@pytest.mark.req("SI-03")
@pytest.mark.parametrize("field", [VisitorField.NAME, VisitorField.HEAD_COUNT])
def test_the_name_cannot_be_switched_off(world: World, field: VisitorField) -> None:
    with pytest.raises(InvalidInput):
        world.do(sites.set_field_rule, world.manager, world.site.id, VisitorKind.GUEST, field, Rule.OFF)


@pytest.mark.req("BK-01")
def test_nobody_invites_into_a_unit_of_others(world: World) -> None:
    stranger = actor(world.site.id, Role.RESIDENT, person_id="somebody")
    with pytest.raises(NotAllowed):
        world.do(invitations.invite, stranger, invitation(world))


@pytest.mark.req("BK-01", "SI-04")
def test_a_booking_of_another_host_looks_as_if_it_did_not_exist(world: World) -> None:
    booking, _, _ = invite(world)
    other = actor(world.site.id, Role.RESIDENT, person_id="somebody")
    for act in (invitations.cancel, bookings.send_link):
        with pytest.raises(NotFound):
            world.do(act, other, booking.id)


@pytest.mark.req("BK-01")
def test_a_guest_who_is_inside_is_not_cancelled_away(world: World) -> None:
    booking, _, _ = let_in(world)
    with pytest.raises(Conflict):
        world.do(invitations.cancel, world.host, booking.id)


@pytest.mark.req("BK-01")
def test_cancelling_twice_is_cancelling_once(world: World) -> None:
    booking, _, _ = invite(world)
    assert [world.do(invitations.cancel, world.host, booking.id).status for _ in range(2)] == [
        "cancelled"
    ] * 2


@pytest.mark.req("BK-01")
def test_passes_of_two_sites_may_share_six_digits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = iter(["123456", "123456", "654321", "123456"])
    monkeypatch.setattr(access, "new_short_code", lambda: next(digits))
    first, second = invite(world)[1], invite(world)[1]
    assert first.short_index != second.short_index
    invite(make_world(world.database, name="翠湖苑"))
