"""Webhooks from the event to a real receiver: signed, masked, tried again, given up, replayed (EV-06, I-1)."""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select
from standardwebhooks import Webhook

from app.adapters import outward
from app.adapters.webhooks import WebhookChannel
from app.core.audit import AuditEntry
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.outbox import OutboxMessage
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.admission import exits
from app.domain.sites import faults, subscriptions, webhooks
from app.domain.sites.models import Device
from app.domain.sites.webhook_models import WebhookSubscription
from app.domain.sites.webhook_rules import EVENTS, Answer, Fate, asked_wait, fate
from app.runtime.dispatch import Dispatcher
from tests.factories import GUEST, GUEST_PHONE, World, actor, answer, invite, let_in, make_world, walk_in
from tests.installation import FakeClock
from tests.sink import Sink

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setenv("GATEHOUSE_WEBHOOK_NETWORKS", "127.0.0.0/8")
    get_settings.cache_clear()
    with Sink() as made:
        yield made


def subscribe(world: World, sink: Sink, *events: str) -> tuple[WebhookSubscription, str]:
    return world.do(subscriptions.create, world.manager, "OA", sink.url, events or EVENTS)


async def deliver(world: World) -> None:
    made = Dispatcher(world.database, {"inbox": _nothing, "sms": _nothing}, {"webhook": WebhookChannel()})
    while await made.dispatch():
        pass
    await made.settle()
    await made.stop()


def _nothing(*_args: object) -> None:
    """A channel that these tests are not about."""


def messages(world: World, subscription: WebhookSubscription) -> list[OutboxMessage]:
    return list(world.ask(webhooks.log, subscription.id, 50))


@pytest.mark.req("EV-06")
async def test_a_visit_is_told_from_the_invitation_to_the_exit(world: World, sink: Sink) -> None:
    _, secret = subscribe(world, sink)
    booking, _, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "scan")
    await deliver(world)
    told = [json.loads(got.body) for got in sink.got]
    assert [item["type"] for item in told] == [
        "visit.requested",
        "visit.approved",
        "visit.arrived",
        "visit.checked_in",
        "visit.checked_out",
    ]
    assert {item["data"]["booking"] for item in told} == {booking.id}
    assert told[-1]["data"]["visitor"] == "周**"
    for got in sink.got:
        assert GUEST not in got.body.decode()
        assert GUEST_PHONE not in got.body.decode()
        message_id, stamp = got.headers["webhook-id"], int(got.headers["webhook-timestamp"])
        signed = Webhook(secret).sign(message_id, datetime.fromtimestamp(stamp, UTC), got.body.decode())
        assert got.headers["webhook-signature"] == signed
        assert got.path == "/hooks?from=gate"


@pytest.mark.req("EV-06")
async def test_changes_and_cancellations_and_answers_at_the_gate_are_told(world: World, sink: Sink) -> None:
    subscribe(world, sink)
    booking, _, _ = invite(world)
    world.do(invitations.cancel, world.host, booking.id)
    stranger = walk_in(world)
    answer(world, stranger, agree=False)
    await deliver(world)
    told = [json.loads(got.body)["type"] for got in sink.got]
    assert told == [
        "visit.requested",
        "visit.approved",
        "visit.cancelled",
        "visit.requested",
        "visit.rejected",
    ]


@pytest.mark.req("EV-06")
async def test_a_device_that_stops_and_works_again_is_told(
    world: World, sink: Sink, fake_clock: FakeClock
) -> None:
    subscribe(world, sink, "device.down", "device.up")

    def turn(session, status: str) -> None:  # type: ignore[no-untyped-def]
        device = session.get(Device, "reader") or Device(
            id="reader",
            site_id=world.site.id,
            lane_id=world.both.id,
            driver="pcsc",
            name="x",
            settings={},
        )
        device.status = status
        session.add(device)
        session.flush()
        faults.note(session, device, fake_clock.now())

    for status in ("online", "offline", "offline", "online"):
        world.do(turn, status)
    await deliver(world)
    told = [json.loads(got.body) for got in sink.got]
    assert [(item["type"], item["data"]["status"]) for item in told] == [
        ("device.down", "offline"),
        ("device.up", "online"),
    ]


async def test_nobody_is_told_of_what_they_did_not_ask_for_or_of_another_site(
    world: World, sink: Sink
) -> None:
    subscribe(world, sink, "visit.cancelled")
    other = make_world(world.database, name="翠湖苑")
    subscribe(other, sink)
    invite(world)
    await deliver(world)
    assert sink.got == []


@pytest.mark.req("EV-06")
async def test_a_change_that_is_rolled_back_is_not_told(world: World, sink: Sink) -> None:
    subscribe(world, sink)
    with pytest.raises(InvalidInput):
        invite(world, name="")
    await deliver(world)
    assert sink.got == []


@pytest.mark.req("EV-06")
async def test_a_receiver_in_trouble_is_tried_again_with_the_same_id_until_it_is_dead_then_replayed(
    world: World, sink: Sink, fake_clock: FakeClock
) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    sink.answers = [(500, {})]
    invite(world)
    for _ in range(8):
        await deliver(world)
        fake_clock.move(days=2)
    [row] = messages(world, made)
    assert (row.state, row.attempts, row.last_error) == ("dead", 8, "http_500")
    await deliver(world)
    assert len(sink.got) == 8
    sink.answers = [(204, {})]
    world.do(subscriptions.replay, world.manager, row.id)
    await deliver(world)
    [row] = messages(world, made)
    assert (row.state, row.receipt) == ("sent", "204")
    assert {got.headers["webhook-id"] for got in sink.got} == {row.id}
    with pytest.raises(Conflict):
        world.do(subscriptions.replay, world.manager, row.id)


@pytest.mark.req("EV-06")
async def test_a_busy_receiver_says_when_to_come_again(
    world: World, sink: Sink, fake_clock: FakeClock
) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    sink.answers = [(429, {"Retry-After": "600"}), (200, {})]
    invite(world)
    await deliver(world)
    [row] = messages(world, made)
    assert row.due_at >= fake_clock.now() + timedelta(seconds=600)
    fake_clock.move(seconds=599)
    await deliver(world)
    assert len(sink.got) == 1
    fake_clock.move(seconds=200)
    await deliver(world)
    assert len(sink.got) == 2


@pytest.mark.req("EV-06")
async def test_a_receiver_that_is_gone_is_told_nothing_more(world: World, sink: Sink) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    sink.answers = [(410, {})]
    invite(world)
    invite(world)
    await deliver(world)
    assert len(sink.got) == 1
    now = world.get(WebhookSubscription, made.id)
    assert (now.enabled, now.stopped_by) == (False, "gone")
    assert sorted(row.state for row in messages(world, made)) == ["dead", "skipped"]
    invite(world)
    assert len(messages(world, made)) == 2
    actions = world.ask(lambda s: s.exec(select(AuditEntry.action)).all())
    assert actions.count("webhook.stop") == 1
    world.do(subscriptions.set_enabled, world.manager, made.id, enabled=True)
    sink.answers = [(200, {})]
    world.do(subscriptions.send_test, world.manager, made.id)
    await deliver(world)
    assert json.loads(sink.got[-1].body)["type"] == "test.ping"


@pytest.mark.req("EV-06")
async def test_no_redirect_is_followed(world: World, sink: Sink) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    with Sink() as inner:
        sink.answers = [(307, {"Location": inner.url})]
        invite(world)
        await deliver(world)
        assert inner.got == []
    [row] = messages(world, made)
    assert (row.state, row.last_error) == ("pending", "http_307")


@pytest.mark.req("EV-06")
async def test_a_receiver_that_does_not_answer_is_given_seconds(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outward, "SECONDS", 0.2)
    made, _ = subscribe(world, sink, "visit.requested")
    sink.held = threading.Event()
    invite(world)
    await deliver(world)
    [row] = messages(world, made)
    assert (row.state, row.last_error) == ("pending", "timeout")


@pytest.mark.req("EV-06")
async def test_a_private_address_is_called_only_where_the_operator_allows_it(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    monkeypatch.setenv("GATEHOUSE_WEBHOOK_NETWORKS", "10.0.0.0/8, nonsense")
    get_settings.cache_clear()
    invite(world)
    await deliver(world)
    assert sink.got == []
    [row] = messages(world, made)
    assert (row.state, row.last_error) == ("pending", "needs_https")


@pytest.mark.req("EV-06")
@pytest.mark.parametrize(
    ("scheme", "addresses", "code"),
    [
        ("https", ["93.184.216.34"], ""),
        ("http", ["93.184.216.34"], "needs_https"),
        ("http", ["127.0.0.1"], ""),
        ("https", ["127.0.0.1"], ""),
        ("https", ["10.1.2.3"], "private_address"),
        ("https", ["172.16.0.1"], "private_address"),
        ("https", ["192.168.1.1"], "private_address"),
        ("https", ["100.64.0.1"], "private_address"),
        ("https", ["169.254.169.254"], "private_address"),
        ("https", ["0.0.0.0"], "private_address"),
        ("https", ["224.0.0.1"], "private_address"),
        ("https", ["255.255.255.255"], "private_address"),
        ("https", ["::1"], "private_address"),
        ("https", ["fe80::1"], "private_address"),
        ("https", ["fd00::1"], "private_address"),
        ("https", ["::ffff:10.0.0.1"], "private_address"),
        ("https", ["::ffff:127.0.0.1"], ""),
        ("https", ["2002:7f00:0001::"], ""),
        ("https", ["2002:0a00:0001::"], "private_address"),
        ("https", ["93.184.216.34", "10.0.0.1"], "private_address"),
        ("https", [], "name_unknown"),
    ],
)
def test_addresses_are_judged_by_where_they_lead(scheme: str, addresses: list[str], code: str) -> None:
    assert outward.fault(scheme, [ipaddress.ip_address(a) for a in addresses], LOOPBACK) == code


@pytest.mark.req("EV-06")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@example.com/",
        "https://example.com/#x",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://例子.test/",
        "https://example.com\\@evil.example/",
        "https://example.com/" + "x" * 600,
    ],
)
def test_what_is_no_address_is_refused_when_it_is_typed(world: World, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.do(subscriptions.create, world.manager, "OA", url, ["visit.approved"])
    assert caught.value.field == "url"


@pytest.mark.req("EV-06")
async def test_while_a_secret_is_replaced_both_sign(world: World, sink: Sink, fake_clock: FakeClock) -> None:
    made, old = subscribe(world, sink, "visit.requested")
    new = world.do(subscriptions.rotate, world.manager, made.id, 1)
    invite(world)
    await deliver(world)
    fake_clock.move(hours=2)
    invite(world)
    await deliver(world)

    def signed_by(secret: str, number: int) -> bool:
        got = sink.got[number]
        stamp = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
        signature = Webhook(secret).sign(got.headers["webhook-id"], stamp, got.body.decode())
        return signature in got.headers["webhook-signature"].split(" ")

    assert [signed_by(secret, 0) for secret in (old, new)] == [True, True]
    assert [signed_by(secret, 1) for secret in (old, new)] == [False, True]


@pytest.mark.req("SI-04")
def test_only_a_manager_of_the_site_may_touch_an_address(world: World, sink: Sink) -> None:
    made, _ = subscribe(world, sink)
    stranger = make_world(world.database, name="翠湖苑").manager
    works = [
        (subscriptions.change, (sink.url, ["visit.approved"]), {}),
        (subscriptions.rotate, (1,), {}),
        (subscriptions.set_enabled, (), {"enabled": False}),
        (subscriptions.send_test, (), {}),
        (subscriptions.remove, (), {}),
    ]
    for work, more, options in works:
        with pytest.raises(NotFound):
            world.do(work, stranger, made.id, *more, **options)
        for role in set(Role) - {Role.MANAGER}:
            with pytest.raises(NotAllowed):
                world.do(work, actor(world.site.id, role), made.id, *more, **options)
    for row in world.ask(subscriptions.of_site, world.site.id):
        assert row.enabled
    assert world.ask(subscriptions.of_site, stranger.site_id) == []


def test_the_fate_of_a_message_follows_from_the_answer() -> None:
    assert {fate(Answer(status)) for status in (200, 201, 204, 299)} == {Fate.TAKEN}
    assert fate(Answer(410)) is Fate.GONE
    assert {fate(Answer(s)) for s in (0, 100, 301, 400, 404, 429, 500, 503)} == {Fate.LATER}
    assert asked_wait(Answer(429, retry_after="30")) == timedelta(seconds=30)
    assert asked_wait(Answer(503, retry_after="999999999999")) == timedelta(days=1)
    for nothing in ("", "soon", "-5", "٣", "1.5"):
        assert asked_wait(Answer(429, retry_after=nothing)) is None
    assert asked_wait(Answer(500, retry_after="30")) is None


@pytest.mark.req("RE-04")
def test_done_messages_are_forgotten_in_time(world: World, sink: Sink, fake_clock: FakeClock) -> None:
    made, _ = subscribe(world, sink, "visit.requested")
    invite(world)

    def finish(session) -> None:  # type: ignore[no-untyped-def]
        row = session.exec(
            select(OutboxMessage).where(OutboxMessage.channel == webhooks.channel_of(made.id))
        ).one()
        row.state, row.finished_at = "sent", fake_clock.now()
        session.add(row)

    world.do(finish)
    world.do(webhooks.forget_old, world.site.id, fake_clock.move(days=29))
    assert len(messages(world, made)) == 1
    world.do(webhooks.forget_old, world.site.id, fake_clock.move(days=2))
    assert messages(world, made) == []
