"""The start and the stop of a process: everything that runs begins here, with one owner each, never at import."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.outbox import OutboxFilled
from app.core.settings import get_settings
from app.domain.admission import cases
from app.runtime import demo, hub
from app.runtime.installation import open_installation
from app.runtime.live import live
from app.runtime.only_one import only_one
from app.runtime.sweeps import Sweeper

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.25


@asynccontextmanager
async def run() -> AsyncIterator[None]:
    """Open the installation, start devices and sweeps, and stop them in reverse order."""
    with only_one(get_settings().data_dir):
        async with _run():
            yield


@asynccontextmanager
async def _run() -> AsyncIterator[None]:
    database = await asyncio.to_thread(open_installation)
    await database.write(cases.miss_pictures)
    if get_settings().demo:
        await database.write(demo.refresh)
    center = hub.Hub(database, live)
    hub.use(center)
    sweeper = Sweeper(database)
    wake = asyncio.Event()
    loop = asyncio.get_running_loop()

    def woken(announcement: object) -> None:
        if isinstance(announcement, OutboxFilled):
            loop.call_soon_threadsafe(wake.set)

    async def dispatcher() -> None:
        while True:
            await wake.wait()
            # Messages come in bursts and can wait; arrivals share the one writer and cannot.
            await asyncio.sleep(GATHER_SECONDS)
            wake.clear()
            try:
                if await sweeper.dispatch():
                    wake.set()
            except Exception:
                logger.exception("The outbox could not be worked on; the next sweep tries again")

    database.listen(woken)
    await center.start()
    await sweeper.start()
    task = asyncio.create_task(dispatcher())
    try:
        yield
    finally:
        task.cancel()
        await sweeper.stop()
        await center.stop()
        hub.use(None)
        live.bind(None)
        await asyncio.to_thread(database.close)
