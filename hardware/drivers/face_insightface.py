"""Faces with insightface on ONNX Runtime: SCRFD finds them, ArcFace makes vectors of them.

The library is given a checked folder and never a name: for a name it would go and download.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.drivers.face_aids import FaceAids
from hardware.drivers.face_models import (
    CROP,
    demand_picture,
    load_runtime,
    pixels,
    session_options,
    similarity,
    unit,
)
from hardware.drivers.vision import load_cv2
from hardware.face_packs import LANDMARKS, PackError
from hardware.face_ports import Ability, Box, SeenFace
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardware.face_packs import CheckedPack
    from hardware.face_ports import Frame, Pack, Vector

DETECTOR_SIZE = (640, 640)
DETECTOR_SCORE = 0.5
DENSE = "landmark_2d_106"
# The outlines of the eyes among the 106 points.
EYES = (slice(33, 43), slice(87, 97))


def load_library() -> Any:
    """Import insightface's analysis; DriverUnavailable when it or one of its own libraries is missing."""
    load_runtime()
    try:
        return import_module("insightface.app.face_analysis")
    except ImportError as error:
        raise DriverUnavailable("insightface_missing") from error


class InsightFaceEngine:
    """An engine for packs of SCRFD and ArcFace, for example buffalo_l."""

    def __init__(self, checked: CheckedPack) -> None:
        library = load_library()
        self._cv2 = load_cv2()
        dense = checked.path(LANDMARKS) is not None
        modules = ["detection", "recognition"] + ([DENSE] if dense else [])
        try:
            analysis = library.FaceAnalysis(
                str(checked.folder.resolve(strict=True)),
                allowed_modules=modules,
                providers=["CPUExecutionProvider"],
                sess_options=session_options(),
                static_shape_sessions=False,
            )
            analysis.prepare(ctx_id=-1, det_thresh=DETECTOR_SCORE, det_size=DETECTOR_SIZE)
            self._detector = analysis.models["detection"]
            self._recogniser = analysis.models["recognition"]
            made = self.embed(np.full((CROP, CROP, 3), (0, 1, 2), np.uint8)).size
        except Exception as error:  # assertions, runtime errors and key errors of three libraries
            raise PackError("model_broken", checked.pack.name) from error
        if made != checked.pack.dimension:
            raise PackError("dimension_wrong", str(made))
        self._dense = analysis.models.get(DENSE)
        self._aids = FaceAids(checked)
        self.pack: Pack = checked.pack
        self.abilities = self._aids.abilities | ({Ability.EYES} if self._dense else set())

    def detect(self, frame: Frame) -> Sequence[SeenFace]:
        """All faces of a picture, the largest first."""
        demand_picture(frame)
        boxes, points = self._detector.detect(frame)
        height, width = frame.shape[:2]
        size = np.array([width, height])
        faces = []
        for (left, top, right, bottom, score), five in zip(boxes, points, strict=True):
            box = Box(
                float(left / width),
                float(top / height),
                float((right - left) / width),
                float((bottom - top) / height),
            )
            faces.append(SeenFace(box, tuple((float(x), float(y)) for x, y in five / size), float(score)))
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)

    def align(self, frame: Frame, face: SeenFace) -> Frame:
        """One face of that picture, upright, 112 by 112."""
        crop: Frame = self._cv2.warpAffine(frame, similarity(pixels(frame, face)), (CROP, CROP))
        return crop

    def embed(self, crop: Frame) -> Vector:
        """The unit vector of an aligned face."""
        return unit(self._recogniser.get_feat(crop))

    def is_live(self, frame: Frame, face: SeenFace) -> bool | None:
        """What the pack's liveness model says."""
        return self._aids.is_live(frame, face)

    def is_covered(self, frame: Frame, face: SeenFace) -> bool | None:
        """What the pack's model of covered faces says."""
        return self._aids.is_covered(frame, face)

    def eyes_open(self, frame: Frame, face: SeenFace) -> float | None:
        """How far the eyes are open, from the outlines among the 106 points."""
        if self._dense is None:
            return None
        height, width = frame.shape[:2]
        box = np.array([face.box.x, face.box.y, face.box.x + face.box.width, face.box.y + face.box.height])
        found = import_module("insightface.app.common").Face(bbox=box * (width, height, width, height))
        upright = self._dense.get(frame, found) @ similarity(pixels(frame, face))[:, :2].T
        spans = [np.ptp(upright[eye], axis=0) for eye in EYES]
        return float(np.mean([tall / max(wide, 1e-6) for wide, tall in spans]))
