"""Marks come with the picture they belong to: when they changed, not too often, and without what a code says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest

from app.api import marks, media, viewers
from app.api.marks import MarkTeller, as_json
from hardware.camera_feed import Mark
from hardware.drivers.code_reader import CodeReader
from hardware.ports import CameraFeed
from tests.hardware.pictures import CODE, blank, with_codes

pytestmark = pytest.mark.req("AD-01")

FACE = Mark("face", 0.25, 0.125, 0.5, 0.25, "same")
HEAD = re.compile(rb"^X-Marks: (.*)\r\n", re.M)


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "CHECK_SECONDS", 3600.0)


async def next_of(stream: AsyncIterator[bytes], feed: CameraFeed) -> bytes:
    """The next part of a stream, which begins to listen when it is first asked."""
    asked = asyncio.ensure_future(anext(stream))
    while not asked.done():
        feed.publish(blank())
        await asyncio.wait([asked], timeout=0.01)
    return asked.result()


async def told(stream: AsyncIterator[bytes], feed: CameraFeed, parts: int) -> list[object]:
    """The marks in the headers of so many parts."""
    heads = [(await next_of(stream, feed)).partition(b"\xff\xd8")[0] for _ in range(parts)]
    return [json.loads(found[1]) for head in heads if (found := HEAD.search(head))]


async def test_marks_are_told_when_they_change_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "LEAST_SECONDS", 0.0)
    feed = CameraFeed()
    stream = media.frames(feed, viewers.Viewer("", "site"))
    assert await told(stream, feed, 3) == []
    feed.mark("face", [FACE])
    assert await told(stream, feed, 20) == [[["face", 0.25, 0.125, 0.5, 0.25, "same"]]]
    feed.mark("face", [])
    assert await told(stream, feed, 20) == [[]]
    await stream.aclose()
    assert feed.viewers == 0


async def test_each_viewer_is_told_and_a_late_one_at_once() -> None:
    feed = CameraFeed()
    feed.mark("face", [FACE])
    early, late = (media.frames(feed, viewers.Viewer("", "site")) for _ in range(2))
    assert len(await told(early, feed, 1)) == 1
    assert len(await told(late, feed, 1)) == 1
    await early.aclose()
    await late.aclose()


def test_a_restless_mark_is_told_ten_times_a_second_at_most_and_ends_up_right() -> None:
    teller, lines, last = MarkTeller(), [], ""
    for step in range(101):
        mark = Mark("code", step / 1000, 0.1, 0.1, 0.1)
        line = teller.header([mark], step / 50)
        lines += [line] if line else []
    assert 18 <= len(lines) <= 21
    last = teller.header([mark], 10.0) or lines[-1]
    assert "0.1,0.1,0.1,0.1" in last
    assert teller.header([mark], 20.0) == ""


def test_a_tremble_below_a_thousandth_is_no_change() -> None:
    teller = MarkTeller()
    assert teller.header([Mark("code", 0.1, 0.1, 0.1, 0.1)], 0.0)
    assert teller.header([Mark("code", 0.10002, 0.1, 0.1, 0.1)], 1.0) == ""


def test_a_header_stays_a_header_whatever_a_label_holds() -> None:
    line = MarkTeller().header([Mark("plate", 0, 0, 1, 1, "粤B\r\nSet-Cookie: x")], 0.0)
    assert line.isascii()
    assert line.count("\r\n") == 1
    assert as_json([FACE] * 100).count("face") == 16


def test_what_a_code_says_is_in_no_mark() -> None:
    found = CodeReader().find(with_codes(CODE))
    feed = CameraFeed()
    feed.mark("code", [Mark("code", *code.box) for code in found])
    assert len(feed.marks) == 1
    assert CODE not in as_json(feed.marks)


async def test_a_slow_viewer_is_given_the_newest_picture_and_none_of_those_before() -> None:
    feed = CameraFeed(encode=lambda frame: b"\xff\xd8" + bytes([int(frame[0, 0, 0])]))
    stream = media.frames(feed, viewers.Viewer("", "site"))
    await next_of(stream, feed)
    for shade in range(1, 31):
        feed.publish(blank() * 0 + shade)
    assert (await anext(stream)).partition(b"\xff\xd8")[2][0] == 30
    assert feed.counters["dropped"] >= 29
    await stream.aclose()


async def test_marks_cost_nothing_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(MarkTeller, "header", lambda *_: asked.append(1) or "")
    feed = CameraFeed()
    stream = media.frames(feed, viewers.Viewer("", "site"))
    await next_of(stream, feed)
    await stream.aclose()
    before = len(asked)
    for _ in range(10):
        feed.mark("face", [FACE])
        feed.publish(blank())
        await asyncio.sleep(0)
    assert len(asked) == before
