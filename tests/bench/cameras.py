"""What cameras cost: four at 720p and 15 pictures a second with code reading, and 0, 1 and 8 viewers.

Cameras and viewers run in processes of their own; only the product's process is counted. The latency is from the moment the
picture was taken from the camera to its last byte at the viewer, on the same clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

import httpx
import psutil
from sqlmodel import Session

from app.core.ids import new_id
from app.core.permissions import Role
from app.domain.people import service as people
from app.domain.people import sessions
from app.domain.sites.models import Device
from hardware.drivers.picture_watch import PictureWatch
from tests.bench.admission import free_port
from tests.bench.camera_rig import Camera, scene
from tests.bench.cameras_server import named
from tests.bench.community import Community, build
from tests.bench.tables import quantile, show
from tests.hardware.rtsp import missing_for_rtsp

CAMERAS = 4
FPS = int(os.environ.get("BENCH_FPS", "15"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
SETTLE_SECONDS = 6.0
VIEWERS = (0, 1, 8)
PASSWORD = "Lamp-over-the-gate-7"
START, END = b"\xff\xd8", b"\xff\xd9\r\n"


def prepare(kind: str, cameras: list[Camera]) -> tuple[Community, list[str], str]:
    """A gate with these cameras, and the session of somebody who may look."""
    from app.core.actor import SYSTEM

    community = build(CAMERAS)
    ids = [new_id() for _ in cameras]

    def work(session: Session) -> str:
        for number, (camera, lane) in enumerate(zip(cameras, community.lanes, strict=True)):
            session.add(
                Device(
                    id=ids[number],
                    site_id=lane.site_id,
                    lane_id=lane.id,
                    driver="camera",
                    name=kind,
                    settings={"source": camera.url, "fps": FPS},
                )
            )
        site = community.lanes[0].site_id
        person = people.add_person(session, site, people.STAFF, "Viewer")
        people.create_account(
            session, SYSTEM, site, person, "viewer", PASSWORD, [Role.MANAGER], must_change=False
        )
        signed_in = sessions.sign_in(session, "viewer", PASSWORD, "127.0.0.1")
        assert signed_in is not None
        return str(signed_in.secret)

    with community.database.transaction() as session:
        secret = work(session)
    return community, ids, secret


def look(url: str, secret: str, device: str, until: float, arrived: list[tuple[str, float]]) -> None:
    """One viewer: note when each picture was there, and which."""
    with (
        httpx.Client(cookies={"gatehouse": secret}, trust_env=False, timeout=20) as client,
        client.stream("GET", f"{url}/api/cameras/{device}/stream") as answer,
    ):
        buffer = b""
        for piece in answer.iter_raw():
            buffer += piece
            while (end := buffer.find(END)) >= 0:
                at = time.time()
                arrived.append((named(buffer[buffer.find(START) : end + 2]), at))
                buffer = buffer[end + len(END) :]
            if time.time() > until:
                return


def measure(url: str, secret: str, ids: list[str], viewers: int, process: psutil.Process) -> list[str]:
    """One row of the table."""
    until = time.time() + SETTLE_SECONDS + SECONDS
    arrived: list[list[tuple[str, float]]] = [[] for _ in range(viewers)]
    threads = [
        threading.Thread(target=look, args=(url, secret, ids[number % len(ids)], until, seen), daemon=True)
        for number, seen in enumerate(arrived)
    ]
    for thread in threads:
        thread.start()
    time.sleep(SETTLE_SECONDS)
    before, begun = counters(url), cpu(process)
    started = time.time()
    time.sleep(max(0.0, until - time.time()))
    used, took, after = cpu(process) - begun, time.time() - started, counters(url)
    for thread in threads:
        thread.join(10)
    total = {name: after[name] - before[name] for name in before}
    taken = stamps(url)
    late = [
        lateness
        for number, seen in enumerate(arrived)
        for name, at in seen
        if at > started and (lateness := since(taken[ids[number % len(ids)]].get(name, []), at)) is not None
    ]
    return [
        str(viewers),
        f"{used / took * 100:.0f} %",
        f"{total['frames'] / took / len(ids):.1f}",
        f"{total['encoded'] / max(1, total['frames']):.2f}",
        str(total["dropped"]),
        f"{quantile(late, 0.5):.1f}" if late else "-",
        f"{quantile(late, 0.95):.1f}" if late else "-",
        str(len(late)) if late else "-",
        str(total["codes"]),
    ]


def cpu(process: psutil.Process) -> float:
    """Seconds used so far by the process and its children."""
    return float(sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True))))


def counters(url: str) -> dict[str, int]:
    """The counters of all cameras together."""
    return dict(httpx.get(f"{url}/bench/counters", trust_env=False).json())


def stamps(url: str) -> dict[str, dict[str, list[float]]]:
    """When each picture was taken, by camera and name of the picture; a scene that repeats itself has several."""
    found: dict[str, dict[str, list[float]]] = {}
    for device, rows in httpx.get(f"{url}/bench/stamps", trust_env=False, timeout=30).json().items():
        by_name = found.setdefault(device, {})
        for name, at in rows:
            by_name.setdefault(name, []).append(at)
    return found


def since(taken: list[float], arrived: float) -> float | None:
    """Milliseconds from the last taking of a picture to its arrival."""
    before = [at for at in taken if at <= arrived]
    return (arrived - before[-1]) * 1000 if before else None


def run(kind: str) -> list[list[Any]]:
    """All numbers of viewers with one kind of camera."""
    cameras = [Camera(kind, FPS) for _ in range(CAMERAS)]
    try:
        community, ids, secret = prepare(kind, cameras)
        community.database.close()
        port = free_port()
        server = ["granian", "--interface", "asgi", "--factory", "tests.bench.cameras_server:create"]
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                *server,
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--log-level",
                "warning",
            ],
            env=dict(os.environ),
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url)
            watched = psutil.Process(process.pid)
            return [[kind, *measure(url, secret, ids, viewers, watched)] for viewers in VIEWERS]
        finally:
            process.terminate()
            process.wait(20)
    finally:
        for camera in cameras:
            camera.close()


def wait_for(url: str) -> None:
    """Until all cameras give pictures."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/bench/counters", trust_env=False).json()["online"] == CAMERAS:
                return
        except (httpx.HTTPError, json.JSONDecodeError):
            pass
        time.sleep(0.2)
    raise RuntimeError("the cameras did not come up")


def look_cost() -> float:
    """Milliseconds to look for a frozen or covered picture, the median of a thousand."""
    watch, pictures = PictureWatch(10.0, covers=True), [scene(number) for number in range(4)]
    times = []
    for number in range(1000):
        begun = time.perf_counter()
        watch.see(pictures[number % 4], number / FPS)
        times.append((time.perf_counter() - begun) * 1000)
    return quantile(times, 0.5)


def main() -> None:
    """Measure and print."""
    sys.stdout.write(f"looking for a frozen or covered picture: {look_cost():.3f} ms a frame\n")
    kinds = ["mjpeg"] if missing_for_rtsp() else ["mjpeg", "rtsp"]
    show(
        f"{CAMERAS} cameras of 1280x720 at {FPS} pictures a second, codes read, {SECONDS:.0f} s each",
        (
            "source",
            "viewers",
            "CPU of one core",
            "fps",
            "encodes/frame",
            "dropped",
            "p50 ms",
            "p95 ms",
            "pictures",
            "codes",
        ),
        [row for kind in kinds for row in run(kind)],
    )


if __name__ == "__main__":
    main()
