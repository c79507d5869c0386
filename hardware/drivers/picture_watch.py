"""Tells a live picture from one that hangs or shows nothing, from a grid of its pixels: some microseconds a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware.drivers.vision import load_cv2

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Frame = npt.NDArray[np.uint8]

FROZEN, COVERED = "frozen_picture", "covered_picture"
GRID = 8
# A picture that hangs is the same to the byte, or encoded anew with up to two levels of difference (measured on H.264).
SAME_LEVELS = 2
# A camera that sends one picture a second repeats nothing within its first seconds.
MIN_REPEATS = 10
BLOCKS = (16, 9)
# Means of large blocks: the noise of a dark sensor cancels out in them, a scene does not.
ONE_COLOUR_LEVELS = 12
COVERED_SECONDS = 3.0


def samples(frame: Frame) -> Frame:
    """Single pixels on a grid, not means: in means the noise would be lost by which a living sensor is known."""
    grid: Frame = frame[::GRID, ::GRID, 1].copy()
    return grid


def differing(one: Frame, other: Frame, levels: int) -> int:
    """How many samples differ by more than so many levels; all of them where the sizes differ."""
    if one.shape != other.shape:
        return max(one.size, other.size)
    cv2 = load_cv2()
    return int(cv2.countNonZero(cv2.compare(cv2.absdiff(one, other), levels, cv2.CMP_GT)))


class PictureWatch:
    """Watches one source over all its reconnections: the picture that hung before is still hung after.

    Written by the grabber's thread, read by others: each attribute is replaced whole.
    """

    def __init__(self, frozen_seconds: float, *, covers: bool) -> None:
        self._frozen_seconds = frozen_seconds
        self._covers = covers
        self._reference: Frame | None = None
        self._same_since = 0.0
        self._repeats = 0
        self._one_colour_since: float | None = None
        self.trouble = ""

    def see(self, frame: Frame, now: float) -> None:
        """Look at a frame before anybody else does."""
        if not self._frozen_seconds and not self._covers:
            return
        grid = samples(frame)
        self.trouble = self._covered(grid, now) or self._frozen(grid, now)

    def _frozen(self, grid: Frame, now: float) -> str:
        if self._reference is None or differing(grid, self._reference, SAME_LEVELS):
            # Compared with where it began, not with the frame before: slow dawn is a change as well.
            self._reference, self._same_since, self._repeats = grid, now, 0
            return ""
        self._repeats += 1
        lasting = self._repeats >= MIN_REPEATS and now - self._same_since >= self._frozen_seconds
        return FROZEN if self._frozen_seconds and lasting else ""

    def _covered(self, grid: Frame, now: float) -> str:
        blocks = load_cv2().resize(grid, BLOCKS, interpolation=load_cv2().INTER_AREA)
        if not self._covers or int(blocks.max()) - int(blocks.min()) > ONE_COLOUR_LEVELS:
            self._one_colour_since = None
            return ""
        if self._one_colour_since is None:
            self._one_colour_since = now
        return COVERED if now - self._one_colour_since >= COVERED_SECONDS else ""
