"""Regulars who agreed, recognised at lane computers (1:N): each gets the faces of its site that its own models made (ID-02).

They go down over the line and stay in that computer's memory while it is up. Every change sends the whole anew; what a camera
there recognised comes as an event, and the database has the last word on it, whatever is held where.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.core import clock
from app.core.database import Database
from app.domain.identity import faces
from app.domain.identity.templates import Face
from app.domain.sites import repository as sites
from app.runtime.agents import Agents
from app.runtime.face_gate import RecogniseRule, rule_of
from hardware.agent import wire
from hardware.agent.regulars import HELD
from hardware.agent.wire import Verb

logger = logging.getLogger(__name__)

SEND_SECONDS, AGAIN_SECONDS = 10.0, 10.0
UNKNOWN = -1  # what a computer holds that was sent something and did not say that it took it
NOBODY = RecogniseRule(1.0, 1.0, "none")
PART_BYTES = wire.MAX_QUESTION - 2 * wire.MAX_HEAD


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one computer is to look for, and where."""

    rule: RecogniseRule
    cameras: list[tuple[str, str]]
    faces: Sequence[tuple[str, Face]]


class LaneFaces:
    """What the lane computers of this process were given."""

    def __init__(self, database: Database, agents: Agents) -> None:
        self._database, self._agents = database, agents
        self._changing = asyncio.Lock()
        self._given: dict[str, int] = {}
        self._again: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Ask nobody again."""
        for timer in self._again.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    async def refresh(self, only: str = "") -> None:
        """Bring the computers that are connected and have models in line with policies, consents and cameras."""
        async with self._changing:
            # One that was given faces is told to forget them, though it has no camera any more.
            known = [only] if only else sorted({*await self._database.read(_computers), *self._given})
            # One that does not answer must not keep the others waiting.
            await asyncio.gather(*(self._try(agent_id) for agent_id in known))

    async def _try(self, agent_id: str) -> None:
        try:
            await self._give(agent_id)
        except Exception:
            logger.exception("A lane computer could not be given its regulars")

    def size(self, agent_id: str) -> int:
        """How many faces a computer that is connected was given."""
        return max(0, self._given.get(agent_id, 0)) if self._agents.hello(agent_id) is not None else 0

    async def _give(self, agent_id: str) -> None:
        hello = self._agents.hello(agent_id)
        if hello is None:
            self._given.pop(agent_id, None)  # its line is gone, and what it was given with it
            return
        if not self._agents.is_near(agent_id):
            return
        if not hello.has_models or Verb.REGULARS not in hello.can:
            return
        wanted = await self._database.read(lambda s: _wanted(s, agent_id, hello.pack))
        if wanted is None:
            if agent_id not in self._given:
                return
            wanted = _Wanted(NOBODY, [], [])
        self._given[agent_id] = UNKNOWN
        for head, body in _parts(wanted, hello.pack, hello.dimension):
            answer = await self._agents.ask(agent_id, Verb.REGULARS, "", SEND_SECONDS, head=head, body=body)
            if answer.code != HELD:
                logger.warning("A lane computer did not take its regulars (%s)", answer.code)
                self._try_again(agent_id)
                return
        if wanted.rule is NOBODY:
            del self._given[agent_id]
        else:
            self._given[agent_id] = len(wanted.faces)

    def _try_again(self, agent_id: str) -> None:
        """It may hold a face that was taken back: it is asked until it answers, or its line breaks and it forgets (L-10)."""

        def begin() -> None:
            del self._again[agent_id]
            task = asyncio.get_running_loop().create_task(self.refresh(agent_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if agent_id not in self._again:
            self._again[agent_id] = asyncio.get_running_loop().call_later(AGAIN_SECONDS, begin)


def _computers(session: Session) -> list[str]:
    cameras = (d for d in sites.devices(session) if d.driver == "camera" and d.agent_id)
    return sorted({d.agent_id for d in cameras if d.agent_id})


def _wanted(session: Session, agent_id: str, pack_id: str) -> _Wanted | None:
    mine = [
        d for d in sites.devices(session) if d.agent_id == agent_id and d.driver == "camera" and d.enabled
    ]
    rule = rule_of(session, mine[0].site_id) if mine else None
    if rule is None:
        return None
    usable = faces.usable(session, mine[0].site_id, pack_id, clock.now())
    return _Wanted(rule, [(d.id, d.lane_id) for d in mine], usable)


def _parts(wanted: _Wanted, pack_id: str, dimension: int) -> Iterator[tuple[dict[str, object], bytes]]:
    """The whole in pieces that fit into one message; one piece at least, for nobody is something to say as well."""
    # Vectors of another length can be of no pack with that id.
    records = [
        key.encode("ascii") + face.vector for key, face in wanted.faces if len(face.vector) == 4 * dimension
    ]
    most = max(1, PART_BYTES // (32 + 4 * dimension))
    pieces = [records[start : start + most] for start in range(0, len(records), most)] or [[]]
    for number, piece in enumerate(pieces):
        yield (
            {
                "pack": pack_id,
                "first": number == 0,
                "last": number == len(pieces) - 1,
                "cameras": wanted.cameras,
                "threshold": wanted.rule.threshold,
                "margin": wanted.rule.margin,
                "liveness": wanted.rule.liveness,
            },
            b"".join(piece),
        )
