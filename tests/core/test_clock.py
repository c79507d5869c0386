"""The clock notices when it is set back, also across a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.database import Database
from app.runtime.installation import open_installation
from tests.factories import make_world, present
from tests.installation import MORNING, FakeClock


@pytest.mark.req("BK-07")
@pytest.mark.parametrize(
    ("seconds", "trusted"), [(5, True), (0, True), (-10, True), (-10.5, False), (-3600, False)]
)
def test_a_clock_set_back_by_more_than_ten_seconds_is_not_trusted(seconds: float, trusted: bool) -> None:
    made = FakeClock()
    made.now()
    made.moment += timedelta(seconds=seconds)
    assert made.trusted() is trusted


@pytest.mark.req("BK-07")
def test_a_clock_is_trusted_again_once_it_has_caught_up() -> None:
    made = FakeClock()
    made.now()
    made.move(hours=-1)
    assert not made.trusted()
    made.move(hours=1)
    assert made.trusted()


@pytest.mark.req("BK-07")
def test_a_clock_set_back_before_a_restart_shows_by_the_records(sqlite: Database) -> None:
    present(make_world(sqlite), "HELLO")
    clock.use(FakeClock(MORNING - timedelta(hours=1)))
    open_installation().close()
    assert not clock.current().trusted()


def test_time_is_aware_utc(fake_clock: FakeClock) -> None:
    assert clock.now().utcoffset() == timedelta(0)
