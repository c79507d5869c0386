"""The way of one arrival on both databases: invited, read, admitted; and what may go wrong on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import func, select

from app.core import crypto
from app.core.errors import Conflict, NotAllowed
from app.core.permissions import Role
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.admission import judging, presenting, repository
from app.domain.admission import service as admission
from app.domain.admission.models import Attempt, EvidenceRow, Visit
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from app.domain.records import repository as records
from app.domain.sites import service as sites
from tests.factories import (
    World,
    actor,
    admit,
    invite,
    let_in,
    make_world,
    nonce,
    present,
    see_document,
    show_code,
)
from tests.installation import FakeClock


def count_rows(world: World, table: type) -> int:
    return world.ask(lambda session: session.exec(select(func.count()).select_from(table)).one())


@pytest.mark.req("AD-01", "AD-03", "BK-01")
def test_an_invited_guest_is_admitted_with_one_presentation_and_one_key(world: World) -> None:
    booking, issued, _ = invite(world)
    attempt = show_code(world, issued)
    assert (attempt.outcome, attempt.reasons) == (Outcome.ADMIT, [Reason.BOOKED])
    visit = admit(world, attempt)
    assert world.get(Booking, booking.id).status == BookingStatus.ARRIVED
    assert (visit.booking_id, visit.pass_id, visit.left_at) == (booking.id, issued.id, None)
    assert world.ask(repository.count_inside, world.site.id) == 1


@pytest.mark.req("AD-22")
def test_the_same_event_delivered_three_times_makes_one_row(world: World) -> None:
    _, issued, _ = invite(world)
    text, once = access.code_now(issued, FakeClock().now()), nonce()
    attempts = [present(world, text, nonce_=once) for _ in range(3)]
    assert len({attempt.id for attempt in attempts}) == 1
    assert (count_rows(world, Attempt), count_rows(world, EvidenceRow)) == (1, 1)
    assert attempts[2].outcome == Outcome.ADMIT


@pytest.mark.req("AD-22")
def test_the_nonces_of_two_lanes_do_not_meet(world: World) -> None:
    stranger, other = (present(world, "HELLO", lane=lane, nonce_="1") for lane in (world.both, world.entry))
    assert stranger.id != other.id
    assert other.lane_id == world.entry.id


@pytest.mark.req("AD-22")
@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("HELLO", "code", Reason.CODE_FOREIGN),
        ("DEADBEEF", "card", Reason.UNKNOWN_CARD),
        ("000000", "short_code", Reason.UNKNOWN_CODE),
        ("V1AEAQCI2FM6E2XTPPAOIS2MQAYHTM7GWEJWUFRO6ELDYJPIU6", "code", Reason.UNKNOWN_CODE),
    ],
)
def test_a_refused_stranger_is_in_the_ledger(world: World, text: str, kind: str, reason: Reason) -> None:
    attempt = present(world, text, kind)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [reason])
    later = FakeClock().now() + timedelta(hours=1)
    rows = world.ask(records.ledger, world.site.id, later - timedelta(days=1), later)
    assert [row[0].id for row in rows] == [attempt.id]


@pytest.mark.req("AD-22")
def test_an_unreadable_item_is_recorded_and_asked_for_again(world: World) -> None:
    attempt = present(world, "card: torn away", "unreadable")
    assert (attempt.outcome, attempt.reasons) == (Outcome.NEEDS, [Reason.READ_AGAIN])


@pytest.mark.req("AD-22")
def test_both_clocks_are_on_record(world: World, fake_clock: FakeClock) -> None:
    then = fake_clock.now() - timedelta(minutes=7)
    attempt = world.get(Attempt, present(world, "HELLO", at=then).id)
    assert (attempt.occurred_at, attempt.recorded_at) == (then, fake_clock.now())


@pytest.mark.req("BK-07")
def test_the_same_code_at_two_lanes_opens_one(world: World) -> None:
    _, issued, _ = invite(world)
    first, second = show_code(world, issued, world.both), show_code(world, issued, world.entry)
    assert first.outcome == Outcome.ADMIT
    assert (second.outcome, second.reasons) == (Outcome.REFUSE, [Reason.CODE_REPLAYED])


@pytest.mark.req("BK-07")
def test_a_screenshot_shown_36_seconds_later_is_refused_as_stale(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world)
    screenshot = access.code_now(issued, fake_clock.now())
    fake_clock.move(seconds=36)
    attempt = present(world, screenshot)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [Reason.CODE_STALE])


@pytest.mark.req("BK-07")
def test_six_digits_serve_as_well_as_the_code(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = present(world, crypto.reveal(issued, "short_code"), "short_code")
    assert (attempt.outcome, attempt.reasons) == (Outcome.ADMIT, [Reason.BOOKED])


@pytest.mark.req("BK-07", "AD-01")
def test_a_name_at_the_desk_with_a_document_serves_as_well_as_the_code(world: World) -> None:
    booking, _, _ = invite(world)
    attempt = world.do(presenting.find_by_name, world.guard, world.both.id, booking.id, nonce())
    assert attempt.reasons == [Reason.IDENTITY_MISSING]
    assert see_document(world, attempt).outcome == Outcome.ADMIT
    assert admit(world, attempt).booking_id == booking.id


@pytest.mark.req("BK-07")
def test_a_code_of_a_pass_with_another_seal_is_reviewed_and_tells_nothing(world: World) -> None:
    _booking, issued, _ = invite(world)
    code = access.code_now(issued, FakeClock().now())
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    attempt = present(world, forged)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REVIEW, [Reason.CODE_FORGED])
    assert (attempt.booking_id, attempt.visitor_id, attempt.pass_id) == (None, None, None)
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.supervisor, "看着像")


@pytest.mark.req("BK-07")
def test_the_phone_still_before_the_camera_is_no_replay(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world)
    first = show_code(world, issued)
    fake_clock.move(seconds=3)
    again = show_code(world, issued)
    assert (again.id, again.outcome) == (first.id, Outcome.ADMIT)


@pytest.mark.req("AD-01")
def test_the_phone_still_before_the_camera_after_the_admission_begins_no_exit(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, visit = let_in(world)
    fake_clock.move(seconds=20)
    assert show_code(world, issued).id == visit.attempt_id
    assert world.get(Visit, visit.id).left_at is None


@pytest.mark.req("AD-03")
def test_a_booking_cancelled_while_the_visitor_stands_there_does_not_enter(world: World) -> None:
    booking, issued, _ = invite(world)
    attempt = show_code(world, issued)
    world.do(invitations.cancel, world.host, booking.id)
    with pytest.raises(NotAdmissible) as caught:
        admit(world, attempt)
    assert caught.value.reason == Reason.BOOKING_CANCELLED
    assert count_rows(world, Visit) == 0


@pytest.mark.req("AD-03")
def test_a_cancellation_changes_the_open_verdict(world: World) -> None:
    booking, issued, _ = invite(world)
    attempt = show_code(world, issued)
    world.do(invitations.cancel, world.host, booking.id)
    world.do(judging.rejudge_booking, booking.id)
    assert world.get(Attempt, attempt.id).reasons == [Reason.BOOKING_CANCELLED, Reason.PASS_ENDED]


@pytest.mark.req("AD-03")
def test_a_cancelled_pass_is_refused_at_the_next_reading(world: World) -> None:
    booking, issued, _ = invite(world)
    world.do(invitations.cancel, world.host, booking.id)
    attempt = show_code(world, issued)
    assert attempt.outcome == Outcome.REFUSE
    assert attempt.reasons[0] == Reason.BOOKING_CANCELLED


@pytest.mark.req("AD-03")
def test_a_pass_of_another_site_is_unknown_here(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    _, issued, _ = invite(elsewhere)
    assert show_code(world, issued).reasons == [Reason.UNKNOWN_CODE]


@pytest.mark.req("AD-03")
def test_a_clock_set_back_an_hour_revives_no_used_code(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world, ends_at=fake_clock.now() + timedelta(hours=8))
    old = access.code_now(issued, fake_clock.now())
    fake_clock.move(hours=1)
    show_code(world, issued, world.entry)
    fake_clock.move(hours=-1)
    attempt = present(world, old)
    assert attempt.outcome in {Outcome.REFUSE, Outcome.REVIEW}
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.supervisor, "时钟不对")


@pytest.mark.req("AD-03")
def test_a_clock_set_back_an_hour_sends_codes_to_review(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = invite(world, ends_at=fake_clock.now() + timedelta(hours=8))
    fake_clock.move(hours=1)
    present(world, "HELLO")
    fake_clock.move(hours=-1)
    attempt = show_code(world, issued)
    assert (attempt.outcome, attempt.reasons) == (Outcome.REVIEW, [Reason.CLOCK_UNSURE])


@pytest.mark.req("AD-22", "AD-10")
def test_a_supervisor_overrules_a_doubt_with_a_note(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = see_document(world, show_code(world, issued), Result.ABNORMAL)
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.guard, "放行")
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.supervisor)
    admit(world, attempt, world.supervisor, "本人核对无误")
    assert world.get(Attempt, attempt.id).forced_by == world.supervisor.account_id


@pytest.mark.req("SI-02")
def test_a_change_of_class_changes_the_next_verdict_without_a_restart(world: World) -> None:
    _, issued, _ = invite(world)
    assert show_code(world, issued).outcome == Outcome.ADMIT
    world.do(sites.set_risk_class, world.manager, world.site.id, "high")
    _, other, _ = invite(world)
    attempt = show_code(world, other)
    assert (attempt.outcome, attempt.reasons) == (Outcome.NEEDS, [Reason.DOCUMENT_MISSING])
    assert see_document(world, attempt).outcome == Outcome.ADMIT


@pytest.mark.req("AD-03")
def test_a_lane_agent_admits_at_its_own_lane_only(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)
    with pytest.raises(NotAllowed):
        admit(world, attempt, actor(world.site.id, Role.LANE_AGENT, lane_id=world.entry.id))
    assert (
        admit(world, attempt, actor(world.site.id, Role.LANE_AGENT, lane_id=world.both.id)).lane_in
        == world.both.id
    )


@pytest.mark.req("AD-22")
def test_refusing_keeps_the_row_and_the_note_sealed(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)
    world.do(admission.refuse, world.guard, attempt.id, "与登记照片不符")
    row = world.get(Attempt, attempt.id)
    assert (row.status, row.closed_by) == ("refused", world.guard.account_id)
    assert row.note is not None
    assert "登记".encode() not in row.note
    with pytest.raises(Conflict):
        world.do(admission.refuse, world.guard, attempt.id)
    with pytest.raises(Conflict):
        world.do(presenting.see, world.guard, attempt.id, Kind.DOCUMENT, Result.OK, nonce())


def test_a_new_stranger_closes_the_one_before(world: World) -> None:
    first = present(world, "HELLO")
    present(world, "WORLD")
    assert world.get(Attempt, first.id).status == "refused"
