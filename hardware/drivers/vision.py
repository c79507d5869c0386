"""Loads OpenCV once, quietly and late, and keeps the few picture operations that more than one module needs."""

from __future__ import annotations

import io
import os
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

JPEG_QUALITY = 80

# OpenCV and FFmpeg read these at import or open; without them an absent camera fills the log, and the first
# pictures of an RTSP stream are more than a second old.
ENVIRONMENT = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay",
}


@cache
def load_cv2() -> Any:
    """Import OpenCV; ImportError when it or its system libraries are missing."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    cv2 = import_module("cv2")
    # Small pictures: OpenCV's own thread pool costs more in contention than it saves.
    cv2.setNumThreads(1)
    return cv2


def encode_jpeg(frame: Frame, quality: int = JPEG_QUALITY) -> bytes:
    """Turn a frame into JPEG bytes."""
    cv2 = load_cv2()
    encoded, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError("jpeg_encode_failed")
    return bytes(data)


def fit(frame: Frame, width: int, height: int) -> Frame:
    """Scale a frame down, never up, to lie within the box."""
    rows, columns = frame.shape[:2]
    scale = min(width / columns, height / rows)
    if scale >= 1:
        return frame
    cv2 = load_cv2()
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    scaled: Frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return scaled


def decode_still(data: bytes, formats: tuple[str, ...], most_bytes: int, most_pixels: int) -> Frame:
    """Turn a still of one of these formats into pixels; ValueError for what is none or too large.

    The size is read from the header before anything is unpacked: a small file can hold a picture that fills the memory.
    """
    if not 0 < len(data) <= most_bytes:
        raise ValueError("picture_bytes")
    try:
        with import_module("PIL.Image").open(io.BytesIO(data), formats=formats) as header:
            width, height = header.size
    except Exception as error:  # Pillow's plug-ins raise what they like on broken files
        raise ValueError("picture_format") from error
    if width * height > most_pixels:
        raise ValueError("picture_pixels")
    import numpy as np

    cv2 = load_cv2()
    try:
        frame: Frame | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError("picture_format") from error
    if frame is None:
        raise ValueError("picture_format")
    return frame
