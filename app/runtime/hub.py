"""Device events in, verdicts out: each lane's events are recorded in order, and nothing read is lost.

Driver threads hand over events; one task per lane records them through ``presenting.present``. While the
database is busy the event waits and is tried again, its nonce makes that harmless.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from itertools import chain, repeat
from typing import TypeVar

from sqlmodel import Session

from app.core import clock
from app.core.database import Database, announce
from app.core.errors import GateError, Retryable
from app.core.outbox import OutboxMarked
from app.core.settings import get_settings
from app.domain.access import card_numbers
from app.domain.admission import judging, presenting
from app.domain.admission.arrival import OPEN, Arrival
from app.domain.admission.case_models import CaseChanged, CaseOpened
from app.domain.admission.evidence import ZONE, Presented
from app.domain.admission.models import LaneChanged, VisitAdmitted
from app.domain.admission.self_models import SelfRegistrationChanged
from app.domain.booking.models import BookingChanged, PhotoAdded, PhotoGone
from app.domain.identity import read_document, shown_document
from app.domain.identity.models import FacesChanged
from app.domain.identity.mrz_lines import MrzError
from app.domain.integration.models import IntegrationChanged
from app.domain.people.models import InboxChanged, SessionEnded
from app.domain.sites import faults
from app.domain.sites import repository as sites
from app.domain.sites.models import AgentChanged, Device, FaultChanged, PolicyChanged
from app.domain.sites.webhook_models import WebhooksChanged
from app.runtime import case_pictures, integration_keys, sessions
from app.runtime.agents import Agents
from app.runtime.booking_photos import BookingPhotos
from app.runtime.faces import Faces
from app.runtime.laid_documents import LaidDocuments
from app.runtime.live import Live
from app.runtime.places import Places
from app.runtime.printing import Printing
from app.runtime.remote_feed import RemoteFeed
from app.runtime.tapped_cards import TappedCards
from hardware.camera_feed import CameraFeed
from hardware.face_service import FaceService
from hardware.ports import DeviceConfig, DeviceEvent, DeviceHealth, EventKind
from hardware.supervisor import HardwareService

logger = logging.getLogger(__name__)

Feed = CameraFeed | RemoteFeed
T = TypeVar("T")
Write = Callable[[Callable[[Session], Arrival]], Awaitable[Arrival]]

BACK_OFF = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
STOP_SECONDS = 10.0


class DeviceChanged:
    """Announced when a device's state changed."""

    def __init__(self, site_id: str, lane_id: str) -> None:
        self.site_id = site_id
        self.lane_id = lane_id


class Hub:
    """Owns the hardware service of this process and stands between it and the database."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[str, asyncio.Queue[DeviceEvent]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._applying = asyncio.Lock()
        self._states: dict[str, DeviceHealth] = {}
        self.hardware = HardwareService(self._receive_event, self._receive_health)
        self.agents = Agents(database, self._record_health, self._greeted)
        self.cues: dict[str, tuple[int, str]] = {}
        self.laid = LaidDocuments()
        models = FaceService(get_settings().data_dir / "models")
        self.places = Places(self.hardware, models, self.agents)
        self.faces = Faces(
            database, live, models, self.hardware, self.agents, self.places, self._receive_event, self._insist
        )
        self.photos = BookingPhotos(database, live, self.faces.desk, self._spawn)
        self.printing = Printing(database, self.places, lambda lane_id: live.post(f"lane:{lane_id}"))
        self.tapped = TappedCards()

    async def start(self) -> None:
        """Begin to listen; the devices of the database are started."""
        self._loop = asyncio.get_running_loop()
        self._live.bind(self._loop)
        self._database.listen(self._announced)
        await asyncio.to_thread(self.hardware.start)
        self.agents.start()
        await self.apply_devices()
        await self.faces.start()

    async def stop(self) -> None:
        """Stop the devices, then record what they had handed over."""
        self._stopping = True
        await self.faces.stop()
        await self.printing.stop()
        await self.agents.stop()
        await asyncio.to_thread(self.hardware.stop)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                for queue in self._lanes.values():
                    await queue.join()
        except TimeoutError:
            waiting = sum(queue.qsize() for queue in self._lanes.values())
            logger.error("Stopped with %d events unrecorded: the database stayed away", waiting + 1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.laid.clear()
        self.tapped.clear()

    async def apply_devices(self) -> None:
        """Bring the running devices in line with the database."""

        def load(session: Session) -> list[tuple[str, DeviceConfig]]:
            return [
                (d.agent_id or "", DeviceConfig(d.id, d.lane_id, d.driver, d.name, d.settings, d.enabled))
                for d in sites.devices(session)
            ]

        async with (
            self._applying
        ):  # of several changes in a row the last one read must be the last one applied
            placed = await self._database.read(load)
            self.places.apply(placed)
            # What a lane's computer runs is not started here as well.
            here = [config for agent_id, config in placed if not agent_id]
            await asyncio.to_thread(self.hardware.apply, here)
            await self.agents.apply({c.id: (agent_id, c) for agent_id, c in placed if agent_id})

    def camera(self, device_id: str) -> Feed | None:
        """The picture slot of a camera, wherever it runs."""
        return self.hardware.camera(device_id) or self.agents.camera(device_id)

    async def take(self, event: DeviceEvent, *, late: bool) -> None:
        """Record what a lane's computer sent; ``Retryable`` leaves with it, for the computer keeps it and sends it again."""
        await self._record(event, self._database.write, late=late)

    def receive(self, event: DeviceEvent) -> None:
        """Take an event on the loop; order is kept within a lane."""
        queue = self._lanes.get(event.lane_id)
        if queue is None:
            queue = self._lanes[event.lane_id] = asyncio.Queue()
            self._spawn(self._serve_lane(queue))
        queue.put_nowait(event)

    def _receive_event(self, event: DeviceEvent) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.receive, event)

    def _receive_health(self, health: DeviceHealth) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._spawn(self._record_health(health)))

    def _greeted(self, agent_id: str) -> None:
        """A lane's computer can be asked from now on, or its models are ready."""
        if not self._stopping:
            self._spawn(self.faces.refresh_lanes(agent_id))

    async def _serve_lane(self, queue: asyncio.Queue[DeviceEvent]) -> None:
        while True:
            event = await queue.get()
            try:
                await self._record(event, lambda work: self._insist(work, event.device_id))  # noqa: B023
            except Exception:
                logger.exception("An event of device %s could not be recorded", event.device_id)
            finally:
                queue.task_done()

    async def _record(self, event: DeviceEvent, write: Write, *, late: bool = False) -> None:
        item = presented(event)
        if item is None:
            return
        if item.kind == "card" and not late:
            self.tapped.keep(event.lane_id, item.text)
        put_down = presenting.present_late if late else presenting.present
        try:
            arrival = await write(lambda session: put_down(session, event.lane_id, item))
        except Retryable:
            raise
        except GateError as error:
            logger.warning("An event of device %s was not recorded: %s", event.device_id, error.code)
            return
        if item.document is not None and not late:
            photo = case_pictures.photo_of(event.payload)
            if photo is not None and not self._stopping:
                self._spawn(case_pictures.keep_document(self._database, arrival.id, photo))
            self.laid.drop(event.lane_id)
            if arrival.booking_id is None and not self._stopping:
                self.laid.keep(event.lane_id, item)
            self._keep_photo(event, arrival)

    def _keep_photo(self, event: DeviceEvent, arrival: Arrival) -> None:
        """Have the photo of a document compared with who stands there; at the way out nobody is asked who it is."""
        picture = case_pictures.photo_of(event.payload)
        if picture is None and self.photos.holds(event.lane_id, arrival.id):
            return  # the card gave none, and the visitor's own picture serves as before
        if self._stopping or picture is None or arrival.leaving or arrival.status != OPEN:
            self.faces.desk.drop(event.lane_id)
            return
        kind = event.payload.get("photo_type", "")
        known = arrival.booking_id is not None
        self.faces.desk.keep(event.lane_id, arrival.id, picture, kind, compare=known)

    async def _insist(self, work: Callable[[Session], T], device_id: str) -> T:
        """Write, however long the database is away; what was read waits in its lane's queue meanwhile."""
        pauses = chain(BACK_OFF, repeat(BACK_OFF[-1]))
        while True:
            try:
                return await self._database.write(work)
            except Retryable:
                logger.warning("An event of device %s waits for the database", device_id)
                await asyncio.sleep(next(pauses))

    async def _record_health(self, health: DeviceHealth) -> None:
        def save(session: Session) -> None:
            device = session.get(Device, health.device_id)
            if device is None or (device.status, device.status_detail) == (health.status, health.detail):
                return
            if self._states.get(health.device_id) is not health:
                return  # this one had to wait for the database, and a newer state is on its way
            device.status, device.status_detail = health.status, health.detail
            device.status_at = clock.now()
            session.add(device)
            faults.note(session, device, device.status_at)
            announce(session, DeviceChanged(device.site_id, device.lane_id))

        self._states[health.device_id] = health
        await self._insist(save, health.device_id)

    def _announced(self, announcement: object) -> None:
        """Turn what was committed into topics; runs on the committing thread."""
        if isinstance(announcement, LaneChanged):
            if announcement.cue:
                count = self.cues.get(announcement.lane_id, (0, ""))[0] + 1
                self.cues[announcement.lane_id] = (count, announcement.cue)
            self._live.post(f"lane:{announcement.lane_id}")
            self._live.post(f"site:{announcement.site_id}")
            if announcement.attempt_id:
                self._live.post(f"attempt:{announcement.attempt_id}")
            self._on_loop(lambda: self.photos.consider(announcement.lane_id))
        elif isinstance(announcement, SelfRegistrationChanged):
            self._live.post(f"self:{announcement.registration_id}")
        elif isinstance(announcement, PhotoGone):
            self._on_loop(lambda: self.photos.gone(announcement))
            self._later(lambda s: judging.rejudge_booking(s, announcement.booking_id))
        elif isinstance(announcement, PhotoAdded):
            self._on_loop(lambda: self.photos.consider_booking(announcement.booking_id))
        elif isinstance(announcement, CaseOpened):
            self._case_changed(announcement)
            taking = case_pictures.take_scene
            self._on_loop(lambda: self._spawn(taking(self._database, self.places, announcement)))
        elif isinstance(announcement, CaseChanged):
            self._case_changed(announcement)
        elif isinstance(announcement, VisitAdmitted):
            self._on_loop(lambda: self.printing.admitted(announcement))
        elif isinstance(announcement, DeviceChanged):
            self._live.post(f"lane:{announcement.lane_id}")
            self._live.post(f"devices:{announcement.site_id}")
        elif isinstance(announcement, AgentChanged | FaultChanged):
            self._live.post(f"devices:{announcement.site_id}")
        elif isinstance(announcement, InboxChanged):
            self._live.post(f"person:{announcement.person_id}")
        elif isinstance(announcement, OutboxMarked):
            self._live.post(f"messages:{announcement.site_id}")
        elif isinstance(announcement, BookingChanged):
            self._live.post(f"site:{announcement.site_id}")
            self._later(lambda s: judging.rejudge_booking(s, announcement.booking_id))
        elif isinstance(announcement, PolicyChanged):
            self._live.post(f"devices:{announcement.site_id}")
            self._later(lambda s: _rejudge_site(s, announcement.site_id), then_devices=True)
        elif isinstance(announcement, FacesChanged):
            self.faces.changed(announcement)
            self._live.post(f"faces:{announcement.site_id}")
        elif isinstance(announcement, SessionEnded):
            sessions.forget(announcement.session_ids)
        elif isinstance(announcement, IntegrationChanged):
            integration_keys.forget()
            self._live.post(f"integrations:{announcement.site_id}")
        elif isinstance(announcement, WebhooksChanged):
            self._live.post(f"integrations:{announcement.site_id}")

    def _case_changed(self, announcement: CaseOpened | CaseChanged) -> None:
        self._live.post(f"lane:{announcement.lane_id}")
        self._live.post(f"cases:{announcement.site_id}")

    def _later(self, work: Callable[[Session], None], *, then_devices: bool = False) -> None:
        async def run() -> None:
            if then_devices:
                await self.apply_devices()
                await self.faces.refresh()
            await self._insist(work, "-")

        self._on_loop(lambda: self._spawn(run()))

    def _on_loop(self, work: Callable[[], None]) -> None:
        """Do something on the loop, from the committing thread; nothing new is begun once the hub stops."""
        if self._loop is not None and not self._loop.is_closed() and not self._stopping:
            self._loop.call_soon_threadsafe(work)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def presented(event: DeviceEvent) -> Presented | None:
    """The item that a device event stands for; None for one that is no presentation."""
    if event.kind is EventKind.CODE:
        return Presented("code", event.payload["text"], event.nonce, event.at, event.device_id)
    if event.kind is EventKind.CARD:
        if event.payload.get("random_uid") and not event.payload.get("number"):
            return Presented("unreadable", "card_random", event.nonce, event.at, event.device_id)
        number = event.payload.get("number", "")
        text = card_numbers.on_file(number) if number else event.payload["uid"]
        return Presented("card", text, event.nonce, event.at, event.device_id)
    if event.kind is EventKind.DOCUMENT and "zone" in event.payload:
        return zone_presented(event.payload["zone"], event.nonce, event.at, event.device_id)
    if event.kind is EventKind.DOCUMENT:
        document = read_document.take(event.payload, event.at.date())
        return Presented("document", "", event.nonce, event.at, event.device_id, document)
    if event.kind is EventKind.FACE:
        return Presented("face", event.payload["template"], event.nonce, event.at, event.device_id)
    if event.kind is EventKind.UNREADABLE:
        reason = event.payload.get("reason", "")
        kind = event.payload.get("source") or ("card" if "card" in reason else "code")
        source = ZONE if reason.startswith(ZONE) else ""
        return Presented(
            "unreadable", f"{kind}_{reason}", event.nonce, event.at, event.device_id, source=source
        )
    return None


def zone_presented(text: str, nonce: str, at: datetime, device_id: str = "") -> Presented:
    """The item that the lines of a machine-readable zone stand for; unreadable where they are none."""
    try:
        document = shown_document.of_zone(text, at.date())
    except MrzError as error:
        return Presented("unreadable", f"document_zone_{error.code}", nonce, at, device_id, source=ZONE)
    return Presented("document", "", nonce, at, device_id, document, ZONE)


def _rejudge_site(session: Session, site_id: str) -> None:
    for lane, _ in sites.lanes(session, site_id):
        judging.rejudge_lane(session, lane.id)


_hub: Hub | None = None


def use(hub: Hub | None) -> None:
    """Install the hub of this process."""
    global _hub
    _hub = hub


def get_hub() -> Hub | None:
    """The hub of this process, None before the start and after the stop."""
    return _hub
