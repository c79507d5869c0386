"""Who never scanned out: the visit ends by itself, marked and counted apart, and a late exit is still an exit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.audit import AuditEntry
from app.core.outbox import OutboxMessage
from app.domain.access import service as access
from app.domain.access.models import Card, VisitorPass
from app.domain.access.rules import PassStatus
from app.domain.admission import checkouts, exits, repository
from app.domain.admission import service as admission
from app.domain.admission.models import Attempt, Visit
from app.domain.admission.rules import Outcome, Reason
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingStatus
from app.domain.records import repository as records
from app.domain.sites.models import Site
from app.domain.sites.rules import HolderKind
from app.domain.sites.times import set_times
from state import console_view
from tests.factories import World, admit, invite, let_in, make_world, present, show_code, standing
from tests.installation import FakeClock


def close(world: World, fake_clock: FakeClock) -> int:
    """The sweep, batch after batch."""
    total = 0
    while done := world.do(checkouts.close_overdue, fake_clock.now()):
        total += done
    return total


def policy(world: World, checkout: str, **times: int) -> None:
    world.do(set_times, world.manager, world.site.id, checkout, times)


def entries(world: World, action: str) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == action)
    return world.ask(lambda session: list(session.exec(query).all()))


def left_behind(world: World, fake_clock: FakeClock) -> tuple[Booking, VisitorPass, Visit]:
    """A guest of four hours whose visit was closed twelve hours after its end."""
    booking, issued, visit = let_in(world)
    fake_clock.move(hours=16)
    assert close(world, fake_clock) == 1
    return booking, issued, visit


@pytest.mark.req("AD-16")
def test_a_visit_overdue_by_the_grace_is_closed_and_not_a_second_sooner(
    world: World, fake_clock: FakeClock
) -> None:
    booking, issued, visit = let_in(world)
    fake_clock.move(hours=16, seconds=-1)
    assert close(world, fake_clock) == 0
    fake_clock.move(seconds=1)
    assert close(world, fake_clock) == 1
    row = world.get(Visit, visit.id)
    assert (row.left_at, row.exit_kind, row.lane_out) == (fake_clock.now(), "automatic", None)
    assert world.get(VisitorPass, issued.id).status == PassStatus.EXPIRED
    assert world.get(VisitorPass, issued.id).short_index is None
    assert world.get(Booking, booking.id).status == BookingStatus.COMPLETED
    assert world.ask(repository.count_inside, world.site.id) == 0


@pytest.mark.req("AD-16", "RE-07")
def test_closing_is_audited_as_what_it_is(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = left_behind(world, fake_clock)
    (entry,) = entries(world, "visit.close")
    assert (entry.actor, entry.object_id, entry.reason) == ("system", visit.id, "grace")
    assert (entry.site_id, entry.details) == (world.site.id, {"minutes_overdue": 720})
    assert entries(world, "visit.leave") == []


@pytest.mark.req("AD-16")
def test_the_sweep_may_run_twice_late_and_in_two_processes(world: World, fake_clock: FakeClock) -> None:
    for _ in range(3):
        let_in(world)
    fake_clock.move(days=9)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: world.do(checkouts.close_overdue, fake_clock.now()), range(3)))
    assert sum(done) == 3
    assert len(entries(world, "visit.close")) == 3
    assert close(world, fake_clock) == 0


@pytest.mark.req("AD-16")
def test_more_than_a_batch_is_closed_batch_by_batch(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkouts, "BATCH", 2)
    for _ in range(3):
        let_in(world)
    fake_clock.move(hours=16)
    assert [world.do(checkouts.close_overdue, fake_clock.now()) for _ in range(3)] == [2, 1, 0]


@pytest.mark.req("AD-16")
def test_a_site_that_switches_it_off_closes_nothing(world: World, fake_clock: FakeClock) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    policy(world, "off")
    _, _, mine = let_in(world)
    _, _, other = let_in(elsewhere)
    fake_clock.move(days=30)
    assert close(world, fake_clock) == 1
    assert world.get(Visit, mine.id).left_at is None
    assert world.get(Visit, other.id).exit_kind == "automatic"


@pytest.mark.req("AD-16")
def test_at_night_only_what_is_overdue_by_then_is_closed(world: World, fake_clock: FakeClock) -> None:
    policy(world, "nightly")
    _, _, short = let_in(world)
    _, _, overnight = let_in(world, ends_at=fake_clock.now() + timedelta(hours=23))
    fake_clock.move(hours=17, minutes=9)
    assert close(world, fake_clock) == 0
    fake_clock.move(minutes=1)  # 03:10 at the gate
    assert close(world, fake_clock) == 1
    assert world.get(Visit, short.id).exit_kind == "automatic"
    assert world.get(Visit, overnight.id).left_at is None
    fake_clock.move(hours=23)
    assert close(world, fake_clock) == 0
    fake_clock.move(hours=1)
    assert close(world, fake_clock) == 1


@pytest.mark.req("AD-16")
def test_a_partner_who_forgot_to_scan_out_enters_again_the_next_day(
    world: World, fake_clock: FakeClock
) -> None:
    booking, card = standing(world)
    visit = admit(world, present(world, "04A1B2C3", "card"))
    fake_clock.move(hours=22, seconds=-1)
    assert close(world, fake_clock) == 0
    fake_clock.move(seconds=1)
    assert close(world, fake_clock) == 1
    assert world.get(Booking, booking.id).status == BookingStatus.APPROVED
    assert world.get(Card, card.id).status == "active"
    fake_clock.move(hours=2)
    attempt = present(world, "04A1B2C3", "card")
    assert (attempt.leaving, attempt.outcome) == (False, Outcome.ADMIT)
    assert admit(world, attempt).id != visit.id


@pytest.mark.req("AD-16")
def test_who_stands_at_the_way_out_is_not_closed(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = let_in(world)
    fake_clock.move(hours=16)
    attempt = present(world, access.badge_code(issued), lane=world.exit)
    assert close(world, fake_clock) == 0
    admit(world, attempt)
    assert world.get(Visit, visit.id).exit_kind == "scan"


@pytest.mark.req("AD-16")
def test_a_closed_pass_does_not_lead_in(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = left_behind(world, fake_clock)
    attempt = show_code(world, issued, world.entry)
    assert attempt.outcome == Outcome.REFUSE
    assert not world.do(checkouts.recognise, attempt.id)
    assert world.get(Attempt, attempt.id).leaving is False


@pytest.mark.req("AD-16")
def test_the_host_is_not_told_that_somebody_left(world: World, fake_clock: FakeClock) -> None:
    left_behind(world, fake_clock)
    topics = world.ask(lambda session: list(session.exec(select(OutboxMessage.topic)).all()))
    assert "visitor_left" not in topics


@pytest.mark.req("AD-16")
def test_closed_visits_are_counted_apart_from_exits_that_were_seen(
    world: World, fake_clock: FakeClock
) -> None:
    left_behind(world, fake_clock)
    _, _, seen = let_in(world)
    world.do(exits.leave, world.guard, seen.id, world.both.id, "search")
    now = fake_clock.now()
    assert world.ask(records.count_exits, world.site.id, now, now + timedelta(seconds=1)) == (1, 1)


@pytest.mark.req("AD-16")
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_ledger_says_that_nobody_was_seen_leaving(
    world: World, fake_clock: FakeClock, locale: str
) -> None:
    _, _, visit = left_behind(world, fake_clock)
    row = world.ask(records.ledger_row, world.site.id, visit.attempt_id)
    site = world.get(Site, world.site.id)
    (shown,) = world.ask(console_view.ledger, site, [row], locale)
    words = {"zh-CN": "未见离场，已自动结束", "en": "Not seen leaving, closed automatically"}[locale]
    assert shown["why"] == words
    facts, _ = world.ask(console_view.detail, site, row, locale)
    told = {fact["term"]: fact["value"] for fact in facts}
    assert words in told.values()
    assert {"zh-CN": "离场时间", "en": "Left"}[locale] not in told


@pytest.mark.req("AD-16")
@pytest.mark.parametrize("way", ["exit", "both"])
@pytest.mark.parametrize("shown", ["badge", "code"])
def test_who_was_inside_after_all_is_let_out_and_seen(
    world: World, fake_clock: FakeClock, way: str, shown: str
) -> None:
    booking, issued, visit = left_behind(world, fake_clock)
    fake_clock.move(hours=3)
    code = access.badge_code(issued) if shown == "badge" else access.code_now(issued, clock.now())
    read = present(world, code, lane=getattr(world, way))
    attempt = world.get(Attempt, read.id)
    assert (attempt.leaving, attempt.outcome, attempt.reasons) == (True, Outcome.ADMIT, [Reason.LEAVING])
    assert world.get(Visit, visit.id).left_at is None
    assert admit(world, attempt).id == visit.id
    row = world.get(Visit, visit.id)
    assert (row.left_at, row.exit_kind) == (fake_clock.now(), "scan")
    assert world.get(Booking, booking.id).status == BookingStatus.COMPLETED
    (entry,) = entries(world, "visit.reopen")
    assert (entry.object_id, entry.details) == (visit.id, {"attempt": attempt.id})
    assert len(entries(world, "visit.close")) == 1
    assert close(world, fake_clock) == 0


@pytest.mark.req("AD-16")
def test_a_pass_shown_days_later_at_a_lane_both_ways_is_no_exit(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = left_behind(world, fake_clock)
    fake_clock.move(hours=24)
    attempt = present(world, access.badge_code(issued))
    assert world.get(Attempt, attempt.id).outcome == Outcome.REFUSE
    assert world.get(Visit, visit.id).exit_kind == "automatic"
    out = present(world, access.badge_code(issued), lane=world.exit)
    assert world.get(Attempt, out.id).reasons == [Reason.LEAVING]


@pytest.mark.req("AD-16")
def test_an_exit_set_aside_is_closed_again(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = left_behind(world, fake_clock)
    attempt = present(world, access.badge_code(issued), lane=world.exit)
    assert close(world, fake_clock) == 0
    world.do(admission.set_aside, world.guard, attempt.id)
    assert close(world, fake_clock) == 1
    assert world.get(Visit, visit.id).exit_kind == "automatic"


@pytest.mark.req("AD-16")
def test_a_pass_whose_exit_was_seen_is_not_reopened(world: World, fake_clock: FakeClock) -> None:
    _, issued, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    fake_clock.move(minutes=5)
    attempt = present(world, access.badge_code(issued), lane=world.exit)
    assert world.get(Attempt, attempt.id).outcome == Outcome.REVIEW
    assert world.get(Visit, visit.id).exit_kind == "search"


@pytest.mark.req("AD-16")
def test_recognising_twice_changes_nothing_more(world: World, fake_clock: FakeClock) -> None:
    _, issued, _ = left_behind(world, fake_clock)
    attempt = present(world, access.badge_code(issued), lane=world.exit)
    assert not world.do(checkouts.recognise, attempt.id)
    assert not world.do(checkouts.recognise, "no such arrival")
    assert len(entries(world, "visit.reopen")) == 1


def test_an_ordinary_refusal_reopens_nothing(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued, world.exit)
    assert world.get(Attempt, attempt.id).reasons == [Reason.NOT_INSIDE]
    assert entries(world, "visit.reopen") == []


@pytest.mark.req("AD-16")
@pytest.mark.parametrize("kind", list(HolderKind))
def test_who_lives_or_works_here_is_no_visitor_to_be_checked_out(
    world: World, fake_clock: FakeClock, kind: str
) -> None:
    _, _, visit = let_in(world)

    def move_in(session: Session) -> None:
        row = repository.visit(session, visit.id)
        row.visitor_type = kind
        session.add(row)

    world.do(move_in)
    fake_clock.move(days=9)
    assert close(world, fake_clock) == 0
