"""Pictures and videos with codes in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import segno

CODE = "VMS1.K7XQ2M9TB4RWJ5HN8CVD3FZP6GSLAYE0"
OTHER = "VMS1.ZZZZ2M9TB4RWJ5HN8CVD3FZP6GSLAYE0"


def blank(width: int = 640, height: int = 480) -> Any:
    shade = np.linspace(40, 160, height, dtype=np.uint8)[:, None, None]
    return np.broadcast_to(shade, (height, width, 3)).copy()


def with_codes(*texts: str, width: int = 640, height: int = 480) -> Any:
    picture = blank(width, height)
    side = min(height // 2, (width - 40) // max(1, len(texts)) - 20)
    for index, text in enumerate(texts):
        matrix = np.array([list(row) for row in segno.make_qr(text, error="m").matrix], np.uint8)
        modules = np.pad(np.where(matrix == 1, 0, 255).astype(np.uint8), 4, constant_values=255)
        code = cv2.resize(modules, (side, side), interpolation=cv2.INTER_NEAREST)
        left, top = 20 + index * (side + 20), height // 4
        picture[top : top + side, left : left + side] = code[:, :, None]
    return picture


def jpeg(picture: Any) -> bytes:
    encoded, data = cv2.imencode(".jpg", picture)
    assert encoded
    return bytes(data)


def video(path: Path, pictures: list[Any], fps: float) -> Path:
    codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), codec, fps, (pictures[0].shape[1], pictures[0].shape[0]))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def living(picture: Any, number: int) -> Any:
    """The picture as a sensor sees it: no two are alike."""
    noise = np.random.default_rng(number).normal(0, 2.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)
