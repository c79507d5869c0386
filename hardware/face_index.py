"""Finds the nearest of many faces: unit vectors in one matrix, searched whole (ID-02).

A hundred thousand vectors are searched in a few milliseconds, so there is nothing to approximate.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.face_ports import UNIT_TOLERANCE

if TYPE_CHECKING:
    from hardware.face_ports import Pack, Portrait, Vector

FIRST_ROWS = 64
NOBODY = -2.0


@dataclass(frozen=True, slots=True)
class Nearest:
    """Whose face comes closest, how close, and how close the next one comes (-2 when there is no other)."""

    key: str
    score: float
    runner_up: float

    @property
    def lead(self) -> float:
        """By how much it is closer than the next."""
        return self.score - self.runner_up


class FaceIndex:
    """Faces of one pack by key; safe to use from several threads."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._lock = threading.Lock()
        self._rows = np.zeros((FIRST_ROWS, pack.dimension), np.float32)
        self._keys: list[str] = []
        self._places: dict[str, int] = {}

    def put(self, key: str, portrait: Portrait) -> None:
        """Add a face, or replace the one under this key; ValueError for one of another pack."""
        vector = self._accept(portrait)
        with self._lock:
            place = self._places.get(key)
            if place is None:
                place = len(self._keys)
                if place == len(self._rows):
                    self._grow()
                self._keys.append(key)
                self._places[key] = place
            self._rows[place] = vector

    def remove(self, key: str) -> bool:
        """Forget a face: its numbers are overwritten, not only left out. False when it was not there."""
        with self._lock:
            place = self._places.pop(key, None)
            if place is None:
                return False
            last = len(self._keys) - 1
            if place != last:
                self._rows[place] = self._rows[last]
                self._keys[place] = self._keys[last]
                self._places[self._keys[place]] = place
            self._rows[last] = 0
            self._keys.pop()
            return True

    def clear(self) -> None:
        """Forget all faces."""
        with self._lock:
            self._rows.fill(0)
            self._keys.clear()
            self._places.clear()

    def search(self, portrait: Portrait) -> Nearest | None:
        """The nearest face; None in an empty index. ValueError for a face of another pack."""
        vector = self._accept(portrait)
        with self._lock:
            if not self._keys:
                return None
            scores = self._rows[: len(self._keys)] @ vector
            best = int(scores.argmax())
            score = float(scores[best])
            scores[best] = NOBODY
            return Nearest(self._keys[best], score, float(scores.max()))

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def _accept(self, portrait: Portrait) -> Vector:
        if portrait.pack.id != self.pack.id:
            raise ValueError("other_pack")
        vector = np.asarray(portrait.vector, dtype=np.float32)
        if vector.shape != (self.pack.dimension,):
            raise ValueError("vector_length")
        # Also refuses what is no number: any comparison with it is false.
        if not abs(float(np.linalg.norm(vector)) - 1.0) < UNIT_TOLERANCE:
            raise ValueError("vector_not_unit")
        return vector

    def _grow(self) -> None:
        old = self._rows
        self._rows = np.zeros((2 * len(old), old.shape[1]), np.float32)
        self._rows[: len(old)] = old
        old.fill(0)
