"""Whether a face in a picture is good enough to compare, by numbers: size, place, pose, sharpness, light, company.

The limits are sensible beginnings, not truths: the evaluation command shows what they do to the pictures of your cameras.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.face_ports import FaceFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardware.face_ports import Box, Frame, SeenFace

# How far the nose stands out before the eyes, and how far the mouth lies below them, by the distance of the eyes: what turns
# the places of five points into degrees. Heads differ; these are estimates.
NOSE = 0.6
EYES_TO_MOUTH = 1.15
NOSE_BETWEEN = 0.5
# A crop's rim shows hair and background.
RIM = 8
DARK_LEVEL, BRIGHT_LEVEL = 40, 245
LUMA = np.array([0.114, 0.587, 0.299], np.float32)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a face is too bad to be compared."""

    pixels: float = 80
    share: float = 0.05
    sharpness: float = 25
    yaw: float = 25
    pitch: float = 25
    roll: float = 30
    dark: float = 45
    bright_share: float = 0.4
    company: float = 0.4
    overhang: float = 0.1


# A live picture of a camera, and a still that somebody made with care: the photo of a document is small.
LIVE = Limits()
STILL = Limits(pixels=48, share=0.08, sharpness=12)


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees, estimated: yaw above 0 is a turn to the person's own left, pitch above 0 looks down."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What a face in a picture measures."""

    pixels: float
    share: float
    pose: Pose
    sharpness: float
    luma: float
    bright_share: float


def pose(points: Sequence[tuple[float, float]]) -> Pose:
    """How a head is turned, from eyes, nose and mouth corners in pixels."""
    left, right, nose, mouth_left, mouth_right = (np.asarray(point, dtype=np.float64) for point in points)
    across = right - left
    distance = float(np.hypot(*across))
    if distance <= 0:
        return Pose(90.0, 0.0, 0.0)
    roll = math.atan2(across[1], across[0])
    along, down = across / distance, np.array([-across[1], across[0]]) / distance
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    middle = (eyes + mouth) / 2
    yaw = math.atan(float((nose - middle) @ along) / distance / NOSE)
    height = float((mouth - eyes) @ down)
    if height <= 0:
        return Pose(math.degrees(yaw), 90.0, math.degrees(roll))
    lower = float((nose - eyes) @ down) / height - NOSE_BETWEEN
    pitch = math.atan(lower * EYES_TO_MOUTH / NOSE)
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def luma(crop: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Brightness of an aligned face without its rim."""
    inner = crop[RIM:-RIM, RIM:-RIM].astype(np.float32)
    made: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = inner @ LUMA
    return made


def sharpness(grey: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Variance of the Laplacian: low where nothing has an edge."""
    core = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * core
    return float(edges.var())


def measure(frame: Frame, face: SeenFace, crop: Frame) -> Measures:
    """Measure one face of a picture and its aligned crop."""
    height, width = frame.shape[:2]
    grey = luma(crop)
    five = [(x * width, y * height) for x, y in face.points]
    return Measures(
        pixels=min(face.box.width * width, face.box.height * height),
        share=max(face.box.width, face.box.height),
        pose=pose(five),
        sharpness=sharpness(grey),
        luma=float(grey.mean()),
        bright_share=float((grey > BRIGHT_LEVEL).mean()),
    )


def main_face(faces: Sequence[SeenFace], limits: Limits = LIVE) -> SeenFace | FaceFault:
    """The one face meant; faces are sorted by size, and a second one of comparable size makes it unclear."""
    if not faces:
        return FaceFault.NO_FACE
    if len(faces) > 1 and area(faces[1].box) >= limits.company * area(faces[0].box):
        return FaceFault.SEVERAL
    return faces[0]


def area(box: Box) -> float:
    """Share of the picture."""
    return box.width * box.height


def is_cut(face: SeenFace, limits: Limits = LIVE) -> bool:
    """Whether the picture's border cuts through the face."""
    box = face.box
    beyond = (
        max(-box.x, box.x + box.width - 1) > limits.overhang * box.width
        or max(-box.y, box.y + box.height - 1) > limits.overhang * box.height
    )
    return beyond or any(not (0 <= x <= 1 and 0 <= y <= 1) for x, y in face.points)


def judge(found: Measures, limits: Limits = LIVE) -> FaceFault | float:
    """The first thing that rules a face out, or how good it is, from 0 to 1."""
    turn = found.pose
    if found.pixels < limits.pixels or found.share < limits.share:
        return FaceFault.SMALL
    if abs(turn.yaw) > limits.yaw or abs(turn.pitch) > limits.pitch or abs(turn.roll) > limits.roll:
        return FaceFault.TURNED
    # Light before sharpness: without light there are no edges either, and light can be switched on.
    if found.luma < limits.dark:
        return FaceFault.DARK
    if found.bright_share > limits.bright_share:
        return FaceFault.BRIGHT
    if found.sharpness < limits.sharpness:
        return FaceFault.BLURRED
    straight = 1 - max(
        abs(turn.yaw) / limits.yaw, abs(turn.pitch) / limits.pitch, abs(turn.roll) / limits.roll
    )
    large = min(1.0, found.pixels / (2 * limits.pixels))
    sharp = min(1.0, found.sharpness / (4 * limits.sharpness))
    lit = 1 - found.bright_share / limits.bright_share
    return float(max(0.0, min(large, sharp, 0.5 + straight / 2, 0.5 + lit / 2)))
