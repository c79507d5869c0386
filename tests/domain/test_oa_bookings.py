"""What another system's changes do at the gate, at once and in one piece (BK-03, I-9, I-10), on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from app.core import clock, crypto, search
from app.core.actor import Actor
from app.core.audit import AuditEntry
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.outbox import OutboxMessage
from app.core.permissions import Right, Role
from app.domain.access import repository as access
from app.domain.access.rules import PassStatus
from app.domain.admission import judging, service
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Outcome
from app.domain.booking import links, photos
from app.domain.booking import rules as booking_rules
from app.domain.booking.models import Booking
from app.domain.identity import visitor_details
from app.domain.integration import bookings
from app.domain.integration import keys as integration_keys
from app.domain.integration.bookings import Request
from app.domain.integration.hosts import Wanted
from app.domain.people import service as people
from app.domain.people import sessions as sign_ins
from app.domain.people.models import Person
from app.domain.records import retention
from app.domain.sites import service as sites
from app.domain.sites.rules import UnitKind
from app.domain.sites.times import set_times
from tests.domain.photos_at_hand import add, files, kept, visitor
from tests.factories import (
    GUEST,
    GUEST_PHONE,
    HOST,
    World,
    actor,
    admit,
    invite,
    make_world,
    present,
    show_code,
    standing,
)
from tests.installation import FakeClock
from tests.oa import integration

NUMBER = "11010519491231002X"


@pytest.fixture
def oa(world: World) -> Actor:
    made: Actor = integration(world)
    return made


def request(world: World, **changes: Any) -> Request:
    now = clock.now()
    made = Request(
        version=1,
        host=Wanted(unit=world.unit.label, name=HOST),
        name=GUEST,
        phone=GUEST_PHONE,
        starts_at=now,
        ends_at=now + timedelta(hours=4),
        purpose="meeting",
    )
    return replace(made, **changes)


def book(world: World, oa: Actor, **changes: Any) -> Booking:
    made = world.do(bookings.create, oa, request(world, **changes)).body
    return world.get(Booking, made["id"])


def change(world: World, oa: Actor, booking: Booking, version: int, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = world.do(
        bookings.change, oa, booking.id, request(world, version=version, **changes)
    ).body
    world.do(judging.rejudge_booking, booking.id)  # what the hub does when the change is committed
    return made


def pass_of(world: World, booking: Booking) -> Any:
    return world.ask(access.of_booking, booking.id)


@pytest.mark.req("BK-03")
def test_a_cancellation_after_approval_stops_the_visitor_who_stands_at_the_gate(
    world: World, oa: Actor
) -> None:
    booking = book(world, oa)
    attempt = show_code(world, pass_of(world, booking))
    assert attempt.outcome == Outcome.ADMIT
    world.do(bookings.cancel, oa, booking.id, 2)
    with pytest.raises(service.NotAdmissible):
        admit(world, attempt)
    world.do(judging.rejudge_booking, booking.id)
    assert world.get(Attempt, attempt.id).outcome == Outcome.REFUSE
    assert pass_of(world, booking).status == PassStatus.REVOKED
    assert present(world, "000000", "short_code").outcome != Outcome.ADMIT


@pytest.mark.req("BK-03")
def test_a_change_of_time_moves_the_pass_with_it_while_the_visitor_stands_at_the_gate(
    world: World, oa: Actor, fake_clock: FakeClock
) -> None:
    booking = book(world, oa)
    before = pass_of(world, booking)
    attempt = show_code(world, before)
    later = clock.now() + timedelta(hours=5)
    change(world, oa, booking, 2, starts_at=later, ends_at=later + timedelta(hours=1))
    assert world.get(Attempt, attempt.id).outcome == Outcome.REFUSE
    assert world.get(Attempt, attempt.id).reasons[0] == "too_early"
    after = pass_of(world, booking)
    assert (after.id, after.not_before, after.not_after) == (before.id, later, later + timedelta(hours=1))
    assert after.status == PassStatus.ACTIVE
    fake_clock.move(hours=5, minutes=1)
    assert show_code(world, after).outcome == Outcome.ADMIT


@pytest.mark.req("BK-03")
def test_for_another_visitor_pass_link_and_sessions_are_closed_and_made_anew(world: World, oa: Actor) -> None:
    booking = book(world, oa)
    old = pass_of(world, booking)
    link = links.link_secret(booking)
    secret = world.do(sign_ins.open_visitor_session, booking.id, booking.ends_at, "127.0.0.1")
    attempt = show_code(world, old)
    change(world, oa, booking, 2, name="何强生", phone="13911112222")
    new = pass_of(world, booking)
    assert (world.ask(lambda s: s.get(type(old), old.id)).status, new.status) == ("revoked", "active")
    assert new.code_id != old.code_id
    assert world.get(Attempt, attempt.id).status == "set_aside"
    assert show_code(world, old).outcome == Outcome.REFUSE
    assert world.ask(sign_ins.resolve, secret).booking_id == ""
    with pytest.raises(NotFound):
        world.ask(links.look, link)
    assert world.ask(links.look, links.link_secret(world.get(Booking, booking.id))).end is None
    person = world.get(Person, booking.visitor_id)
    assert crypto.reveal(person, "name") == "何强生"


def test_more_about_the_same_visitor_leaves_pass_and_link(world: World, oa: Actor) -> None:
    booking = book(world, oa)
    old = pass_of(world, booking)
    change(world, oa, booking, 2, document=NUMBER, plate="京A12345")
    assert pass_of(world, booking).id == old.id
    assert world.get(Booking, booking.id).link_version == 1
    change(world, oa, booking, 3)
    assert crypto.reveal(world.get(Person, booking.visitor_id), "document_tail") == "002X"


@pytest.mark.req("BK-03")
def test_two_systems_number_their_visits_apart_and_a_new_key_goes_on_for_a_revoked_one(
    world: World, oa: Actor
) -> None:
    other = integration(world)
    mine, theirs = book(world, oa, ref="1001"), book(world, other, ref="1001", version=10**15, name="何强生")
    assert mine.id != theirs.id
    assert crypto.reveal(world.get(Person, mine.visitor_id), "name") == GUEST
    with pytest.raises(NotFound):
        world.do(bookings.cancel, other, mine.id, 10**15)
    world.do(integration_keys.revoke, world.manager, integration_keys.key_of(oa))
    next_key = integration(world)
    again = world.do(bookings.create, next_key, request(world, ref="1001", version=2)).body
    assert again["id"] == mine.id
    world.do(bookings.cancel, next_key, mine.id, 3)


@pytest.mark.req("BK-03", "BK-04")
def test_what_the_visitor_added_stays_when_the_visit_moves_and_goes_when_somebody_else_comes(
    world: World, oa: Actor
) -> None:
    booking = book(world, oa, visitor_type="short_term")
    world.do(visitor_details.complete, visitor(booking), {"plate": "京A12345", "company": "宏图设计"})
    add(world, booking)

    def added() -> tuple[str, str, int]:
        about = world.get(Person, booking.visitor_id)
        plate = crypto.reveal(world.get(Booking, booking.id), "plate")
        return plate, crypto.reveal(about, "company"), len(kept(world))

    later = clock.now() + timedelta(hours=6)
    change(world, oa, booking, 2, visitor_type="short_term", ends_at=later)
    assert added() == ("京A12345", "宏图设计", 1)
    assert world.ask(lambda s: search.find(s, world.site.id, "京A12345")) == [booking.visitor_id]
    change(
        world, oa, booking, 3, visitor_type="short_term", ends_at=later, name="何强生", phone="13700137000"
    )
    assert added() == ("", "", 0)
    assert files() == []
    assert world.ask(lambda s: photos.completion(s, booking.id)) is None
    assert world.ask(lambda s: search.find(s, world.site.id, "京A12345")) == []


@pytest.mark.req("BK-08")
def test_the_visitor_is_told_of_another_time_and_of_nothing_less(world: World, oa: Actor) -> None:
    def told() -> list[str]:
        rows = world.ask(lambda s: s.exec(select(OutboxMessage).order_by(OutboxMessage.id)).all())
        return [row.topic for row in rows if row.channel == "visitor"]

    booking = book(world, oa)
    change(world, oa, booking, 2)
    before = told()
    change(world, oa, booking, 3, plate="京A12345")
    assert told() == before
    change(world, oa, booking, 4, ends_at=clock.now() + timedelta(hours=8))
    assert told() == [*before, "booking_changed"]


@pytest.mark.req("BK-03")
def test_a_key_that_may_only_look_gets_no_link_beside_the_end_of_the_phone(world: World, oa: Actor) -> None:
    booking = book(world, oa)
    looker = integration(world, Right.BOOKING_READ)
    (listed,), _ = world.ask(lambda s: bookings.page(s, looker, after="", limit=5, state="", ref=""))
    for seen in (world.ask(bookings.get, looker, booking.id), listed):
        assert (seen["pass"]["link"], seen["pass"]["link_code"]) == (None, None)
    assert world.ask(bookings.get, oa, booking.id)["pass"]["link"]


@pytest.mark.req("BK-03")
def test_a_failing_change_leaves_booking_and_pass_as_they_were(world: World, oa: Actor) -> None:
    booking = book(world, oa)
    before = pass_of(world, booking)
    for wrong in ({"phone": "1"}, {"plate": "京" * 20}, {"head_count": 99}, {"document": "1"}):
        with pytest.raises(InvalidInput):
            change(world, oa, booking, 2, name="何强生", **wrong)
    now = world.get(Booking, booking.id)
    assert (now.starts_at, now.head_count) == (booking.starts_at, booking.head_count)
    assert crypto.reveal(world.get(Person, booking.visitor_id), "name") == GUEST
    assert pass_of(world, booking).model_dump() == before.model_dump()
    assert change(world, oa, booking, 2, head_count=2)["version"] == 2


def test_once_inside_a_booking_is_changed_no_more(world: World, oa: Actor) -> None:
    booking = book(world, oa)
    admit(world, show_code(world, pass_of(world, booking)))
    with pytest.raises(Conflict):
        change(world, oa, booking, 2)
    with pytest.raises(Conflict):
        world.do(bookings.cancel, oa, booking.id, 2)


def test_a_visit_that_has_begun_keeps_its_beginning_and_may_be_prolonged(
    world: World, oa: Actor, fake_clock: FakeClock
) -> None:
    booking = book(world, oa)
    fake_clock.move(hours=2)
    longer = {"starts_at": booking.starts_at, "ends_at": clock.now() + timedelta(hours=6)}
    assert change(world, oa, booking, 2, **longer)["stale"] is False
    with pytest.raises(InvalidInput):
        change(world, oa, booking, 3, starts_at=booking.starts_at + timedelta(minutes=30))


@pytest.mark.req("SI-04")
def test_other_systems_cannot_touch_what_hosts_booked_and_see_no_key_to_it(world: World, oa: Actor) -> None:
    own, _, _ = invite(world)
    seen = world.ask(bookings.get, oa, own.id)
    assert seen["pass"]["link"] is None
    with pytest.raises(NotFound):
        change(world, oa, own, 2)
    with pytest.raises(NotFound):
        world.do(bookings.cancel, oa, own.id, 2)
    permit, _ = standing(world)
    with pytest.raises(NotFound):
        world.ask(bookings.get, oa, permit.id)
    stranger = integration(make_world(world.database, name="翠湖苑"))
    with pytest.raises(NotFound):
        world.ask(bookings.get, stranger, own.id)


@pytest.mark.req("SI-04")
def test_only_a_key_with_the_scope_books(world: World) -> None:
    reader = integration(world, Right.BOOKING_READ)
    for role in set(Role) - {Role.INTEGRATION}:
        with pytest.raises(NotAllowed):
            world.do(bookings.create, actor(world.site.id, role), request(world))
    with pytest.raises(NotAllowed):
        world.do(bookings.create, reader, request(world))
    assert not reader.has(Right.BOOKING_WRITE)
    assert not integration(world).has(Right.BOOK)


@pytest.mark.req("BK-03", "RE-05")
def test_a_document_number_is_kept_as_the_policy_says_and_sealed(world: World, oa: Actor) -> None:
    tail = world.get(Person, book(world, oa, document="１１０１０５１９４９１２３１００２ｘ").visitor_id)
    assert crypto.reveal(tail, "document_tail") == "002X"
    assert tail.document_number is None
    world.do(sites.set_field_rule, world.manager, world.site.id, "guest", "document_number", "optional")
    booking = book(world, oa, document=NUMBER)
    whole = world.get(Person, booking.visitor_id)
    assert crypto.reveal(whole, "document_number") == NUMBER
    assert NUMBER.encode() not in (whole.document_number or b"")
    shown = world.ask(bookings.get, oa, booking.id)["visitor"]["document"]
    assert shown == "110***********002X"
    world.do(bookings.cancel, oa, booking.id, 2)
    world.do(retention.erase_person, whole.id, clock.now())
    assert world.get(Person, whole.id).document_number is None


def company(world: World) -> str:
    """The household's resident works for a company as well."""

    def work(session: Session) -> str:
        unit = sites.add_unit(session, world.site.id, "远山科技", UnitKind.COMPANY)
        people.join_unit(session, unit.id, world.resident.id, "host")
        return unit.id

    return world.do(work)


@pytest.mark.req("BK-02")
@pytest.mark.parametrize(("hours", "early"), [(47.9, False), (48, False), (48.1, True), (49, True)])
def test_companies_book_from_48_hours_before_a_visit_on(world: World, hours: float, early: bool) -> None:
    unit, start = company(world), clock.now() + timedelta(hours=hours)
    window = {"unit_id": unit, "starts_at": start, "ends_at": start + timedelta(hours=1)}
    if not early:
        invite(world, **window)
        return
    with pytest.raises(InvalidInput) as caught:
        invite(world, **window)
    assert (caught.value.code, caught.value.params) == ("window_early", {"hours": 48})
    booking, _, _ = invite(world, **window, urgent=True)
    entry = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.object_id == booking.id)).one())
    assert entry.details == {"source": "host", "urgent": True}
    assert world.get(Booking, booking.id).urgent


@pytest.mark.req("BK-02")
def test_the_window_is_the_sites_to_set_and_binds_other_systems_but_no_household(
    world: World, oa: Actor
) -> None:
    company(world)
    start = clock.now() + timedelta(hours=49)
    window = {"starts_at": start, "ends_at": start + timedelta(hours=1)}
    invite(world, **window)
    host = Wanted(unit="远山科技", name=HOST)
    with pytest.raises(InvalidInput):
        book(world, oa, host=host, **window)
    assert book(world, oa, host=host, urgent=True, **window).urgent
    world.do(set_times, world.manager, world.site.id, "grace", {"booking_hours": "72"})
    assert not book(world, oa, host=host, **window).urgent


@pytest.mark.req("BK-02")
def test_the_opening_of_a_visit_is_a_matter_of_arithmetic() -> None:
    start = clock.now()
    for hours, company_, urgent, early in [
        (48, True, False, False),
        (49, True, False, True),
        (49, True, True, False),
        (49, False, False, False),
    ]:
        now = start - timedelta(hours=hours)
        assert booking_rules.is_early(start, now, 48, company=company_, urgent=urgent) is early
