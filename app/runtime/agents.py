"""Lane computers as this process hears them: their devices' states, their links, and who is silent.

A computer opens one socket outward; over it goes down what it shall do (look at its configuration, show these cameras)
and up come pictures, while somebody looks. Events and health come over plain requests. All of this runs on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core import clock
from app.core.database import Database
from app.domain.sites import agents as rows
from app.runtime.agent_asks import FAR, OF_FACES, OUTDATED, REVOKED, SILENT, Answer, Asks, Hello, Line
from app.runtime.remote_feed import RemoteFeed
from hardware.agent.wire import Verb
from hardware.ports import DeviceConfig, DeviceHealth, DeviceStatus
from hardware.registry import DRIVERS

logger = logging.getLogger(__name__)

SILENT_SECONDS = 12.0
LOOK_SECONDS = 1.0
SAY_AGAIN_SECONDS = 20.0
NEVER = "agent_waiting"

Note = Callable[[DeviceHealth], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Link:
    """One open socket of a computer; what it shall do is told anew whenever that changes."""

    agent_id: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    config: int = 0
    closed: bool = False
    line: Line = field(default_factory=Line)

    def close(self) -> None:
        """Have its route end it."""
        self.closed = True
        self.changed.set()


@dataclass(slots=True)
class Remote:
    """A device that a computer runs, and what was last said of it."""

    agent_id: str
    config: DeviceConfig
    feed: RemoteFeed | None
    said: tuple[str, str] = ("", "")
    said_at: float = 0.0


class Agents:
    """The computers of this process, with one owner: the hub."""

    def __init__(self, database: Database, note: Note, greeted: Callable[[str], None]) -> None:
        self._database = database
        self._note = note
        self._greeted = greeted
        self._devices: dict[str, Remote] = {}
        self._links: dict[str, Link] = {}
        self._heard: dict[str, float] = {}
        self._revoked: frozenset[str] = frozenset()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._asks = Asks(self._wake)
        self.receiving: dict[str, asyncio.Lock] = {}

    def start(self) -> None:
        """Begin to look for silent computers."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._watch())

    async def stop(self) -> None:
        """End the links and the looking."""
        for link in self._links.values():
            link.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def apply(self, devices: Mapping[str, tuple[str, DeviceConfig]]) -> None:
        """Take over which devices run where, and tell every computer to look at its configuration."""
        before, self._devices = self._devices, {}
        for device_id, (agent_id, config) in devices.items():
            known = before.get(device_id)
            if known is None or known.agent_id != agent_id:
                feed = RemoteFeed(self._watched) if self._is_camera(config) else None
                known = Remote(agent_id, config, feed)
            elif known.config != config:
                # Saving a device resets what is shown of it: until its computer has spoken nobody knows.
                known.said = ("", "")
            known.config = config
            self._devices[device_id] = known
            self._heard.setdefault(agent_id, time.monotonic())
        for agent_id in {remote.agent_id for remote in self._devices.values()}:
            if not self.is_heard(agent_id):
                await self._all_of(agent_id, DeviceStatus.OFFLINE, self._why(agent_id))
        for remote in self._devices.values():
            if remote.said == ("", ""):
                await self._say(remote, DeviceStatus.UNKNOWN, NEVER)
        for link in self._links.values():
            link.config += 1
            link.changed.set()

    def camera(self, device_id: str) -> RemoteFeed | None:
        """The picture slot of a remote camera."""
        remote = self._devices.get(device_id)
        return remote.feed if remote else None

    def is_heard(self, agent_id: str) -> bool:
        """Whether a computer spoke within the last seconds."""
        heard = self._heard.get(agent_id)
        return (
            agent_id not in self._revoked and heard is not None and time.monotonic() - heard < SILENT_SECONDS
        )

    def hear(self, agent_id: str) -> None:
        """Note that a computer just spoke."""
        self._heard[agent_id] = time.monotonic()

    async def report(self, agent_id: str, states: Iterable[tuple[str, DeviceStatus, str]]) -> None:
        """Take over what a computer says of its devices; of others' it can say nothing."""
        self.hear(agent_id)
        for device_id, status, detail in states:
            remote = self._devices.get(device_id)
            if remote is not None and remote.agent_id == agent_id:
                await self._say(remote, status, detail)
                if remote.feed is not None:
                    remote.feed.trouble = "" if status is DeviceStatus.ONLINE else detail
                    if status is not DeviceStatus.ONLINE:
                        remote.feed.clear()

    def open_link(self, agent_id: str, *, near: bool = True) -> Link:
        """A new socket of a computer, from its own network or from afar; an older one of the same is ended."""
        if (old := self._links.pop(agent_id, None)) is not None:
            old.close()
        link = self._links[agent_id] = Link(agent_id, line=Line(near=near))
        link.changed.set()
        return link

    def close_link(self, link: Link) -> None:
        """Its route has ended."""
        if self._links.get(link.agent_id) is link:
            del self._links[link.agent_id]
            for remote in self._of(link.agent_id):
                if remote.feed is not None:
                    remote.feed.clear()

    def drop(self, agent_id: str) -> None:
        """End the link of a computer, which comes back if it still may."""
        if (link := self._links.pop(agent_id, None)) is not None:
            link.close()

    def orders(self, link: Link) -> dict[str, Any]:
        """All that a computer shall do now."""
        watched = [
            device_id
            for device_id, remote in self._devices.items()
            if remote.agent_id == link.agent_id and remote.feed is not None and remote.feed.viewers
        ]
        asking = self._asks.open_of(link.agent_id)
        return {"config": link.config, "watch": sorted(watched), "asking": asking}

    def take_hello(self, link: Link, text: str) -> None:
        """What a computer says of itself; from the first word on it can be asked, and what changed in it is told on."""
        known = link.line.hello
        if link.line.take_hello(text, time.monotonic()) and link.line.hello != known:
            link.changed.set()
            self._greeted(link.agent_id)

    def hello(self, agent_id: str) -> Hello | None:
        """What a computer that is connected said of itself last."""
        link = self._links.get(agent_id)
        return link.line.hello if link is not None else None

    def is_old(self, agent_id: str) -> bool:
        """Whether a connected computer's version knows no questions."""
        link = self._links.get(agent_id)
        return link is not None and link.line.is_old

    def is_near(self, agent_id: str) -> bool:
        """Whether a computer's line runs within a network of one's own, as far as can be seen."""
        link = self._links.get(agent_id)
        return link is None or link.line.near

    def questions(self, link: Link) -> list[bytes]:
        """What a computer is to be asked over its link now."""
        return [] if link.closed else self._asks.due(link.agent_id, link.line)

    async def ask(self, agent_id: str, verb: Verb, device_id: str, seconds: float, **options: Any) -> Answer:
        """Ask something of a computer's device; one that is away, revoked or too old is not waited for."""
        if not self.is_heard(agent_id):
            return Answer(code=self._why(agent_id))
        if self.is_old(agent_id):
            return Answer(code=OUTDATED)
        if verb in OF_FACES and not self.is_near(agent_id):
            return Answer(code=FAR)
        return await self._asks.ask(agent_id, verb, device_id, seconds, **options)

    def take_answer(self, agent_id: str, data: bytes) -> bool:
        """Take what a computer answers; False where it answers nothing that it was asked."""
        return agent_id not in self._revoked and self._asks.take(agent_id, data)

    def feed_of(self, agent_id: str, device_id: str) -> RemoteFeed | None:
        """The slot for pictures of a computer's own camera."""
        remote = self._devices.get(device_id)
        return remote.feed if remote is not None and remote.agent_id == agent_id else None

    def _wake(self, agent_id: str) -> None:
        if (link := self._links.get(agent_id)) is not None:
            link.changed.set()

    def _watched(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell_all)

    def _tell_all(self) -> None:
        for link in self._links.values():
            link.changed.set()

    def _of(self, agent_id: str) -> list[Remote]:
        return [remote for remote in self._devices.values() if remote.agent_id == agent_id]

    def _why(self, agent_id: str) -> str:
        return REVOKED if agent_id in self._revoked else SILENT

    @staticmethod
    def _is_camera(config: DeviceConfig) -> bool:
        driver = DRIVERS.get(config.driver)
        return driver is not None and driver.kind == "camera"

    async def _all_of(self, agent_id: str, status: DeviceStatus, detail: str) -> None:
        for remote in self._of(agent_id):
            await self._say(remote, status, detail)
            if remote.feed is not None:
                remote.feed.clear()

    async def _say(self, remote: Remote, status: DeviceStatus, detail: str) -> None:
        now = time.monotonic()
        if remote.said == (status, detail) and now - remote.said_at < SAY_AGAIN_SECONDS:
            return
        remote.said, remote.said_at = (status, detail), now
        config = remote.config
        await self._note(DeviceHealth(config.id, config.lane_id, status, detail, clock.now(), {}))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                logger.exception("Lane computers could not be looked after; trying again")

    async def _look(self) -> None:
        known = {remote.agent_id for remote in self._devices.values()} | set(self._links)
        if not known:
            return
        in_use = await self._database.read(rows.in_use)
        self._revoked = frozenset(known - in_use)
        for agent_id in known:
            if agent_id in self._revoked:
                self.drop(agent_id)
            if not self.is_heard(agent_id):
                self._asks.fail(agent_id, self._why(agent_id))
                await self._all_of(agent_id, DeviceStatus.OFFLINE, self._why(agent_id))
            elif self.is_old(agent_id):
                self._asks.fail(agent_id, OUTDATED)
