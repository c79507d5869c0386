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


UNIT_TOLERANCE = 1e-3


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
    BRIGHT = "face_bright"
    CUT = "face_cut"
    COVERED = "face_covered"
    OTHER_PACK = "other_pack"
    NO_LIVENESS = "liveness_missing"
    NOT_DONE = "challenge_not_done"
    BUSY = "engine_busy"
    FAILED = "engine_failed"


class FaceOutcome(StrEnum):
    """What a comparison found; it is evidence for the decision, never a decision."""

    SAME = "same"
    UNSURE = "unsure"
    OTHER = "other"
    SPOOFED = "spoofed"
    UNREADABLE = "unreadable"


class Liveness(StrEnum):
    """How a comparison makes sure that a person stands there; what each is worth: docs/faces.md (ID-03)."""

    NONE = "none"
    CHALLENGE = "challenge"
    PASSIVE = "passive"
    DEPTH = "depth"


class Prompt(StrEnum):
    """What a person is asked to do in front of the camera; left and right are the person's own."""

    LOOK = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    NOD = "nod"
    CLOSE_EYES = "close_eyes"


class Ability(StrEnum):
    """What a pack can do beyond finding and comparing faces."""

    PASSIVE = "passive"
    EYES = "eyes"
    COVERED = "covered"


class ServiceCode(StrEnum):
    """How the face service is; only READY compares faces."""

    READY = "ready"
    STARTING = "starting"
    NO_PACK = "no_pack"
    PACK_BROKEN = "pack_broken"
    LICENCE_OPEN = "licence_open"
    LIBRARY_MISSING = "library_missing"
    FAILED = "failed"


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


def vector_bytes(portrait: Portrait) -> bytes:
    """What to keep of a portrait, sealed, beside the id of its pack."""
    return portrait.vector.astype("<f4").tobytes()


def portrait_of(pack: Pack, kept: bytes) -> Portrait:
    """The portrait that `vector_bytes` made; ValueError when it cannot be one of this pack."""
    import numpy as np

    if len(kept) != pack.dimension * 4:
        raise ValueError("vector_length")
    vector = np.frombuffer(kept, dtype="<f4").astype(np.float32)
    if not abs(float(np.linalg.norm(vector)) - 1.0) < UNIT_TOLERANCE:
        raise ValueError("vector_not_unit")
    return Portrait(pack, vector)


@dataclass(frozen=True, slots=True)
class FaceState:
    """How the face service is, for people: `detail` is a code of hardware/face_packs.py or the name of an error."""

    code: ServiceCode
    pack: Pack | None = None
    detail: str = ""


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

    @property
    def abilities(self) -> frozenset[Ability]:
        """What these models can do beyond the contract's first three methods."""

    def detect(self, frame: Frame) -> Sequence[SeenFace]:
        """All faces of a picture, the largest first. Raises `ValueError` for what is no BGR uint8 picture."""

    def align(self, frame: Frame, face: SeenFace) -> Frame:
        """One face of that picture, upright, 112 by 112."""

    def embed(self, crop: Frame) -> Vector:
        """The unit vector of an aligned face."""

    def is_live(self, frame: Frame, face: SeenFace) -> bool | None:
        """What the pack's own model says of liveness; None where it cannot tell (too near the border, no model)."""

    def is_covered(self, frame: Frame, face: SeenFace) -> bool | None:
        """Whether mouth or nose are covered; None without a model for it."""

    def eyes_open(self, frame: Frame, face: SeenFace) -> float | None:
        """Height of the eyes' opening by its width; None without dense landmarks."""
