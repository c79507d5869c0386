"""What looking after viewers costs, and what happens when nobody can be asked about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlmodel import Session

from app.api import media, viewers
from app.core.database import Database
from app.core.errors import Retryable
from app.core.permissions import Role
from app.domain.people import sessions
from app.domain.people.models import Account
from hardware.ports import CameraFeed
from tests.factories import PASSWORD, World, make_account
from tests.hardware.pictures import blank
from tests.installation import *  # noqa: F403

pytestmark = pytest.mark.req("AD-01", "SI-04")

VIEWERS, FRAMES = 5, 20
SOON = 20.0


@pytest.fixture
def reads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every read that the routes ask of the database."""
    asked: list[object] = []
    read = Database.read

    async def counted(self: Database, work: Callable[[Session], Any]) -> Any:
        asked.append(work)
        return await read(self, work)

    monkeypatch.setattr(Database, "read", counted)
    return asked


@pytest.fixture
def secret(world: World) -> str:
    account = make_account(world, Role.GUARD)
    signed_in = world.do(sessions.sign_in, account.username, PASSWORD, "")
    assert signed_in is not None
    return signed_in.secret


def streams(world: World, feed: CameraFeed, secret: str) -> list[AsyncIterator[bytes]]:
    return [media.frames(feed, viewers.Viewer(secret, world.site.id)) for _ in range(VIEWERS)]


async def next_of(stream: AsyncIterator[bytes], feed: CameraFeed, over: bytes = b"") -> bytes:
    """The next picture of a stream, ``over`` when it ended; a stream begins to listen when it is first asked."""
    asked = asyncio.ensure_future(anext(stream, over))
    while not asked.done():
        feed.publish(blank())
        await asyncio.wait([asked], timeout=0.01)
    return asked.result()


async def test_frames_and_viewers_cost_no_query(
    world: World, reads: list[object], secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "CHECK_SECONDS", 3600.0)
    feed = CameraFeed()
    opened = streams(world, feed, secret)
    for _ in range(FRAMES):
        for stream in opened:
            assert (await next_of(stream, feed)).startswith(b"--frame")
    assert reads == []
    for stream in opened:
        await stream.aclose()


async def test_one_read_asks_about_all_viewers(
    world: World, reads: list[object], secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "CHECK_SECONDS", 0.01)
    rounds: list[int] = []
    ended = viewers._ended

    def counted(session: Session, asked: tuple[viewers.Viewer, ...]) -> tuple[viewers.Viewer, ...]:
        rounds.append(len(asked))
        return ended(session, asked)

    monkeypatch.setattr(viewers, "_ended", counted)
    feed = CameraFeed()
    opened = streams(world, feed, secret)
    for stream in opened:
        await next_of(stream, feed)
    async with asyncio.timeout(SOON):
        while rounds[-3:] != [VIEWERS] * 3:
            await asyncio.sleep(0.01)
    assert len(reads) <= len(rounds) + 1  # one may be on its way
    for stream in opened:
        await stream.aclose()
    assert viewers.viewers._task is None
    assert feed.viewers == 0


async def test_a_viewer_whose_account_is_shut_is_ended_and_takes_no_other_along(
    world: World, secret: str
) -> None:
    shut = make_account(world, Role.GUARD, username="guard.shut")
    other = world.do(sessions.sign_in, shut.username, PASSWORD, "")
    assert other is not None

    def disable(session: Session) -> None:
        row = session.get(Account, shut.id)
        assert row is not None
        row.disabled = True
        session.add(row)

    world.do(disable)
    asked = tuple(viewers.Viewer(key, world.site.id) for key in (secret, other.secret, "nobody"))
    assert world.ask(viewers._ended, asked) == asked[1:]


async def test_a_viewer_of_another_site_is_ended(world: World, secret: str) -> None:
    assert not world.ask(viewers.may_go_on, viewers.Viewer(secret, "another-site"))
    assert world.ask(viewers.may_go_on, viewers.Viewer(secret, world.site.id))


async def test_streams_outlive_a_busy_database_and_end_when_it_stays_away(
    world: World, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "CHECK_SECONDS", 0.01)
    feed = CameraFeed()
    stream = media.frames(feed, viewers.Viewer(secret, world.site.id))
    await next_of(stream, feed)
    failures = 0

    async def away(_self: Database, _work: object) -> None:
        nonlocal failures
        failures += 1
        raise Retryable("database_busy")

    monkeypatch.setattr(Database, "read", away)
    async with asyncio.timeout(SOON):
        while await next_of(stream, feed, b"over") != b"over":
            pass
    assert failures >= viewers.UNANSWERED_ROUNDS
