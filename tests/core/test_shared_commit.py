"""Works that queued for the one writer of SQLite share a commit, and none suffers from another's failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from app.core.database import Database, announce
from app.core.errors import Conflict, Retryable
from app.domain.sites.models import Site
from tests.factories import World, make_world

Work = Callable[[Session], object]


@pytest.fixture
def small(sqlite: Database) -> World:
    """A site on SQLite."""
    return make_world(sqlite)


async def together(database: Database, *works: Work) -> list[object]:
    """Queue ``works`` while the writer is busy, so that they meet, and return what came of each."""
    busy, free = threading.Event(), threading.Event()

    def hold(_session: Session) -> None:
        busy.set()
        assert free.wait(10)

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(busy.wait, 10)
    tasks = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0)  # each has put its work into the queue
    free.set()
    await holding
    return await asyncio.gather(*tasks, return_exceptions=True)


def rename(world: World, name: str) -> Work:
    def work(session: Session) -> str:
        site = session.get(Site, world.site.id)
        assert site is not None
        before, site.name = site.name, name
        session.add(site)
        announce(session, name)
        return before

    return work


def name_of(world: World) -> str:
    return world.ask(lambda session: session.exec(select(Site.name)).one())


def commits(database: Database) -> list[int]:
    seen: list[int] = []
    event.listen(database.engine, "commit", lambda _connection: seen.append(1))
    return seen


@pytest.mark.req("EV-03")
async def test_works_that_meet_share_one_commit_and_see_each_other_in_order(small: World) -> None:
    seen = commits(small.database)
    results = await together(small.database, *(rename(small, name) for name in "甲乙丙"))
    assert results[1:] == ["甲", "乙"]
    assert name_of(small) == "丙"
    assert len(seen) == 1  # whoever held the writer wrote nothing


@pytest.mark.req("EV-03")
async def test_a_work_that_fails_leaves_nothing_and_the_others_stay(small: World) -> None:
    heard: list[object] = []
    small.database.listen(heard.append)

    def fail(session: Session) -> None:
        rename(small, "坏")(session)
        session.flush()
        raise Conflict("attempt_taken")

    first, failed, last = await together(small.database, rename(small, "甲"), fail, rename(small, "丙"))
    assert isinstance(failed, Conflict)
    assert last == "甲"
    assert first != "甲"
    assert name_of(small) == "丙"
    assert heard == ["甲", "丙"]


@pytest.mark.req("AD-22", "EV-03")
async def test_when_the_disk_refuses_all_of_them_are_told_and_nothing_is_half_done(small: World) -> None:
    before, heard = name_of(small), []
    small.database.listen(heard.append)

    def full(session: Session) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    results = await together(small.database, rename(small, "甲"), full, rename(small, "丙"))
    assert all(isinstance(result, Retryable) for result in results)
    assert name_of(small) == before
    assert heard == []


@pytest.mark.req("EV-03")
async def test_a_work_whose_caller_went_away_is_not_begun(small: World) -> None:
    before = name_of(small)
    busy, free = threading.Event(), threading.Event()

    def hold(_session: Session) -> None:
        busy.set()
        assert free.wait(10)

    holding = asyncio.create_task(small.database.write(hold))
    await asyncio.to_thread(busy.wait, 10)
    gone = asyncio.create_task(small.database.write(rename(small, "甲")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    free.set()
    await holding
    assert name_of(small) == before
