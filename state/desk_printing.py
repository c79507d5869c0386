"""What a desk shows of its lane's badge printer, in words (AD-15)."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.actor import Actor
from app.core.i18n import text
from app.runtime.hub import get_hub

TONES = {"busy": "info", "printed": "ok", "sent": "wait", "failed": "no"}


@dataclass(frozen=True, slots=True)
class PrintView:
    """How the badge of the visitor just admitted stands, and the fault of the lane's last badge, whosever it was."""

    number: int = 0
    tone: str = ""
    words: str = ""
    fault: str = ""


def begin(actor: Actor, lane_id: str, visit_id: str, locale: str) -> bool:
    """Ask the lane's printer for a badge; False where there is none, or the devices are stopped."""
    center = get_hub()
    return center is not None and center.printing.begin(actor, lane_id, visit_id, locale)


def newest(lane_id: str) -> int:
    """The number of the lane's last badge as it stands: what came before is known."""
    center = get_hub()
    status = center.printing.at(lane_id) if center else None
    return status.number if status else 0


def view(lane_id: str, visit_id: str, locale: str) -> PrintView:
    """What the desk of a lane shows; ``number`` tells one state from the next."""
    center = get_hub()
    status = center.printing.at(lane_id) if center else None
    if status is None:
        return PrintView()
    failed = status.phase == "failed"
    words = _why(status.code, locale) if failed else text(locale, f"print.{status.phase}")
    own = status.visit_id == visit_id
    return PrintView(
        status.number,
        TONES.get(status.phase, "plain") if own else "",
        words if own else "",
        words if failed else "",
    )


def _why(code: str, locale: str) -> str:
    if code == "refused":
        return text(locale, "print.refused")
    for found in (text(locale, f"print.{code}"), text(locale, f"console.device_detail.{code}")):
        if not found.endswith(f".{code}"):
            return text(locale, "print.failed", why=found)
    return text(locale, "print.failed", why=text(locale, "print.other"))
