"""Forgetting in time: exactly what is due goes, from the stored bytes too; the figures stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import func, select

from app.core import crypto, search, vault
from app.core.database import Database
from app.core.search import SearchToken
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.access.models import VisitorPass
from app.domain.admission import checkouts, exits, repository, walk_ins
from app.domain.admission import service as admission
from app.domain.admission.models import Attempt, HostConsent, PassLoss, Visit
from app.domain.booking.models import Booking
from app.domain.people.models import Person
from app.domain.records import retention
from app.domain.sites.rules import RETENTION_FIELDS
from app.domain.sites.times import set_times
from app.runtime.sweeps import expire
from tests.factories import (
    GUEST,
    GUEST_PHONE,
    STRANGER,
    World,
    admit,
    answer,
    invite,
    let_in,
    make_world,
    present,
    see_document,
    show_code,
    standing,
    walk_in,
)
from tests.installation import FakeClock


def purge(world: World, fake_clock: FakeClock) -> int:
    """The nightly run: expired bookings first, then batches until nothing is left to do."""
    while world.do(expire):
        pass
    total = 0
    while done := world.do(retention.purge, world.site.id, fake_clock.now()):
        total += done
    return total


def leave(world: World, visit: Visit) -> None:
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")


@pytest.mark.req("RE-04")
@pytest.mark.parametrize(("risk_class", "days"), [("low", 30), ("medium", 30), ("high", 180)])
def test_a_visit_is_forgotten_when_its_class_says_and_not_a_day_sooner(
    installation: Database, fake_clock: FakeClock, risk_class: str, days: int
) -> None:
    world = make_world(installation, risk_class)
    booking, issued, _ = invite(world)
    visit = admit(world, see_document(world, show_code(world, issued)))
    leave(world, visit)
    fake_clock.move(days=days)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is not None
    fake_clock.move(seconds=1)
    assert purge(world, fake_clock) > 0
    person = world.get(Person, booking.visitor_id)
    assert (person.name, person.phone, person.phone_index, person.erased_at) == (
        None,
        None,
        None,
        fake_clock.now(),
    )
    assert world.get(Visit, visit.id).visitor_id is None
    assert world.get(Booking, booking.id).plate is None


@pytest.mark.req("RE-04")
def test_the_figures_stay(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world, head_count=3)
    leave(world, visit)
    fake_clock.move(days=31)
    purge(world, fake_clock)
    row = world.get(Visit, visit.id)
    assert (row.head_count, row.purpose, row.unit_id, row.entered_at) == (
        3,
        "family",
        world.unit.id,
        visit.entered_at,
    )


@pytest.mark.req("RE-04")
def test_who_is_still_inside_is_not_forgotten(world: World, fake_clock: FakeClock) -> None:
    booking, _, _ = let_in(world)
    fake_clock.move(days=400)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is not None


@pytest.mark.req("RE-04")
def test_a_purge_run_twice_changes_nothing_more(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world)
    leave(world, visit)
    fake_clock.move(days=31)
    assert purge(world, fake_clock) > 0
    assert purge(world, fake_clock) == 0


@pytest.mark.req("RE-04")
@pytest.mark.parametrize("cancelled", [True, False])
def test_a_guest_who_never_came_is_forgotten(world: World, fake_clock: FakeClock, cancelled: bool) -> None:
    booking, _, _ = invite(world)
    if cancelled:
        world.do(invitations.cancel, world.host, booking.id)
    fake_clock.move(days=30, hours=4)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is not None
    fake_clock.move(seconds=1)
    purge(world, fake_clock)
    row = world.get(Booking, booking.id)
    assert (world.get(Person, booking.visitor_id).name, row.plate, row.link_hash) == (None, None, None)


@pytest.mark.req("RE-04")
def test_a_stranger_turned_away_is_forgotten_with_plate_and_note(world: World, fake_clock: FakeClock) -> None:
    attempt = walk_in(world, plate="京A8C56Z")
    asked = world.do(walk_ins.ask_host, world.guard, attempt.id)
    world.do(walk_ins.answer, world.host, asked.id, agree=False, note="他是前夫何强生")
    world.do(admission.refuse, world.guard, attempt.id, "何强生情绪激动")
    fake_clock.move(days=30, hours=4, seconds=1)
    purge(world, fake_clock)
    row = world.get(Attempt, attempt.id)
    assert (row.visitor_id, row.note, row.status) == (None, None, "refused")
    assert world.get(HostConsent, asked.id).note is None
    assert world.get(Booking, attempt.booking_id).plate is None
    assert world.get(Person, attempt.visitor_id).name is None


@pytest.mark.req("RE-04")
def test_why_a_pass_was_lost_is_forgotten_and_the_fee_stays(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world)
    world.do(
        exits.lose_pass,
        world.guard,
        visit.id,
        world.both.id,
        "周婷婷的孩子弄丢的",
        identity_seen=True,
        paid=True,
    )
    fake_clock.move(days=31)
    purge(world, fake_clock)
    loss = world.ask(repository.loss_of, visit.id)
    assert isinstance(loss, PassLoss)
    assert (loss.reason, loss.fee_fen, loss.paid) == (None, 2000, True)


@pytest.mark.req("RE-04")
def test_pictures_go_after_a_week_with_a_visit_and_without(world: World, fake_clock: FakeClock) -> None:
    pictures = [vault.put(b"a face"), vault.put(b"another face")]
    entered, refused = (
        world.do(
            walk_ins.register,
            world.guard,
            world.both.id,
            walk_ins.WalkInForm(world.unit.id, STRANGER, "13911112222"),
            picture,
        )
        for picture in pictures
    )
    see_document(world, entered)
    answer(world, entered, agree=True)
    admit(world, entered)
    world.do(admission.refuse, world.guard, refused.id)
    files = list(Path(get_settings().data_dir, "vault").rglob("*"))
    fake_clock.move(days=7)
    purge(world, fake_clock)
    assert all(path.exists() for path in files)
    fake_clock.move(seconds=1)
    purge(world, fake_clock)
    assert [path for path in files if path.is_file() and path.exists()] == []
    assert world.get(Attempt, entered.id).snapshot_id == ""
    assert world.get(Person, entered.visitor_id).name is not None


@pytest.mark.req("RE-04")
def test_much_that_is_not_due_yet_does_not_hide_what_is(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    young = [walk_in(world) for _ in range(6)]
    old = walk_in(world)
    world.do(admission.refuse, world.guard, old.id)
    fake_clock.move(days=20)
    for attempt in young:
        world.do(admission.refuse, world.guard, attempt.id)
    fake_clock.move(days=11)
    purge(world, fake_clock)
    assert world.get(Person, old.visitor_id).name is None


@pytest.mark.req("RE-04")
def test_a_partner_keeps_the_name_while_the_permit_lasts(world: World, fake_clock: FakeClock) -> None:
    booking, _ = standing(world)
    visit = admit(world, present(world, "04A1B2C3", "card"))
    leave(world, visit)
    fake_clock.move(days=29)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is not None
    fake_clock.move(days=32)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is None


@pytest.mark.req("RE-04", "RE-05")
def test_a_forgotten_guest_is_not_found_any_more(world: World, fake_clock: FakeClock) -> None:
    booking, _, visit = let_in(world)
    assert world.ask(search.find, world.site.id, GUEST) == [booking.visitor_id]
    leave(world, visit)
    fake_clock.move(days=31)
    purge(world, fake_clock)
    assert world.ask(search.find, world.site.id, GUEST) == []
    assert world.ask(lambda session: session.exec(select(func.count()).select_from(SearchToken)).one()) == 0


@pytest.mark.req("RE-04", "RE-05")
def test_nothing_of_a_forgotten_guest_stays_in_the_stored_bytes(
    sqlite: Database, fake_clock: FakeClock
) -> None:
    world = make_world(sqlite)
    booking, issued, visit = let_in(world)
    leave(world, visit)
    person = world.get(Person, booking.visitor_id)
    tokens = world.ask(lambda session: list(session.exec(select(SearchToken.token)).all()))
    traces = [person.name, person.phone, person.phone_index, booking.plate, booking.link_hash, *tokens]
    path = get_settings().data_dir / "gatehouse.db"
    sqlite.engine.dispose()
    assert all(trace in path.read_bytes() for trace in traces)
    fake_clock.move(days=31)
    purge(world, fake_clock)
    assert world.get(VisitorPass, issued.id).short_code is None
    sqlite.engine.dispose()
    stored = b"".join(file.read_bytes() for file in path.parent.glob("gatehouse.db*"))
    assert [trace for trace in traces if trace in stored] == []
    assert crypto.keyring().index("phone", f"{world.site.id}|{GUEST_PHONE}") not in stored


@pytest.mark.req("RE-04")
@pytest.mark.parametrize(("risk_class", "field"), [(r.value, f) for r, f in RETENTION_FIELDS.items()])
def test_a_site_may_keep_visits_for_less_time(
    installation: Database, fake_clock: FakeClock, risk_class: str, field: str
) -> None:
    world = make_world(installation, risk_class)
    booking, issued, _ = invite(world)
    leave(world, admit(world, see_document(world, show_code(world, issued))))
    world.do(set_times, world.manager, world.site.id, "off", {field: 3, "picture_days": 2})
    fake_clock.move(days=3)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is not None
    fake_clock.move(seconds=1)
    purge(world, fake_clock)
    assert world.get(Person, booking.visitor_id).name is None


@pytest.mark.req("RE-04")
def test_a_site_forgets_nothing_of_another(world: World, fake_clock: FakeClock) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    mine, other = (let_in(place) for place in (world, elsewhere))
    for place, (_, _, visit) in ((world, mine), (elsewhere, other)):
        leave(place, visit)
    world.do(set_times, world.manager, world.site.id, "off", {"retention_medium_days": 7, "picture_days": 7})
    fake_clock.move(days=8)
    purge(world, fake_clock)
    purge(elsewhere, fake_clock)
    assert world.get(Person, mine[0].visitor_id).name is None
    assert world.get(Person, other[0].visitor_id).name is not None


@pytest.mark.req("RE-04", "AD-16")
def test_who_was_never_seen_leaving_is_forgotten_in_time_too(world: World, fake_clock: FakeClock) -> None:
    booking, _, visit = let_in(world)
    fake_clock.move(hours=16)
    assert world.do(checkouts.close_overdue, fake_clock.now()) == 1
    fake_clock.move(days=30, seconds=1)
    purge(world, fake_clock)
    assert world.get(Visit, visit.id).purged_at is not None
    assert world.get(Person, booking.visitor_id).name is None
