"""The two pictures that a guard compares: from memory, for the guard of that lane, never cached (ID-02, S-10)."""

from __future__ import annotations

from fastapi.responses import Response
from sqlmodel import Session

from app.api.access import router
from app.api.media import NO_STORE
from app.core import audit
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import NotAllowed, NotFound
from app.core.permissions import Right, needs
from app.domain.admission import repository as admission
from app.domain.admission.arrival import OPEN
from app.domain.duty import service as duty
from app.runtime.hub import Hub, get_hub

routes = router("/api")


async def _lane_of(attempt_id: str, *, noted: bool) -> tuple[Hub, str]:
    """The lane of an open arrival that the asking guard serves; ``noted`` puts the look into the log."""
    actor = current_actor()

    def find(session: Session) -> str:
        attempt = admission.attempt(session, attempt_id)
        actor.require(Right.DESK_USE, attempt.site_id)
        present = duty.present_duty(session, actor.account_id)
        if attempt.status != OPEN or present is None or present.lane_id != attempt.lane_id:
            raise NotAllowed("not_allowed")
        if noted:
            audit.record(session, actor, "face.view", "attempt", attempt.id, site_id=attempt.site_id)
        return attempt.lane_id

    center = get_hub()
    if center is None:
        raise NotFound("face_gone")
    database = get_database()
    return center, await (database.write(find) if noted else database.read(find))


@routes.get("/attempts/{attempt_id}/face/reference")
@needs(Right.DESK_USE)
async def reference(attempt_id: str) -> Response:
    """The photo of the document that was read at the lane."""
    center, lane_id = await _lane_of(attempt_id, noted=True)
    kept = center.faces.desk.at(lane_id, attempt_id)
    if kept is None:
        raise NotFound("face_gone")
    return Response(kept.picture, media_type=kept.media_type, headers=NO_STORE)


@routes.get("/attempts/{attempt_id}/face/live")
@needs(Right.DESK_USE)
async def live_still(attempt_id: str) -> Response:
    """Who stands there, as a still."""
    center, lane_id = await _lane_of(attempt_id, noted=False)
    picture = await center.faces.desk.still(lane_id, attempt_id)
    if picture is None:
        raise NotFound("face_gone")
    return Response(picture, media_type="image/jpeg", headers=NO_STORE)
