"""A live picture ends with the right to see it: a real client, the real server, a real camera stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlmodel import Session

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.permissions import Role
from app.domain.duty import service as duty
from app.domain.people import repository as people_repository
from app.domain.people import service as people
from app.domain.people.models import Account, WebSession
from tests.api.gate import Gate

pytestmark = [pytest.mark.req("AD-01", "SI-04", "EV-05")]

PATIENCE = 30.0  # only a guard against a stream that never ends: the product promises a few seconds
MARK = b"--frame\r\n"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    running = Gate()
    yield running
    running.close()


class Stream:
    """One open live picture."""

    def __init__(self, gate: Gate, secret: str) -> None:
        self._client = gate.client(secret)
        self._opened = self._client.stream("GET", f"/api/cameras/{gate.camera}/stream")
        self.answer: httpx.Response = self._opened.__enter__()
        self._pieces = self.answer.iter_raw()

    def pictures(self, wanted: int) -> int:
        """Wait for so many more pictures; fewer come when the stream ends before."""
        seen, until = 0, time.monotonic() + PATIENCE
        for piece in self._pieces:
            seen += piece.count(MARK)
            if seen >= wanted or time.monotonic() > until:
                break
        return seen

    def ends(self) -> bool:
        """Whether the server ends the stream."""
        until = time.monotonic() + PATIENCE
        return all(time.monotonic() < until for _ in self._pieces)

    def close(self) -> None:
        self._opened.__exit__(None, None, None)
        self._client.close()


@pytest.fixture
def watch(gate: Gate) -> Iterator[Callable[[str], Stream]]:
    opened: list[Stream] = []

    def open_(secret: str) -> Stream:
        stream = Stream(gate, secret)
        opened.append(stream)
        assert stream.answer.status_code == 200
        assert stream.pictures(2) == 2
        return stream

    until = time.monotonic() + PATIENCE
    _, secret = gate.sign_in(Role.MANAGER)
    with gate.client(secret) as client:  # the camera needs a moment to come up
        while time.monotonic() < until:
            with client.stream("GET", f"/api/cameras/{gate.camera}/stream") as answer:
                if answer.status_code == 200:
                    break
            time.sleep(0.1)
    yield open_
    for stream in opened:
        stream.close()


def actor_of(account: Account) -> Actor:
    return Actor(
        kind="account",
        account_id=account.id,
        person_id=account.person_id,
        site_id=account.site_id,
        roles=frozenset(Role(role) for role in account.roles),
    )


def sign_out(gate: Gate, account: Account, secret: str) -> None:
    with gate.client(secret) as client:
        assert client.post("/api/session/end").status_code == 303


def disable(gate: Gate, account: Account, secret: str) -> None:
    admin, _ = gate.sign_in(Role.ADMIN)
    gate.world.do(people.set_disabled, actor_of(admin), account.id, True)


def take_the_role(gate: Gate, account: Account, secret: str) -> None:
    def work(session: Session) -> None:
        row = people_repository.account(session, account.id)
        row.roles = [Role.PATROL]
        session.add(row)

    gate.world.do(work)


def be_idle(gate: Gate, account: Account, secret: str) -> None:
    def work(session: Session) -> None:
        row = session.get(WebSession, crypto.hash_secret(secret))
        assert row is not None
        row.seen_at = clock.now() - timedelta(minutes=row.idle_minutes + 1)
        session.add(row)

    gate.world.do(work)


@pytest.mark.parametrize("end", [sign_out, disable, take_the_role, be_idle])
def test_the_stream_ends_with_the_session_and_with_the_right(
    gate: Gate, watch: Callable[[str], Stream], end: Callable[[Gate, Account, str], None]
) -> None:
    account, secret = gate.sign_in(Role.GUARD)
    _, other_secret = gate.sign_in(Role.GUARD)
    ending, other = watch(secret), watch(other_secret)
    end(gate, account, secret)
    assert ending.ends()
    # Whoever else is looking goes on looking.
    assert other.pictures(5) == 5


def sign_off(gate: Gate, guard: Actor) -> None:
    gate.world.do(duty.sign_off, guard)


def take_another_lane(gate: Gate, guard: Actor) -> None:
    gate.world.do(duty.sign_on, guard, gate.world.entry.id)


def sign_off_and_on_again(gate: Gate, guard: Actor) -> None:
    sign_off(gate, guard)
    gate.world.do(duty.sign_on, guard, gate.world.both.id)


@pytest.mark.parametrize("leave", [sign_off, take_another_lane, sign_off_and_on_again])
def test_the_stream_of_a_lane_ends_when_its_guard_signs_off(
    gate: Gate, watch: Callable[[str], Stream], leave: Callable[[Gate, Actor], None]
) -> None:
    account, secret = gate.sign_in(Role.GUARD)
    guard = actor_of(account)
    gate.world.do(duty.sign_on, guard, gate.world.both.id)
    _, manager_secret = gate.sign_in(Role.MANAGER)
    ending, manager = watch(secret), watch(manager_secret)
    leave(gate, guard)
    assert ending.ends()
    assert manager.pictures(5) == 5


def test_a_stream_without_a_session_never_begins(gate: Gate) -> None:
    with gate.client("nobody") as client:
        assert client.get(f"/api/cameras/{gate.camera}/stream").status_code == 401
