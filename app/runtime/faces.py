"""Faces in this process: the models, the comparison at the lane and the recognition of regulars, with one owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.core.database import Database
from app.core.errors import Conflict
from app.core.settings import get_settings
from app.domain.identity.models import FacesChanged
from app.domain.identity.templates import Face
from app.runtime.agent_asks import FAR, OUTDATED, SILENT
from app.runtime.agents import Agents
from app.runtime.face_desk import FaceDesk, Insist
from app.runtime.face_gate import FaceGate
from app.runtime.face_lanes import LaneFaces
from app.runtime.live import Live
from app.runtime.places import Places
from hardware.face_ports import FaceFault, FaceState, ServiceCode, vector_bytes
from hardware.face_service import FaceService
from hardware.ports import DeviceEvent
from hardware.supervisor import HardwareService

logger = logging.getLogger(__name__)

TOPIC = "faces"
# A page waits no longer than this for an engine that hangs.
ANSWER_SECONDS = 8.0
# What another picture would mend; the rest is the engine's trouble and nobody's fault.
OF_THE_PERSON = frozenset(
    {
        FaceFault.NO_FACE,
        FaceFault.SEVERAL,
        FaceFault.SMALL,
        FaceFault.BLURRED,
        FaceFault.TURNED,
        FaceFault.DARK,
        FaceFault.BRIGHT,
        FaceFault.CUT,
        FaceFault.COVERED,
    }
)


def _why_not(code: str) -> Conflict:
    """Why a camera cannot take a face."""
    if code == FAR:
        return Conflict("faces_far")
    if code == OUTDATED:
        return Conflict("computer_old")
    if code == SILENT:
        return Conflict("computer_away")
    return Conflict("camera_off")


class Faces:
    """Starts after the devices and stops before them; without a pack of models everything else goes on."""

    def __init__(
        self,
        database: Database,
        live: Live,
        service: FaceService,
        hardware: HardwareService,
        agents: Agents,
        places: Places,
        receive: Callable[[DeviceEvent], None],
        insist: Insist,
    ) -> None:
        self._live, self._places, self._database = live, places, database
        self._service = service
        self.desk = FaceDesk(database, live, places, insist)
        self.gate = FaceGate(database, hardware, service, receive)
        self.lanes = LaneFaces(database, agents)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading: asyncio.Task[None] | None = None
        self._refreshing: set[asyncio.Task[None]] = set()
        self._gone = self._due = False

    async def start(self) -> None:
        """Begin to load the models; nothing waits for them."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._service.start, get_settings().face_pack)
        self._loading = asyncio.create_task(self._load())

    async def stop(self) -> None:
        """Forget every picture and vector, end the threads."""
        self._loop = None
        for task in [*self._refreshing, *([self._loading] if self._loading else [])]:
            task.cancel()
        self.lanes.stop()
        await self.desk.clear()
        await self.gate.stop()
        await asyncio.to_thread(self._service.stop)

    async def _load(self) -> None:
        await asyncio.to_thread(self._service.wait_started)
        self._live.post(TOPIC)
        await self.refresh()

    @property
    def state(self) -> FaceState:
        """How the models are."""
        return self._service.state

    def changed(self, change: FacesChanged) -> None:
        """Something of faces was committed: what is gone is out at once, the rest follows on the loop."""
        self.gate.forget(change)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._refresh_soon, bool(change.gone))

    async def refresh(self) -> None:
        """Bring the recognition in line with what is in the database; a fault there stops nothing else."""
        try:
            await self.gate.refresh()
        except Exception:
            logger.exception("The recognition of faces could not be brought up to date")
        await self.refresh_lanes()

    async def refresh_lanes(self, only: str = "") -> None:
        """The same for the lane computers alone, or for one of them."""
        try:
            await self.lanes.refresh(only)
        except Exception:
            logger.exception("The recognition of faces at lane computers could not be brought up to date")

    async def capture(self, camera_id: str) -> Face | FaceFault:
        """The face before a camera, for somebody who agreed; raises ``Conflict`` where the camera is off."""
        place = self._places.of(camera_id)
        taken = await place.capture(camera_id) if place is not None else ""
        if isinstance(taken, FaceFault):
            return taken
        if isinstance(taken, str):
            raise _why_not(taken)
        return Face(taken.pack.id, taken.pack.dimension, vector_bytes(taken))

    async def look_at_still(self, picture: bytes) -> str:
        """What is wrong with the face in a picture, ``one_face`` where nothing is; empty where nobody here can tell."""
        if self._service.state.code is not ServiceCode.READY:
            return ""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                seen = await asyncio.to_thread(self._service.portrait, picture)
        except TimeoutError:
            return ""
        if not isinstance(seen, FaceFault):
            return "one_face"
        return seen.value if seen in OF_THE_PERSON else ""

    def _refresh_soon(self, gone: bool) -> None:
        self._gone, self._due = self._gone or gone, True
        if self._refreshing:
            return  # the one that runs sees to it: a night may delete hundreds

        async def work() -> None:
            while self._due:
                gone_now, self._gone, self._due = self._gone, False, False
                if gone_now:
                    await asyncio.to_thread(self._database.fold_log)
                await self.refresh()

        task = asyncio.get_running_loop().create_task(work())
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)
