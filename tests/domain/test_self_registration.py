"""Registering by one's own phone: nothing rings or opens by itself, once is once, and what was typed does not stay (AD-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.core import clock, crypto
from app.core.audit import AuditEntry
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooMany
from app.core.ids import new_id
from app.core.permissions import Role
from app.domain.admission import self_registration as registering
from app.domain.admission.models import Attempt, HostConsent
from app.domain.admission.self_models import SelfRegistration, SelfStatus
from app.domain.people.models import Person
from app.domain.records import retention
from app.domain.sites.models import FieldRule
from tests.factories import World, actor, walk_in
from tests.installation import FakeClock

FORM = {
    "visitor_type": "short_term",
    "name": "  周 岚 ",
    "phone": "138 0013 8000",
    "unit": "8 栋 1203",
    "purpose": "meeting",
    "head_count": "2",
    "plate": "京a·12345",
    "company": "",
}


def code(world: World) -> str:
    return world.ask(registering.code_of, world.guard, world.both.id)


def submit(
    world: World, *, nonce: str = "", shown: str = "", agreed: bool = True, **form: str
) -> registering.Submitted:
    return world.do(
        registering.submit, shown or code(world), FORM | form, nonce or new_id(), "zh-CN", agreed=agreed
    )


def stored(world: World) -> list[SelfRegistration]:
    return list(world.ask(lambda s: s.exec(select(SelfRegistration)).all()))


@pytest.mark.req("AD-06", "AD-08")
def test_what_a_visitor_sends_waits_for_the_guard_and_rings_at_nobody(world: World) -> None:
    made = submit(world)
    (row,) = world.ask(registering.waiting, world.both.id)
    assert (row.id, row.number, row.lane_id) == (made.row.id, 1, world.both.id)
    assert registering.details_of(row) == {
        "name": "周 岚",
        "unit": "8 栋 1203",
        "phone": "13800138000",
        "plate": "京A12345",
        "company": "",
        "purpose": "meeting",
        "head_count": "2",
    }
    for table in (Attempt, HostConsent):
        assert world.ask(lambda s, t=table: s.exec(select(t)).all()) == []
    assert world.ask(lambda s: [p for p in s.exec(select(Person)).all() if p.kind == "visitor"]) == []


@pytest.mark.req("AD-06", "RE-05")
def test_what_was_entered_is_sealed_and_gone_when_a_guard_takes_it(world: World) -> None:
    made = submit(world)
    assert made.row.details is not None
    for word in ("周", "岚", "13800138000", "1203"):
        assert word.encode() not in made.row.details
    attempt = walk_in(world)
    world.do(registering.take, world.guard, world.both.id, made.row.id, attempt.id)
    (row,) = stored(world)
    assert (row.status, row.details, row.attempt_id) == (SelfStatus.TAKEN, None, attempt.id)
    assert registering.details_of(row) == {}
    followed = world.ask(registering.followed, made.secret)
    assert followed is not None
    assert followed.id == made.row.id


@pytest.mark.req("AD-06")
def test_sent_twice_it_is_one_and_the_second_word_counts(world: World) -> None:
    nonce = new_id()
    first, second = submit(world, nonce=nonce), submit(world, nonce=nonce, head_count="3")
    (row,) = stored(world)
    assert registering.details_of(row)["head_count"] == "3"
    assert world.ask(registering.followed, first.secret) is None
    found = world.ask(registering.followed, second.secret)
    assert found is not None


@pytest.mark.req("AD-06")
def test_of_two_guards_the_first_one_counts(world: World) -> None:
    made = submit(world)
    attempt = walk_in(world)
    world.do(registering.take, world.guard, world.both.id, made.row.id, attempt.id)
    with pytest.raises(Conflict):
        world.do(registering.take, world.guard, world.both.id, made.row.id, attempt.id)
    with pytest.raises(Conflict):
        world.do(registering.turn_away, world.guard, world.both.id, made.row.id)
    with pytest.raises(Conflict):
        world.ask(registering.for_guard, world.guard, world.both.id, made.row.id)


@pytest.mark.req("AD-06", "SI-04")
@pytest.mark.parametrize("role", [Role.RESIDENT, Role.PATROL, Role.SERVICE, Role.AUDITOR, Role.ADMIN])
def test_only_who_keeps_the_desk_sees_takes_or_shows(world: World, role: Role) -> None:
    made = submit(world)
    stranger = actor(world, role)
    for work in (registering.for_guard, registering.turn_away):
        with pytest.raises(NotAllowed):
            world.do(work, stranger, world.both.id, made.row.id)
    with pytest.raises(NotAllowed):
        world.ask(registering.code_of, stranger, world.both.id)
    with pytest.raises(NotFound):  # another lane's guard looks at the own list only
        world.ask(registering.for_guard, world.guard, world.entry.id, made.row.id)


@pytest.mark.req("AD-06")
def test_a_lane_that_leads_out_shows_no_code(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.ask(registering.code_of, world.guard, world.exit.id)


@pytest.mark.req("AD-06")
def test_an_old_or_foreign_code_takes_nothing_in(world: World, fake_clock: FakeClock) -> None:
    shown = code(world)
    fake_clock.move(minutes=21)
    with pytest.raises(Conflict):
        submit(world, shown=shown)
    with pytest.raises(NotFound):
        submit(world, shown="A" * 43)
    assert stored(world) == []


@pytest.mark.req("AD-06", "SI-03")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 51}, "name"),
        ({"phone": "1380013"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"unit": " "}, "unit"),
        ({"unit": "楼" * 61}, "unit"),
        ({"purpose": "theft"}, "purpose"),
        ({"head_count": "51"}, "head_count"),
        ({"head_count": "two"}, "head_count"),
        ({"plate": "😀"}, "plate"),
        ({"visitor_type": "emergency"}, "visitor_type"),
    ],
)
def test_bad_input_names_its_field_and_leaves_nothing(
    world: World, change: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        submit(world, **change)
    assert refused.value.field == field
    assert stored(world) == []


@pytest.mark.req("AD-06")
def test_without_consent_to_the_notice_nothing_is_kept(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        submit(world, agreed=False)
    assert refused.value.field == "agreed"
    assert stored(world) == []


@pytest.mark.req("SI-03", "AD-06")
def test_a_field_that_the_policy_switches_off_is_not_kept_even_when_sent(world: World) -> None:
    def off(session: Any) -> None:
        for kind in registering.KINDS:
            session.add(
                FieldRule(
                    id=new_id(),
                    site_id=world.site.id,
                    risk_class=world.site.risk_class,
                    visitor_type=kind,
                    field="plate",
                    rule="off",
                )
            )

    world.do(off)
    assert registering.details_of(submit(world).row)["plate"] == ""


@pytest.mark.req("AD-06")
def test_a_full_list_says_so_instead_of_growing(world: World) -> None:
    for _ in range(registering.MOST_WAITING):
        submit(world)
    with pytest.raises(TooMany):
        submit(world)
    assert [row.number for row in world.ask(registering.waiting, world.both.id)] == list(range(1, 21))


@pytest.mark.req("AD-06", "RE-04")
def test_what_nobody_took_is_forgotten_after_half_an_hour(world: World, fake_clock: FakeClock) -> None:
    made = submit(world)
    fake_clock.move(minutes=29)
    assert world.do(registering.expire, clock.now()) == 0
    fake_clock.move(minutes=1)
    assert world.ask(registering.waiting, world.both.id) == []
    assert world.do(registering.expire, clock.now()) == 1
    (row,) = stored(world)
    assert (row.status, row.details) == (SelfStatus.EXPIRED, None)
    with pytest.raises(Conflict):
        world.do(registering.turn_away, world.guard, world.both.id, made.row.id)


@pytest.mark.req("RE-04")
def test_the_bare_rows_go_with_the_other_stale_attempts(world: World, fake_clock: FakeClock) -> None:
    submit(world)
    fake_clock.move(minutes=30)
    world.do(registering.expire, clock.now())
    fake_clock.move(days=29)
    world.do(retention.purge, world.site.id, clock.now())
    assert len(stored(world)) == 1
    fake_clock.move(days=2)
    world.do(retention.purge, world.site.id, clock.now())
    assert stored(world) == []


@pytest.mark.req("AD-06")
def test_the_visitor_takes_it_back_with_one_tap_and_what_was_entered_is_gone(world: World) -> None:
    made = submit(world)
    world.do(registering.withdraw, made.secret)
    world.do(registering.withdraw, made.secret)
    (row,) = stored(world)
    assert (row.status, row.details) == (SelfStatus.WITHDRAWN, None)
    with pytest.raises(NotFound):
        world.do(registering.withdraw, "made-up")
    actions = world.ask(
        lambda s: [e.action for e in s.exec(select(AuditEntry).order_by(AuditEntry.seq)).all()]
    )
    assert [a for a in actions if a.startswith("self.")] == ["self.submit", "self.withdrawn"]


def test_the_numbers_begin_anew_after_the_last(world: World, fake_clock: FakeClock) -> None:
    def last(session: Any) -> None:
        session.add(
            SelfRegistration(
                id=new_id(),
                site_id=world.site.id,
                lane_id=world.both.id,
                number=registering.NUMBERS,
                status=SelfStatus.EXPIRED,
                visitor_type="guest",
                secret_hash=crypto.hash_secret("x"),
                nonce=new_id(),
                notice_version="1",
                notice_locale="en",
                created_at=clock.now() - timedelta(hours=1),
                closed_at=clock.now(),
            )
        )

    world.do(last)
    assert submit(world).row.number == 1
