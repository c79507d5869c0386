"""Hosts and companies as another system keeps them: by its numbers, in its order, and gone with their access (I-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock, crypto
from app.core.actor import SYSTEM, Actor
from app.core.errors import InvalidInput, NotAllowed, NotFound
from app.core.permissions import Right, Role
from app.domain.access import permits
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.admission import judging
from app.domain.admission.rules import Outcome
from app.domain.booking.models import Booking
from app.domain.integration import directory, hosts
from app.domain.integration.directory import HostEntry
from app.domain.integration.hosts import Wanted
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.people import sessions as sign_ins
from app.domain.people.models import Account, Person
from app.domain.sites import repository as sites
from tests.domain.test_oa_bookings import book
from tests.factories import HOST, PASSWORD, World, admit, present, show_code
from tests.installation import FakeClock
from tests.oa import integration


@pytest.fixture
def oa(world: World) -> Actor:
    made: Actor = integration(world)
    world.do(directory.put_unit, made, "c1", 1, "远山科技", "A座")
    return made


def put(world: World, oa: Actor, ext_id: str, version: int, name: str, **more: Any) -> dict[str, Any]:
    entry = HostEntry(version=version, name=name, **{"unit_ext_id": "c1", **more})
    body: dict[str, Any] = world.do(directory.put_host, oa, ext_id, entry).body
    return body


def person_of(world: World, ext_id: str) -> str:
    row = world.ask(hosts.outside, world.site.id, ext_id)
    assert row is not None
    return row.person_id


@pytest.mark.req("EV-06")
def test_a_host_is_known_by_number_and_never_by_phone(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静", phone="13700137001")
    put(world, oa, "u2", 1, "陈静", phone="13700137001")
    assert person_of(world, "u1") != person_of(world, "u2")
    renamed = put(world, oa, "u1", 2, "陈静怡", phone="13700137009")
    assert renamed["name"] == "陈**"
    assert crypto.reveal(world.get(Person, person_of(world, "u1")), "phone") == "13700137009"
    booking = book(world, oa, host=Wanted(ext_id="u1"))
    assert booking.host_id == person_of(world, "u1")
    with pytest.raises(InvalidInput) as caught:
        book(world, oa, host=Wanted(unit="远山科技", name="陈静怡 "), phone="x")
    assert caught.value.field == "phone"  # the host was found by unit and name


@pytest.mark.req("EV-06")
def test_a_phone_that_nothing_is_said_of_stays_and_an_empty_one_goes(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静", phone="13700137001")

    def phone() -> str:
        return crypto.reveal(world.get(Person, person_of(world, "u1")), "phone")

    put(world, oa, "u1", 2, "陈静怡")
    assert phone() == "13700137001"
    put(world, oa, "u1", 3, "陈静怡", phone="")
    assert phone() == ""


def test_who_lives_here_already_is_taken_over_once(world: World, oa: Actor) -> None:
    put(world, oa, "u9", 1, HOST, unit=world.unit.label, unit_ext_id="")
    assert person_of(world, "u9") == world.resident.id
    put(world, oa, "u10", 1, HOST, unit=world.unit.label, unit_ext_id="")
    assert person_of(world, "u10") != world.resident.id


@pytest.mark.req("EV-06")
def test_older_versions_change_nothing(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 5, "陈静")
    late = put(world, oa, "u1", 4, "别人", active=False)
    assert (late["stale"], late["active"], late["version"]) == (True, True, 5)
    same = put(world, oa, "u1", 5, "别人")
    assert (same["stale"], same["name"]) == (False, "陈*")
    world.do(directory.put_unit, oa, "c1", 3, "远山")
    stale = world.do(directory.put_unit, oa, "c1", 2, "旧名").body
    assert (stale["stale"], stale["label"]) == (True, "远山")


@pytest.mark.req("EV-06")
def test_a_leaver_loses_account_sessions_unit_permit_and_card_at_once(
    world: World, oa: Actor, fake_clock: FakeClock
) -> None:
    put(world, oa, "u1", 1, "陈静")
    person = person_of(world, "u1")

    def equip(session):  # type: ignore[no-untyped-def]
        made = people_service.create_account(
            session,
            world.manager,
            world.site.id,
            people.person(session, person),
            "chen.jing",
            PASSWORD,
            [Role.HOST],
            must_change=False,
        )
        unit = people.units_of(session, person)[0]
        permit = permits.grant(session, world.manager, person, unit.id, clock.now() + timedelta(days=30))
        access_service.issue_card(session, world.manager, world.site.id, permit.id, "04A1B2C3")
        return made.id, sign_ins.sign_in(session, "chen.jing", PASSWORD, "127.0.0.1")

    account_id, signed_in = world.do(equip)
    assert present(world, "04A1B2C3", "card").outcome == Outcome.ADMIT
    world.do(directory.remove_host, oa, "u1", None)
    assert world.get(Account, account_id).disabled
    assert world.ask(sign_ins.resolve, signed_in.secret).session_id == ""
    assert world.ask(people.units_of, person) == []
    assert present(world, "04A1B2C3", "card").outcome == Outcome.REFUSE
    with pytest.raises(InvalidInput) as caught:
        book(world, oa, host=Wanted(ext_id="u1"))
    assert caught.value.code == "host_left"
    again = world.do(directory.remove_host, oa, "u1", None).body
    assert (again["active"], again["stale"]) == (False, False)


@pytest.mark.req("SI-04")
def test_nobody_who_works_at_the_gate_is_locked_out_by_another_system(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静")

    def promote(session):  # type: ignore[no-untyped-def]
        person = people.person(session, person_of(world, "u1"))
        return people_service.create_account(
            session, SYSTEM, world.site.id, person, "boss", PASSWORD, [Role.MANAGER], must_change=False
        ).id

    account_id = world.do(promote)
    world.do(directory.remove_host, oa, "u1", None)
    assert not world.get(Account, account_id).disabled


@pytest.mark.req("EV-06")
def test_open_invitations_of_a_leaver_go_to_the_deputy(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静")
    put(world, oa, "u2", 1, "周海")
    waiting, arrived = book(world, oa, host=Wanted(ext_id="u1")), book(world, oa, host=Wanted(ext_id="u1"))
    issued = world.ask(access.of_booking, arrived.id)
    assert issued is not None
    admit(world, show_code(world, issued))
    put(world, oa, "u1", 2, "陈静", deputy="u2", active=False)
    assert world.get(Booking, waiting.id).host_id == person_of(world, "u2")
    assert world.get(Booking, arrived.id).host_id == person_of(world, "u1")
    assert world.ask(directory.orphans, world.site.id) == []
    issued = world.ask(access.of_booking, waiting.id)
    assert issued is not None
    world.do(judging.rejudge_booking, waiting.id)
    assert show_code(world, issued).outcome == Outcome.ADMIT


@pytest.mark.req("EV-06")
@pytest.mark.parametrize("deputy", ["", "nobody", "gone"])
def test_without_a_deputy_they_are_listed_for_the_manager_until_somebody_sees_to_them(
    world: World, oa: Actor, deputy: str
) -> None:
    put(world, oa, "u1", 1, "陈静")
    put(world, oa, "gone", 1, "前人")
    world.do(directory.remove_host, oa, "gone", None)
    booking = book(world, oa, host=Wanted(ext_id="u1"))
    left = put(world, oa, "u1", 2, "陈静", deputy=deputy, active=False)
    assert (left["deputy_known"], left["open_invitations"]) == (False, 1)
    [(orphan, _, unit)] = world.ask(directory.orphans, world.site.id)
    assert (orphan.id, unit.label) == (booking.id, "远山科技")
    with pytest.raises(NotAllowed):
        world.do(directory.withdraw_orphan, world.guard, booking.id)
    world.do(directory.withdraw_orphan, world.manager, booking.id)
    assert world.get(Booking, booking.id).status == "cancelled"
    assert world.ask(directory.orphans, world.site.id) == []


def test_a_deputy_who_comes_later_takes_over_too(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静")
    booking = book(world, oa, host=Wanted(ext_id="u1"))
    world.do(directory.remove_host, oa, "u1", None)
    put(world, oa, "u2", 1, "周海")
    put(world, oa, "u1", 9, "陈静", deputy="u2", active=False)
    assert world.get(Booking, booking.id).host_id == person_of(world, "u2")


def test_who_comes_back_is_a_host_again_but_does_not_sign_in(world: World, oa: Actor) -> None:
    put(world, oa, "u1", 1, "陈静")
    world.do(directory.remove_host, oa, "u1", None)
    back = put(world, oa, "u1", 9, "陈静")
    assert (back["active"], back["units"]) == (True, ["远山科技"])
    assert book(world, oa, host=Wanted(ext_id="u1")).host_id == person_of(world, "u1")


def test_companies_are_renamed_and_never_doubled(world: World, oa: Actor) -> None:
    world.do(directory.put_unit, oa, "c1", 2, "远山科技（上海）")
    assert world.ask(sites.unit_by_label, world.site.id, "远山科技") is None
    with pytest.raises(InvalidInput):
        world.do(directory.put_unit, oa, "c2", 1, world.unit.label)  # a flat is no company
    world.do(directory.put_unit, oa, "c2", 1, "近水")
    with pytest.raises(InvalidInput):
        world.do(directory.put_unit, oa, "c2", 2, "远山科技（上海）")


@pytest.mark.req("SI-04")
def test_the_directory_needs_its_own_scopes(world: World, oa: Actor) -> None:
    booker = integration(world, Right.BOOKING_WRITE, Right.BOOKING_READ, Right.DIRECTORY_READ)
    with pytest.raises(NotAllowed):
        put(world, booker, "u1", 1, "陈静")
    with pytest.raises(NotAllowed):
        world.do(directory.remove_host, booker, "u1", None)
    with pytest.raises(NotAllowed):
        world.do(directory.put_unit, booker, "c9", 1, "x")
    with pytest.raises(NotFound):
        world.ask(directory.get_host, booker, "u1")
    with pytest.raises(NotAllowed):
        world.ask(directory.get_host, integration(world, Right.BOOKING_READ), "u1")
