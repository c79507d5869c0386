"""The synthetic test pack: models whose "face" is a bright square of 4 by 4 saturated colour blocks on a dark ground.

Nothing is trained: the detectors measure moments of brightness, the recognisers project the colours at random. They prove that
the code around real models is right, and say nothing about how well any model knows people. What else can be shown:

- a white spot is the nose: out of its place, the head is turned;
- a grey band over the eyes shuts them; a grey lower half is a mask;
- a washed-out picture is "not alive".
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hardware import face_import
from hardware.drivers.face_models import TEMPLATE
from hardware.face_packs import CheckedPack
from tests.hardware.face_graph import Graph

KERNEL = 16
STRIDES = (8, 16, 32)
ACCEPTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def insightface_source(folder: Path, *, seed: int = 7, dimension: int = 512, extras: bool = True) -> Path:
    """A folder as an operator would have downloaded it, for the insightface engine."""
    folder.mkdir(parents=True, exist_ok=True)
    scrfd(folder / "det_test.onnx")
    arcface(folder / "w_test.onnx", seed, dimension)
    if extras:
        landmarks(folder / "2d106_test.onnx")
        liveness(folder / "liveness_test.onnx")
        covered(folder / "mask_test.onnx")
    return folder


def opencv_source(folder: Path, *, seed: int = 8, extras: bool = False) -> Path:
    """The same for the OpenCV engine."""
    folder.mkdir(parents=True, exist_ok=True)
    yunet(folder / "face_detection_yunet_test.onnx")
    sface(folder / "face_recognition_sface_test.onnx", seed)
    if extras:
        liveness(folder / "liveness_test.onnx")
        covered(folder / "mask_test.onnx")
    return folder


def install(models: Path, name: str, source: Path) -> CheckedPack:
    """Import a source folder as the command does."""
    return face_import.take(models, name, face_import.examine(source), ACCEPTED)


def scrfd(path: Path) -> None:
    """A detector with SCRFD's outputs: input (rgb-127.5)/128, any size."""
    g = Graph()
    scrfd_outputs(g, path, "input.1")


def scrfd_outputs(g: Graph, path: Path, picture: str) -> None:
    """Finish a detector that looks at this picture, and save it."""
    outputs: dict[str, list[int | str]] = {}
    for stride, score, box, points in cells(g, picture):
        none = g.op("Mul", score, 0.0)
        for name, value, width in (
            ("score", (score, none), 1),
            ("bbox", (box, box), 4),
            ("kps", (points, points), 10),
        ):
            out = f"{name}_{stride}"
            g.shape(g.op("Concat", *value, axis=1), [-1, width], out=out)
            outputs[out] = [f"n_{out}", width]
    ordered = {f"{name}_{s}": outputs[f"{name}_{s}"] for name in ("score", "bbox", "kps") for s in STRIDES}
    g.save(path, {"input.1": [1, 3, "height", "width"]}, ordered)


def yunet(path: Path) -> None:
    """A detector with YuNet's outputs: input BGR 0-255, 640 by 640."""
    g = Graph()
    rgb = g.op("Div", g.op("Sub", "input", 127.5), 128.0)
    outputs: dict[str, list[int | str]] = {}
    for stride, score, box, points in cells(g, rgb):
        count = (640 // stride) ** 2
        left, top, right, bottom = (g.column(box, index) for index in range(4))
        raised = g.op("Mul", g.op("Clip", g.op("Add", g.op("Mul", score, 0.5), 0.55), 0.0, 1.0), 1.0)
        middle = [g.op("Mul", g.op("Sub", far, near), 0.5) for near, far in ((left, right), (top, bottom))]
        size = [
            g.op("Log", g.op("Max", g.op("Add", near, far), 1e-3))
            for near, far in ((left, right), (top, bottom))
        ]
        whole = g.op("Concat", *middle, *size, axis=1)
        values = {"cls": (raised, 1), "obj": (raised, 1), "bbox": (whole, 4), "kps": (points, 10)}
        for name, (value, width) in values.items():
            g.shape(value, [1, count, width], out=f"{name}_{stride}")
            outputs[f"{name}_{stride}"] = [1, count, width]
    ordered = {f"{n}_{s}": outputs[f"{n}_{s}"] for n in ("cls", "obj", "bbox", "kps") for s in STRIDES}
    g.save(path, {"input": [1, 3, 640, 640]}, ordered)


def arcface(path: Path, seed: int = 7, dimension: int = 512) -> None:
    """A recogniser with ArcFace's input and output."""
    g = Graph()
    project(g, "input.1", "683", seed, dimension)
    g.save(path, {"input.1": ["None", 3, 112, 112]}, {"683": ["None", dimension]})


def sface(path: Path, seed: int = 8) -> None:
    """A recogniser with SFace's input and output."""
    g = Graph()
    project(g, "data", "fc1", seed, 128)
    g.save(path, {"data": [1, 3, 112, 112]}, {"fc1": [1, 128]})


def landmarks(path: Path) -> None:
    """106 points; the eyes are shut where a grey band lies over them."""
    g = Graph()
    band = g.cut("data", [80, 50], [102, 142], [2, 3])
    colour = g.op("ReduceMean", _saturation(g, band), axes=[1, 2], keepdims=1)
    opening = g.op("Clip", g.op("Mul", g.op("Sub", colour, 0.1), 1.2), 0.02, 0.3)
    rest, move = np.zeros((106, 2)), np.zeros((106, 2))
    for first, x in ((33, -0.3), (87, 0.3)):
        angles = np.arange(10) * 2 * np.pi / 10
        rest[first : first + 10] = np.column_stack([x + 0.15 * np.cos(angles), np.full(10, -0.05)])
        move[first : first + 10, 1] = 0.5 * np.sin(angles)
    flat = g.op("Mul", g.shape(opening, [1, 1]), g.constant(move.reshape(1, 212)))
    g.op("Add", flat, g.constant(rest.reshape(1, 212)), out="fc1")
    g.save(path, {"data": [1, 3, 192, 192]}, {"fc1": [1, 212]})


def liveness(path: Path) -> None:
    """Alive is what has colour."""
    g = Graph()
    colour = g.op(
        "ReduceMean", _saturation(g, g.cut("input", [22, 22], [58, 58], [2, 3])), axes=[1, 2], keepdims=0
    )
    g.op("Sigmoid", g.op("Mul", g.op("Sub", colour, 0.3), 40.0), out="live")
    g.save(path, {"input": ["N", 3, 80, 80]}, {"live": ["N"]})


def covered(path: Path) -> None:
    """Covered is what has no colour below the eyes."""
    g = Graph()
    colour = g.op(
        "ReduceMean", _saturation(g, g.cut("input", [46, 22], [62, 58], [2, 3])), axes=[1, 2], keepdims=0
    )
    g.op("Sigmoid", g.op("Mul", g.op("Sub", 0.2, colour), 40.0), out="covered")
    g.save(path, {"input": ["N", 3, 80, 80]}, {"covered": ["N"]})


def _saturation(g: Graph, rgb: str) -> str:
    top, low = (g.op(kind, rgb, axes=[1], keepdims=0) for kind in ("ReduceMax", "ReduceMin"))
    return g.op("Sub", top, low)


def project(g: Graph, source: str, out: str, seed: int, dimension: int) -> None:
    chance = np.random.default_rng(seed)
    blocks = g.op("Flatten", g.op("AveragePool", source, kernel_shape=[28, 28], strides=[28, 28]), axis=1)
    centred = g.op("Sub", blocks, g.op("ReduceMean", blocks, axes=[1], keepdims=1))
    weights = chance.standard_normal((48, dimension)) / np.sqrt(48)
    g.op("MatMul", centred, g.constant(weights), out=out)


def _moments(g: Graph, mask: str, stride: int) -> list[str]:
    """Area, first and second moments of a mask around each cell, in cells."""
    at = np.arange(KERNEL) + 0.5 - KERNEL / 2
    x, y = np.meshgrid(at, at)
    kernels = g.constant(np.stack([np.ones_like(x), x, y, x * x, y * y])[:, None])
    pooled = g.op("AveragePool", mask, kernel_shape=[stride, stride], strides=[stride, stride])
    pads = [KERNEL // 2, KERNEL // 2, KERNEL // 2 - 1, KERNEL // 2 - 1]
    found = g.op("Conv", pooled, kernels, kernel_shape=[KERNEL, KERNEL], pads=pads)
    rows = g.shape(g.op("Transpose", found, perm=[0, 2, 3, 1]), [-1, 5])
    return [g.column(rows, index) for index in range(5)]


def _above(g: Graph, value: str, level: float) -> str:
    return g.op("Clip", g.op("Mul", g.op("Sub", value, level), 20.0), 0.0, 1.0)


def cells(g: Graph, rgb: str) -> list[tuple[int, str, str, str]]:
    """For each stride: score, distances to the edges, and five points of each cell, in strides."""
    bright = _above(g, g.op("ReduceMax", rgb, axes=[1], keepdims=1), 0.17)
    white = _above(g, g.op("ReduceMin", rgb, axes=[1], keepdims=1), 0.6)
    return [(stride, *_cell(g, bright, white, stride)) for stride in STRIDES]


def _cell(g: Graph, bright: str, white: str, stride: int) -> tuple[str, str, str]:
    raw, sx, sy, sxx, syy = _moments(g, bright, stride)
    area = g.op("Max", raw, 1e-3)
    dx, dy, side = g.op("Div", sx, area), g.op("Div", sy, area), g.op("Sqrt", area)

    def uneven(second: str, first: str) -> str:
        spread = g.op("Sub", g.op("Div", second, area), g.op("Mul", first, first))
        return g.op("Abs", g.op("Sub", g.op("Div", spread, g.op("Div", area, 12.0)), 1.0))

    shape = g.op("Mul", g.op("Add", uneven(sxx, dx), uneven(syy, dy)), 2.0)
    bad = g.op("Add", g.op("Add", g.op("Abs", dx), g.op("Abs", dy)), shape)
    large = g.op("Sigmoid", g.op("Mul", g.op("Sub", side, 4.6), 12.0))
    small = g.op("Sigmoid", g.op("Mul", g.op("Sub", 12.2, side), 12.0))
    good = g.op("Sub", 0.98, g.op("Mul", bad, 0.33))
    score = g.op("Clip", g.op("Mul", good, g.op("Mul", large, small)), 0.0, 1.0)
    half = g.op("Mul", side, 0.5)
    box = g.op(
        "Concat",
        g.op("Sub", half, dx),
        g.op("Sub", half, dy),
        g.op("Add", half, dx),
        g.op("Add", half, dy),
        axis=1,
    )
    return score, box, _points(g, dx, dy, side, _moments(g, white, stride))


def _points(g: Graph, dx: str, dy: str, side: str, spot: list[str]) -> str:
    there = g.op("Clip", g.op("Mul", spot[0], 20.0), 0.0, 1.0)
    missing = g.op("Sub", 1.0, there)
    made = []
    for index, (x, y) in enumerate(TEMPLATE):
        for shift, share, first in ((dx, x, spot[1]), (dy, y, spot[2])):
            place = g.op("Add", shift, g.op("Mul", side, float(share / 112 - 0.5)))
            if index == 2:
                seen = g.op("Div", first, g.op("Max", spot[0], 1e-3))
                place = g.op("Add", g.op("Mul", there, seen), g.op("Mul", missing, place))
            made.append(place)
    return g.op("Concat", *made, axis=1)
