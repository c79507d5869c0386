"""A gate in this process under the real server, and a lane whose devices a real agent runs in a process of its own.

async with lane(sqlite, folder) as rig:
    rig.agent.start(), await rig.heard()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from sqlmodel import Session, select

from app.api import main
from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.ids import new_id
from app.domain.admission import repository
from app.domain.admission.case_models import CaseFile
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind
from app.domain.sites import agents
from app.domain.sites.models import Device, LaneAgent
from app.runtime import hub as hub_module
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.agent.wire import Verb
from hardware.simulators.badge_printer import BadgePrinterEmulator
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from state import desk_faces
from tests.api.agent_rig import AgentProcess, Line
from tests.e2e.server import free_port
from tests.factories import World, make_world
from tests.hardware.face_pictures import Person, scene
from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pictures import jpeg

SECONDS = 40
NOISE = 6.0


class LaneRig:
    """Camera and printer hang on the lane's computer, the document reader on the server: a lane may mix them."""

    def __init__(self, world: World, hub: Hub, folder: Path, port: int) -> None:
        self.world, self.hub = world, hub
        self.line = Line(port)
        self.url = f"http://127.0.0.1:{port}"
        self.agent = AgentProcess(folder / "agent", self.line.url)
        self.row: LaneAgent
        self.row, self.code = world.do(agents.create, SYSTEM, "东门工控机", [world.both.id])
        self.picture, self.printer = MjpegServer(), BadgePrinterEmulator()
        self.printer.start()
        self.show(Person(1))
        self.camera = self._add("camera", {"source": self.picture.url, "read_codes": False})
        self.paper = self._add("printer", {"address": self.printer.address, "paper": 58})
        self.reader_id = self._add("id_card", {"emulated": True}, here=True)

    @property
    def lane(self) -> str:
        return self.world.both.id

    @property
    def reader(self) -> IdCardReaderEmulator:
        found = self.hub.hardware.emulator(self.reader_id)
        assert isinstance(found, IdCardReaderEmulator)
        return found

    def show(self, *people: Person) -> None:
        """Who stands before the camera of the lane's computer."""
        pictures = [jpeg(scene(*people, width=1280, height=720, noise=n)) for n in (1, 2)]
        self.picture.part = lambda number: pictures[number % 2]

    async def seen(self, person: Person) -> None:
        """Wait until the camera there shows somebody, as the place of the camera tells."""
        place, wanted = self.hub.places.of(self.camera), scene(person, width=1280, height=720)
        assert place is not None
        async with asyncio.timeout(SECONDS):
            while True:
                picture = (await place.picture(self.camera)).picture
                if picture is not None:
                    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
                    if shown is not None and float(cv2.absdiff(shown, wanted).mean()) < NOISE:
                        return

    def device(self, device_id: str) -> tuple[str, str]:
        found = self.world.get(Device, device_id)
        return found.status, found.status_detail

    def case(self) -> CaseFile | None:
        return self.world.ask(lambda session: session.exec(select(CaseFile)).first())

    def newest(self) -> Attempt | None:
        query = select(Attempt).where(Attempt.lane_id == self.lane).order_by(Attempt.id.desc())  # type: ignore[attr-defined]
        return self.world.ask(lambda session: session.exec(query).first())

    def results(self, kind: Kind = Kind.FACE) -> list[str]:
        newest = self.newest()
        if newest is None:
            return []
        return [row.result for row in self.world.ask(repository.evidence_of, newest.id) if row.kind == kind]

    def panel(self, locale: str = "zh-CN") -> desk_faces.FacePanel:
        newest = self.newest()
        return desk_faces.panel(self.hub, self.lane, newest.id if newest else "", locale)

    async def start(self, *options: str) -> None:
        """Start the agent and wait until its devices are shown as online, and it can be asked."""
        self.agent.start(options=options)
        await self.heard()

    async def heard(self) -> None:
        await self.until(lambda: self.device(self.camera) == ("online", ""))
        await self.until(lambda: self.device(self.paper) == ("online", ""))
        await self.until(lambda: self.linked)

    @property
    def linked(self) -> bool:
        link = self.hub.agents._links.get(self.row.id)
        return link is not None and link.line.hello is not None and Verb.PRINT in link.line.hello.can

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what comes from elsewhere; say what there is when it does not come."""
        try:
            async with asyncio.timeout(SECONDS):
                while not await asyncio.to_thread(condition):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{self.results()}, {self.panel()}, {self.agent.log_text()[-3000:]}")

    def _add(self, driver: str, settings: dict[str, Any], *, here: bool = False) -> str:
        both = self.world.both
        device = Device(
            id=new_id(), site_id=both.site_id, lane_id=both.id, driver=driver, name=driver, settings=settings
        )
        device.agent_id = None if here else self.row.id
        self.world.do(lambda session: session.add(device))
        return device.id

    def close(self) -> None:
        self.line.close()
        self.picture.close()
        self.printer.stop()


@asynccontextmanager
async def lane(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LaneRig]:
    """The gate, its server and the enrolled agent, which is not started yet."""
    world, port = make_world(database), free_port()
    hub = Hub(database, Live())
    monkeypatch.setattr(hub_module, "_hub", hub)
    server = Server(main.create(), port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=True)
    serving = asyncio.create_task(server.serve())
    rig = LaneRig(world, hub, folder, port)
    await hub.start()
    try:
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(f"{rig.url}/healthz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
        enrolled = await asyncio.to_thread(rig.agent.enrol, rig.code)
        assert enrolled.returncode == 0, enrolled.stderr
        yield rig
    finally:
        await asyncio.to_thread(rig.agent.stop)
        await hub.stop()
        rig.close()
        server.stop()
        await asyncio.wait_for(serving, SECONDS)


def audited(session: Session, action: str) -> list[tuple[str, str]]:
    """Result and code of each entry of the audit log about an action."""
    from app.core.audit import AuditEntry

    query = select(AuditEntry).where(AuditEntry.action == action)
    return [(entry.result, str(entry.details.get("code", ""))) for entry in session.exec(query).all()]
