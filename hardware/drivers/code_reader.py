"""Reads QR codes from camera frames with zxing-cpp and pyzbar, and decides what of it is news."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hardware.drivers.vision import fit, load_cv2
from hardware.ports import EventKind, HardwareError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

SMALL_WIDTH = 640
SMALL_HEIGHT = 480
ABSENT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A text and where it stands: left, top, width and height in shares of the picture."""

    text: str = field(repr=False)
    box: tuple[float, float, float, float]


class CodeReaderMissing(HardwareError):
    """Neither decoding library can be loaded on this machine."""

    def __init__(self) -> None:
        super().__init__("code_reader_missing")


def _module(name: str) -> Any | None:
    # A package without its system library (libzbar0) raises ImportError as well.
    try:
        return import_module(name)
    except ImportError:
        return None


class CodeReader:
    """Tries the cheap way first: measured with `python -m tests.bench.qr`, most codes fall in the first millisecond."""

    def __init__(self) -> None:
        self._cv2 = load_cv2()
        self._zxing = _module("zxingcpp")
        self._pyzbar = _module("pyzbar.pyzbar")
        if self._zxing is None and self._pyzbar is None:
            raise CodeReaderMissing

    def read(self, frame: Frame, *, thorough: bool = True) -> list[str]:
        """Return the different texts in the frame."""
        return [code.text for code in self.find(frame, thorough=thorough)]

    def find(self, frame: Frame, *, thorough: bool = True) -> list[FoundCode]:
        """Return the different codes in the frame; without `thorough` the slow second opinion is left out."""
        grey = self._cv2.cvtColor(frame, self._cv2.COLOR_BGR2GRAY)
        small = fit(grey, SMALL_WIDTH, SMALL_HEIGHT)
        for attempt in self._attempts(grey, small, thorough=thorough):
            codes = attempt()
            if codes:
                return codes
        return []

    def _attempts(
        self, grey: Frame, small: Frame, *, thorough: bool
    ) -> Iterator[Callable[[], list[FoundCode]]]:
        zxing, pyzbar = self._zxing, self._pyzbar
        if zxing is not None:
            yield lambda: _with_zxing(zxing, small, hard=False)
            yield lambda: _with_zxing(zxing, grey, hard=True)
        if pyzbar is not None and (thorough or zxing is None):
            yield lambda: _with_pyzbar(pyzbar, small)
        if pyzbar is not None and zxing is None:
            # pyzbar alone gives up on dark pictures, which zxing-cpp reads: cure them for it.
            yield lambda: _with_pyzbar(pyzbar, self._brightened(small))

    def _brightened(self, grey: Frame) -> Frame:
        brightened: Frame = self._cv2.GaussianBlur(self._cv2.equalizeHist(grey), (3, 3), 0)
        return brightened


def _with_zxing(zxing: Any, grey: Frame, *, hard: bool) -> list[FoundCode]:
    found = zxing.read_barcodes(
        grey,
        formats=zxing.BarcodeFormat.QRCode,
        try_rotate=hard,
        try_downscale=hard,
        try_invert=False,
    )
    return _distinct((result.text, _zxing_corners(result.position), grey) for result in found if result.valid)


def _zxing_corners(place: Any) -> list[Any]:
    return [place.top_left, place.top_right, place.bottom_right, place.bottom_left]


def _with_pyzbar(pyzbar: Any, grey: Frame) -> list[FoundCode]:
    found = pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])
    return _distinct((result.data.decode("utf-8", "replace"), result.polygon, grey) for result in found)


def _distinct(found: Iterable[tuple[str, Sequence[Any], Frame]]) -> list[FoundCode]:
    codes: dict[str, FoundCode] = {}
    for text, corners, grey in found:
        if text and text not in codes:
            codes[text] = FoundCode(text, _box(corners, grey))
    return list(codes.values())


def _box(corners: Sequence[Any], grey: Frame) -> tuple[float, float, float, float]:
    """The upright box around the corners in shares of the picture, cut off at its edges."""
    rows, columns = grey.shape[:2]
    xs = [min(max(corner.x / columns, 0.0), 1.0) for corner in corners] or [0.0]
    ys = [min(max(corner.y / rows, 0.0), 1.0) for corner in corners] or [0.0]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


class CodePresence:
    """Turns what each frame shows into one event per presentation of a code."""

    def __init__(self, absent_seconds: float = ABSENT_SECONDS) -> None:
        self._absent_seconds = absent_seconds
        self._last_seen: dict[str, float] = {}
        self._two_codes_at: float | None = None

    def see(self, texts: Sequence[str], now: float) -> list[tuple[EventKind, dict[str, str]]]:
        """Take the texts of one frame and return the events it causes."""
        self._forget(now)
        fresh = [text for text in texts if text not in self._last_seen]
        self._last_seen.update(dict.fromkeys(texts, now))
        if len(texts) > 1:
            told = self._two_codes_at is not None
            # Both stay marked as seen: when one of them leaves, the other must be presented anew.
            self._two_codes_at = now
            return [] if told else [(EventKind.UNREADABLE, {"reason": "two_codes"})]
        return [(EventKind.CODE, {"text": text}) for text in fresh]

    def hold(self, now: float) -> None:
        """Keep what was seen last as seen, while nobody can look."""
        self._last_seen = dict.fromkeys(self._last_seen, now)
        if self._two_codes_at is not None:
            self._two_codes_at = now

    def _forget(self, now: float) -> None:
        limit = now - self._absent_seconds
        self._last_seen = {text: at for text, at in self._last_seen.items() if at > limit}
        if self._two_codes_at is not None and self._two_codes_at <= limit:
            self._two_codes_at = None
