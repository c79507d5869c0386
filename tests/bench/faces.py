"""What our part of a face comparison costs beside the models: `python -m tests.bench faces`.

The models are the synthetic test pack with trunks of random weights, as heavy as the real ones: a detector of 10 GMAC at
640 by 640 and a recogniser of the shape of a ResNet-50 (6.3 GMAC). Their sessions alone are the floor.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from hardware.drivers.face_models import open_session
from hardware.face_index import FaceIndex
from hardware.face_ports import Pack, Portrait
from hardware.face_service import FaceService
from tests.bench.tables import quantile, show
from tests.hardware.face_graph import Graph
from tests.hardware.face_pack import install, project, scrfd_outputs
from tests.hardware.face_pictures import Person, scene

ROUNDS = 25
WARM_UP = 3
STORED, DIMENSION, SEARCHES = 100_000, 512, 200
RATIO_TARGET, SEARCH_TARGET_MS = 1.15, 15.0
FAINT = 1e-9
HEAD = ("", "median", "p10", "p90", "processor")


def conv(g: Graph, source: str, channels: tuple[int, int], stride: int, chance: np.random.Generator) -> str:
    """A 3 by 3 convolution and its activation."""
    before, after = channels
    weights = chance.standard_normal((after, before, 3, 3)) * np.sqrt(2 / (9 * before))
    made = g.op("Conv", source, g.constant(weights), kernel_shape=[3, 3], strides=[stride] * 2, pads=[1] * 4)
    return g.op("Relu", made)


def trunk(g: Graph, source: str, stages: list[tuple[int, int, int]], seed: int) -> str:
    """Stages of (channels, stride of the first convolution, number of convolutions)."""
    chance, before = np.random.default_rng(seed), 3
    for channels, stride, count in stages:
        for number in range(count):
            source = conv(g, source, (before, channels), stride if number == 0 else 1, chance)
            before = channels
    return source


def heavy_detector(path: Path) -> None:
    """SCRFD's outputs by the test pack's rule, behind 10 GMAC whose result is too faint to matter."""
    g = Graph()
    deep = trunk(g, "input.1", [(32, 2, 1), (64, 2, 5), (128, 2, 5), (256, 2, 3)], 1)
    faint = g.op("Mul", g.op("ReduceMean", deep, axes=[1, 2, 3], keepdims=1), FAINT)
    scrfd_outputs(g, path, g.op("Add", "input.1", faint))


def heavy_recogniser(path: Path) -> None:
    """ArcFace's output by the test pack's rule, behind the convolutions of a ResNet-50 for faces."""
    g = Graph()
    deep = trunk(g, "input.1", [(64, 1, 1), (64, 2, 6), (128, 2, 8), (256, 2, 28), (512, 2, 6)], 2)
    faint = g.op("Mul", g.op("ReduceMean", deep, axes=[1, 2, 3], keepdims=1), FAINT)
    project(g, g.op("Add", "input.1", faint), "683", 7, DIMENSION)
    g.save(path, {"input.1": ["None", 3, 112, 112]}, {"683": ["None", DIMENSION]})


class Times:
    """Milliseconds by the clock, and of processor time, which other work on the machine disturbs less."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []

    def run(self, work: Callable[[], Any]) -> Any:
        """Measure one run."""
        clock, processor = time.perf_counter(), time.process_time()
        made = work()
        self.clock.append((time.perf_counter() - clock) * 1000)
        self.processor.append((time.process_time() - processor) * 1000)
        return made


def row(name: str, times: Times) -> list[str]:
    """Median and spread of one measurement, and the median of its processor time."""
    values = times.clock
    shown = (
        statistics.median(values),
        quantile(values, 0.1),
        quantile(values, 0.9),
        statistics.median(times.processor),
    )
    return [name, *(f"{each:.1f}" for each in shown)]


def pipeline(folder: Path) -> None:
    """Our whole way from picture to vector against the two sessions alone, turn by turn."""
    source = folder / "download"
    source.mkdir()
    heavy_detector(source / "det.onnx")
    heavy_recogniser(source / "rec.onnx")
    checked = install(folder / "models", "heavy", source)
    detector, recogniser = (open_session(checked.folder / name) for name in ("det.onnx", "rec.onnx"))
    service = FaceService(folder / "models")
    service.start("heavy")
    print(service.wait_started().code)
    frame = scene(Person(1, x=480, y=200, size=300), width=1280, height=720, noise=1)
    wide = np.random.default_rng(3).standard_normal((1, 3, 640, 640)).astype(np.float32)
    small = np.random.default_rng(4).standard_normal((1, 3, 112, 112)).astype(np.float32)

    def bare() -> None:
        detector.run(None, {"input.1": wide})
        recogniser.run(None, {"input.1": small})

    def ours() -> None:
        assert service.look(frame).portrait is not None

    for _ in range(WARM_UP):
        bare()
        ours()
    floor, whole = Times(), Times()
    for _ in range(ROUNDS):
        floor.run(bare)
        whole.run(ours)
    service.stop()
    show(
        f"one 1280x720 picture, ms ({ROUNDS} runs, one thread)",
        HEAD,
        [row("ONNX Runtime alone: detector and recogniser", floor), row("face service: find, judge, align, embed", whole)],
    )  # fmt: skip
    compare("clock", whole.clock, floor.clock)
    compare("processor time", whole.processor, floor.processor)


def compare(name: str, mine: list[float], theirs: list[float]) -> None:
    """The ratio of two measurements that were taken turn by turn."""
    ratios = [ours / bare for ours, bare in zip(mine, theirs, strict=True)]
    ratio, low, high = statistics.median(ratios), quantile(ratios, 0.1), quantile(ratios, 0.9)
    print(
        f"ratio by {name} {ratio:.3f} ({low:.3f}-{high:.3f}), target <= {RATIO_TARGET}: {verdict(ratio <= RATIO_TARGET)}"
    )


def search() -> None:
    """The nearest of a hundred thousand."""
    pack = Pack("bench", "bench", "insightface", DIMENSION)
    index, chance = FaceIndex(pack), np.random.default_rng(5)
    vectors = chance.standard_normal((STORED, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    filling, searching, removing = Times(), Times(), Times()
    filling.run(lambda: [index.put(str(n), Portrait(pack, vector)) for n, vector in enumerate(vectors)])
    for number in range(SEARCHES):
        found = searching.run(partial(index.search, Portrait(pack, vectors[number * 499])))
        assert found is not None
        assert found.key == str(number * 499)
    for number in range(1000):
        removing.run(partial(index.remove, str(number)))
    show(
        f"{STORED} faces of {DIMENSION} numbers, ms",
        HEAD,
        [row("search", searching), row("remove", removing)],
    )
    print(f"filled in {filling.clock[0] / 1000:.1f} s; search target <= {SEARCH_TARGET_MS} ms: ", end="")
    print(verdict(statistics.median(searching.clock) <= SEARCH_TARGET_MS))


def verdict(good: bool) -> str:
    """In a word."""
    return "reached" if good else "MISSED"


def main() -> None:
    """Both measurements."""
    print(f"onnx {onnx.__version__}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        pipeline(Path(folder))
    search()


if __name__ == "__main__":
    main()
