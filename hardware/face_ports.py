"""What the rest of the system may know about faces: value types, faults and the contract of an engine (ID-02).

Pictures are BGR uint8 arrays of shape (height, width, 3). Boxes and points are shares of the picture's width and height, so
that they fit whatever size a page shows. No type here shows a vector or a picture in its `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]
    Vector = npt.NDArray[np.float32]


class FaceFault(StrEnum):
    """Why no comparison was possible; none of these says anything against the person (ID-06)."""

    NO_MODELS = "no_models"
    NO_PICTURE = "no_picture"
    NO_FACE = "no_face"
    SEVERAL = "several_faces"
    SMALL = "face_small"
    BLURRED = "face_blurred"
    TURNED = "face_turned"
    DARK = "face_dark"
    COVERED = "face_covered"
    OTHER_PACK = "other_pack"
    FAILED = "engine_failed"


class FaceOutcome(StrEnum):
    """What a comparison found; it is evidence for the decision, never a decision."""

    SAME = "same"
    UNSURE = "unsure"
    OTHER = "other"
    SPOOFED = "spoofed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Pack:
    """A set of models: vectors of different packs are never compared. `id` changes with every byte of its files."""

    id: str
    name: str
    engine: str
    dimension: int
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is, as shares of the picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face in a picture: five points are eyes, nose and mouth corners, left before right as the picture shows them."""

    box: Box
    points: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """The vector of one face, of unit length, with the pack that made it."""

    pack: Pack
    vector: Vector = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceVerdict:
    """What came of a comparison; `score` is the cosine, `liveness` the level that was reached, both for the record only."""

    outcome: FaceOutcome
    fault: FaceFault | None = None
    score: float = 0.0
    threshold: float = 0.0
    liveness: str = "none"
    frames: int = 0
    pack_id: str = ""


class FaceEngine(Protocol):
    """Finds faces and makes vectors of them; called from one worker thread."""

    @property
    def pack(self) -> Pack:
        """The models it runs on."""

    def detect(self, frame: Frame) -> Sequence[SeenFace]:
        """All faces of a picture, the largest first. Raises `ValueError` for what is no BGR uint8 picture."""

    def embed(self, frame: Frame, face: SeenFace) -> Vector:
        """The unit vector of one face of that picture."""
