"""Bookings per second over HTTP as an OA makes them, signed and with an idempotency key, on SQLite (wanted: 200/s).

The floor is the same rows written by plain statements in one thread, one commit for each booking: what the disk and
SQLite alone allow. Clients are threads of one process with prepared requests, so that they cost little.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.bench.tables import quantile, show

ROOT = Path(__file__).parents[2]
CLIENTS = (1, 4, 16)
REQUESTS = int(os.environ.get("BENCH_BOOKINGS", "2000"))
WANTED = 200
START_SECONDS = 60.0


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The routes under the product's server, without pages."""
    command = [
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--loop",
        "uvloop",
        "--factory",
        "tests.api.gate:create",
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2, trust_env=False).is_success:
                return process
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError((folder / "server.log").read_text("utf-8", errors="replace"))


def requests_of(world: Any, oa: Any, count: int, run: str) -> list[tuple[bytes, dict[str, str]]]:
    """So many signed bookings of different people."""
    from tests.oa import visit

    made = []
    for number in range(count):
        name = "".join("赵钱孙李周吴郑王"[(number >> shift) % 8] for shift in (0, 3, 6))
        body = visit(world, ref=f"{run}-{number}", visitor={"name": name, "phone": f"138{number:08}"})
        data = json.dumps(body, ensure_ascii=False).encode()
        made.append(
            (data, {**oa.headers(data, message_id=f"{run}-{number}"), "Idempotency-Key": f"{run}-{number}"})
        )
    return made


def measure(port: int, work: list[tuple[bytes, dict[str, str]]], clients: int) -> tuple[float, list[float]]:
    """Bookings per second and each one's seconds, by so many clients with a connection each."""
    waiting, lock, taken, wrong = list(reversed(work)), threading.Lock(), [], []

    def client() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            while True:
                with lock:
                    if not waiting:
                        return
                    data, headers = waiting.pop()
                begun = time.perf_counter()
                connection.request("POST", "/api/v1/bookings", data, headers)
                answer = connection.getresponse()
                told = answer.read()
                taken.append(time.perf_counter() - begun)
                if answer.status != 201:
                    wrong.append((answer.status, told))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if wrong:
        raise RuntimeError(f"{len(wrong)} refused, the first one: {wrong[0]}")
    return len(work) / seconds, taken


def floor(database: Path, empty: Path, count: int) -> float:
    """Bookings per second when the very rows are written by plain statements, one commit each."""
    tables = (
        "person",
        "search_token",
        "booking",
        "audit_entry",
        "visitor_pass",
        "outside_booking",
        "integration_request",
    )
    with closing(sqlite3.connect(database)) as source:
        rows = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    target = sqlite3.connect(empty, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF", "secure_delete=ON"):
        target.execute(f"PRAGMA {pragma}")
    each = {name: len(found) / count for name, found in rows.items()}
    begun = time.perf_counter()
    for number in range(count):
        target.execute("BEGIN IMMEDIATE")
        for name, found in rows.items():
            part = found[int(number * each[name]) : int((number + 1) * each[name])]
            if part:
                marks = ",".join("?" * len(part[0]))
                target.executemany(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", part)
        target.execute("COMMIT")
    seconds = time.perf_counter() - begun
    target.close()
    return count / seconds


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name:
        folder = Path(name)
        os.environ["GATEHOUSE_DATA_DIR"] = str(folder / "data")
        os.environ["GATEHOUSE_API_REQUESTS_PER_MINUTE"] = "1000000"
        os.environ.pop("GATEHOUSE_DATABASE_URL", None)
        from app.core.settings import get_settings

        get_settings.cache_clear()
        from app.core.database import Database
        from app.core.migrations import upgrade
        from app.runtime.installation import open_installation
        from tests.e2e.server import free_port
        from tests.factories import make_world
        from tests.oa import Oa, issue

        world = make_world(open_installation(migrate=True))
        oa = Oa(httpx.Client(trust_env=False), issue(world))
        fresh = Database(f"sqlite:///{folder}/floor.db")
        upgrade(fresh.engine)
        fresh.close()
        port = free_port()
        process, rows = start(folder, port), []
        try:
            measure(port, requests_of(world, oa, 100, "warm"), 4)
            for clients in CLIENTS:
                work = requests_of(world, oa, REQUESTS, f"with-{clients}")
                speed, taken = measure(port, work, clients)
                rows.append((f"{clients} clients", f"{speed:.0f}", f"{quantile(taken, 0.5) * 1000:.1f}", f"{quantile(taken, 0.95) * 1000:.1f}"))  # fmt: skip
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
        oa.client.close()
        made = 100 + len(CLIENTS) * REQUESTS
        bare = floor(folder / "data" / "gatehouse.db", folder / "floor.db", made)
        world.database.close()
        rows.append(("bare inserts, one commit each", f"{bare:.0f}", "", ""))
    show(f"Bookings over HTTP on SQLite (wanted: {WANTED}/s)", ("by", "bookings/s", "p50 ms", "p95 ms"), rows)


if __name__ == "__main__":
    main()
