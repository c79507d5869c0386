"""The check-in route: what a lane's computer or another reader presents goes the same way as a device event."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.api.access import router
from app.core import clock
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import InvalidInput, NotAllowed
from app.core.permissions import Right, needs
from app.domain.admission import presenting
from app.domain.admission.evidence import Presented

routes = router("/api/v1")


class Presentation(BaseModel):
    """One presented item. ``nonce`` is unique per lane's computer: the same nonce again changes nothing."""

    kind: Literal["code", "card", "short_code"]
    text: str = Field(min_length=1, max_length=200)
    nonce: str = Field(min_length=8, max_length=100, pattern=r"^[\w:.\-]+$")
    at: datetime | None = None
    admit: bool = False


@routes.post("/lanes/{lane_id}/present")
@needs(Right.LANE_PRESENT)
async def present(lane_id: str, body: Presentation) -> JSONResponse:
    """Record and decide; with ``admit`` let the person in when the verdict allows it, in the same transaction."""
    actor = current_actor()
    if actor.lane_id != lane_id:
        raise NotAllowed("not_allowed")
    at = body.at or clock.now()
    if at.tzinfo is None:
        raise InvalidInput("time_naive", "at")
    item = Presented(body.kind, body.text, f"{actor.account_id}:{body.nonce}", at, actor.account_id)

    def work(session: Session) -> dict[str, Any]:
        if body.admit:
            arrival, entered = presenting.check_in(session, actor, lane_id, item)
        else:
            arrival = presenting.present(session, lane_id, item)
            entered = arrival.is_through
        return {
            "attempt": arrival.id,
            "outcome": arrival.outcome,
            "reasons": arrival.reasons,
            "leaving": arrival.leaving,
            "admitted": entered,
        }

    # Answered as it is: it is our own dict, and a look through it for what JSON lacks costs as much as a statement.
    return JSONResponse(await get_database().write(work))
