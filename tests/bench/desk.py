"""From a driver's event to the verdict at the desk's socket: 50 lanes with one event a second, 50 open desks.

Each desk is a socket client of its own that behaves like the page: it opens the desk and presses Enter when the
verdict is "may enter". Server and desks share the machine, so the figures hold for the two together.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from typing import Any

import httpx
import psutil
import socketio

from app.commands.frontend import environment
from app.domain.duty import service as duty
from tests.bench.admission import free_port
from tests.bench.community import Community, build, guests
from tests.bench.tables import quantile, show

DESKS = int(os.environ.get("BENCH_DESKS", "50"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))
STATE = "reflex___state____state.state___desk____desk_state"


class Desk:
    """One open desk page."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url, self.cookie = url, cookie
        self.token = str(uuid.uuid4())
        self.socket = socketio.AsyncClient()
        self.seen: dict[str, float] = {}
        self.router: dict[str, Any] = {
            "pathname": "/desk",
            "query": {},
            "token": self.token,
            "asPath": "/desk",
        }

    async def open(self) -> None:
        """Connect and load the page."""
        self.socket.on("event", self._hear, namespace="/_event")
        await self.socket.connect(
            f"{self.url}?token={self.token}",
            headers={"Cookie": f"gatehouse={self.cookie}", "Origin": self.url},
            transports=["websocket"],
            socketio_path="/_event",
            namespaces=["/_event"],
        )
        await self.send(f"{STATE}.enter")

    async def send(self, name: str, payload: dict[str, Any] | None = None) -> None:
        """Send one event as the page does."""
        event = {"name": name, "payload": payload or {}, "router_data": self.router, "token": self.token}
        await self.socket.emit("event", event, namespace="/_event")

    async def _hear(self, update: Any) -> None:
        arrived = time.time()
        body = json.loads(update) if isinstance(update, str) else update
        arrival = (body.get("delta") or {}).get(STATE, {}).get("arrival_rx_state_")
        if arrival and arrival["id"] and arrival["name"] not in self.seen:
            self.seen[arrival["name"]] = arrived
            if arrival["outcome"] == "admit":
                await self.send(f"{STATE}.press", {"name": "admit"})


def prepare() -> tuple[Community, list[str]]:
    """Lanes, guests named by their booking, and a signed-on guard for every lane."""
    from app.core.actor import Actor
    from app.core.permissions import Role
    from app.domain.people import service as people

    community = build(DESKS)
    names = []
    with community.database.transaction() as session:
        for number, lane in enumerate(community.lanes):
            person = people.add_person(session, lane.site_id, people.STAFF, f"Guard {number}")
            made = people.create_account(
                session,
                _system(),
                lane.site_id,
                person,
                f"guard{number}",
                "Bench-1234",
                [Role.GUARD],
                must_change=False,
            )
            actor = Actor("account", made.id, person.id, "bench", lane.site_id, frozenset({Role.GUARD}))
            duty.sign_on(session, actor, lane.id)
            names.append(made.username)
    return community, names


def _system() -> Any:
    from app.core.actor import SYSTEM

    return SYSTEM


async def run(url: str, names: list[str], community: Community) -> tuple[list[Desk], float]:
    """Open the desks, have the feeder begin, and listen until it is done."""
    desks = []
    async with httpx.AsyncClient(timeout=30) as client:
        for name in names:
            answer = await client.post(
                f"{url}/api/session", data={"username": name, "password": "Bench-1234"}
            )
            desks.append(Desk(url, answer.cookies["gatehouse"]))
            client.cookies.clear()
    for desk in desks:
        await desk.open()
    await asyncio.sleep(2)
    (community.folder / "start").touch()
    begun = time.time()
    while not (community.folder / "sent.json").exists() and time.time() - begun < SECONDS * 4:
        await asyncio.sleep(0.2)
    await asyncio.sleep(3)
    for desk in desks:
        await desk.socket.disconnect()
    return desks, time.time() - begun


def main() -> None:
    """Measure and print."""
    community, names = prepare()
    passes = guests(community, DESKS * SECONDS)
    order = [[community.lanes[n % DESKS].id, issued.booking_id] for n, issued in enumerate(passes)]
    (community.folder / "work.json").write_text(json.dumps(order))
    port = free_port()
    env = {
        **environment(),
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_ENV_MODE": "prod",
        "BENCH_SECONDS": str(SECONDS),
    }
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--factory",
        "tests.bench.desk_server:app",
    ]
    community.database.close()
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"], env=env
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/healthz").is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        desks, took = asyncio.run(run(url, names, community))
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        memory = sum(member.memory_info().rss for member in family) / 1e6
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    sent: dict[str, float] = json.loads((community.folder / "sent.json").read_text())
    by_name = {f"Guest {n}": issued.booking_id for n, issued in enumerate(passes)}
    times = [
        (at - sent[by_name[name]]) * 1000
        for desk in desks
        for name, at in desk.seen.items()
        if by_name.get(name) in sent
    ]
    show(
        f"Driver event to verdict at the socket: {DESKS} lanes, {DESKS} desks, {len(sent)} events in {SECONDS} s, "
        "each admitted by its desk",
        ("seen", "p50 ms", "p95 ms", "p99 ms", "worst ms", "server MB"),
        [
            (
                f"{len(times)} of {len(sent)}",
                f"{statistics.median(times):.1f}" if times else "-",
                f"{quantile(times, 0.95):.1f}" if times else "-",
                f"{quantile(times, 0.99):.1f}" if times else "-",
                f"{max(times):.1f}" if times else "-",
                f"{memory:.0f}",
            )
        ],
    )
    del took


if __name__ == "__main__":
    main()
