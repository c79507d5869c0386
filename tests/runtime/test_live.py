"""Live topics: bursts collapse, a lane is told at once, a whole site's tabs one after the other."""

from __future__ import annotations

import asyncio

import pytest

from app.runtime import live as module
from app.runtime.live import Live


class Tabs:
    """Tabs that remember what they were refreshed for."""

    def __init__(self) -> None:
        self.live = Live()
        self.live.bind(asyncio.get_running_loop())
        self.heard: list[tuple[str, frozenset[str]]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def open(self, token: str, *topics: str, alive: bool = True) -> None:
        async def refresh(client: str, changed: frozenset[str]) -> bool:
            self.heard.append((client, changed))
            await self.gate.wait()
            return alive

        self.live.watch(token, frozenset(topics), refresh)

    async def settled(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count or self.live._tasks:
                await asyncio.sleep(0)


@pytest.mark.req("AD-01")
async def test_a_lane_is_told_at_once_and_only_its_own_tabs() -> None:
    tabs = Tabs()
    tabs.open("a", "lane:1")
    tabs.open("b", "lane:2")
    tabs.live.publish("lane:1")
    await tabs.settled(1)
    assert tabs.heard == [("a", frozenset({"lane:1"}))]


async def test_changes_during_a_refresh_make_one_more_not_one_each() -> None:
    tabs = Tabs()
    tabs.open("a", "lane:1", "person:1")
    tabs.gate.clear()
    tabs.live.publish("lane:1")
    await asyncio.sleep(0)
    for _ in range(5):
        tabs.live.publish("lane:1")
    tabs.live.publish("person:1")
    tabs.gate.set()
    await tabs.settled(2)
    assert tabs.heard[1:] == [("a", frozenset({"lane:1", "person:1"}))]


async def test_a_tab_that_is_gone_is_forgotten() -> None:
    tabs = Tabs()
    tabs.open("a", "lane:1", alive=False)
    tabs.live.publish("lane:1")
    await tabs.settled(1)
    assert tabs.live.count() == 0


async def test_a_burst_of_a_site_is_one_round_with_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    tabs = Tabs()
    for token in "abcd":
        tabs.open(token, "site:1")
    before = tabs.live.version("site:1")
    for _ in range(10):
        tabs.live.publish("site:1")
    assert tabs.heard == []
    await tabs.settled(4)
    assert sorted(token for token, _ in tabs.heard) == list("abcd")
    assert tabs.live.version("site:1") == before + 1


async def test_a_tab_that_looks_elsewhere_meanwhile_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)
    tabs = Tabs()
    tabs.open("a", "site:1")
    tabs.open("b", "site:1")
    tabs.live.publish("site:1")
    tabs.open("a", "site:2")
    await tabs.settled(1)
    assert tabs.heard == [("b", frozenset({"site:1"}))]
