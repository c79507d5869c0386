"""The walk-in form filled in from the document that lies on the lane's reader.

The values go to the one browser that asked, straight into its form: never into a state, which is kept (S-8).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.permissions import Right
from app.domain.duty import service as duty
from app.domain.sites.rules import VisitorField
from app.runtime.hub import get_hub

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.admission.evidence import Presented

# The dialog is drawn after the answer that opens it; what the guard has typed meanwhile stays.
FILL = """((values) => {
  let frames = 120;
  const fill = () => {
    for (const [id, value] of Object.entries(values)) {
      const inputs = document.querySelectorAll(`dialog[aria-labelledby=dialog-walk_in-title] input[name=${id}]`);
      if (!inputs.length) continue;
      for (const input of inputs) {
        if (input.type === "radio") input.checked = input.value === value;
        else if (input.value === input.defaultValue) input.value = value;
      }
      delete values[id];
    }
    if (Object.keys(values).length && frames--) requestAnimationFrame(fill);
  };
  fill();
})(%s)"""


def laid_for(session: Session, actor: Actor, lane_id: str) -> Presented | None:
    """The document that waits at a lane, for the guard who is signed on there and nobody else."""
    center = get_hub()
    if center is None or not lane_id or not actor.has(Right.DESK_USE):
        return None
    present = duty.present_duty(session, actor.account_id)
    return center.laid.at(lane_id) if present is not None and present.lane_id == lane_id else None


def used(lane_id: str, attempt_id: str) -> None:
    """The document of a lane has served; if it was that of an arrival, so is its photo."""
    if (center := get_hub()) is None:
        return
    center.laid.drop(lane_id)
    if attempt_id:
        center.faces.desk.claim(lane_id, attempt_id)


def values_of(laid: Presented | None, rules: dict[str, str]) -> dict[str, str]:
    """What of a document goes into the form: the name, and the tail where the policy asks for it."""
    document = laid.document if laid else None
    if document is None:
        return {}
    values = {}
    if document.names:
        values[VisitorField.NAME.value] = document.names[0].text
    if document.tails and rules.get(VisitorField.DOCUMENT_TAIL, "off") != "off":
        values[VisitorField.DOCUMENT_TAIL.value] = document.tails[0]
    return values


def script(values: dict[str, str]) -> str:
    """What fills the open form in the browser."""
    # "</" must not end the script that carries it.
    return FILL % json.dumps(values).replace("<", "\\u003c")
