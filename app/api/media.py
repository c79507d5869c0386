"""Live pictures and snapshots, behind the session and never cached (S-10)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from sqlmodel import Session

from app.api.access import router
from app.api.marks import MarkTeller
from app.api.viewers import Viewer, viewer_of, viewers
from app.core import audit, vault
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import NotAllowed, NotFound
from app.core.permissions import Right, needs
from app.domain.admission import cases
from app.domain.admission import repository as admission
from app.domain.admission.arrival import OPEN
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.runtime.hub import Feed, get_hub
from app.runtime.sessions import COOKIE

routes = router("/api")

BOUNDARY = "frame"
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"BM": "image/bmp"}
NO_STORE = {"Cache-Control": "no-store, private", "X-Content-Type-Options": "nosniff"}


async def _open_stream(device_id: str, secret: str) -> tuple[Feed, Viewer]:
    actor = current_actor()

    def look(session: Session) -> Viewer:
        device = sites.device(session, device_id)
        actor.require(Right.CAMERA_VIEW, device.site_id)
        return viewer_of(session, secret, actor.account_id, device.site_id, device.lane_id)

    viewer = await get_database().read(look)
    center = get_hub()
    feed = center.camera(device_id) if center else None
    if feed is None:
        raise NotFound("camera_off")
    return feed, viewer


async def frames(feed: Feed, viewer: Viewer) -> AsyncIterator[bytes]:
    """Each new picture once, as fast as this viewer takes them, until the viewer goes away or must not look any more.

    The response itself waits for the end of the connection and cancels this. Asking the request here as well would
    be a second reader of the same channel, to which Granian tells a disconnection that never was.
    """
    loop = asyncio.get_running_loop()
    fresh = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(fresh.set)

    viewer.wake = wake
    detach = feed.attach(wake)
    viewers.add(viewer)
    last, marks = -1, MarkTeller()
    try:
        while not viewer.ended:
            await fresh.wait()
            fresh.clear()
            picture = await asyncio.to_thread(feed.jpeg)
            if picture is None or picture[0] == last or viewer.ended:
                continue
            last = picture[0]
            found = marks.header(feed.marks, time.monotonic())
            size = f"Content-Length: {len(picture[1])}\r\n"
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n{found}{size}\r\n"
            yield head.encode() + picture[1] + b"\r\n"
    finally:
        viewers.remove(viewer)
        detach()


@routes.get("/cameras/{device_id}/stream")
@needs(Right.CAMERA_VIEW)
async def stream(device_id: str, request: Request) -> Response:
    """The live picture as MJPEG, what is marked in it in the headers; one encode per frame whatever the viewers."""
    feed, viewer = await _open_stream(device_id, request.cookies.get(COOKIE, ""))
    media = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    return StreamingResponse(frames(feed, viewer), media_type=media, headers=NO_STORE)


@routes.get("/cases/{case_id}/{which}")
@needs(Right.CASE_VIEW)
async def case_picture(case_id: str, which: str) -> Response:
    """A picture of a case, ``scene`` or ``document``; every look is an audit entry (AD-18)."""
    actor = current_actor()
    file_id = await get_database().write(lambda session: cases.picture(session, actor, case_id, which))
    data = await asyncio.to_thread(vault.get, file_id)
    kind = next(
        (kind for mark, kind in PICTURES.items() if data.startswith(mark)), "application/octet-stream"
    )
    return Response(data, media_type=kind, headers=NO_STORE)


@routes.get("/attempts/{attempt_id}/snapshot")
@needs(Right.SIGNED_IN)
async def snapshot(attempt_id: str) -> Response:
    """The picture taken of a walk-in: for guards of the site, and for the household that is asked."""
    actor = current_actor()

    def find(session: Session) -> str:
        attempt = admission.attempt(session, attempt_id)
        consent = admission.consent_of(session, attempt_id)
        household = actor.has(Right.CONSENT_ANSWER) and any(
            unit.id == attempt.unit_id for unit in people.units_of(session, actor.person_id)
        )
        asked = household and consent is not None and consent.status == "asked"
        guard = actor.has(Right.DESK_USE) and actor.site_id == attempt.site_id
        if not (asked or (guard and attempt.status == OPEN)):
            raise NotAllowed("not_allowed")
        if not attempt.snapshot_id:
            raise NotFound("file_unknown")
        audit.record(session, actor, "snapshot.view", "attempt", attempt.id, site_id=attempt.site_id)
        return attempt.snapshot_id

    file_id = await get_database().write(find)
    return Response(await asyncio.to_thread(vault.get, file_id), media_type="image/jpeg", headers=NO_STORE)
