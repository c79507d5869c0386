"""The product's app with a feeder inside: one presented code per lane and second, as a driver thread would hand it over."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from app.app import app
from app.core import clock
from app.core.database import get_database
from app.domain.access.models import VisitorPass
from app.domain.access.service import code_now
from app.runtime.hub import Hub, get_hub
from hardware.ports import DeviceEvent, EventKind

SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
FOLDER = Path(os.environ.get("GATEHOUSE_DATA_DIR", "."))


def _feed(hub: Hub, work: list[tuple[str, str]], passes: dict[str, VisitorPass]) -> None:
    sent: dict[str, list[float]] = {lane: [] for lane, _ in work}
    begun = time.monotonic()
    gap = SECONDS / max(1, len(work))
    for index, (lane_id, item) in enumerate(work):
        pause = begun + index * gap - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        now = clock.now()
        text = code_now(passes[item], now) if item in passes else item
        sent[lane_id].append(time.time())
        hub._receive_event(DeviceEvent(lane_id, "bench", EventKind.CODE, {"text": text}, now, index, "bench"))
    (FOLDER / "sent.json").write_text(json.dumps(sent))


async def feed() -> None:
    """Wait for the word to begin, then feed from a thread of its own."""
    start = FOLDER / "start"
    while get_hub() is None or not start.exists():
        await asyncio.sleep(0.05)
    work = json.loads((FOLDER / "work.json").read_text())
    hub = get_hub()

    def load(session: Any) -> dict[str, VisitorPass]:
        from sqlmodel import select

        return {row.booking_id: row for row in session.exec(select(VisitorPass)).all()}

    passes = await get_database().read(load)
    if hub is not None:
        threading.Thread(target=_feed, args=(hub, work, passes), daemon=True).start()


app.register_lifespan_task(feed)
