"""What pages say about cameras: what is wrong with a picture, and the figures behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.i18n import text
from app.runtime.hub import get_hub

if TYPE_CHECKING:
    from app.domain.sites.models import Device

# States in which pictures keep coming and must not be taken for what happens now.
TROUBLES = frozenset({"frozen_picture", "covered_picture"})
COUNTED = ("frames", "dropped", "unusable", "resized", "codes", "reconnects", "viewers")


def trouble_of(device: Device | None, locale: str) -> str:
    """What is written over a live picture that does not show what happens now; empty while it does."""
    if device is None or not device.enabled or device.status_detail not in TROUBLES:
        return ""
    return text(locale, f"console.device_detail.{device.status_detail}")


async def picture_now(device_id: str) -> tuple[bytes | None, str]:
    """The picture that a camera shows at this moment; none, and why, where there is none of this moment."""
    center = get_hub()
    place = center.places.of(device_id) if center and device_id else None
    if place is None:
        return None, ""
    still = await place.picture(device_id)
    return still.picture, still.why


def figures(device_id: str, locale: str) -> list[dict[str, str]]:
    """Size, rate and counters of a camera since its last start; nothing for one that does not run here."""
    center = get_hub()
    feed = center.hardware.camera(device_id) if center else None
    if center is None or feed is None:
        return []
    health = center.hardware.health().get(device_id)
    counters = {**(health.counters if health else {}), **feed.counters}
    picture = text(
        locale,
        "camera.figure_size" if counters.get("width") else "camera.figure_none",
        width=counters.get("width", 0),
        height=counters.get("height", 0),
        fps=counters.get("fps", 0),
    )
    rows = [{"term": text(locale, "camera.figure.picture"), "value": picture}]
    return rows + [
        {"term": text(locale, f"camera.figure.{name}"), "value": f"{counters.get(name, 0):,}"}
        for name in COUNTED
    ]
