"""What the server asks of lane computers' devices: each question has an id, a moment after which it is void, and one answer.

A question is sent over the computer's link, and again over the next one when that breaks. One with an effect (a badge) is sent
again only to the very program that had it, which knows it by its id; so it is done once or not at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hardware.agent import wire
from hardware.agent.wire import Verb

logger = logging.getLogger(__name__)

# An answer may come a moment after the work had to be done; the line has its own way too.
MARGIN_SECONDS = 1.5
# A computer that knows questions says so at once; one that says nothing so long is of an older version.
HELLO_SECONDS = 3.0
CLOCKS = 10
MAX_VERBS = 50
LONGEST_UPTIME = 1e10
MOST_DIMENSIONS = 4096

SILENT, REVOKED = "agent_silent", "agent_revoked"
OUTDATED, RESTARTED = "agent_outdated", "agent_restarted"
NO_ANSWER, GARBLED = "agent_no_answer", "agent_garbled"
FAR = "agent_far"
FAILURES = frozenset({SILENT, REVOKED, OUTDATED, RESTARTED, NO_ANSWER, GARBLED, FAR})
# Data of faces stays in the place and goes over no public network (F-5): people were told so when they agreed.
OF_FACES = frozenset({Verb.COMPARE, Verb.CAPTURE, Verb.REGULARS})


def is_near(address: str) -> bool:
    """Whether an address is of a network of one's own, or this machine's; a carrier's shared one is neither."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    own = mapped or found
    return own.is_private or own.is_loopback or own.is_link_local


@dataclass(frozen=True, slots=True)
class Hello:
    """What a computer's program says of itself: which start of it speaks, and what it can be asked."""

    boot: str
    can: frozenset[str]
    faces: str = ""
    pack: str = ""
    dimension: int = 0

    @property
    def has_models(self) -> bool:
        """Whether faces can be recognised there."""
        return self.faces == "ready" and bool(self.pack) and 0 < self.dimension <= MOST_DIMENSIONS


@dataclass(frozen=True, slots=True)
class Answer:
    """What a computer answered, or the code of why it did not."""

    head: dict[str, Any] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    code: str = ""


@dataclass(slots=True, eq=False)
class Line:
    """What is known of one open socket of a computer, for questions."""

    near: bool = True
    opened_at: float = field(default_factory=time.monotonic)
    hello: Hello | None = None
    sent: set[str] = field(default_factory=set)
    clocks: list[float] = field(default_factory=list)

    def take_hello(self, text: str, now: float) -> bool:
        """What the computer says of itself, and its clock; False for anything else."""
        said = (wire.table(text[: wire.MAX_HEAD]) or {}).get("hello")
        if not isinstance(said, dict):
            return False
        can, boot, uptime = said.get("can"), said.get("boot"), said.get("uptime")
        if not isinstance(can, list) or not isinstance(boot, str) or not isinstance(uptime, int | float):
            return False
        if not 0 <= uptime < LONGEST_UPTIME:  # also what is no number, and what no float can hold
            return False
        faces = said.get("faces")
        told = faces if isinstance(faces, dict) else {}
        code, pack = (str(told.get(name, ""))[:80] for name in ("code", "pack"))
        dimension = told.get("dimension")
        self.hello = Hello(
            boot[:64],
            frozenset(str(verb)[:20] for verb in can[:MAX_VERBS]),
            code,
            pack,
            dimension if isinstance(dimension, int) else 0,
        )
        self.clocks = [*self.clocks, float(uptime) - now][-CLOCKS:]
        return True

    def there(self, moment: float) -> float:
        """A moment of this clock on the computer's, or a little before it: its word needed time to come here."""
        return moment + max(self.clocks)

    @property
    def is_old(self) -> bool:
        """Whether the computer's version knows no questions."""
        return self.hello is None and time.monotonic() - self.opened_at > HELLO_SECONDS


@dataclass(slots=True, eq=False)
class _Ask:
    """A question that waits for its answer."""

    agent_id: str
    verb: Verb
    device_id: str
    until: float
    head: dict[str, Any] = field(repr=False)
    body: bytes = field(repr=False)
    once: bool
    told: Callable[[str], None] | None
    answer: asyncio.Future[Answer] = field(repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    boot: str = ""

    def end(self, answer: Answer) -> None:
        """The first answer counts."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def message(self, line: Line) -> bytes:
        """As it goes over a line."""
        head = {**self.head, "ask": self.id, "verb": self.verb, "device": self.device_id}
        return wire.pack({**head, "until": line.there(self.until)}, self.body)


class Asks:
    """The questions of this process that wait; used on the event loop alone."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._waiting: dict[str, _Ask] = {}

    async def ask(
        self,
        agent_id: str,
        verb: Verb,
        device_id: str,
        seconds: float,
        *,
        head: dict[str, Any] | None = None,
        body: bytes = b"",
        once: bool = False,
        told: Callable[[str], None] | None = None,
    ) -> Answer:
        """Ask, and wait no longer than ``seconds`` and a moment; ``told`` hears what comes before the answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        until = time.monotonic() + seconds
        ask = _Ask(agent_id, verb, device_id, until, head or {}, body, once, told, future)
        self._waiting[ask.id] = ask
        self._wake(agent_id)
        try:
            async with asyncio.timeout(seconds + MARGIN_SECONDS):
                return await future
        except TimeoutError:
            return Answer(code=NO_ANSWER if ask.boot else SILENT)
        finally:
            del self._waiting[ask.id]
            self._wake(agent_id)

    def due(self, agent_id: str, line: Line) -> list[bytes]:
        """What is to be sent over a line now; nothing before the computer has said what it knows."""
        made: list[bytes] = []
        for ask in self._of(agent_id):
            if line.hello is None or ask.id in line.sent or ask.answer.done():
                continue
            if ask.verb in OF_FACES and not line.near:
                ask.end(Answer(code=FAR))
            elif ask.verb not in line.hello.can:
                ask.end(Answer(code=OUTDATED))
            elif ask.once and ask.boot not in ("", line.hello.boot):
                ask.end(Answer(code=RESTARTED))
            elif ask.until > time.monotonic():
                line.sent.add(ask.id)
                ask.boot = line.hello.boot
                made.append(ask.message(line))
        return made

    def open_of(self, agent_id: str) -> list[str]:
        """The ids that somebody still waits for; what is not among them may be given up over there."""
        return [ask.id for ask in self._of(agent_id) if not ask.answer.done()]

    def fail(self, agent_id: str, code: str) -> None:
        """A computer does not answer any more."""
        for ask in self._of(agent_id):
            ask.end(Answer(code=NO_ANSWER if ask.once and ask.boot else code))

    def take(self, agent_id: str, data: bytes) -> bool:
        """Take a computer's answer, or its word on the way to it; False for what is neither, or was not asked of it."""
        head = wire.head(data)
        ask = self._waiting.get(str(head.get("answer") or head.get("prompt"))) if head else None
        if head is None or ask is None or ask.agent_id != agent_id or not ask.boot:
            return False
        found = wire.unpack(data)
        if found is None:
            ask.end(Answer(code=GARBLED))
        elif "prompt" not in head:
            ask.end(Answer(head, found[1], str(head.get("code") or "")[:64]))
        elif ask.told is not None:
            ask.told(str(head.get("what", ""))[:40])
        return True

    def _of(self, agent_id: str) -> list[_Ask]:
        return [ask for ask in self._waiting.values() if ask.agent_id == agent_id]
