"""What is marked in a live picture, for the header of its part: the stream itself is encoded once, without any marks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

HEADER = "X-Marks"
LEAST_SECONDS = 0.1
MOST_MARKS = 16
NONE = "[]"


class Marked(Protocol):
    """Something found in a picture, in shares of it."""

    @property
    def kind(self) -> str:
        """Face, code or plate."""

    @property
    def x(self) -> float:
        """Left side."""

    @property
    def y(self) -> float:
        """Top."""

    @property
    def width(self) -> float:
        """Width."""

    @property
    def height(self) -> float:
        """Height."""

    @property
    def label(self) -> str:
        """A code or a short text, never what a code says."""


class MarkTeller:
    """Tells one viewer of marks when they changed, ten times a second at most.

    They travel with the picture they belong to, in the one connection whose right and session are looked after: a
    browser keeps six connections to a host, and each page with a camera has one of them for good.
    """

    def __init__(self) -> None:
        self._told = NONE
        self._told_at = float("-inf")

    def header(self, marks: Sequence[Marked], now: float) -> str:
        """The line for this picture's header; empty when there is nothing new, or not yet."""
        if now - self._told_at < LEAST_SECONDS:
            return ""
        words = as_json(marks)
        if words == self._told:
            return ""
        self._told, self._told_at = words, now
        return f"{HEADER}: {words}\r\n"


def as_json(marks: Sequence[Marked]) -> str:
    """Kind, left, top, width, height and label of each mark, in thousandths of the picture, in ASCII as headers must be."""
    rows = [
        [mark.kind, *(round(side, 3) for side in (mark.x, mark.y, mark.width, mark.height)), mark.label]
        for mark in marks[:MOST_MARKS]
    ]
    return json.dumps(rows, separators=(",", ":"))
