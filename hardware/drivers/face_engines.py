"""Which engine runs a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware.drivers.face_insightface import InsightFaceEngine
from hardware.drivers.face_opencv import OpenCvEngine

if TYPE_CHECKING:
    from hardware.face_packs import CheckedPack
    from hardware.face_ports import FaceEngine


def build(checked: CheckedPack) -> FaceEngine:
    """The engine of a checked pack; PackError or DriverUnavailable when it does not start."""
    if checked.pack.engine == "opencv":
        return OpenCvEngine(checked)
    return InsightFaceEngine(checked)
