"""The times of a site: their rules, their limits, and how a manager changes them on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import InvalidInput, NotAllowed
from app.core.permissions import RIGHTS, Right, Role
from app.domain.admission import walk_ins
from app.domain.admission.models import HostConsent
from app.domain.sites import repository as sites
from app.domain.sites.models import SitePolicy
from app.domain.sites.rules import (
    LIMITS,
    RETENTION_FIELDS,
    STANDING_STAY,
    RiskClass,
    close_before,
    last_nightly,
    overdue_since,
    pictures_outlive,
)
from app.domain.sites.times import minute_of, retention_days, set_times
from app.runtime import sweeps
from tests.factories import World, actor, make_world, walk_in
from tests.installation import FakeClock

CHINA = "Asia/Shanghai"
TEN = 3 * 60 + 10


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "zone", "minute", "expected"),
    [
        ("2026-03-02T19:10+00:00", CHINA, TEN, "2026-03-03T03:10+08:00"),
        ("2026-03-02T19:09+00:00", CHINA, TEN, "2026-03-02T03:10+08:00"),
        ("2026-03-02T23:59+08:00", CHINA, TEN, "2026-03-02T03:10+08:00"),
        ("2026-03-02T00:00+08:00", CHINA, 0, "2026-03-02T00:00+08:00"),
        ("2026-03-02T12:00+08:00", CHINA, 1439, "2026-03-01T23:59+08:00"),
        ("2026-03-02T03:10+00:00", "UTC", TEN, "2026-03-02T03:10+00:00"),
        ("2026-03-02T04:00+01:00", "Europe/Berlin", TEN, "2026-03-02T03:10+01:00"),
        # The night clocks spring from 02:00 to 03:00, and the one they are set back in.
        ("2026-03-29T12:00+02:00", "Europe/Berlin", 150, "2026-03-29T03:30+02:00"),
        ("2026-10-25T12:00+01:00", "Europe/Berlin", 150, "2026-10-25T02:30+02:00"),
    ],
)
def test_the_nightly_moment_is_by_the_clock_of_the_site(
    now: str, zone: str, minute: int, expected: str
) -> None:
    assert last_nightly(at(now), zone, minute) == at(expected)


@given(
    st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(
        [CHINA, "UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia"]
    ),
    st.integers(0, 1439),
)
def test_a_nightly_moment_is_never_ahead_and_never_two_days_old(
    now: datetime, zone: str, minute: int
) -> None:
    moment = last_nightly(now, zone, minute)
    assert timedelta(0) <= now - moment < timedelta(days=2, hours=2)
    assert moment.astimezone(ZoneInfo(zone)).minute == minute % 60


@pytest.mark.req("AD-16")
@pytest.mark.parametrize(
    ("mode", "hours", "expected"),
    [
        ("off", 1, None),
        ("whatever", 1, None),
        ("grace", 12, "2026-03-01T22:00+08:00"),
        ("grace", 1, "2026-03-02T09:00+08:00"),
        ("nightly", 12, "2026-03-02T03:10+08:00"),
    ],
)
def test_since_when_a_visit_must_be_overdue_to_be_closed(mode: str, hours: int, expected: str | None) -> None:
    found = close_before(mode, hours, TEN, at("2026-03-02T10:00+08:00"), CHINA)
    assert found == (at(expected) if expected else None)


@pytest.mark.req("AD-16")
@pytest.mark.parametrize(
    ("entered", "due", "standing", "expected"),
    [
        (0, 4, False, 4),
        (0, 24, False, 24),
        (0, 700, True, 10),
        (0, 4, True, 4),
    ],
)
def test_a_standing_permit_says_nothing_of_one_day(
    entered: int, due: int, standing: bool, expected: int
) -> None:
    start = at("2026-03-02T08:00+08:00")
    hours = (start + timedelta(hours=count) for count in (entered, due))
    assert overdue_since(*hours, standing=standing) == start + timedelta(hours=expected)
    assert timedelta(hours=10) == STANDING_STAY


@pytest.mark.req("RE-04")
@pytest.mark.parametrize(
    ("name", "default", "longest"),
    [
        ("retention_low_days", 30, 30),
        ("retention_medium_days", 30, 30),
        ("retention_high_days", 180, 180),
        ("picture_days", 7, 30),
    ],
)
def test_nothing_is_kept_longer_than_the_law_allows(name: str, default: int, longest: int) -> None:
    assert (LIMITS[name].default, LIMITS[name].high) == (default, longest)


def test_every_default_lies_within_its_limits() -> None:
    assert all(limit.low <= limit.default <= limit.high for limit in LIMITS.values())
    assert not pictures_outlive({name: limit.default for name, limit in LIMITS.items()})


@pytest.mark.parametrize("field", list(RETENTION_FIELDS.values()))
def test_pictures_never_outlive_the_visits_of_any_class(field: str) -> None:
    days = {name: limit.default for name, limit in LIMITS.items()}
    assert pictures_outlive({**days, field: 6})
    assert not pictures_outlive({**days, field: 7})


@pytest.mark.parametrize(
    ("text", "minute"), [("03:10", 190), ("3:10", 190), ("00:00", 0), ("23:59", 1439), (" 4：05 ", 245)]
)
def test_a_time_of_day_is_read(text: str, minute: int) -> None:
    assert minute_of(text) == minute


@pytest.mark.parametrize("text", ["", "24:00", "3:60", "03:10:00", "soon", "-1:00", "٣:10"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        minute_of(text)
    assert (caught.value.code, caught.value.field) == ("time_wrong", "nightly_minute")


def changes(world: World) -> list[dict[str, object]]:
    query = select(AuditEntry).where(AuditEntry.action == "policy.time").order_by(AuditEntry.seq)
    return [entry.details for entry in world.ask(lambda session: list(session.exec(query).all()))]


@pytest.mark.req("RE-04", "RE-07")
def test_a_change_is_in_force_at_once_and_audited_field_by_field(world: World) -> None:
    wanted = {"retention_high_days": "90", "nightly_minute": 240, "picture_days": "7"}
    assert world.do(set_times, world.manager, world.site.id, "nightly", wanted) == 3
    policy = world.ask(sites.policy, world.site.id)
    assert retention_days(policy, RiskClass.HIGH) == 90
    assert (policy.nightly_minute, policy.checkout) == (240, "nightly")
    assert changes(world) == [
        {"field": "retention_high_days", "from": 180, "to": 90},
        {"field": "nightly_minute", "from": 190, "to": 240},
        {"field": "checkout", "from": "grace", "to": "nightly"},
    ]


def test_the_same_again_is_no_change(world: World) -> None:
    assert world.do(set_times, world.manager, world.site.id, "grace", {"picture_days": "7"}) == 0
    assert changes(world) == []


@pytest.mark.req("RE-04")
@pytest.mark.parametrize("name", list(LIMITS))
@pytest.mark.parametrize("beyond", ["low", "high", "word", "empty", "part"])
def test_a_number_beyond_its_limits_changes_nothing(world: World, name: str, beyond: str) -> None:
    limit = LIMITS[name]
    value = {
        "low": str(limit.low - 1),
        "high": str(limit.high + 1),
        "word": "viel",
        "empty": "",
        "part": "7.5",
    }[beyond]
    with pytest.raises(InvalidInput) as caught:
        world.do(set_times, world.manager, world.site.id, "off", {"consent_seconds": 60, name: value})
    assert (caught.value.code, caught.value.field) == ("number_wrong", name)
    policy = world.ask(sites.policy, world.site.id)
    assert (policy.consent_seconds, policy.checkout) == (120, "grace")
    assert changes(world) == []


def test_pictures_that_would_outlive_their_visits_change_nothing(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.do(set_times, world.manager, world.site.id, "grace", {"retention_low_days": 5})
    assert caught.value.code == "pictures_outlive"
    assert world.ask(sites.policy, world.site.id).retention_low_days == 30


def test_an_unknown_way_of_checking_out_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.do(set_times, world.manager, world.site.id, "never mind", {})


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", [role for role in Role if Right.POLICY_EDIT not in RIGHTS[role]])
def test_only_who_may_edit_the_policy_sets_times(world: World, role: Role) -> None:
    with pytest.raises(NotAllowed):
        world.do(set_times, actor(world.site.id, role), world.site.id, "off", {})


@pytest.mark.req("SI-04")
def test_a_manager_sets_no_times_elsewhere(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    with pytest.raises(NotAllowed):
        world.do(set_times, world.manager, elsewhere.site.id, "off", {})


@pytest.mark.req("AD-08")
def test_each_site_has_its_own_patience_with_hosts(world: World, fake_clock: FakeClock) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    world.do(set_times, world.manager, world.site.id, "off", {"consent_seconds": 45})
    quick, slow = (
        place.do(walk_ins.ask_host, place.guard, walk_in(place).id) for place in (world, elsewhere)
    )
    fake_clock.move(seconds=44)
    assert world.do(walk_ins.time_out, fake_clock.now()) == 0
    fake_clock.move(seconds=1)
    assert world.do(walk_ins.time_out, fake_clock.now()) == 1
    assert [world.get(HostConsent, row.id).status for row in (quick, slow)] == ["timed_out", "asked"]
    fake_clock.move(seconds=75)
    assert world.do(walk_ins.time_out, fake_clock.now()) == 1
    assert world.get(HostConsent, slow.id).status == "timed_out"


def due(database: Database, fake_clock: FakeClock) -> list[str]:
    return [site for site, _ in database.read_now(lambda s: sweeps.nights_due(s, fake_clock.now()))]


@pytest.mark.req("RE-04")
def test_the_night_comes_once_a_day_on_the_site_s_clock_and_is_made_up_for(
    world: World, fake_clock: FakeClock
) -> None:
    # It is ten in the morning at the site; the next night begins at 03:10 there.
    assert due(world.database, fake_clock) == []
    fake_clock.move(hours=17, minutes=9, seconds=59)
    assert due(world.database, fake_clock) == []
    fake_clock.move(seconds=1)
    ((site_id, moment),) = world.ask(sweeps.nights_due, fake_clock.now())
    assert (site_id, moment) == (world.site.id, fake_clock.now())
    world.do(sweeps.night_done, site_id, moment)
    assert due(world.database, fake_clock) == []
    fake_clock.move(days=3, hours=5)  # the server was off meanwhile
    assert due(world.database, fake_clock) == [world.site.id]
    world.do(sweeps.night_done, world.site.id, world.ask(sweeps.nights_due, fake_clock.now())[0][1])
    assert due(world.database, fake_clock) == []


def test_each_site_has_its_own_night(world: World, fake_clock: FakeClock) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    world.do(set_times, world.manager, world.site.id, "off", {"nightly_minute": 11 * 60})
    fake_clock.move(hours=1)
    assert due(world.database, fake_clock) == [world.site.id]
    fake_clock.move(hours=17)
    assert sorted(due(world.database, fake_clock)) == sorted([world.site.id, elsewhere.site.id])


def test_a_new_site_starts_with_the_defaults(world: World) -> None:
    policy = world.get(SitePolicy, world.site.id)
    assert {name: getattr(policy, name) for name in LIMITS} == {n: li.default for n, li in LIMITS.items()}
    assert policy.checkout == "grace"
