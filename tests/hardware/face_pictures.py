"""Pictures of the test pack's "people": seeds become colours, and colours become squares on a dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

NOSE_AT = (56.0252 / 112, 71.7366 / 112)
EYES = (0.38, 0.54)
WHITE = (255, 255, 255)
GREY = (180, 180, 180)


@dataclass(frozen=True)
class Person:
    """Somebody in a picture: who, where, how large; `nose` is moved by shares of the face and shows as a turn."""

    seed: int
    x: int = 200
    y: int = 120
    size: int = 200
    nose: tuple[float, float] | None = None
    eyes_shut: bool = False
    masked: bool = False


def colours(seed: int) -> Any:
    """Sixteen saturated colours."""
    chance = np.random.default_rng(seed)
    made = np.stack(
        [chance.integers(225, 256, 16), chance.integers(0, 60, 16), chance.integers(0, 190, 16)], axis=1
    )
    mixed = np.stack([row[chance.permutation(3)] for row in made])
    return mixed.reshape(4, 4, 3).astype(np.uint8)


def scene(*people: Person, width: int = 640, height: int = 480, noise: int = 0) -> Any:
    """A picture with these people; `noise` seeds what a sensor adds."""
    picture = np.full((height, width, 3), 30, np.uint8)
    for person in people:
        _paint(picture, person)
    if noise:
        grain = np.random.default_rng(noise).normal(0, 4, picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return picture


def _paint(picture: Any, person: Person) -> None:
    size = person.size
    face = cv2.resize(colours(person.seed), (size, size), interpolation=cv2.INTER_NEAREST)
    if person.eyes_shut:
        face[int(EYES[0] * size) : int(EYES[1] * size)] = GREY
    if person.masked:
        face[int(0.56 * size) :] = GREY
    if person.nose is not None:
        place = [round((at + moved) * size) for at, moved in zip(NOSE_AT, person.nose, strict=True)]
        cv2.circle(face, place, max(3, size // 16), WHITE, -1)
    height, width = picture.shape[:2]
    left, top = max(0, person.x), max(0, person.y)
    right, bottom = min(width, person.x + size), min(height, person.y + size)
    picture[top:bottom, left:right] = face[
        top - person.y : bottom - person.y, left - person.x : right - person.x
    ]


def washed_out(picture: Any) -> Any:
    """What a bad print does to colours."""
    grey = picture.max(axis=2, keepdims=True).astype(np.float32)
    return (0.3 * picture + 0.45 * grey).astype(np.uint8)


def png(picture: Any) -> bytes:
    encoded, data = cv2.imencode(".png", picture)
    assert encoded
    return bytes(data)
