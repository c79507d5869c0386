"""Of several processes one leads; when it stops or dies another takes over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.core import lease
from app.core.database import Database
from tests.installation import FakeClock

TTL = timedelta(seconds=30)


def acquire(database: Database, holder: str) -> bool:
    return database.write_now(lambda session: lease.acquire(session, "sweeps", holder, TTL))


@pytest.mark.req("EV-03")
def test_the_first_holder_keeps_the_lease_and_renews_it(
    installation: Database, fake_clock: FakeClock
) -> None:
    assert acquire(installation, "a")
    fake_clock.move(seconds=29)
    assert acquire(installation, "a")
    fake_clock.move(seconds=29)
    assert not acquire(installation, "b")


@pytest.mark.req("EV-03")
def test_another_takes_over_when_the_holder_dies(installation: Database, fake_clock: FakeClock) -> None:
    assert acquire(installation, "a")
    fake_clock.move(seconds=31)
    assert acquire(installation, "b")
    assert not acquire(installation, "a")


@pytest.mark.req("EV-03")
def test_a_clean_stop_hands_the_lease_on_at_once(installation: Database, fake_clock: FakeClock) -> None:
    assert acquire(installation, "a")
    installation.write_now(lambda session: lease.release(session, "sweeps", "b"))
    assert not acquire(installation, "b")
    installation.write_now(lambda session: lease.release(session, "sweeps", "a"))
    fake_clock.move(seconds=0.001)
    assert acquire(installation, "b")


@pytest.mark.req("EV-03")
def test_two_holders_at_the_same_moment_elect_one(installation: Database) -> None:
    barrier = Barrier(4)

    def run(holder: str) -> bool:
        barrier.wait(10)
        return acquire(installation, holder)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(run, "abcd")) == [False, False, False, True]


@pytest.mark.req("EV-03")
def test_leases_of_different_names_do_not_meet(installation: Database) -> None:
    assert acquire(installation, "a")
    assert installation.write_now(lambda session: lease.acquire(session, "reports", "b", TTL))
