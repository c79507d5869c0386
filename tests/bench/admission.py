"""Deciding, admitting and committing: in one process beside bare inserts, and over the HTTP check-in route.

Peer, measured by others on two such cores: pretix's redeem call does 17/s with one client (57 ms) and 40/s
with four, with 26 statements and 48 ms of CPU each, and on SQLite answers 4-10 % of concurrent calls with an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

import httpx
from sqlalchemy import insert

from app.core import audit, clock, crypto
from app.core.actor import SYSTEM
from app.core.ids import new_id, new_secret
from app.core.outbox import OutboxMessage
from app.domain.access.service import code_now
from app.domain.admission import presenting
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, EvidenceRow, Visit
from app.domain.people.models import ApiKey
from tests.bench.community import Community, build, guests
from tests.bench.tables import quantile, show, spread
from tests.tracing import statements_of

ROUNDS, BATCH = 5, 100


def in_process(community: Community) -> list[float]:
    """Admissions per second of one process, each presented, admitted and committed on its own."""
    rates = []
    for _ in range(ROUNDS):
        passes = guests(community, BATCH)
        begun = time.perf_counter()
        for issued in passes:
            now = clock.now()
            item = Presented("code", code_now(issued, now), new_id(), now)
            with community.database.transaction() as session:
                presenting.check_in(session, community.guard, community.lanes[0].id, item)
        rates.append(BATCH / (time.perf_counter() - begun))
    return rates


def floor(community: Community) -> list[float]:
    """The bare inserts of an admission through SQLAlchemy, committed one by one: nothing is read or decided."""
    rates = []
    lane, now = community.lanes[0], clock.now()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(BATCH):
            attempt_id = new_id()
            with community.database.transaction() as session:
                bare = session.connection()
                bare.execute(insert(Attempt), _attempt(attempt_id, lane.site_id, lane.id, now))
                bare.execute(insert(EvidenceRow), _evidence(attempt_id, now))
                bare.execute(insert(Visit), _visit(attempt_id, lane.site_id, lane.id, now))
                bare.execute(insert(OutboxMessage), _message(lane.site_id, now))
                audit.record(session, SYSTEM, "bench", "visit", attempt_id)
        rates.append(BATCH / (time.perf_counter() - begun))
    return rates


def _attempt(attempt_id: str, site: str, lane: str, now: object) -> dict[str, object]:
    return {
        "id": attempt_id,
        "site_id": site,
        "lane_id": lane,
        "status": "admitted",
        "outcome": "admit",
        "reasons": [],
        "missing": [],
        "occurred_at": now,
        "recorded_at": now,
    }


def _evidence(attempt_id: str, now: object) -> dict[str, object]:
    base = {"id": new_id(), "attempt_id": attempt_id, "nonce": new_id(), "kind": "code", "result": "ok"}
    return {**base, "occurred_at": now, "recorded_at": now}


def _visit(attempt_id: str, site: str, lane: str, now: object) -> dict[str, object]:
    base = {
        "id": new_id(),
        "site_id": site,
        "attempt_id": attempt_id,
        "visitor_type": "guest",
        "purpose": "family",
    }
    more = {"head_count": 1, "risk_class": "medium", "lane_in": lane, "admitted_by": "bench"}
    return {**base, **more, "entered_at": now, "due_at": now}


def _message(site: str, now: object) -> dict[str, object]:
    base = {
        "id": new_id(),
        "channel": "inbox",
        "topic": "bench",
        "site_id": site,
        "payload": {},
        "state": "sent",
    }
    return {**base, "created_at": now, "due_at": now}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(community: Community) -> tuple[subprocess.Popen[bytes], str]:
    """The product's own server on the community's data."""
    port = free_port()
    env = {**os.environ, "GATEHOUSE_PORT": str(port), "GATEHOUSE_HOST": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], env=env, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return process, url
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def lane_key(community: Community) -> str:
    """A key for the first lane."""
    secret, lane = new_secret(), community.lanes[0]
    with community.database.transaction() as session:
        session.add(
            ApiKey(
                id=crypto.hash_secret(secret),
                site_id=lane.site_id,
                lane_id=lane.id,
                label="bench",
                created_at=clock.now(),
            )
        )
    return secret


class Wire:
    """A kept connection that costs next to nothing: a full HTTP client uses more of the shared cores than the server."""

    def __init__(self, url: str, path: str, key: str) -> None:
        self._host, self._port = url.removeprefix("http://").split(":")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))

    async def post(self, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        """Send one request, return status and JSON of the answer."""
        payload = json.dumps(body)
        self._writer.write(f"{self._head}{len(payload)}\r\n\r\n{payload}".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        return int(head.split(" ", 2)[1]), json.loads(await self._reader.readexactly(length))

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


async def over_http(
    url: str, community: Community, key: str, clients: int, each: int
) -> tuple[float, list[float], int]:
    """Rate, times in ms and errors of ``clients`` that admit ``each`` guests one after the other."""
    passes = guests(community, clients * each)
    path = f"/api/v1/lanes/{community.lanes[0].id}/present"
    times: list[float] = []
    errors = 0

    async def run(mine: list[object]) -> None:
        nonlocal errors
        wire = Wire(url, path, key)
        await wire.open()
        for issued in mine:
            text = code_now(issued, clock.now())  # type: ignore[arg-type]
            begun = time.perf_counter()
            status, answer = await wire.post({"kind": "code", "text": text, "nonce": new_id(), "admit": True})
            times.append((time.perf_counter() - begun) * 1000)
            errors += not (status == 200 and answer["admitted"])
        wire.close()

    begun = time.perf_counter()
    await asyncio.gather(*(run(passes[n::clients]) for n in range(clients)))  # type: ignore[arg-type]
    return len(passes) / (time.perf_counter() - begun), times, errors


def main() -> None:
    """Measure and print."""
    community = build()
    in_process(community)  # warm
    with statements_of(community.database.engine) as seen:
        in_process(community)
        asked = len(seen)
        # Booking the guests was counted too; it is taken off by booking as many again.
        for _ in range(ROUNDS):
            guests(community, BATCH)
    number = ROUNDS * BATCH
    statements = (2 * asked - len(seen)) / number
    cpu = time.process_time()
    rates = in_process(community)
    used, cpu = time.process_time() - cpu, time.process_time()
    for _ in range(ROUNDS):
        guests(community, BATCH)
    cpu_ms = (used - (time.process_time() - cpu)) / number * 1000
    bare = floor(community)
    ratio = statistics.median(rates) / statistics.median(bare)
    show(
        f"Admissions per second, one process, SQLite, {ROUNDS} x {BATCH}: median (lowest-highest)",
        ("what", "per second", "of the floor", "statements", "CPU ms"),
        [
            ("floor: bare inserts, audit, commit", spread(bare), "1.00", "7", "-"),
            (
                "present + decide + admit + commit",
                spread(rates),
                f"{ratio:.2f}",
                f"{statements:.1f}",
                f"{cpu_ms:.2f}",
            ),
        ],
    )
    key = lane_key(community)
    process, url = serve(community)
    rows = []
    try:
        asyncio.run(over_http(url, community, key, 1, 50))  # warm
        for clients in (1, 4, 16):
            runs = [asyncio.run(over_http(url, community, key, clients, 400 // clients)) for _ in range(3)]
            times = [value for run in runs for value in run[1]]
            errors = sum(run[2] for run in runs)
            rows.append(
                (
                    clients,
                    spread([run[0] for run in runs]),
                    f"{statistics.median(times):.1f}",
                    f"{quantile(times, 0.95):.1f}",
                    f"{quantile(times, 0.99):.1f}",
                    errors,
                )
            )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    show(
        "Over HTTP, POST /api/v1/lanes/{lane}/present with admit (client and server share the cores)",
        ("clients", "per second", "p50 ms", "p95 ms", "p99 ms", "errors"),
        rows,
    )


if __name__ == "__main__":
    main()
