"""Who watches what, and telling them: topics such as ``lane:<id>`` lead to browser tabs.

A tab is a Reflex client token plus the session it was opened with. The state layer registers how a tab is
refreshed; this module knows no state. Bursts collapse: while a tab is being refreshed, further changes make
one more refresh, not one each.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

SLOW = "site:"
SLOW_SECONDS = 1.0

Refresh = Callable[[str, frozenset[str]], Awaitable[bool]]


@dataclass(slots=True)
class Tab:
    """One browser tab: what it watches and what has changed since its last refresh."""

    refresh: Refresh
    topics: frozenset[str]
    pending: set[str] = field(default_factory=set)
    running: bool = False


class Live:
    """The subscriptions of this process; used from the event loop only, but ``post`` from any thread."""

    def __init__(self) -> None:
        self._tabs: dict[str, Tab] = {}
        self._by_topic: dict[str, set[str]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slow: set[str] = set()
        self._versions: Counter[str] = Counter()

    def bind(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Name the loop that refreshes run on."""
        self._loop = loop

    def watch(self, token: str, topics: frozenset[str], refresh: Refresh) -> None:
        """Have a tab refreshed when one of ``topics`` changes; replaces what it watched before.

        A tab that goes on with the same topics loses nothing of what was told meanwhile.
        """
        known = self._tabs.get(token)
        if known is not None and known.topics == topics:
            known.refresh = refresh
            return
        self.drop(token)
        self._tabs[token] = Tab(refresh, topics)
        for topic in topics:
            self._by_topic[topic].add(token)

    def drop(self, token: str) -> None:
        """Forget a tab."""
        tab = self._tabs.pop(token, None)
        for topic in tab.topics if tab else ():
            self._by_topic[topic].discard(token)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def watching(self, token: str) -> frozenset[str]:
        """The topics a tab watches."""
        tab = self._tabs.get(token)
        return tab.topics if tab else frozenset()

    def count(self) -> int:
        """How many tabs are watching."""
        return len(self._tabs)

    def post(self, topic: str) -> None:
        """Tell that ``topic`` changed; callable from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, topic)

    def publish(self, topic: str) -> None:
        """Refresh every tab that watches ``topic``; a whole site's tabs about once in two seconds, spread out."""
        if topic.startswith(SLOW):
            if topic not in self._slow and topic in self._by_topic:
                self._slow.add(topic)
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._publish_slow, topic)
            return
        self._publish_now(topic)

    def version(self, topic: str) -> int:
        """A number that changes when the tabs of a whole site are refreshed, so that they can share the work."""
        return self._versions[topic]

    def _publish_slow(self, topic: str) -> None:
        self._slow.discard(topic)
        self._versions[topic] += 1
        tokens = tuple(self._by_topic.get(topic, ()))
        # One after the other: a hundred tabs refreshed at once would hold an arrival up at every lane.
        for number, token in enumerate(tokens):
            pause = number * SLOW_SECONDS / len(tokens)
            asyncio.get_running_loop().call_later(pause, self._wake, token, topic)

    def _publish_now(self, topic: str) -> None:
        for token in tuple(self._by_topic.get(topic, ())):
            self._wake(token, topic)

    def _wake(self, token: str, topic: str) -> None:
        tab = self._tabs.get(token)
        if tab is None or topic not in tab.topics:
            return
        tab.pending.add(topic)
        if not tab.running:
            tab.running = True
            task = asyncio.get_running_loop().create_task(self._run(token, tab))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, token: str, tab: Tab) -> None:
        try:
            while tab.pending and self._tabs.get(token) is tab:
                topics = frozenset(tab.pending)
                tab.pending.clear()
                if not await tab.refresh(token, topics):
                    self.drop(token)
        except Exception:
            logger.exception("A tab could not be refreshed")
            self.drop(token)
        finally:
            tab.running = False


live = Live()
