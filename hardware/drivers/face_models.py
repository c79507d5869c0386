"""ONNX Runtime for face models: sessions of one thread, and telling models apart by their shapes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.camera_feed import is_usable
from hardware.face_import import Model
from hardware.face_packs import COVERED, DETECTION, LANDMARKS, PASSIVE, RECOGNITION, PackError
from hardware.ports import DriverUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from hardware.face_ports import Frame, SeenFace, Vector

CROP = 112
# Where ArcFace and SFace expect eyes, nose and mouth corners in a crop of 112 by 112.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
SCRFD_OUTPUTS = (6, 9, 10, 15)
YUNET_OUTPUTS = 12
DENSE_LANDMARKS = 212
SMALL_CROP = 80
LANDMARK_SIZE = 192
SFACE_DIMENSION = 128
COVERED_NAMES = ("mask", "cover")


def load_runtime() -> Any:
    """Import ONNX Runtime; DriverUnavailable when it is missing."""
    try:
        runtime = import_module("onnxruntime")
    except ImportError as error:
        raise DriverUnavailable("onnxruntime_missing") from error
    runtime.set_default_logger_severity(3)
    return runtime


def session_options() -> Any:
    """One thread for each session: the service runs one picture at a time and the gate has other work."""
    options = load_runtime().SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return options


def open_session(path: Path) -> Any:
    """A session on the processor; PackError for what is no model."""
    runtime = load_runtime()
    try:
        return runtime.InferenceSession(str(path), session_options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has a dozen error types for broken files, with no common root
        raise PackError("model_broken", path.name) from error


def probe(path: Path) -> Model | None:
    """What a model file is, by the shapes of its inputs and outputs; None for what no engine here uses.

    Models of age and sex have other shapes and are left out: this system does not estimate either.
    """
    session = open_session(path)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        return None
    size = inputs[0].shape[2:]
    if len(outputs) == YUNET_OUTPUTS and any(output.name.startswith("obj_") for output in outputs):
        return Model(DETECTION, "opencv")
    if len(outputs) in SCRFD_OUTPUTS:
        # Without the five points a face cannot be aligned.
        return Model(DETECTION, "insightface") if len(outputs) in (9, 15) else None
    if len(outputs) != 1:
        return None
    return _by_size(path, list(size), list(outputs[0].shape), inputs[0].name)


def _by_size(path: Path, size: list[Any], out: list[Any], name: str) -> Model | None:
    length = out[-1] if out and isinstance(out[-1], int) else 0
    if size == [CROP, CROP] and len(out) == 2 and length:
        # SFace also fits insightface's loader, which would feed it otherwise than it was trained.
        return Model(
            RECOGNITION, "opencv" if (name, length) == ("data", SFACE_DIMENSION) else "insightface", length
        )
    if size == [LANDMARK_SIZE, LANDMARK_SIZE] and length == DENSE_LANDMARKS:
        return Model(LANDMARKS, "insightface")
    if size == [SMALL_CROP, SMALL_CROP] and len(out) == 1:
        return Model(COVERED if path.stem.lower().startswith(COVERED_NAMES) else PASSIVE)
    return None


def demand_picture(frame: Any) -> None:
    """Refuse what is no colour picture before a library fails on it in its own way."""
    if not is_usable(frame):
        raise ValueError("not_a_bgr_picture")


def pixels(frame: Frame, face: SeenFace) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The five points in pixels."""
    height, width = frame.shape[:2]
    return np.asarray(face.points, dtype=np.float64) * (width, height)


def similarity(source: Any, target: Any = TEMPLATE) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The turn, scale and shift that brings points closest to others (Umeyama 1991), as a 2x3 matrix.

    The same as insightface's own, which asks scikit-image for it and is told that the call is going away.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    from_zero, to_zero = source - from_mean, target - to_mean
    spread = float((from_zero**2).sum())
    if spread <= 0 or not np.isfinite(source).all():
        raise ValueError("points_coincide")
    along = float((from_zero * to_zero).sum())
    across = float((from_zero[:, 0] * to_zero[:, 1] - from_zero[:, 1] * to_zero[:, 0]).sum())
    turn = np.array([[along, -across], [across, along]]) / spread
    return np.hstack([turn, (to_mean - turn @ from_mean)[:, None]])


def unit(vector: Any) -> Vector:
    """A vector of length one; ValueError for one without a direction."""
    flat = np.asarray(vector, dtype=np.float32).ravel()
    length = float(np.linalg.norm(flat))
    if not np.isfinite(length) or length <= 0:
        raise ValueError("vector_without_direction")
    made: Vector = flat / np.float32(length)
    return made
