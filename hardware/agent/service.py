"""The running agent: the same supervisor and drivers as in the server's process, and four tasks around them."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hardware.agent import VERSION, files
from hardware.agent.asked import Asked
from hardware.agent.client import Client, OutOfStep, Pause, Refused, Rejected, Unreachable
from hardware.agent.link import Link
from hardware.agent.regulars import Regulars
from hardware.agent.spool import Spool
from hardware.face_packs import names
from hardware.face_service import FaceService
from hardware.ports import DeviceConfig
from hardware.supervisor import HardwareService

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from hardware.agent.spool import Batch
    from hardware.ports import DeviceEvent, DeviceHealth

logger = logging.getLogger(__name__)

SPOOL_FILE = "spool.db"
MODELS_FOLDER = "models"
BEAT_SECONDS = 4.0
REFUSED_SECONDS = 30.0
LOOK_SECONDS = 2.0


class Agent:
    """Runs until cancelled; nothing that was read is lost by that, or by a crash."""

    def __init__(self, folder: Path, models: Path | None = None, face_pack: str = "") -> None:
        self._folder = folder
        self._models, self._face_pack = models or folder / MODELS_FOLDER, face_pack
        self._enrolment = files.load_enrolment(folder)
        self.spool = Spool(folder / SPOOL_FILE, self._enrolment.key)
        self.hardware = HardwareService(self._keep, self._changed)
        self._client = Client(self._enrolment)
        self.faces = FaceService(self._models)
        self.regulars = Regulars(self.hardware, self.faces, self._keep)
        self._asked = Asked(self.hardware, self.faces, self.regulars)
        self.link = Link(self._enrolment, self.hardware, self._asked, self._config_changed, self._line_is_up)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._beat = asyncio.Event()
        self._config_due = asyncio.Event()
        self._revision = ""
        self.left = 0

    async def run(self) -> None:
        """Start the devices as they were configured last, then look for the server."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.hardware.start)
        kept = await asyncio.to_thread(files.load_config, self._folder, self._enrolment.key)
        if kept is not None:
            try:
                await self._apply(kept)
            except Exception:
                logger.exception("The kept configuration cannot be applied; the server is asked for another")
        self._config_due.set()
        await asyncio.to_thread(self.faces.start, self._face_pack or only_pack(self._models))
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._deliver, self._fetch, self._report):
                    tasks.create_task(self._for_ever(work))
                tasks.create_task(self.link.run())
        finally:
            await self._asked.stop()
            await self.regulars.forget()
            await asyncio.to_thread(self.faces.stop)
            await asyncio.to_thread(self.hardware.stop)
            await self._client.close()
            self.left = self.spool.waiting
            await asyncio.to_thread(self.spool.close)

    async def _for_ever(self, work: Callable[[Pause], Coroutine[Any, Any, None]]) -> None:
        """Repeat a step; a fault in one makes it wait, never end."""
        pause = Pause()
        while True:
            try:
                await work(pause)
                pause.reset()
            except Unreachable as error:
                logger.debug("The server is away: %s", error)
                await asyncio.sleep(pause.seconds())
            except Refused as error:
                logger.error("The server does not know this computer (%s); what is read is kept", error)
                await asyncio.sleep(REFUSED_SECONDS)
            except Exception:
                logger.exception("A step of the agent failed; trying again")
                await asyncio.sleep(pause.seconds())

    async def _deliver(self, _: Pause) -> None:
        """Hand over the oldest events, and forget them once the server has them."""
        batch = await asyncio.to_thread(self.spool.batch)
        if batch is None:
            await self._wait(self._news, LOOK_SECONDS)
            return
        await self._hand_over(batch)

    async def _hand_over(self, batch: Batch) -> None:
        try:
            reached = await self._client.events(batch)
        except OutOfStep as error:
            if error.expected > batch.first:  # an answer of the server was lost: it has these
                await asyncio.to_thread(self.spool.acknowledge, batch.stream, error.expected - 1)
            else:
                logger.warning("The server counts otherwise (restored from a backup?); numbering anew")
                await asyncio.to_thread(self.spool.restart_stream)
        except Rejected as error:
            await self._find_rejected(batch, error)
        else:
            await asyncio.to_thread(self.spool.acknowledge, batch.stream, reached)
            if self.spool.waiting == 0:
                self._beat.set()

    async def _find_rejected(self, batch: Batch, error: Rejected) -> None:
        """One that the server takes for wrong must not hold up the others: it is found and set aside."""
        if len(batch.events) > 1:
            single = await asyncio.to_thread(self.spool.batch, 1)
            if single is not None:
                await self._hand_over(single)
            return
        logger.error("The server does not take an event (%s); it is set aside on the disk", error)
        await asyncio.to_thread(self.spool.restart_stream, [batch.first])

    async def _fetch(self, _: Pause) -> None:
        """Fetch the configuration whenever it is due, keep it, and run it."""
        await self._config_due.wait()
        self._config_due.clear()
        try:
            config = await self._client.config()
        except BaseException:
            self._config_due.set()
            raise
        if config.get("revision") != self._revision:
            try:
                await asyncio.to_thread(files.save_config, self._folder, self._enrolment.key, config)
            except OSError:
                logger.exception("The configuration cannot be kept; it is used all the same")
            await self._apply(config)

    async def _report(self, _: Pause) -> None:
        """Say how everything is, at once after a change and every few seconds."""
        await self._wait(self._beat, BEAT_SECONDS)
        health = self._health()
        await asyncio.to_thread(self._leave_word, health)
        revision = await self._client.health(health)
        if revision != self._revision:
            self._config_due.set()

    async def _apply(self, config: dict[str, Any]) -> None:
        devices = [
            DeviceConfig(
                id=str(item["id"]),
                lane_id=str(item["lane_id"]),
                driver=str(item["driver"]),
                name=str(item["name"]),
                settings=dict(item["settings"]),
                enabled=bool(item["enabled"]),
            )
            for item in config["devices"]
        ]
        await asyncio.to_thread(self.hardware.apply, devices)
        await self.regulars.follow()
        self._revision = str(config.get("revision", ""))
        self._beat.set()

    def _health(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "waiting": self.spool.waiting,
            "trouble": self.spool.trouble or ("set_aside" if self.spool.set_aside else ""),
            "devices": [
                {"id": health.device_id, "status": str(health.status), "detail": health.detail}
                for health in self.hardware.health().values()
            ],
        }

    def _leave_word(self, health: dict[str, Any]) -> None:
        word = {
            **health,
            "at": datetime.now(UTC).isoformat(),
            "server": self._client.outcome,
            "link": self.link.connected,
            "pictures": self.link.sent,
            "encoded": self._encoded(),
            "faces": str(self.faces.state.code),
            "regulars": len(self.regulars),
            "offset_ms": self._client.offset_ms,
        }
        try:
            files.save_status(self._folder, word)
        except OSError:
            logger.debug("The status cannot be written", exc_info=True)

    def _encoded(self) -> int:
        return sum(health.counters.get("encoded", 0) for health in self.hardware.health().values())

    def _keep(self, event: DeviceEvent) -> None:
        self.spool.put(event)
        self._set(self._news)

    def _changed(self, _: DeviceHealth) -> None:
        self._set(self._beat)

    def _set(self, event: asyncio.Event) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)

    def _config_changed(self) -> None:
        self._config_due.set()

    def _line_is_up(self) -> None:
        self._config_due.set()
        self._news.set()
        self._beat.set()

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()


def only_pack(models: Path) -> str:
    """The pack that lies alone in the folder; empty where there is none, or more than one to choose from."""
    found = names(models)
    return found[0] if len(found) == 1 else ""
