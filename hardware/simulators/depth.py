"""An emulated depth camera: what stands before it is a head, a flat picture, a screen that gives nothing, or nobody."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from hardware.face_liveness import DepthPatch

if TYPE_CHECKING:
    import numpy.typing as npt

    from hardware.face_ports import Box

SIDE = 48
HEAD_MM = 90.0
NOSE_MM = 22.0
NOISE_MM = 1.5


class Before(StrEnum):
    """What stands before the camera."""

    HEAD = "head"
    FLAT = "flat"
    TILTED = "tilted"
    HOLES = "holes"
    FAR = "far"
    DEVICE_SAYS_LIVE = "live"
    DEVICE_SAYS_FAKE = "fake"
    NOTHING = "nothing"


class DepthEmulator:
    """Answers as the adapter of a real device would."""

    def __init__(self, shows: Before = Before.HEAD, distance: float = 600.0, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self._shows, self._distance = shows, distance
        self._chance = np.random.default_rng(seed)

    def show(self, what: Before, distance: float = 600.0) -> None:
        """Change the scene."""
        with self._lock:
            self._shows, self._distance = what, distance

    def read(self, box: Box) -> DepthPatch | bool | None:
        """Distances in the box of a face, or what the device says by itself."""
        with self._lock:
            shows, distance = self._shows, self._distance
            noise = self._chance.normal(0, NOISE_MM, (SIDE, SIDE))
        if box.width <= 0 or shows is Before.NOTHING:
            return None
        if shows in (Before.DEVICE_SAYS_LIVE, Before.DEVICE_SAYS_FAKE):
            return shows is Before.DEVICE_SAYS_LIVE
        return DepthPatch((self._surface(shows, distance) + noise).astype(np.float32))

    def _surface(self, shows: Before, distance: float) -> npt.NDArray[np.float64]:
        across = np.linspace(-1, 1, SIDE)
        x, y = np.meshgrid(across, across)
        if shows is Before.TILTED:
            return distance + 60 * x + 30 * y
        if shows is Before.FLAT:
            return np.full((SIDE, SIDE), distance)
        if shows is Before.FAR:
            distance = 6000.0
        head = distance - HEAD_MM * np.sqrt(np.clip(1 - 0.6 * x**2 - 0.4 * y**2, 0, 1))
        head -= NOSE_MM * np.exp(-((x / 0.15) ** 2) - (y / 0.3) ** 2)
        if shows is Before.HOLES:
            head[:, SIDE // 3 :] = 0
            head[:, SIDE // 3 :] -= 10  # noise must not make a distance of what is none
        return head
