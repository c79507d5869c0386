"""The picture a visitor added to the booking, brought to the lane where that visitor stands (ID-02, BK-04).

Which picture an arrival is held against is said by ``reference_of``: a document's photo, else the booking's. It is read from
the vault when its arrival is the one that is served, and is kept in memory as a document's photo is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from app.core import vault
from app.core.database import Database
from app.core.errors import NotFound
from app.domain.admission import repository as admission
from app.domain.admission.face_evidence import BOOKING_PHOTO, has_spoken
from app.domain.booking.models import PhotoGone
from app.domain.identity import booking_photos
from app.runtime.face_desk import FaceDesk
from app.runtime.live import Live

logger = logging.getLogger(__name__)

MEDIA_TYPE = "image/jpeg"
REMEMBERED = 256

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Reference:
    """Whose arrival is served at a lane, what else lies open there, and the picture of the booking, if it is to be used."""

    attempt_id: str = ""
    open_ids: frozenset[str] = frozenset()
    photo_id: str = ""
    file_id: str = ""


def reference_of(session: Session, lane_id: str) -> Reference:
    """The picture of the booking that the arrival served at a lane may be held against.

    None at the way out, without a standing consent, or once a comparison with a document's photo has said anything.
    """
    rows = admission.open_attempts(session, lane_id)
    open_ids = frozenset(row.id for row in rows)
    serving = next((row for row in rows if row.booking_id), None)
    if serving is None:
        return Reference("", open_ids)
    photo = None
    if not serving.leaving and not has_spoken(admission.evidence_of(session, serving.id)):
        photo = booking_photos.usable(session, serving.booking_id or "")
    if photo is None:
        return Reference(serving.id, open_ids)
    return Reference(serving.id, open_ids, photo.id, photo.file_id)


class BookingPhotos:
    """Brings pictures to lanes and takes them away; used on the event loop alone."""

    def __init__(self, database: Database, live: Live, desk: FaceDesk, spawn: Spawn) -> None:
        self._database, self._live, self._desk, self._spawn = database, live, desk, spawn
        self._due: set[str] = set()
        self._shown: dict[str, str] = {}
        self._brought: OrderedDict[tuple[str, str], None] = OrderedDict()

    def consider(self, lane_id: str) -> None:
        """Something changed at a lane: see which picture belongs there now. A burst of changes is looked at once."""
        if lane_id not in self._due:
            self._due.add(lane_id)
            self._spawn(self._see(lane_id))

    def consider_booking(self, booking_id: str) -> None:
        """A visitor added a picture, perhaps while standing at a lane."""
        self._spawn(self._see_booking(booking_id))

    def gone(self, change: PhotoGone) -> None:
        """A picture was deleted: it is compared and shown no more."""
        for lane_id, photo_id in list(self._shown.items()):
            if photo_id == change.photo_id:
                self._take_away(lane_id)

    def holds(self, lane_id: str, attempt_id: str) -> bool:
        """Whether the picture at a lane is that of this arrival's booking."""
        held = self._desk.at(lane_id, attempt_id)
        return held is not None and held.source == BOOKING_PHOTO

    async def _see_booking(self, booking_id: str) -> None:
        lanes = await self._database.read(
            lambda s: {row.lane_id for row in admission.open_attempts_of_booking(s, booking_id)}
        )
        for lane_id in lanes:
            self.consider(lane_id)

    async def _see(self, lane_id: str) -> None:
        self._due.discard(lane_id)  # what changes from here on is looked at anew
        try:
            found = await self._database.read(lambda session: reference_of(session, lane_id))
            if found.photo_id != self._shown.get(lane_id):
                self._take_away(lane_id)
            if not found.photo_id or (found.attempt_id, found.photo_id) in self._brought:
                return
            if self._is_taken(lane_id, found):
                return
            picture = await asyncio.to_thread(vault.get, found.file_id)
            # A withdrawal, or a document, may have come while the file was read.
            still = await self._database.read(lambda session: reference_of(session, lane_id))
            if still.photo_id == found.photo_id and not self._is_taken(lane_id, found):
                self._bring(lane_id, found, picture)
        except NotFound:
            logger.warning("The picture of a booking is not in the vault any more")
        except Exception:
            logger.exception("The picture of a booking could not be brought to lane %s", lane_id)

    def _is_taken(self, lane_id: str, found: Reference) -> bool:
        """Whether a picture is there that comes first: a document's, of somebody who still stands there."""
        held = self._desk.held(lane_id)
        return held is not None and held.source != BOOKING_PHOTO and held.attempt_id in found.open_ids

    def _bring(self, lane_id: str, found: Reference, picture: bytes) -> None:
        self._brought[found.attempt_id, found.photo_id] = None
        if len(self._brought) > REMEMBERED:
            self._brought.popitem(last=False)
        self._shown[lane_id] = found.photo_id
        self._desk.keep(lane_id, found.attempt_id, picture, MEDIA_TYPE, compare=True, source=BOOKING_PHOTO)

    def _take_away(self, lane_id: str) -> None:
        if self._shown.pop(lane_id, None) is None:
            return
        held = self._desk.held(lane_id)
        if held is not None and held.source == BOOKING_PHOTO:
            self._desk.drop(lane_id)
            self._live.post(f"lane:{lane_id}")
