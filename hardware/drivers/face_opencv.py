"""Faces with OpenCV alone: YuNet finds them, SFace makes vectors of them; both licences permit any use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.drivers.face_aids import FaceAids
from hardware.drivers.face_models import demand_picture, pixels, unit
from hardware.drivers.vision import fit, load_cv2
from hardware.face_packs import DETECTION, RECOGNITION, PackError
from hardware.face_ports import Box, SeenFace
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardware.face_packs import CheckedPack
    from hardware.face_ports import Frame, Pack, Vector

DETECTOR_SIZE = 640
DETECTOR_SCORE = 0.8
OVERLAP = 0.3
MOST_FACES = 500
CROP = 112


class OpenCvEngine:
    """An engine for packs of YuNet and SFace."""

    def __init__(self, checked: CheckedPack) -> None:
        try:
            self._cv2 = load_cv2()
        except ImportError as error:
            raise DriverUnavailable("opencv_missing") from error
        try:
            side = (DETECTOR_SIZE, DETECTOR_SIZE)
            detector, recogniser = checked.path(DETECTION), checked.path(RECOGNITION)
            self._detector = self._cv2.FaceDetectorYN.create(
                str(detector), "", side, DETECTOR_SCORE, OVERLAP, MOST_FACES
            )
            self._recogniser = self._cv2.FaceRecognizerSF.create(str(recogniser), "")
            made = self.embed(np.full((CROP, CROP, 3), (0, 1, 2), np.uint8)).size
        except (self._cv2.error, ValueError) as error:
            raise PackError("model_broken", checked.pack.name) from error
        if made != checked.pack.dimension:
            raise PackError("dimension_wrong", str(made))
        self._aids = FaceAids(checked)
        self.pack: Pack = checked.pack
        self.abilities = self._aids.abilities

    def detect(self, frame: Frame) -> Sequence[SeenFace]:
        """All faces of a picture, the largest first."""
        demand_picture(frame)
        square, scale = self._letterbox(frame)
        _, rows = self._detector.detect(square)
        height, width = frame.shape[:2]
        faces = [_seen(row, scale, width, height) for row in ([] if rows is None else rows)]
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)

    def align(self, frame: Frame, face: SeenFace) -> Frame:
        """One face of that picture, upright, 112 by 112."""
        row = np.zeros((1, 15), np.float32)
        row[0, 4:14] = pixels(frame, face).ravel()
        crop: Frame = self._recogniser.alignCrop(frame, row)
        return crop

    def embed(self, crop: Frame) -> Vector:
        """The unit vector of an aligned face."""
        return unit(self._recogniser.feature(crop))

    def is_live(self, frame: Frame, face: SeenFace) -> bool | None:
        """What the pack's liveness model says."""
        return self._aids.is_live(frame, face)

    def is_covered(self, frame: Frame, face: SeenFace) -> bool | None:
        """What the pack's model of covered faces says."""
        return self._aids.is_covered(frame, face)

    def eyes_open(self, frame: Frame, face: SeenFace) -> float | None:  # noqa: ARG002
        """Five points do not tell."""
        return None

    def _letterbox(self, frame: Frame) -> tuple[Frame, float]:
        """The picture in a square of one size: the network is built once, not for each size of picture."""
        small = fit(frame, DETECTOR_SIZE, DETECTOR_SIZE)
        square = np.zeros((DETECTOR_SIZE, DETECTOR_SIZE, 3), np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        return square, small.shape[1] / frame.shape[1]


def _seen(row: Any, scale: float, width: int, height: int) -> SeenFace:
    x, y, wide, tall = (float(value) / scale for value in row[:4])
    five = row[4:14].reshape(5, 2) / scale
    points = tuple((float(px) / width, float(py) / height) for px, py in five)
    return SeenFace(Box(x / width, y / height, wide / width, tall / height), points, float(row[14]))
