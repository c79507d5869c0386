"""The pictures of a case: taken after the verdict is out, so that nobody waits for a camera or a disk (AD-18)."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping

from sqlmodel import Session

from app.core import vault
from app.core.database import Database
from app.core.errors import Retryable
from app.domain.admission import cases
from app.domain.admission.case_models import CaseOpened
from app.domain.admission.case_rules import PictureState
from hardware.camera_feed import CameraFeed
from hardware.supervisor import HardwareService

logger = logging.getLogger(__name__)

DRIVER = "camera"
STALE_SECONDS = 2.0
MAX_PHOTO = 512 * 1024
TRIES = 5
PAUSE_SECONDS = 0.5
DISK = {"disk_full": PictureState.DISK_FULL, "disk_failed": PictureState.DISK_FAILED}


def photo_of(payload: Mapping[str, str]) -> bytes | None:
    """The photo that a reader took from a document, where it gave one."""
    try:
        photo = base64.b64decode(payload.get("photo", ""), validate=True)
    except ValueError:  # no base64, or no ASCII at all
        return None
    return photo if 0 < len(photo) <= MAX_PHOTO else None


async def take_scene(database: Database, hardware: HardwareService, event: CaseOpened) -> None:
    """Keep what the lane's camera sees, or say in the case why there is nothing."""
    device_id = hardware.of_lane(event.lane_id, DRIVER)
    feed = hardware.camera(device_id) if device_id else None
    file_id, state = "", PictureState.NO_CAMERA
    if feed is not None:
        picture = await _scene(feed)
        file_id, state = await _store(picture) if picture else ("", PictureState.NO_PICTURE)
    await _put_down(database, file_id, lambda s: cases.keep_picture(s, event.case_id, state, file_id))


async def keep_document(database: Database, attempt_id: str, photo: bytes) -> None:
    """Keep the photo of a document that made a case; one that did not make any is not kept."""
    case = await database.read(lambda session: cases.of_attempt(session, attempt_id))
    if case is None or case.document_id:
        return
    file_id, _ = await _store(photo)
    if file_id:
        await _put_down(database, file_id, lambda s: cases.keep_document(s, attempt_id, file_id))


async def _scene(feed: CameraFeed) -> bytes | None:
    """What the camera sees; one that just stutters gets two seconds."""
    for _ in range(TRIES):
        if (picture := await asyncio.to_thread(_fresh, feed)) is not None:
            return picture
        await asyncio.sleep(PAUSE_SECONDS)
    return None


def _fresh(feed: CameraFeed) -> bytes | None:
    age = feed.age_seconds
    return feed.snapshot() if age is not None and age <= STALE_SECONDS else None


async def _store(picture: bytes) -> tuple[str, PictureState]:
    try:
        return await asyncio.to_thread(vault.put, picture), PictureState.KEPT
    except Retryable as error:
        logger.warning("A picture of a case could not be kept: %s", error.code)
        return "", DISK.get(error.code, PictureState.DISK_FAILED)


async def _put_down(database: Database, file_id: str, work: Callable[[Session], bool]) -> None:
    """Write it into the case; a file that no case knows is not left behind."""
    kept = False
    try:
        for _ in range(TRIES):
            try:
                kept = await database.write(work)
                return
            except Retryable:
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        if file_id and not kept:
            await asyncio.to_thread(vault.delete, file_id)
