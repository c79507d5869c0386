"""Messages to people outside the desk: who is told what, when, in which words, and the second chance of dead letters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from app.adapters.channels import CHANNELS
from app.core import clock, i18n, outbox
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotFound
from app.core.outbox import Message, OutboxMessage, Outcome, Result
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.admission import exits, walk_ins
from app.domain.booking import service as booking_service
from app.domain.booking.models import Booking
from app.domain.messages import letters, outgoing, preferences, reminders, templates
from app.domain.messages.letters import Letter
from app.domain.records import retention
from tests.factories import (
    GUEST,
    GUEST_PHONE,
    HOST_PHONE,
    STRANGER,
    World,
    actor,
    invite,
    let_in,
    make_account,
    make_world,
    walk_in,
)
from tests.factories import answer as answer_at_home
from tests.installation import FakeClock


def outgoing_rows(world: World, topic: str = "") -> list[OutboxMessage]:
    rows = world.ask(lambda s: s.exec(select(OutboxMessage).order_by(OutboxMessage.id)).all())
    return [row for row in rows if row.channel not in CHANNELS and (not topic or row.topic == topic)]


def tell(world: World) -> None:
    """Work off what is told inside, as the dispatcher does."""
    while world.do(
        outbox.deliver_due, clock.now(), CHANNELS, {"sms", "email", "wecom", "dingtalk", "feishu"}
    ):
        pass


def letter(world: World, row: OutboxMessage) -> Letter | Outcome:
    message = Message(row.id, row.channel, row.topic, row.site_id, row.payload, 1)
    return world.ask(letters.compose, message)


def written(world: World, row: OutboxMessage) -> Letter:
    found = letter(world, row)
    assert isinstance(found, Letter), found
    return found


def coming(world: World, **hours: float) -> Booking:
    """A guest who comes in some hours."""
    start = clock.now() + timedelta(**hours)
    return invite(world, starts_at=start, ends_at=start + timedelta(hours=2))[0]


def remind(world: World) -> list[OutboxMessage]:
    world.do(reminders.remind, clock.now())
    tell(world)
    return outgoing_rows(world, "visit_reminder")


@pytest.mark.req("BK-08")
def test_a_visitor_is_reminded_once_some_time_before_the_visit(world: World, fake_clock: FakeClock) -> None:
    booking = coming(world, hours=5)
    fake_clock.move(hours=2, minutes=59)
    assert remind(world) == []
    fake_clock.move(minutes=1)
    [row] = remind(world)
    assert remind(world) == [row]
    told = written(world, row)
    assert (told.to, told.event) == (GUEST_PHONE, "visit_reminder")
    assert "今天 15:00 – 17:00" in told.text
    assert "/v/" in told.text
    assert GUEST not in told.text
    assert row.payload["booking"] == booking.id


@pytest.mark.req("BK-08")
def test_a_visit_that_is_off_is_not_remembered_to_anybody(world: World, fake_clock: FakeClock) -> None:
    booking = coming(world, hours=5)
    other = coming(world, hours=5)
    world.do(invitations.cancel, world.host, booking.id)
    fake_clock.move(hours=3)
    [row] = remind(world)
    assert row.payload["booking"] == other.id
    world.do(invitations.cancel, world.host, other.id)  # while the message still waits
    assert letter(world, row) == Outcome(Result.SKIPPED, "visit_over")
    tell(world)
    cancelled = outgoing_rows(world, "booking_cancelled")
    assert [written(world, row).to for row in cancelled] == [GUEST_PHONE] * 2


@pytest.mark.req("BK-08")
def test_a_visit_that_was_moved_is_remembered_with_its_new_time(world: World, fake_clock: FakeClock) -> None:
    booking = coming(world, hours=5)
    fake_clock.move(hours=3)
    [old] = remind(world)

    def move(session) -> None:
        row = session.get(Booking, booking.id)
        row.starts_at, row.ends_at = row.starts_at + timedelta(hours=3), row.ends_at + timedelta(hours=3)
        session.add(row)

    world.do(move)
    assert letter(world, old) == Outcome(Result.SKIPPED, "visit_moved")
    fake_clock.move(hours=3)
    [_, new] = remind(world)
    assert "今天 18:00 – 20:00" in written(world, new).text


def test_who_was_invited_a_moment_ago_needs_no_reminder(world: World) -> None:
    coming(world, hours=1)
    assert remind(world) == []


@pytest.mark.req("BK-08")
def test_who_was_invited_late_does_not_stand_before_those_who_are_due(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 2)
    due = coming(world, hours=5)
    fake_clock.move(hours=3, minutes=30)
    for _ in range(2):
        coming(world, hours=1)
    assert remind(world) == []  # those two are dealt with, without a word
    [row] = remind(world)
    assert row.payload["booking"] == due.id


def test_a_reminder_that_comes_too_late_is_not_sent(world: World, fake_clock: FakeClock) -> None:
    coming(world, hours=5)
    fake_clock.move(hours=3)
    [row] = remind(world)
    fake_clock.move(hours=2)
    assert letter(world, row) == Outcome(Result.SKIPPED, "too_late")


def test_a_site_can_remind_earlier_or_never(world: World, fake_clock: FakeClock) -> None:
    coming(world, hours=5)
    world.do(preferences.set_hours, world.manager, 0, 0, 0)
    fake_clock.move(hours=3)
    assert remind(world) == []
    world.do(preferences.set_hours, world.manager, 0, 0, "180")
    assert len(remind(world)) == 1


def test_quiet_hours_hold_back_what_can_wait(world: World, fake_clock: FakeClock) -> None:
    booking = coming(world, hours=26)  # tomorrow at noon
    fake_clock.move(hours=13)  # 23:00
    world.do(booking_service.send_link, world.host, booking.id)
    [row] = outgoing_rows(world, "pass_link")
    until = fake_clock.now() + timedelta(hours=8)
    assert letter(world, row) == Outcome(Result.HELD, "quiet_hours", until=until)
    fake_clock.move(hours=8)
    assert written(world, row).to == GUEST_PHONE


def test_quiet_hours_do_not_hold_back_what_is_needed_before_they_end(
    world: World, fake_clock: FakeClock
) -> None:
    fake_clock.move(hours=13)
    booking = coming(world, hours=1)
    world.do(booking_service.send_link, world.host, booking.id)
    [row] = outgoing_rows(world, "pass_link")
    assert written(world, row).to == GUEST_PHONE


@pytest.mark.req("AD-08")
def test_a_question_at_the_gate_goes_every_way_the_household_chose_even_at_night(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_SMTP_HOST", "127.0.0.1")
    get_settings.cache_clear()
    world.do(preferences.choose, world.host, sms=True, email=True, address="host@home.test")
    fake_clock.move(hours=14)  # midnight
    attempt = walk_in(world)
    world.do(walk_ins.ask_host, world.guard, attempt.id)
    tell(world)
    rows = {row.channel: row for row in outgoing_rows(world, "consent_asked")}
    told = {channel: written(world, row) for channel, row in rows.items()}
    assert {channel: letter.to for channel, letter in told.items()} == {
        "sms": HOST_PHONE,
        "email": "host@home.test",
    }
    assert all(STRANGER not in letter.text and "/home" in letter.text for letter in told.values())
    answer_at_home(world, attempt, agree=True)
    assert letter(world, rows["sms"]) == Outcome(Result.SKIPPED, "answered")


def test_who_chose_nothing_is_told_inside_the_product_only(world: World) -> None:
    attempt = walk_in(world)
    world.do(walk_ins.ask_host, world.guard, attempt.id)
    let_in(world)
    tell(world)
    assert outgoing_rows(world) == []


def test_mail_is_no_choice_without_a_mail_server(world: World) -> None:
    world.do(preferences.choose, world.host, sms=False, email=True, address="host@home.test")
    let_in(world)
    tell(world)
    assert outgoing_rows(world) == []


def test_the_host_hears_of_coming_and_going(world: World) -> None:
    world.do(preferences.choose, world.host, sms=True, email=False, address="")
    _, _, visit = let_in(world)
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    tell(world)
    texts = [written(world, row).text for row in outgoing_rows(world)]
    assert ["进入" in text for text in texts] == [True, False]
    assert ["离开" in text for text in texts] == [False, True]
    assert all(GUEST not in text and "周" in text and "东门" in text for text in texts)


def test_an_unanswered_question_is_told_to_the_household(world: World, fake_clock: FakeClock) -> None:
    world.do(preferences.choose, world.host, sms=True, email=False, address="")
    attempt = walk_in(world)
    world.do(walk_ins.ask_host, world.guard, attempt.id)
    fake_clock.move(minutes=3)
    assert world.do(walk_ins.time_out, clock.now()) == 1
    tell(world)
    assert [row.topic for row in outgoing_rows(world)] == ["consent_asked", "consent_timed_out"]


@pytest.mark.parametrize(
    "address", ["a@b", "a b@c.test", "a@c.test\nBcc: x@y.test", "@c.test", "a" * 250 + "@c.test"]
)
def test_what_is_no_mail_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.do(preferences.choose, world.host, sms=False, email=True, address=address)
    assert (caught.value.code, caught.value.field) == ("email_wrong", "address")


def test_an_address_is_sealed_and_goes_with_its_visitor(world: World, fake_clock: FakeClock) -> None:
    booking, _, visit = let_in(world)
    visitor = actor(world.site.id, person_id=booking.visitor_id)
    world.do(preferences.choose, visitor, sms=False, email=True, address="guest@visitor.test")
    row = world.ask(preferences.of_person, booking.visitor_id)
    assert row.address is not None
    assert b"visitor.test" not in row.address
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    fake_clock.move(days=31)
    assert world.do(retention.purge, world.site.id, clock.now())
    assert world.ask(preferences.address_of, booking.visitor_id) == ""


@pytest.mark.req("BK-08")
def test_a_guest_whose_address_the_host_gave_is_told_by_mail_too(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_SMTP_HOST", "127.0.0.1")
    get_settings.cache_clear()
    booking = coming(world, hours=5)
    with pytest.raises(InvalidInput):
        world.do(preferences.give_address, world.host, booking, "nowhere")
    assert world.do(preferences.give_address, world.host, booking, " guest@visitor.test ")
    with pytest.raises(NotFound):
        world.do(
            preferences.give_address, make_world(world.database, name="翠湖苑").host, booking, "x@y.test"
        )
    fake_clock.move(hours=3)
    remind(world)
    world.do(invitations.cancel, world.host, booking.id)
    tell(world)
    rows = [(row.channel, row.topic) for row in outgoing_rows(world)]
    assert sorted(rows) == [
        ("email", "booking_cancelled"),
        ("email", "pass_link"),
        ("email", "visit_reminder"),
        ("sms", "booking_cancelled"),
        ("sms", "visit_reminder"),
    ]
    [mail] = [row for row in outgoing_rows(world, "booking_cancelled") if row.channel == "email"]
    told = written(world, mail)
    assert told.to == "guest@visitor.test"
    assert told.calendar is not None
    assert (told.calendar.cancelled, told.calendar.starts_at) == (True, booking.starts_at)


def test_a_manager_writes_texts_and_takes_them_back(world: World) -> None:
    booking, _, _ = invite(world)
    world.do(booking_service.send_link, world.host, booking.id)
    [row] = outgoing_rows(world)
    assert world.do(templates.save, world.manager, "pass_link", "zh-CN", "  {name}，\n 请看 {link}  ")
    assert not world.do(templates.save, world.manager, "pass_link", "zh-CN", "{name}，\n请看 {link}")
    assert written(world, row).text.startswith("周**，\n请看 http")
    assert world.do(templates.reset, world.manager, "pass_link", "zh-CN")
    assert not world.do(templates.reset, world.manager, "pass_link", "zh-CN")
    assert "邀请您" in written(world, row).text
    entries = world.ask(
        lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "policy.message")).all()
    )
    assert [entry.details["to"] for entry in entries] == ["own", "default"]


def test_a_text_holds_at_its_own_site_and_in_its_own_language(world: World) -> None:
    world.do(templates.save, world.manager, "pass_link", "en", "Here: {link}")
    other = make_world(world.database, name="翠湖苑")
    assert world.ask(templates.text, world.site.id, "pass_link", "en") == "Here: {link}"
    assert world.ask(templates.text, other.site.id, "pass_link", "en") == templates.default("pass_link", "en")
    assert "邀请" in world.ask(templates.text, world.site.id, "pass_link", "zh-CN")


def test_a_host_is_told_in_the_own_language(world: World) -> None:
    account = make_account(world, Role.RESIDENT, username="host.en")

    def speak_english(session) -> None:
        row = session.get(type(account), account.id)
        row.locale, row.person_id = "en", world.resident.id
        session.add(row)

    world.do(speak_english)
    world.do(preferences.choose, world.host, sms=True, email=False, address="")
    let_in(world)
    tell(world)
    [row] = outgoing_rows(world)
    assert "Your visitor" in written(world, row).text


@pytest.mark.parametrize(
    ("work", "given"),
    [
        (templates.save, ("pass_link", "zh-CN", "{link}")),
        (templates.reset, ("pass_link", "zh-CN")),
        (preferences.set_hours, (0, 0, 60)),
        (outgoing.send_test, ("sms",)),
        (outgoing.replay_all, ("sms",)),
        (outgoing.replay, ("x",)),
        (outgoing.give_up, ("x",)),
    ],
)
def test_only_a_manager_looks_after_messages(world: World, work, given: tuple[object, ...]) -> None:
    for who in (world.guard, world.supervisor, world.host):
        with pytest.raises(NotAllowed):
            world.do(work, who, *given)


@pytest.mark.parametrize(("event", "locale"), [("nothing", "zh-CN"), ("pass_link", "xx")])
def test_texts_of_what_there_is_not_are_refused(world: World, event: str, locale: str) -> None:
    with pytest.raises(InvalidInput):
        world.do(templates.save, world.manager, event, locale, "{link}")


def finish(world: World, message_id: str, state: str, error: str = "") -> None:
    def work(session) -> None:
        row = session.get(OutboxMessage, message_id)
        row.state, row.last_error, row.finished_at, row.attempts = state, error, clock.now(), 8
        session.add(row)

    world.do(work)


def sms(world: World) -> str:
    booking, _, _ = invite(world)
    world.do(booking_service.send_link, world.host, booking.id)
    return outgoing_rows(world)[-1].id


@pytest.mark.req("EV-06")
def test_a_dead_letter_is_tried_again_from_the_start(world: World, fake_clock: FakeClock) -> None:
    message = sms(world)
    finish(world, message, "dead", "doubtful")
    fake_clock.move(hours=1)
    world.do(outgoing.replay, world.manager, message)
    row = world.get(OutboxMessage, message)
    assert (row.state, row.attempts, row.doubtful) == ("pending", 0, False)
    assert (row.due_at, row.finished_at) == (clock.now(), None)
    with pytest.raises(Conflict):
        world.do(outgoing.replay, world.manager, message)


@pytest.mark.req("EV-06")
def test_all_dead_letters_of_a_channel_are_tried_again_but_those_in_doubt(world: World) -> None:
    dead, doubt, sent = sms(world), sms(world), sms(world)
    finish(world, dead, "dead", "http_500")
    finish(world, doubt, "dead", "doubtful")
    finish(world, sent, "sent")
    assert world.do(outgoing.replay_all, world.manager, "email") == 0
    assert world.do(outgoing.replay_all, world.manager, "sms") == 1
    states = [world.get(OutboxMessage, message).state for message in (dead, doubt, sent)]
    assert states == ["pending", "dead", "sent"]


def test_a_message_is_given_up_unless_it_is_on_its_way_or_done(world: World) -> None:
    waiting, going, sent = sms(world), sms(world), sms(world)
    finish(world, sent, "sent")

    def lease(session) -> None:
        row = session.get(OutboxMessage, going)
        row.leased_by, row.lease_until = "x", clock.now() + timedelta(seconds=30)
        session.add(row)

    world.do(lease)
    world.do(outgoing.give_up, world.manager, waiting)
    assert world.get(OutboxMessage, waiting).state == "given_up"
    for message in (going, sent):
        with pytest.raises(Conflict):
            world.do(outgoing.give_up, world.manager, message)


def test_messages_of_another_site_are_not_there(world: World) -> None:
    other = make_world(world.database, name="翠湖苑")
    message = sms(world)
    finish(world, message, "dead")
    for work in (outgoing.replay, outgoing.give_up):
        with pytest.raises(NotFound):
            world.do(work, other.manager, message)
    assert world.do(outgoing.replay_all, other.manager, "sms") == 0
    assert world.ask(outgoing.page, other.site.id, "", "", 50, 0) == []
    assert world.ask(outgoing.count, world.site.id, "dead", "sms") == 1


def test_who_looks_after_messages_sees_masks(world: World) -> None:
    sms(world)
    [row] = outgoing_rows(world)
    message = Message(row.id, row.channel, row.topic, row.site_id, row.payload, 1)
    assert world.ask(letters.receiver, message) == ("周**", "138****8001")


def test_a_test_goes_to_the_manager_who_asks_for_it(world: World) -> None:
    by = actor(world.site.id, Role.MANAGER, person_id=world.resident.id)
    message = world.do(outgoing.send_test, by, "sms")
    told = written(world, world.get(OutboxMessage, message))
    assert (told.to, "锦绣花园" in told.text) == (HOST_PHONE, True)
    with pytest.raises(GateError):
        world.do(outgoing.send_test, by, "inbox")


def test_messages_long_done_with_are_forgotten(world: World, fake_clock: FakeClock) -> None:
    old, waiting = sms(world), sms(world)
    finish(world, old, "sent")
    fake_clock.move(days=31)
    assert world.do(outgoing.forget_old, clock.now()) == 1
    assert [row.id for row in outgoing_rows(world)] == [waiting]


def test_every_language_words_every_state_and_channel() -> None:
    for locale in i18n.LOCALES:
        texts = i18n.catalogue(locale)
        assert all(f"messages.state.{state}" in texts for state in outgoing.STATES)
        assert all(f"messages.channel.{channel}" in texts for channel in outgoing.SHOWN)
