"""Reads 200 damaged pictures of codes with each decoder: `python -m tests.bench.qr`."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import segno
import zxingcpp
from pyzbar import pyzbar

from hardware.drivers.code_reader import CodeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH, HEIGHT = 1280, 720
KINDS = ("rotation", "perspective", "blur", "motion", "dark", "glare", "screen", "distance")
PER_KIND = 25
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789-_"
EMPTY_RUNS = 40


def code_image(text: str, side: int) -> Any:
    """Draw a code of `side` pixels with its quiet zone."""
    matrix = np.array([list(row) for row in segno.make_qr(text, error="m").matrix], np.uint8)
    padded = np.pad(np.where(matrix == 1, 0, 255).astype(np.uint8), 4, constant_values=255)
    return cv2.resize(padded, (side, side), interpolation=cv2.INTER_NEAREST)


def background(rng: np.random.Generator) -> Any:
    """Draw a blurred room of coloured shapes, so that a reader must search."""
    small = rng.integers(30, 200, (9, 16, 3), dtype=np.uint8)
    picture = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        w, h = int(rng.integers(20, 300)), int(rng.integers(20, 200))
        colour = tuple(int(c) for c in rng.integers(0, 255, 3))
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1 if rng.random() < 0.5 else 3)
    return picture


def placed(picture: Any, code: Any, corners: Any) -> Any:
    """Lay the code over the picture with its corners at the given points."""
    side = code.shape[0]
    source = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    colour = cv2.cvtColor(code, cv2.COLOR_GRAY2BGR)
    warped = cv2.warpPerspective(colour, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full_like(code, 255), matrix, (WIDTH, HEIGHT))
    return np.where(mask[:, :, None] > 127, warped, picture)


def damaged(kind: str, rng: np.random.Generator) -> tuple[str, Any]:
    """Make one picture of the kind and the text that is in it."""
    text = "VMS1." + "".join(rng.choice(list(ALPHABET), 44))
    low, high = (0.17, 0.27) if kind == "distance" else (0.30, 0.60)
    side = int(HEIGHT * rng.uniform(low, high))
    code = code_image(text, 500)
    if kind == "screen":
        code = np.where(code > 0, 235, 25).astype(np.uint8)
    angle = rng.uniform(-np.pi, np.pi) if kind == "rotation" else rng.uniform(-0.3, 0.3)
    half = side / 2
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    margin = side * 0.75
    centre = (rng.uniform(margin, WIDTH - margin), rng.uniform(min(margin, 359), HEIGHT - min(margin, 359)))
    corners = square @ turn.T + centre
    if kind == "perspective":
        corners += rng.uniform(-0.16, 0.16, (4, 2)) * side
    picture = placed(background(rng), code, corners)
    picture = worsened(picture, kind, rng, centre, side)
    noisy = np.clip(picture + rng.normal(0, rng.uniform(2, 12), picture.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 93))])
    return text, cv2.imdecode(data, cv2.IMREAD_COLOR)


def worsened(
    picture: Any, kind: str, rng: np.random.Generator, centre: tuple[float, float], side: int
) -> Any:
    """Apply what light, lens, hand and screen do to a code."""
    if kind == "blur":
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 2.6))
    if kind == "motion":
        length = int(rng.integers(5, 11))
        kernel: Any = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        spin = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, spin, (length, length))
        return cv2.filter2D(picture, -1, kernel / max(float(kernel.sum()), 1e-6))
    if kind == "dark":
        return picture * rng.uniform(0.12, 0.35) + 4
    if kind == "glare":
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        x, y = centre[0] + rng.uniform(-0.5, 0.5) * side, centre[1] + rng.uniform(-0.5, 0.5) * side
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (side * rng.uniform(0.15, 0.35)) ** 2))
        veil = (rng.uniform(0.4, 0.85) * spot)[:, :, None]
        return picture * (1 - veil) + 255 * veil
    if kind == "screen":
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        period, tilt = rng.uniform(2.1, 3.4), rng.uniform(-0.2, 0.2)
        grid = np.sin(2 * np.pi * (columns + tilt * rows) / period) * np.sin(
            2 * np.pi * (rows - tilt * columns) / period
        )
        return np.clip(picture * (1 + 0.22 * grid[:, :, None]) + rng.uniform(0, 40), 0, 255)
    return picture


def pictures(seed: int = 7, per_kind: int = PER_KIND) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, text and picture of the whole set; the same seed gives the same set."""
    rng = np.random.default_rng(seed)
    for kind in KINDS:
        for _ in range(per_kind):
            text, picture = damaged(kind, rng)
            yield kind, text, picture


def with_pyzbar(frame: Any) -> list[str]:
    """Read the grey full frame with pyzbar alone."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return [r.data.decode() for r in pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])]


def with_zxing(frame: Any) -> list[str]:
    """Read the grey full frame with zxing-cpp alone."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return [
        r.text
        for r in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    ]


def measure(name: str, read: Callable[[Any], list[str]], frames: list[tuple[str, str, Any]]) -> None:
    """Print one row of the table, and which kinds were missed."""
    times, missed, wrong = [], dict.fromkeys(KINDS, 0), 0
    for kind, text, frame in frames:
        start = time.perf_counter()
        found = read(frame)
        times.append((time.perf_counter() - start) * 1000)
        missed[kind] += found != [text]
        wrong += any(other != text for other in found)
    empty = []
    rng = np.random.default_rng(1)
    blank = np.clip(background(rng) + rng.normal(0, 5, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    for _ in range(EMPTY_RUNS):
        start = time.perf_counter()
        read(blank)
        empty.append((time.perf_counter() - start) * 1000)
    p95 = statistics.quantiles(times, n=20)[-1]
    count = len(frames) - sum(missed.values())
    rest = {kind: n for kind, n in missed.items() if n}
    print(
        f"{name:22s} {count:3d}/{len(frames)}  {statistics.median(times):6.1f}  {p95:6.1f}  {max(times):6.1f}"
        f"  {statistics.median(empty):6.1f}  wrong {wrong}  missed {rest}"
    )


def main() -> None:
    """Print the table."""
    frames = list(pictures())
    print(f"{'decoder':22s}      ok  median     p95     max   empty   (ms, {WIDTH}x{HEIGHT})")
    measure("pyzbar", with_pyzbar, frames)
    measure("zxing-cpp", with_zxing, frames)
    measure("CodeReader", CodeReader().read, frames)


if __name__ == "__main__":
    main()
