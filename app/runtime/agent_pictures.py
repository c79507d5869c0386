"""A picture as it comes over a lane computer's link: one line that says whose it is, then the JPEG."""

from __future__ import annotations

import logging
from typing import Any

from app.runtime.agents import Agents
from hardware.agent import wire
from hardware.camera_feed import Mark

logger = logging.getLogger(__name__)

MAX_BYTES = wire.MAX_BODY
MAX_MARKS = 50
JPEG = b"\xff\xd8\xff"


def take_picture(agents: Agents, agent_id: str, data: bytes) -> bool:
    """Show a picture to whoever looks; False for one that is none, is too large, or is of another's camera."""
    head, _, picture = data[: wire.MAX_HEAD + len(JPEG)].partition(b"\n")
    if len(data) > MAX_BYTES or not picture.startswith(JPEG):
        return False
    try:
        said = wire.table(head) or {}
        feed = agents.feed_of(agent_id, str(said["device"]))
        marks = [_mark(item) for item in said.get("marks", [])[:MAX_MARKS]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return feed is not None and feed.publish(data[len(head) + 1 :], marks)


def _mark(item: dict[str, Any]) -> Mark:
    x, y, width, height = (float(item[name]) for name in ("x", "y", "width", "height"))
    return Mark(str(item["kind"])[:20], x, y, width, height, str(item.get("label", ""))[:40])
