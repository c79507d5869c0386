"""Which engine runs a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware.drivers.face_insightface import InsightFaceEngine, load_library
from hardware.drivers.face_opencv import OpenCvEngine
from hardware.drivers.vision import load_cv2
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from hardware.face_packs import CheckedPack
    from hardware.face_ports import FaceEngine


def build(checked: CheckedPack) -> FaceEngine:
    """The engine of a checked pack; PackError or DriverUnavailable when it does not start."""
    if checked.pack.engine == "opencv":
        return OpenCvEngine(checked)
    return InsightFaceEngine(checked)


def missing_library() -> str:
    """The code of a library that no engine can do without, or nothing."""
    try:
        load_library()
        load_cv2()
    except DriverUnavailable as error:
        return error.code
    except ImportError:
        return "opencv_missing"
    return ""
