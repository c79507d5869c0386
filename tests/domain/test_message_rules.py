"""Texts of messages: what they may name, how long they are, and which hours are quiet. Pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import i18n
from app.core.errors import InvalidInput
from app.domain.messages import rules
from app.domain.messages.rules import DAY, EVENTS, check, fill, quiet_until, reminder_at, segments

ZONE = "Asia/Shanghai"
MINUTES = st.integers(0, DAY - 1)
MOMENTS = st.integers(1_700_000_000, 1_830_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_the_texts_we_ship_obey_their_own_rules(event: str, locale: str) -> None:
    check(event, i18n.catalogue(locale)[f"sms.{event}"])
    assert f"messages.subject.{event}" in i18n.catalogue(locale)
    assert all(f"messages.value.{name}" in i18n.catalogue(locale) for name in EVENTS[event].allowed)


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("  \n ", "template_empty", None),
        ("{link}" + "长" * 500, "text_long", None),
        ("{link} {phone}", "template_unknown", "{phone}"),
        ("{link} {visitor}", "template_unknown", "{visitor}"),
        ("没有链接", "template_missing", "{link}"),
        ("{link", "template_braces", None),
        ("link}", "template_braces", None),
        ("{}", "template_braces", None),
        ("{link!r}", "template_braces", None),
        ("{link:>99999999}", "template_braces", None),
        ("{link.__class__}", "template_braces", None),
        ("{link[0]}", "template_braces", None),
        ("{0}", "template_braces", None),
    ],
)
def test_a_text_that_cannot_be_filled_is_refused(text: str, code: str, named: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        check("pass_link", text)
    assert (caught.value.code, caught.value.field) == (code, "text")
    assert caught.value.params.get("name") == named


def test_a_value_is_never_looked_into() -> None:
    assert fill("{name}：{link} {{x}}", {"name": "{link}", "link": "u"}) == "{link}：u {x}"


@given(st.text(max_size=300))
def test_whatever_passes_the_check_can_be_filled(text: str) -> None:
    values = dict.fromkeys(EVENTS["pass_link"].allowed, "x")
    try:
        check("pass_link", text + "{link}")
    except InvalidInput:
        return
    assert "x" in fill(text + "{link}", values)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", (0, 1)),
        ("汉" * 70, (70, 1)),
        ("汉" * 71, (71, 2)),
        ("汉" * 134, (134, 2)),
        ("汉" * 135, (135, 3)),
        ("𠮷" * 35, (70, 1)),  # two units each, as the network counts them
        ("a" * 71, (71, 2)),
    ],
)
def test_the_length_is_counted_as_text_messages_are_charged(text: str, count: tuple[int, int]) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("now", "begin", "end", "until"),
    [
        (at(2, "21:59"), 22 * 60, 7 * 60, None),
        (at(2, "22:00"), 22 * 60, 7 * 60, at(3, "07:00")),
        (at(3, "06:59"), 22 * 60, 7 * 60, at(3, "07:00")),
        (at(3, "07:00"), 22 * 60, 7 * 60, None),
        (at(3, "13:00"), 12 * 60, 14 * 60, at(3, "14:00")),
        (at(3, "11:59"), 12 * 60, 14 * 60, None),
        (at(3, "12:00"), 12 * 60, 12 * 60, None),
    ],
)
def test_quiet_hours_end_in_the_morning(now: datetime, begin: int, end: int, until: datetime | None) -> None:
    assert quiet_until(now, ZONE, begin, end) == until


@given(MOMENTS, MINUTES, MINUTES)
def test_what_is_held_back_is_free_to_go_when_quiet_hours_end(now: datetime, begin: int, end: int) -> None:
    until = quiet_until(now, ZONE, begin, end)
    if until is not None:
        assert now < until <= now + timedelta(days=1)
        assert quiet_until(until, ZONE, begin, end) is None


@pytest.mark.parametrize(
    ("starts", "moment"),
    [
        (at(3, "14:00"), at(3, "12:00")),
        (at(3, "08:00"), at(3, "07:00")),  # six in the morning is quiet: when it ends
        (at(3, "07:00"), at(2, "21:59")),  # then it would be too late: the evening before
        (at(3, "23:30"), at(3, "21:30")),
        (at(4, "00:30"), at(3, "21:59")),
    ],
)
def test_a_reminder_comes_before_the_visit_and_not_at_night(starts: datetime, moment: datetime) -> None:
    assert reminder_at(starts, 120, ZONE, 22 * 60, 7 * 60) == moment


@given(MOMENTS, st.integers(1, 2 * DAY), MINUTES, MINUTES)
def test_a_reminder_never_comes_after_the_visit_began(
    starts: datetime, minutes: int, begin: int, end: int
) -> None:
    moment = reminder_at(starts, minutes, ZONE, begin, end)
    assert starts - timedelta(minutes=minutes + DAY) <= moment < starts
    if (end - begin) % DAY < DAY - 1:
        assert quiet_until(moment, ZONE, begin, end) is None
    assert rules.quiet_until(moment, ZONE, 0, 0) is None
