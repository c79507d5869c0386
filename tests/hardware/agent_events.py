"""Events as a driver at a lane's computer makes them."""

from __future__ import annotations

from datetime import UTC, datetime

from hardware.ports import DeviceEvent, EventKind


def code(
    lane: str = "lane", device: str = "reader", number: int = 1, text: str = "HELLO", boot: str = "00c0ffee"
) -> DeviceEvent:
    """A code held before a camera."""
    return DeviceEvent(lane, device, EventKind.CODE, {"text": text}, datetime.now(UTC), number, boot)
