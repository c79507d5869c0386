"""``evaluate``: compares labelled pictures and says what thresholds are worth; writes numbers of pictures, never names (ID-04)."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.commands import face_accuracy, face_sets
from app.commands.errors import CommandError
from app.commands.face_accuracy import Accuracy, Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.commands.face_accuracy import Scores
    from app.commands.face_sets import LabelledSet
    from app.runtime.face_models import Portraitist
    from hardware.face_ports import Portrait

SCORES_FILE, CURVE_FILE, REFUSED_FILE = "scores.csv", "curve.csv", "refused.csv"
CURVE_PLOT, SCORES_PLOT = "curve.png", "scores.png"
BINS = 60
SIZE_INCHES, DPI = (8, 5), 120
FAR_FLOOR = 1e-7


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it."""

    accuracy: Accuracy
    pictures: int
    people: int
    refused: Mapping[str, int]
    genuine: int
    impostors: int


def evaluate(portraitist: Portraitist, folder: Path, wanted: float, out: Path) -> Evaluation:
    """Compare all pairs of a set, write tables and plots to ``out``."""
    if not 0 < wanted < 1:
        raise CommandError("evaluate_far")
    labelled = face_sets.read(folder)
    made = [portraitist.portrait(path) for path in labelled.pictures]
    refused = {number: each for number, each in enumerate(made) if isinstance(each, str)}
    pairs = _compared(labelled, {n: each for n, each in enumerate(made) if not isinstance(each, str)})
    genuine = np.array([score for _, _, same, score in pairs if same])
    impostors = np.array([score for _, _, same, score in pairs if not same])
    if not len(genuine) or not len(impostors):
        raise CommandError("evaluate_too_few", genuine=len(genuine), impostors=len(impostors))
    accuracy = face_accuracy.assess(genuine, impostors, wanted)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / SCORES_FILE, ("first", "second", "same", "score"), _score_rows(pairs))
    _write(out / REFUSED_FILE, ("picture", "fault"), ((str(n), fault) for n, fault in refused.items()))
    points = face_accuracy.curve(genuine, impostors)
    _write(out / CURVE_FILE, _curve_columns(), (_curve_row(*point) for point in points))
    _plot_curve(out / CURVE_PLOT, points, accuracy)
    _plot_scores(out / SCORES_PLOT, genuine, impostors, accuracy)
    people = len(set(labelled.people))
    return Evaluation(accuracy, len(made), people, Counter(refused.values()), len(genuine), len(impostors))


Compared = list[tuple[int, int, bool, float]]


def _compared(labelled: LabelledSet, portraits: Mapping[int, Portrait]) -> Compared:
    """The pairs of which both pictures were good enough, with their scores."""
    if not portraits:
        return []
    rows = {number: row for row, number in enumerate(portraits)}
    vectors = np.stack([portrait.vector for portrait in portraits.values()]).astype(np.float64)
    scores = vectors @ vectors.T
    return [
        (first, second, same, float(scores[rows[first], rows[second]]))
        for first, second, same in labelled.pairs
        if first in rows and second in rows
    ]


def _score_rows(pairs: Compared) -> Iterable[tuple[str, ...]]:
    return ((str(first), str(second), str(int(same)), f"{score:.6f}") for first, second, same, score in pairs)


def _curve_columns() -> tuple[str, ...]:
    return ("threshold", "far", "far_low", "far_high", "frr", "frr_low", "frr_high")


def _curve_row(threshold: float, far: Rate, frr: Rate) -> tuple[str, ...]:
    values = (far.value, far.low, far.high, frr.value, frr.low, frr.high)
    return (f"{threshold:.4f}", *(f"{value:.8f}" for value in values))


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)


def _plot_curve(path: Path, points: list[tuple[float, Rate, Rate]], accuracy: Accuracy) -> None:
    figure, axes = _figure()
    at = [threshold for threshold, _, _ in points]
    lines = (
        ("FAR", "#b3261e", [far for _, far, _ in points]),
        ("FRR", "#1b5e9b", [frr for _, _, frr in points]),
    )
    for name, colour, rates in lines:
        axes.semilogy(at, [max(each.value, FAR_FLOOR) for each in rates], color=colour, label=name)
        low, high = (
            [max(end, FAR_FLOOR) for end in ends]
            for ends in zip(*((r.low, r.high) for r in rates), strict=True)
        )
        axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.axvline(accuracy.threshold, color="black", linestyle="--", linewidth=1)
    axes.axhline(accuracy.wanted, color="black", linestyle=":", linewidth=1)
    floor = min(accuracy.wanted, 1 / max(accuracy.far.trials, accuracy.frr.trials)) / 10
    axes.set_ylim(max(floor, FAR_FLOOR), 1)
    axes.legend(loc="lower left")
    figure.savefig(path)


def _plot_scores(path: Path, genuine: Scores, impostors: Scores, accuracy: Accuracy) -> None:
    figure, axes = _figure()
    bins = np.linspace(
        min(genuine.min(), impostors.min()), max(genuine.max(), impostors.max()), BINS
    ).tolist()
    for scores, name, colour in ((impostors, "≠", "#b3261e"), (genuine, "=", "#1b5e9b")):
        axes.hist(scores, bins=bins, density=True, alpha=0.5, color=colour, label=name)
    axes.axvline(accuracy.threshold, color="black", linestyle="--", linewidth=1)
    axes.legend(loc="upper right")
    figure.savefig(path)


def _figure() -> tuple[Any, Any]:
    """A figure of its own: no window, no shared state. Its words are signs that need no translation and no Chinese font."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.set_xlabel("cos")
    return figure, axes
