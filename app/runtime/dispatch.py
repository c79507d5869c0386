"""The dispatcher: what the outbox holds goes out, local channels in one transaction, remote ones in three steps.

Take (a lease, committed), send (no transaction, a thread of its own), mark. Each remote channel is worked on by itself, so
a dead provider keeps nobody else waiting, and behind a breaker, so that it is not asked for every message while it is down.
Several processes may run this: a lease tells whose turn a message is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from app.core import clock, outbox
from app.core.database import Database
from app.core.outbox import Channel, Message, Outcome, Remote, Result

logger = logging.getLogger(__name__)

THREADS = 4
TRIP = 3  # failures in a row that open a breaker
FIRST_REST, LONGEST_REST = 30.0, 600.0
STOP_SECONDS = 6.0


@dataclass(slots=True)
class Breaker:
    """How a remote channel has been doing in this process; while open nothing is taken from it."""

    failures: int = 0
    open_until: float = 0.0
    error: str = ""
    tried: bool = False

    def allows(self, now: float) -> int:
        """How many messages may be taken: none while open, one to see whether it works again, else a batch."""
        if now < self.open_until:
            return 0
        return 1 if self.failures >= TRIP else outbox.REMOTE_BATCH

    def note(self, outcome: Outcome, now: float) -> None:
        """Count a try; an answer closes the breaker, whatever it says of one message, unless the provider is in trouble."""
        if outcome.result in {Result.HELD, Result.SKIPPED}:
            return
        self.tried = True
        if outcome.reached:
            self.failures, self.open_until, self.error = 0, 0.0, ""
            return
        self.failures, self.error = self.failures + 1, outcome.error
        if self.failures >= TRIP:
            rest = FIRST_REST * 2.0 ** min(self.failures - TRIP, 10)
            self.open_until = now + min(rest, LONGEST_REST)


@dataclass(frozen=True, slots=True)
class Health:
    """How a channel does: ``off``, ``untried``, ``ok``, ``trouble`` or ``resting``, with the last error's code."""

    state: str
    error: str = ""


class Dispatcher:
    """Works the outbox off for this process."""

    def __init__(
        self,
        database: Database,
        local: Mapping[str, Channel],
        remote: Mapping[str, Remote],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._local, self._remote = dict(local), dict(remote)
        self._monotonic = monotonic
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.breakers: dict[str, Breaker] = {}

    async def dispatch(self) -> int:
        """Deliver a batch of local messages and set remote channels to work; returns how many were delivered."""
        count = await self._database.write(
            lambda session: outbox.deliver_due(session, clock.now(), self._local, self._remote)
        )
        if self._remote and not self._stopping:
            due = await self._database.read(
                lambda session: outbox.due_channels(session, clock.now(), self._remote)
            )
            for channel in due:
                if channel not in self._running and self._breaker(channel).allows(self._monotonic()):
                    task = asyncio.create_task(self._work(channel))
                    self._running[channel] = task
        return count

    async def settle(self) -> None:
        """Wait until every remote channel has nothing to do or rests."""
        while self._running:
            await asyncio.gather(*self._running.values())

    async def stop(self) -> None:
        """Take nothing new, and let what is on its way end within seconds; what does not is taken up by its lease."""
        self._stopping = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=STOP_SECONDS)
        for task in list(self._running.values()):
            task.cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def health(self, channel: str) -> Health:
        """How a remote channel has been doing in this process."""
        if outbox.family(channel) not in self._remote:
            return Health("off")
        breaker = self.breakers.get(channel, Breaker())
        if not breaker.tried:
            return Health("untried")
        if not breaker.failures:
            return Health("ok")
        return Health("resting" if breaker.failures >= TRIP else "trouble", breaker.error)

    def _pool(self, channel: str) -> ThreadPoolExecutor:
        """Threads for each kind of channel: a hundred receivers that are down keep no text message waiting."""
        kind = outbox.family(channel)
        if kind not in self._pools:
            self._pools[kind] = ThreadPoolExecutor(THREADS, thread_name_prefix=f"send-{kind}")
        return self._pools[kind]

    def _breaker(self, channel: str) -> Breaker:
        return self.breakers.setdefault(channel, Breaker())

    async def _work(self, channel: str) -> None:
        try:
            while not self._stopping:
                limit = self._breaker(channel).allows(self._monotonic())
                if not limit or not await self._batch(channel, limit):
                    return
        except Exception:
            logger.exception("Channel %s could not be worked on; the next sweep tries again", channel)
        finally:
            self._running.pop(channel, None)

    async def _batch(self, channel: str, limit: int) -> int:
        taken = await self._database.write(
            lambda session: outbox.take(session, clock.now(), channel, self._holder, limit)
        )
        ends = self._monotonic() + outbox.LEASE.total_seconds() / 2
        for message in taken:
            if (
                self._monotonic() > ends
                or self._stopping
                or not self._breaker(channel).allows(self._monotonic())
            ):
                held = Outcome(Result.HELD)  # not tried, so it does not count
                await self._mark(message, held)
                continue
            await self._one(channel, message)
        return len(taken)

    async def _one(self, channel: str, message: Message) -> None:
        outcome = await self._try(self._remote[outbox.family(channel)], message)
        self._breaker(channel).note(outcome, self._monotonic())
        if outcome.error:
            logger.warning("Outbox message %s: %s %s", message.id, outcome.result, outcome.error)
        await self._mark(message, outcome)

    async def _try(self, remote: Remote, message: Message) -> Outcome:
        try:
            letter: Any = await self._database.read(lambda session: remote.compose(session, message))
        except Exception as error:  # nothing went out, so nothing is in doubt that was not before
            return Outcome(Result.LATER, type(error).__name__, doubtful=message.doubtful, reached=True)
        if isinstance(letter, Outcome):
            return letter
        if not await self._database.write(lambda session: outbox.begin(session, message, self._holder)):
            return Outcome(Result.HELD)  # another has taken it over
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool(message.channel), remote.send, message, letter)
        except Exception as error:
            return Outcome(Result.LATER, type(error).__name__, doubtful=True, reached=False)

    async def _mark(self, message: Message, outcome: Outcome) -> None:
        await self._database.write(
            lambda session: outbox.mark(session, clock.now(), message, self._holder, outcome)
        )


_current: Dispatcher | None = None


def use(dispatcher: Dispatcher | None) -> None:
    """Make a dispatcher known to the pages of this process."""
    global _current
    _current = dispatcher


def health(channel: str) -> Health:
    """How a channel does in this process; off while nothing runs."""
    return _current.health(channel) if _current is not None else Health("off")
