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
from app.runtime import agent_asks
from app.runtime.places import Places

logger = logging.getLogger(__name__)

DRIVER = "camera"
PATIENCE_SECONDS = 2.0
MAX_PHOTO = 512 * 1024
TRIES = 5
PAUSE_SECONDS = 0.5
NO_PICTURE = {
    agent_asks.SILENT: PictureState.COMPUTER_AWAY,
    agent_asks.REVOKED: PictureState.COMPUTER_AWAY,
    agent_asks.NO_ANSWER: PictureState.COMPUTER_AWAY,
    agent_asks.OUTDATED: PictureState.COMPUTER_OLD,
}
DISK = {"disk_full": PictureState.DISK_FULL, "disk_failed": PictureState.DISK_FAILED}


def photo_of(payload: Mapping[str, str]) -> bytes | None:
    """The photo that a reader took from a document, where it gave one."""
    try:
        photo = base64.b64decode(payload.get("photo", ""), validate=True)
    except ValueError:  # no base64, or no ASCII at all
        return None
    return photo if 0 < len(photo) <= MAX_PHOTO else None


async def take_scene(database: Database, places: Places, event: CaseOpened) -> None:
    """Keep what the lane's camera sees, or say in the case why there is nothing."""
    device_id = places.of_lane(event.lane_id, DRIVER)
    place = places.of(device_id)
    file_id, state = "", PictureState.NO_CAMERA
    if place is not None:
        still = await place.picture(device_id, PATIENCE_SECONDS)
        state = NO_PICTURE.get(still.why, PictureState.NO_PICTURE)
        if still.picture is not None:
            file_id, state = await _store(still.picture)
    await _put_down(database, file_id, lambda s: cases.keep_picture(s, event.case_id, state, file_id))


async def keep_document(database: Database, attempt_id: str, photo: bytes) -> None:
    """Keep the photo of a document that made a case; one that did not make any is not kept."""
    case = await database.read(lambda session: cases.of_attempt(session, attempt_id))
    if case is None or case.document_id:
        return
    file_id, _ = await _store(photo)
    if file_id:
        await _put_down(database, file_id, lambda s: cases.keep_document(s, attempt_id, file_id))


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
