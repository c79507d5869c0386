"""Regulars who agreed, recognised by the cameras of a site that allows it (1:N): one index for each such site (ID-02).

The vectors are opened only while recognising is on, held in memory alone, and gone from it the moment a withdrawal is
committed. What a camera recognised goes the way of every other event, and the database has the last word on it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from sqlmodel import Session

from app.core import clock
from app.core.database import Database
from app.domain.identity import face_policy, faces
from app.domain.identity.models import FacesChanged
from app.domain.identity.rules import Liveness
from app.domain.identity.templates import Face
from app.domain.sites import repository as sites
from hardware.camera_feed import CameraFeed
from hardware.face_index import FaceIndex, Nearest
from hardware.face_ports import Pack, ServiceCode, portrait_of
from hardware.face_service import FaceService
from hardware.face_watch import FaceWatch
from hardware.ports import DeviceEvent, EventKind

logger = logging.getLogger(__name__)


class Cameras(Protocol):
    """Who lends the picture of a camera."""

    def camera(self, device_id: str) -> CameraFeed | None:
        """The picture slot of a camera."""


@dataclass(frozen=True, slots=True)
class RecogniseRule:
    """How a site recognises."""

    threshold: float
    margin: float
    liveness: str


@dataclass(frozen=True, slots=True)
class _Site:
    """What is to run at a site."""

    site_id: str
    rule: RecogniseRule
    cameras: tuple[tuple[str, str], ...]
    faces: Sequence[tuple[str, Face]]


@dataclass(slots=True)
class _Running:
    """A camera that looks for the faces of a site."""

    site_id: str
    rule: RecogniseRule
    feed: CameraFeed
    watch: FaceWatch


class FaceGate:
    """The indices and watches of this process."""

    def __init__(
        self,
        database: Database,
        cameras: Cameras,
        service: FaceService,
        receive: Callable[[DeviceEvent], None],
    ) -> None:
        self._database, self._cameras = database, cameras
        self._service, self._receive = service, receive
        self._changing = asyncio.Lock()
        self._guard = threading.Lock()
        self._indices: dict[str, FaceIndex] = {}
        self._held: dict[str, set[str]] = {}
        self._gone: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._boot, self._numbers = secrets.token_hex(4), count(1)

    def forget(self, change: FacesChanged) -> None:
        """Take templates out at once; called on the committing thread, so that nothing matches after the commit."""
        with self._guard:
            self._gone.update(change.gone)
            index = self._indices.get(change.site_id)
            for template_id in change.gone:
                if index is not None and index.remove(template_id):
                    self._held[change.site_id].discard(template_id)

    async def refresh(self) -> None:
        """Bring indices and watches in line with policies, consents and cameras."""
        async with self._changing:
            pack = self._service.state.pack if self._service.state.code is ServiceCode.READY else None
            wanted = await self._database.read(lambda s: _wanted(s, pack)) if pack else []
            await asyncio.to_thread(self._apply, wanted, pack)

    async def stop(self) -> None:
        """End all watches and forget all faces."""
        async with self._changing:
            await asyncio.to_thread(self._apply, [], None)

    def size(self, site_id: str) -> int:
        """How many faces are looked for at a site now."""
        index = self._indices.get(site_id)
        return len(index) if index is not None else 0

    def _apply(self, wanted: Sequence[_Site], pack: Pack | None) -> None:
        feeds: dict[str, tuple[_Site, str, CameraFeed]] = {}
        for site in wanted:
            for device_id, lane_id in site.cameras:
                if (feed := self._cameras.camera(device_id)) is not None:
                    feeds[device_id] = (site, lane_id, feed)
        for device_id, running in list(self._running.items()):
            now = feeds.get(device_id)
            if now is None or (now[0].site_id, now[0].rule, now[2]) != (
                running.site_id,
                running.rule,
                running.feed,
            ):
                self._running.pop(device_id).watch.stop()
        for site_id in set(self._indices) - {site.site_id for site in wanted}:
            with self._guard:
                self._held.pop(site_id).clear()
                self._indices.pop(site_id).clear()
        if pack is None:
            return
        for site in wanted:
            self._fill(site, pack)
        for device_id, (site, lane_id, feed) in feeds.items():
            if device_id not in self._running:
                self._running[device_id] = self._watch(site, device_id, lane_id, feed)

    def _fill(self, site: _Site, pack: Pack) -> None:
        with self._guard:
            index = self._indices.get(site.site_id)
            if index is None or index.pack.id != pack.id:
                index = self._indices[site.site_id] = FaceIndex(pack)
                self._held[site.site_id] = set()
            held = self._held[site.site_id]
            for key in held - {key for key, _ in site.faces}:
                index.remove(key)
                held.discard(key)
            for key, face in site.faces:
                if key in self._gone or key in held:
                    continue
                try:
                    index.put(key, portrait_of(pack, face.vector))
                    held.add(key)
                except ValueError as error:
                    logger.warning("A stored face cannot be used (%s)", error)

    def _watch(self, site: _Site, device_id: str, lane_id: str, feed: CameraFeed) -> _Running:
        def matched(nearest: Nearest) -> None:
            payload = {"template": nearest.key}
            self._receive(
                DeviceEvent(
                    lane_id, device_id, EventKind.FACE, payload, clock.now(), next(self._numbers), self._boot
                )
            )

        watch = self._service.watch(
            feed,
            self._indices[site.site_id],
            threshold=site.rule.threshold,
            margin=site.rule.margin,
            on_match=matched,
            liveness=site.rule.liveness,
        )
        return _Running(site.site_id, site.rule, feed, watch)


def rule_of(session: Session, site_id: str) -> RecogniseRule | None:
    """The rule of a site; None while recognising is off there."""
    policy = face_policy.of_site(session, site_id)
    if not policy.recognise:
        return None
    # A challenge is for somebody who stands still and is spoken to, not for whoever walks by.
    level = policy.liveness if policy.liveness == Liveness.PASSIVE else Liveness.NONE
    return RecogniseRule(policy.recognise_same / 100, policy.recognise_margin / 100, str(level))


def _wanted(session: Session, pack: Pack) -> list[_Site]:
    found = []
    for site in sites.sites(session):
        rule = rule_of(session, site.id)
        if rule is None:
            continue
        cameras = tuple(
            (d.id, d.lane_id) for d in sites.devices(session, site.id) if d.driver == "camera" and d.enabled
        )
        usable = faces.usable(session, site.id, pack.id, clock.now())
        found.append(_Site(site.id, rule, cameras, usable))
    return found
