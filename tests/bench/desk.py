"""From a driver's event to the verdict at the desk's socket: 50 lanes with one event a second, 50 open desks.

Each desk is a socket client of its own that behaves like the page. In the second run it also presses Enter when the
verdict is "may enter", which more than doubles the work. Server and desks share the machine, so the figures hold for the two together.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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

    def __init__(self, url: str, cookie: str, admits: bool) -> None:
        self.url, self.cookie, self.admits = url, cookie, admits
        self.token = str(uuid.uuid4())
        self.socket = socketio.AsyncClient()
        self.seen: list[float] = []
        self._last = ""
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
        if arrival and arrival["id"] and arrival["id"] != self._last:
            self._last = arrival["id"]
            self.seen.append(arrived)
            if self.admits and arrival["outcome"] == "admit":
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


async def run(
    url: str, names: list[str], community: Community, admits: bool, family: list[psutil.Process]
) -> tuple[list[Desk], float]:
    """Open the desks, have the feeder begin, and listen until it is done."""
    desks = []
    async with httpx.AsyncClient(timeout=30) as client:
        for name in names:
            answer = await client.post(
                f"{url}/api/session", data={"username": name, "password": "Bench-1234"}
            )
            desks.append(Desk(url, answer.cookies["gatehouse"], admits))
            client.cookies.clear()
    for desk in desks:
        await desk.open()
    await asyncio.sleep(2)
    used = cpu_seconds(family)
    (community.folder / "start").touch()
    begun = time.time()
    while not (community.folder / "sent.json").exists() and time.time() - begun < SECONDS * 4:
        await asyncio.sleep(0.2)
    await asyncio.sleep(3)
    used = cpu_seconds(family) - used
    for desk in desks:
        await desk.socket.disconnect()
    return desks, used


@contextmanager
def serving(seconds: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The product with the feeder inside, answering; its address and process."""
    port = free_port()
    env = {
        **environment(),
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_ENV_MODE": "prod",
        "BENCH_SECONDS": str(seconds),
    }
    server = [
        "granian",
        "--interface",
        "asgi",
        "--factory",
        "tests.bench.desk_server:app",
        "--host",
        "127.0.0.1",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", *server, "--port", str(port), "--log-level", "warning"], env=env
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/healthz").is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def measure(admits: bool) -> tuple[Any, ...]:
    """One run; a row of the table."""
    community, names = prepare()
    lanes = [lane.id for lane in community.lanes]
    if admits:
        # Guests are known by their booking: the feeder makes the code of the moment.
        items = [issued.booking_id for issued in guests(community, DESKS * SECONDS)]
    else:
        # A code that is not ours: it is refused, and closed by the next one, so every event is a new verdict.
        items = [f"https://example.com/{number}" for number in range(DESKS * SECONDS)]
    work = [[lanes[number % DESKS], item] for number, item in enumerate(items)]
    (community.folder / "work.json").write_text(json.dumps(work))
    community.database.close()
    with serving(SECONDS) as (url, process):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        desks, used = asyncio.run(run(url, names, community, admits, family))
        memory = sum(member.memory_info().rss for member in family) / 1e6
    sent: dict[str, list[float]] = json.loads((community.folder / "sent.json").read_text())
    times = [
        (at - begun) * 1000
        for lane, desk in zip(lanes, desks, strict=True)
        if len(desk.seen)
        == len(sent[lane])  # matched by their order, so a desk that missed one counts for none
        for begun, at in zip(sent[lane], desk.seen, strict=True)
    ]
    return (
        "strangers, refused" if not admits else "guests, each admitted by its desk",
        f"{len(times)} of {len(items)}",
        *(f"{quantile(times, q):.1f}" if times else "-" for q in (0.5, 0.95, 0.99)),
        f"{max(times):.1f}" if times else "-",
        f"{used / len(items) * 1000:.1f}",
        f"{memory:.0f}",
    )


def cpu_seconds(family: list[psutil.Process]) -> float:
    """What the processes have used so far."""
    return float(sum(sum(member.cpu_times()[:2]) for member in family))


def main() -> None:
    """Measure and print."""
    show(
        f"Driver event to verdict at the socket: {DESKS} lanes with one event a second, {DESKS} desks, {SECONDS} s",
        ("what arrives", "seen", "p50 ms", "p95 ms", "p99 ms", "worst ms", "CPU ms each", "server MB"),
        [measure(admits) for admits in (False, True)],
    )


if __name__ == "__main__":
    main()
