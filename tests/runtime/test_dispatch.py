"""The dispatcher of remote channels: nothing is lost, nobody waits for a dead provider, a doubtful try is told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from app.core import clock, outbox
from app.core.database import Database
from app.core.outbox import LEASE, Message, OutboxMessage, Outcome, Result
from app.core.settings import get_settings
from app.runtime import dispatch
from app.runtime.dispatch import Dispatcher
from tests.installation import FakeClock


class Gateway:
    """A remote channel that remembers what it was handed and answers as it is told."""

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.sent: list[tuple[str, bool]] = []
        self.answers = list(answers)
        self.held = threading.Event()
        self.held.set()

    def compose(self, _session: Session, message: Message) -> str:
        return message.id

    def send(self, message: Message, letter: str) -> Outcome:
        assert self.held.wait(20)
        self.sent.append((letter, message.doubtful))
        answer = self.answers.pop(0) if self.answers else Outcome(Result.SENT, receipt="r-1")
        if isinstance(answer, Exception):
            raise answer
        return answer


class Seconds:
    """A monotonic clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def post(database: Database, channel: str = "sms", count: int = 1) -> list[str]:
    return [
        database.write_now(lambda s: outbox.post(s, channel, "pass_link", "site", {"booking": "1"}))
        for _ in range(count)
    ]


def row(database: Database, message_id: str) -> OutboxMessage:
    found = database.read_now(lambda session: session.get(OutboxMessage, message_id))
    assert found is not None
    return found


async def run(
    database: Database, gateway: object, seconds: Seconds | None = None, **others: object
) -> Dispatcher:
    made = Dispatcher(database, {}, {"sms": gateway, **others}, monotonic=seconds or Seconds())  # type: ignore[dict-item]
    await made.dispatch()
    await made.settle()
    return made


async def test_a_message_is_taken_sent_and_marked_with_its_receipt(
    installation: Database, fake_clock: FakeClock
) -> None:
    gateway, [sent] = Gateway(), post(installation)
    await run(installation, gateway)
    await run(installation, gateway)
    found = row(installation, sent)
    assert gateway.sent == [(sent, False)]
    assert (found.state, found.attempts, found.receipt, found.leased_by) == ("sent", 1, "r-1", "")
    assert (found.finished_at, found.doubtful) == (fake_clock.now(), False)


async def test_no_transaction_is_open_while_a_message_is_on_its_way(installation: Database) -> None:
    gateway, _ = Gateway(), post(installation)
    gateway.held.clear()
    made = Dispatcher(installation, {}, {"sms": gateway})
    await made.dispatch()
    # Everything else goes on writing, and an own process's second round takes nothing twice.
    for _ in range(3):
        await installation.write(lambda s: outbox.post(s, "inbox", "x", "site", {}))
    await made.dispatch()
    gateway.held.set()
    await made.settle()
    assert len(gateway.sent) == 1


async def test_two_dispatchers_share_the_work_and_send_nothing_twice(installation: Database) -> None:
    gateway, sent = Gateway(), post(installation, count=30)
    workers = [Dispatcher(installation, {}, {"sms": gateway}) for _ in range(3)]
    await asyncio.gather(*(worker.dispatch() for worker in workers))
    await asyncio.gather(*(worker.settle() for worker in workers))
    assert sorted(message for message, _ in gateway.sent) == sorted(sent)


async def test_an_answer_that_never_came_is_told_at_the_next_try(
    installation: Database, fake_clock: FakeClock
) -> None:
    gateway, [sent] = (
        Gateway(Outcome(Result.LATER, "timeout", doubtful=True, reached=False)),
        post(installation),
    )
    await run(installation, gateway)
    assert (row(installation, sent).state, row(installation, sent).doubtful) == ("pending", True)
    fake_clock.move(minutes=1)
    await run(installation, gateway)
    assert gateway.sent == [(sent, False), (sent, True)]
    assert row(installation, sent).state == "sent"


async def test_a_refusal_is_a_dead_letter_at_once(installation: Database) -> None:
    gateway, [sent] = Gateway(Outcome(Result.FAILED, "number_wrong")), post(installation)
    await run(installation, gateway)
    assert (row(installation, sent).state, row(installation, sent).last_error) == ("dead", "number_wrong")


async def test_a_provider_that_asks_to_wait_is_left_alone_for_as_long(
    installation: Database, fake_clock: FakeClock
) -> None:
    wait = Outcome(Result.LATER, "http_429", retry_after=timedelta(minutes=7))
    gateway, [sent] = Gateway(wait), post(installation)
    await run(installation, gateway)
    assert row(installation, sent).due_at == fake_clock.now() + timedelta(minutes=7)


async def test_a_held_message_counts_no_try(installation: Database, fake_clock: FakeClock) -> None:
    class Quiet(Gateway):
        def compose(self, _session: Session, _message: Message) -> Outcome:  # type: ignore[override]
            return Outcome(Result.HELD, until=clock.now() + timedelta(hours=8))

    [sent] = post(installation)
    await run(installation, Quiet())
    found = row(installation, sent)
    assert (found.state, found.attempts, found.doubtful) == ("pending", 0, False)
    assert found.due_at == fake_clock.now() + timedelta(hours=8)


async def test_a_channel_that_trips_over_its_own_feet_is_tried_later(installation: Database) -> None:
    gateway, [sent] = Gateway(ValueError("13800138001")), post(installation)
    await run(installation, gateway)
    found = row(installation, sent)
    assert (found.state, found.last_error, found.doubtful) == ("pending", "ValueError", True)


async def test_a_dead_provider_is_asked_rarely_and_keeps_no_other_waiting(
    installation: Database, fake_clock: FakeClock
) -> None:
    down = [Outcome(Result.LATER, "refused", reached=False) for _ in range(4)]
    dead, well, seconds = Gateway(*down), Gateway(), Seconds()
    waiting, others = post(installation, count=8), post(installation, "email", 8)
    made = await run(installation, dead, seconds, email=well)
    assert (len(dead.sent), len(well.sent)) == (dispatch.TRIP, 8)
    assert {row(installation, m).state for m in others} == {"sent"}
    assert sum(row(installation, m).attempts for m in waiting) == dispatch.TRIP
    fake_clock.move(minutes=2)
    await made.dispatch()
    await made.settle()
    assert len(dead.sent) == dispatch.TRIP
    seconds.now += dispatch.FIRST_REST
    await made.dispatch()
    await made.settle()
    assert len(dead.sent) == dispatch.TRIP + 1  # one to see, and it is still down
    seconds.now += dispatch.FIRST_REST * 2
    fake_clock.move(hours=1)
    await made.dispatch()
    await made.settle()
    assert {row(installation, m).state for m in waiting} == {"sent"}


@pytest.mark.req("EV-06")
async def test_a_provider_that_is_down_for_a_day_gets_everything_by_itself(
    installation: Database, fake_clock: FakeClock
) -> None:
    class Provider(Gateway):
        down = True

        def send(self, message: Message, letter: str) -> Outcome:
            return (
                Outcome(Result.LATER, "refused", reached=False)
                if self.down
                else super().send(message, letter)
            )

    provider, seconds, sent = Provider(), Seconds(), post(installation, count=12)
    made = Dispatcher(installation, {}, {"sms": provider}, monotonic=seconds)
    for minute in range(0, 60 * 26, 10):
        provider.down = minute < 60 * 24
        await made.dispatch()
        await made.settle()
        fake_clock.move(minutes=10)
        seconds.now += 600
    fake_clock.move(days=2)
    await made.dispatch()
    await made.settle()
    assert {row(installation, m).state for m in sent} == {"sent"}
    assert len(provider.sent) == len(sent)


async def test_what_is_said_of_one_message_rests_no_channel_for_the_others(
    installation: Database, fake_clock: FakeClock
) -> None:
    busy = [Outcome(Result.LATER, "smtp_450") for _ in range(4)]
    gateway = Gateway(*busy)
    post(installation, count=5)
    made = await run(installation, gateway)
    assert len(gateway.sent) == 5
    assert made.health("sms").state == "ok"


async def test_a_worker_whose_lease_ran_out_does_not_overwrite_its_successor(
    installation: Database, fake_clock: FakeClock
) -> None:
    post(installation)
    now = fake_clock.now()
    [first] = installation.write_now(lambda s: outbox.take(s, now, "sms", "a"))
    assert installation.write_now(lambda s: outbox.take(s, now, "sms", "b")) == []
    assert installation.write_now(lambda s: outbox.begin(s, first, "a"))
    later = fake_clock.move(seconds=LEASE.total_seconds())
    [second] = installation.write_now(lambda s: outbox.take(s, later, "sms", "b"))
    assert (first.id, second.doubtful) == (second.id, True)
    assert not installation.write_now(lambda s: outbox.begin(s, first, "a"))
    done, dead = Outcome(Result.SENT), Outcome(Result.FAILED, "late")
    assert not installation.write_now(lambda s: outbox.mark(s, later, first, "a", dead))
    assert installation.write_now(lambda s: outbox.mark(s, later, second, "b", done))
    assert row(installation, first.id).state == "sent"


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from app.core import clock, outbox
from app.core.clock import Clock
from app.core.database import Database
from app.runtime.dispatch import Dispatcher
step, url, log, now = sys.argv[1:]
clock.use(Clock(lambda: float(now)))
def die(at):
    if step == at:
        os.kill(os.getpid(), signal.SIGKILL)
class Gateway:
    def compose(self, session, message):
        die("composing")
        return message.id
    def send(self, message, letter):
        die("sending")
        with open(log, "a") as file:
            file.write(letter + "\\n")
        die("sent")
        return outbox.Outcome(outbox.Result.SENT)
async def main():
    worker = Dispatcher(Database(url), {}, {"sms": Gateway()})
    marked = worker._mark
    async def mark(*given):
        die("marking")
        await marked(*given)
        die("marked")
    worker._mark = mark
    await worker.dispatch()
    await worker.settle()
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("step", "sent", "doubtful"),
    [
        ("composing", 1, False),
        ("sending", 1, True),
        ("sent", 2, True),
        ("marking", 2, True),
        ("marked", 1, None),
    ],
)
async def test_a_process_killed_at_any_step_loses_nothing_and_says_that_it_may_have_sent(
    installation: Database, fake_clock: FakeClock, tmp_path: Path, step: str, sent: int, doubtful: bool | None
) -> None:
    [message] = post(installation)
    log = tmp_path / "sent.txt"
    now = str(fake_clock.now().timestamp())
    child = await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable,
            "-c",
            CHILD,
            step,
            str(installation.engine.url.render_as_string(False)),
            str(log),
            now,
        ],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"GATEHOUSE_DATA_DIR": str(get_settings().data_dir)},
        capture_output=True,
        text=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    before = log.read_text().split() if log.exists() else []
    gateway = Gateway()
    await run(installation, gateway)
    assert gateway.sent == []  # the dead one's lease still runs, or its work was done
    fake_clock.move(seconds=LEASE.total_seconds() + 1)
    await run(installation, gateway)
    assert [*before, *(told for told, _ in gateway.sent)] == [message] * sent
    assert all(told is doubtful for _, told in gateway.sent)
    assert row(installation, message).state == "sent"
