"""The two faces at the desk: what the comparison says, the pictures, and the guard's own look (ID-02)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import reflex as rx

from app.core.database import get_database
from app.core.errors import NotFound
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.admission import faces
from app.domain.admission.face_evidence import BOOKING_PHOTO
from app.runtime.hub import Hub, get_hub
from state.guard import action, me

if TYPE_CHECKING:
    from state.desk import DeskState

TONES = {"same": "ok", "other": "no", "spoofed": "no"}
# Where nothing is left to do, the chip says it and the pictures stay behind their key: the desk is no gallery.
SETTLED = {"same"}
# What another try may change.
AGAIN = {"unsure", "other", "spoofed", "unreadable", "agent_silent", "agent_no_answer", "agent_garbled"}
# What is worded by the picture it was held against.
OF_BOOKING = {"same", "other", "bad_photo"}


@dataclass(slots=True)
class FacePanel:
    """What of a comparison the desk shows; empty without a picture of a document."""

    attempt: str = ""
    state: str = ""
    line: str = ""
    tone: str = "plain"
    told: bool = False
    show: bool = False
    again: bool = False
    booked: bool = False
    reference: str = ""
    live: str = ""


def panel(center: Hub | None, lane_id: str, attempt_id: str, locale: str) -> FacePanel:
    """The comparison of the arrival that is being served, in words."""
    kept = center.faces.desk.at(lane_id, attempt_id) if center is not None and attempt_id else None
    if kept is None or not kept.state:
        return FacePanel()
    booked = kept.source == BOOKING_PHOTO
    line = text(locale, f"face_desk.{kept.state}", fault=text(locale, f"face_fault.{kept.fault}"))
    if booked and kept.state in OF_BOOKING:
        line = text(locale, f"face_desk_booking.{kept.state}")
    if kept.state == "running" and kept.prompt:
        line = text(locale, f"face_prompt.{kept.prompt}")
    address = f"/api/attempts/{attempt_id}/face"
    return FacePanel(
        attempt=attempt_id,
        state=kept.state,
        line=line,
        tone=TONES.get(kept.state, "wait"),
        told=kept.state not in SETTLED,
        show=kept.state not in {"running", *SETTLED},
        again=kept.state in AGAIN,
        booked=booked,
        reference=f"{address}/reference",
        live=f"{address}/live?n={kept.number}" if kept.camera_id else "",
    )


class DeskFacesState(rx.State):
    """What a guard does with the two pictures."""

    @action(Right.DESK_USE)
    async def judge(self, same: bool) -> None:
        """The guard has compared the two pictures."""
        actor, desk = me(), await _desk(self)
        attempt_id = desk.arrival.id
        center = get_hub()
        kept = center.faces.desk.at(desk.lane_id, attempt_id) if center is not None else None
        if kept is None:
            raise NotFound("face_gone")
        source = kept.source
        # Pressing twice is once; changing one's mind is another look.
        nonce = f"look:{attempt_id}:{same}:{desk.arrival.faces_seen}"
        await get_database().write(
            lambda s: faces.look(s, actor, attempt_id, same=same, nonce=nonce, source=source)
        )
        if desk.dialog == "compare":
            desk.dialog = ""
        await desk._refresh_lane(actor)

    @action(Right.DESK_USE)
    async def look_again(self) -> None:
        """Take another picture of who stands there."""
        desk = await _desk(self)
        if (center := get_hub()) is not None:
            center.faces.desk.refresh(desk.lane_id, desk.arrival.id)

    @action(Right.DESK_USE)
    async def compare_again(self) -> None:
        """Let the models compare once more."""
        desk = await _desk(self)
        if (center := get_hub()) is not None:
            center.faces.desk.again(desk.lane_id, desk.arrival.id)


async def _desk(state: rx.State) -> DeskState:
    from state.desk import DeskState

    return await state.get_state(DeskState)
