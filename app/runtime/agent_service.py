"""What a lane's computer asks of the server: its configuration, to take its events, to hear how it is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.database import Database
from app.core.errors import Retryable, TooMany
from app.core.limiter import Limiter
from app.domain.sites import agents
from app.domain.sites import repository as sites
from app.domain.sites.streams import OutOfOrder, Progress, fresh_from
from app.runtime.hub import Hub
from hardware.ports import DeviceEvent, DeviceStatus, EventKind

logger = logging.getLogger(__name__)

# A visitor stands at the gate for less: what comes later than this is history, and nobody is called for it.
LATE = timedelta(seconds=60)
TURN_SECONDS = 10.0
KINDS = frozenset(EventKind)
STATUSES = frozenset(DeviceStatus)

# A computer that is out of step is put down now and then, not once for each of its tries.
_gap_notes = Limiter(lambda: (10, timedelta(hours=1)))


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as its computer sent it; who it is about is not for any log."""

    seq: int
    lane_id: str
    device_id: str
    kind: str
    payload: Mapping[str, str] = field(repr=False)
    at: datetime
    age: float
    number: int
    boot: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one stream in order."""

    stream: str
    events: Sequence[Sent]


@dataclass(frozen=True, slots=True)
class Health:
    """What a computer says of itself and of its devices (id, state, detail)."""

    version: str
    waiting: int
    trouble: str
    offset_ms: int | None
    devices: Sequence[tuple[str, str, str]]


def config_of(session: Session, actor: Actor) -> dict[str, Any]:
    """What a computer runs; ``revision`` changes with anything in it."""
    agent = agents.own(session, actor)
    lanes = {lane.id: (lane, door) for lane, door in sites.lanes(session, agent.site_id)}
    made: dict[str, Any] = {
        "agent": {"id": agent.id, "label": agent.label, "site": sites.site(session, agent.site_id).name},
        "lanes": [
            {
                "id": lane_id,
                "entrance": lanes[lane_id][1].name,
                "name": lanes[lane_id][0].name,
                "direction": lanes[lane_id][0].direction,
            }
            for lane_id in agent.lane_ids
            if lane_id in lanes
        ],
        "devices": [
            {
                "id": device.id,
                "lane_id": device.lane_id,
                "driver": device.driver,
                "name": device.name,
                "settings": device.settings,
                "enabled": device.enabled,
            }
            for device in agents.devices(session, agent.id)
        ],
    }
    text = json.dumps(made, sort_keys=True, ensure_ascii=False)
    return {**made, "revision": hashlib.sha256(text.encode()).hexdigest()[:16]}


async def hand_over_config(database: Database, actor: Actor) -> dict[str, Any]:
    """The configuration, with a note of which one was handed over."""
    made = await database.read(lambda s: config_of(s, actor))
    await database.write(lambda s: agents.note_config(s, actor, made["revision"]))
    return made


async def take_health(center: Hub, database: Database, actor: Actor, health: Health) -> dict[str, str]:
    """Show what a computer says, and tell it the time and which configuration holds."""
    made = await database.read(lambda s: config_of(s, actor))
    states = [
        (device_id, DeviceStatus(status) if status in STATUSES else DeviceStatus.UNKNOWN, detail)
        for device_id, status, detail in health.devices
    ]
    await center.agents.report(actor.agent_id, states)
    await database.write(
        lambda s: agents.note_health(
            s, actor, health.version, health.waiting, health.trouble, health.offset_ms
        )
    )
    return {"time": clock.now().isoformat(), "revision": made["revision"]}


async def take_events(center: Hub, database: Database, actor: Actor, batch: Batch) -> int:
    """Record a batch in order and return the number up to which the stream is recorded now.

    What was recorded before is passed over. Raises ``OutOfOrder`` and ``Contradiction``, and ``Retryable`` when the
    database is away: then the computer sends again from what was not acknowledged.
    """
    async with _turn(center, actor.agent_id):
        center.agents.hear(actor.agent_id)
        lane_ids, done = await database.read(lambda s: _standing(s, actor, batch.stream))
        numbered = [(event.seq, _digest(event)) for event in batch.events]
        try:
            start = fresh_from(done, numbered)
        except OutOfOrder as error:
            await _note_gap(database, actor, batch, error)
            raise
        digests: list[str] = []
        try:
            for event, (_, digest) in zip(batch.events[start:], numbered[start:], strict=True):
                await _take(center, database, actor, lane_ids, event)
                digests.append(digest)
        finally:
            # What was recorded before the database went away need not come again; if it does, its nonce is known.
            if digests:
                made = done.advanced(digests)
                await database.write(lambda s: agents.advance(s, actor.agent_id, batch.stream, made))
        return done.last_seq + len(digests)


@asynccontextmanager
async def _turn(center: Hub, agent_id: str) -> AsyncIterator[None]:
    """One batch of a computer at a time: what it sends again may come while the first is still at work."""
    lock = center.agents.receiving.setdefault(agent_id, asyncio.Lock())
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await lock.acquire()
    except TimeoutError as error:
        raise Retryable("database_busy") from error
    try:
        yield
    finally:
        lock.release()


def _standing(session: Session, actor: Actor, stream: str) -> tuple[frozenset[str], Progress]:
    agent = agents.own(session, actor)
    return frozenset(agent.lane_ids), agents.progress(session, agent.id, stream)


def _digest(event: Sent) -> str:
    # Keyed: a plain hash of a document's data could be guessed. The age differs each time it is sent.
    body = {name: value for name, value in asdict(event).items() if name != "age"}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    return crypto.keyring().index("agent_event", text)[:8].hex()


async def _take(center: Hub, database: Database, actor: Actor, lane_ids: frozenset[str], sent: Sent) -> None:
    if sent.lane_id not in lane_ids:
        logger.warning("A lane computer spoke for a lane that is not its own")
        await database.write(lambda s: agents.refuse_lane(s, actor, sent.lane_id))
        return
    if sent.kind not in KINDS:
        logger.warning("A lane computer sent an event of an unknown kind; it may be newer than this server")
        return
    # How long ago it was counts, not what the computer's clock said, which may be wrong by anything.
    age = timedelta(seconds=sent.age)
    event = DeviceEvent(
        lane_id=sent.lane_id,
        device_id=sent.device_id,
        kind=EventKind(sent.kind),
        payload=sent.payload,
        at=clock.now() - age,
        seq=sent.number,
        boot=sent.boot,
    )
    try:
        await center.take(event, late=age > LATE)
    except Retryable:
        raise
    except Exception:
        # One that cannot be recorded must not hold up all that comes after it.
        logger.exception("An event of device %s could not be recorded", sent.device_id)


async def _note_gap(database: Database, actor: Actor, batch: Batch, error: OutOfOrder) -> None:
    logger.warning("A lane computer left a gap: %d was due, %d came", error.expected, batch.events[0].seq)
    try:
        _gap_notes.hit(actor.agent_id)
    except TooMany:
        return
    await database.write(
        lambda s: agents.refuse_gap(s, actor, batch.stream, error.expected, batch.events[0].seq)
    )
