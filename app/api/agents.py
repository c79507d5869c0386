"""The routes of lane computers: enrol once, fetch the configuration, hand over events, say how one is, and one socket."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import Request, Response, WebSocket
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from app.api.access import error_response, router, socket_router
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import NotAllowed, Retryable
from app.core.permissions import Right, needs
from app.core.settings import get_settings
from app.domain.sites import agents
from app.domain.sites.streams import BATCH, Contradiction, OutOfOrder
from app.runtime import agent_service
from app.runtime.agent_asks import is_near
from app.runtime.agent_pictures import take_picture
from app.runtime.agents import Link
from app.runtime.hub import Hub, get_hub

routes = router("/api/v1/agents")
sockets = socket_router("/api/v1/agents")

MAX_BATCH_BYTES = 4_000_000
MOST_OFFSET_MS = 2**31 - 1
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
Word = Annotated[str, Field(max_length=64, pattern=r"^[\w.\-]*$")]


class Enrolment(BaseModel):
    """A one-time code, and which version asks."""

    code: str = Field(min_length=8, max_length=64)
    version: str = Field(default="", max_length=40)


class EventIn(BaseModel):
    """One thing that happened at a device."""

    seq: int = Field(ge=1, lt=2**53)
    lane_id: Word
    device_id: Word
    kind: Word
    payload: dict[str, str]
    at: AwareDatetime
    age: float = Field(ge=0, lt=10**9)
    number: int = Field(ge=0, lt=2**53)
    boot: Word


class EventsIn(BaseModel):
    """Events in order, of one start of the computer's program."""

    stream: str = Field(pattern=r"^[0-9a-f]{16}$")
    events: list[EventIn] = Field(min_length=1, max_length=BATCH)


class DeviceIn(BaseModel):
    """How a device is."""

    id: Word
    status: Word
    detail: Word = ""


class HealthIn(BaseModel):
    """How a computer is."""

    version: str = Field(default="", max_length=40)
    waiting: int = Field(ge=0, lt=2**31)
    trouble: Word = ""
    offset_ms: int | None = None
    devices: list[DeviceIn] = Field(max_length=500)


def _hub() -> Hub:
    center = get_hub()
    if center is None:
        raise Retryable("database_busy")
    return center


@routes.post("/enrol")
@needs(Right.PUBLIC)
async def enrol(body: Enrolment) -> dict[str, str]:
    """Exchange a one-time code for the computer's own secret; a wrong code counts against the address."""
    ip = current_actor().ip
    agents.enrol_limit.hit(ip)
    made = await get_database().write(lambda s: agents.enrol(s, body.code, body.version, ip))
    if made is None:
        raise NotAllowed("agent_code_wrong")
    agents.enrol_limit.clear(ip)
    return {
        "agent": made.agent.id,
        "label": made.agent.label,
        "secret": made.secret,
        "spool_key": made.spool_key,
    }


@routes.get("/me/config")
@needs(Right.AGENT_REPORT)
async def config() -> dict[str, Any]:
    """The lanes and devices that this computer runs."""
    return await agent_service.hand_over_config(get_database(), current_actor())


@routes.post("/me/events", max_body_size=MAX_BATCH_BYTES)
@needs(Right.AGENT_REPORT)
async def events(request: Request, body: EventsIn) -> Response:
    """Record events in order; a repeat changes nothing, a gap is answered with the number that is due."""
    sent = [
        agent_service.Sent(e.seq, e.lane_id, e.device_id, e.kind, e.payload, e.at, e.age, e.number, e.boot)
        for e in body.events
    ]
    batch = agent_service.Batch(body.stream, sent)
    try:
        reached = await agent_service.take_events(_hub(), get_database(), current_actor(), batch)
    except (OutOfOrder, Contradiction) as error:
        told = json.loads(bytes(error_response(request, error).body))
        return JSONResponse({**told, **error.params}, error.status)
    return JSONResponse({"acknowledged": reached})


@routes.post("/me/health")
@needs(Right.AGENT_REPORT)
async def health(body: HealthIn) -> dict[str, str]:
    """Say how this computer and its devices are; answered with the time and the configuration that holds."""
    told = agent_service.Health(
        body.version,
        body.waiting,
        body.trouble,
        # A computer without a battery may believe that it is 1970; what it says of its devices holds all the same.
        None if body.offset_ms is None else max(-MOST_OFFSET_MS, min(body.offset_ms, MOST_OFFSET_MS)),
        [(device.id, device.status, device.detail) for device in body.devices],
    )
    return await agent_service.take_health(_hub(), get_database(), current_actor(), told)


@sockets.websocket("/me/link")
@needs(Right.AGENT_REPORT)
async def link(socket: WebSocket) -> None:
    """What the computer shall do and is asked goes down; answers come up, and pictures that somebody looks at."""
    actor, center = current_actor(), get_hub()
    if center is None:
        await socket.close(1013)
        return
    await socket.accept()
    opened = center.agents.open_link(actor.agent_id, near=_is_near(socket, actor.ip))
    up = asyncio.create_task(_listen(socket, center, opened))
    down = asyncio.create_task(_send_orders(socket, center, opened))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
    finally:
        center.agents.close_link(opened)
        up.cancel()
        down.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        if opened.closed:
            # Only now that nobody receives: Granian keeps the connection open when it is closed under a receiver.
            await socket.close(1001)


def _is_near(socket: WebSocket, ip: str) -> bool:
    """Whether the line stays in the place; behind a proxy that the settings do not know, nobody can tell, and it is not."""
    unknown_proxy = not get_settings().trusted_proxy_hops and any(
        name in socket.headers for name in FORWARDED
    )
    return not unknown_proxy and is_near(ip)


async def _listen(socket: WebSocket, center: Hub, opened: Link) -> None:
    """Take answers and show pictures, until the computer goes."""
    agents = center.agents
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        agents.hear(opened.agent_id)
        if text := message.get("text"):
            agents.take_hello(opened, text)
        elif (data := message.get("bytes")) and not agents.take_answer(opened.agent_id, data):
            take_picture(agents, opened.agent_id, data)


async def _send_orders(socket: WebSocket, center: Hub, opened: Link) -> None:
    """Tell all that holds whenever something of it changed, until the link is ended: what was missed does not matter then."""
    while not opened.closed:
        opened.changed.clear()
        await socket.send_json(center.agents.orders(opened))
        for question in center.agents.questions(opened):
            await socket.send_bytes(question)
        await opened.changed.wait()
