"""The outbox: a worker killed at any step loses nothing, and what it sends twice carries the same id."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from app.adapters.channels import CHANNELS
from app.core import clock, outbox
from app.core.database import Database
from app.core.outbox import BACK_OFF, OutboxFilled, OutboxMessage
from app.domain.people import repository
from app.domain.people.models import InboxMessage
from app.domain.people.service import notify
from tests.factories import World, let_in
from tests.installation import FakeClock


class Killed(BaseException):
    """The process ends here; nobody catches it."""


class Gateway:
    """An SMS gateway that remembers what it was handed, and may be down or kill its caller."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.down = False
        self.kill = ""

    def __call__(self, _session: Session, message: OutboxMessage) -> None:
        if self.kill == "before":
            raise Killed
        if self.down:
            raise OSError("gateway down")
        self.sent.append(message.id)
        if self.kill == "after":
            raise Killed


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def post(database: Database) -> str:
    return database.write_now(
        lambda session: outbox.post(session, "sms", "pass_link", "site", {"booking": "1"})
    )


def work_off(database: Database, gateway: Gateway) -> None:
    """What a worker does at each round."""
    for message_id in database.read_now(lambda session: outbox.due(session, clock.now())):
        database.write_now(lambda session, m=message_id: outbox.deliver(session, m, {"sms": gateway}))


def message(database: Database, message_id: str) -> OutboxMessage:
    found = database.read_now(lambda session: session.get(OutboxMessage, message_id))
    assert found is not None
    return found


def test_a_message_is_delivered_once(installation: Database, gateway: Gateway) -> None:
    sent = post(installation)
    work_off(installation, gateway)
    work_off(installation, gateway)
    assert gateway.sent == [sent]
    assert (message(installation, sent).state, message(installation, sent).attempts) == ("sent", 1)


def test_a_message_of_a_transaction_that_failed_is_not_sent(installation: Database, gateway: Gateway) -> None:
    heard: list[object] = []
    installation.listen(heard.append)

    def fail(session: Session) -> None:
        outbox.post(session, "sms", "pass_link", "site", {})
        raise ValueError

    with pytest.raises(ValueError):
        installation.write_now(fail)
    work_off(installation, gateway)
    assert (gateway.sent, heard) == ([], [])


def test_a_committed_message_wakes_the_dispatcher(installation: Database) -> None:
    heard: list[object] = []
    installation.listen(heard.append)
    post(installation)
    assert [type(announcement) for announcement in heard] == [OutboxFilled]


@pytest.mark.parametrize(
    ("step", "deliveries"), [("reading", 1), ("before", 1), ("after", 2), ("marking", 2), ("committed", 1)]
)
def test_a_worker_killed_at_any_step_loses_nothing_and_repeats_with_the_same_id(
    installation: Database, gateway: Gateway, step: str, deliveries: int
) -> None:
    sent = post(installation)

    def killed(session: Session) -> None:
        if step == "reading":
            raise Killed
        outbox.deliver(session, sent, {"sms": gateway})
        if step == "marking":
            session.flush()
            raise Killed

    gateway.kill = step
    try:
        installation.write_now(killed)
    except Killed:
        pass
    else:
        assert step == "committed"
    gateway.kill = ""
    work_off(installation, gateway)
    assert gateway.sent == [sent] * deliveries
    assert message(installation, sent).state == "sent"


def test_a_failing_channel_is_tried_again_later_and_later(
    installation: Database, gateway: Gateway, fake_clock: FakeClock
) -> None:
    sent, gateway.down = post(installation), True
    for number, pause in enumerate(BACK_OFF, 1):
        work_off(installation, gateway)
        row = message(installation, sent)
        assert (row.state, row.attempts, row.last_error) == ("pending", number, "OSError")
        assert row.due_at == fake_clock.now() + pause
        fake_clock.move(seconds=pause.total_seconds() - 1)
        assert installation.read_now(lambda session: outbox.due(session, clock.now())) == []
        fake_clock.move(seconds=1)
    assert sorted(BACK_OFF) == list(BACK_OFF)
    gateway.down = False
    work_off(installation, gateway)
    assert gateway.sent == [sent]


def test_a_message_that_never_gets_through_is_a_dead_letter(
    installation: Database, gateway: Gateway, fake_clock: FakeClock
) -> None:
    sent, gateway.down = post(installation), True
    for _ in range(len(BACK_OFF) + 3):
        work_off(installation, gateway)
        fake_clock.move(days=2)
    row = message(installation, sent)
    assert (row.state, row.attempts) == ("dead", len(BACK_OFF) + 1)
    assert row.finished_at is not None


def test_a_channel_nobody_knows_fails_like_one_that_is_down(installation: Database, gateway: Gateway) -> None:
    sent = installation.write_now(lambda session: outbox.post(session, "pigeon", "x", "site", {}))
    work_off(installation, gateway)
    assert (message(installation, sent).state, message(installation, sent).last_error) == (
        "pending",
        "KeyError",
    )


def test_what_a_failing_channel_wrote_does_not_stay(world: World) -> None:
    def half(session: Session, _message: OutboxMessage) -> None:
        notify(session, world.resident.id, "visitor_arrived", {})
        session.flush()
        raise OSError

    sent = post(world.database)
    world.do(outbox.deliver, sent, {"sms": half})
    assert message(world.database, sent).attempts == 1
    assert world.ask(lambda session: session.get(OutboxMessage, sent)).state == "pending"
    assert world.ask(lambda session: len(people_inbox(session, world))) == 0


def people_inbox(session: Session, world: World) -> list[InboxMessage]:
    return list(repository.inbox(session, world.resident.id))


def test_a_statement_that_fails_inside_a_channel_still_counts_as_an_attempt(world: World) -> None:
    def broken(session: Session, _message: OutboxMessage) -> None:
        session.connection().exec_driver_sql("SELECT * FROM nowhere")

    sent = post(world.database)
    world.do(outbox.deliver, sent, {"sms": broken})
    row = message(world.database, sent)
    assert (row.attempts, row.state) == (1, "pending")
    assert row.due_at == clock.now() + BACK_OFF[0]


@pytest.mark.req("AD-01")
def test_the_host_learns_of_the_guests_arrival_in_the_inbox(world: World) -> None:
    _, _, visit = let_in(world)
    for message_id in world.ask(outbox.due, clock.now() + timedelta(seconds=1)):
        world.do(outbox.deliver, message_id, CHANNELS)
    inbox = world.ask(people_inbox, world)
    assert [(row.topic, row.payload) for row in inbox] == [("visitor_arrived", {"visit": visit.id})]
