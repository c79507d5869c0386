"""A picture that hangs or shows nothing is told from a live one, however dim or still what it shows."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from hardware.drivers.picture_watch import COVERED, FROZEN, PictureWatch
from tests.hardware.pictures import blank, jpeg, living, with_codes

pytestmark = pytest.mark.req("DU-06")

FPS = 10
SECONDS = 5.0
ROOM = cv2.GaussianBlur(with_codes("x"), (0, 0), 9)


def watch(
    pictures: list[Any], *, seconds: float = SECONDS, covers: bool = True, fps: float = FPS
) -> list[str]:
    """What is said after each picture."""
    watched = PictureWatch(seconds, covers=covers)
    said = []
    for number, picture in enumerate(pictures):
        watched.see(picture, 100 + number / fps)
        said.append(watched.trouble)
    return said


def through_jpeg(picture: Any, quality: int) -> Any:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_the_same_picture_for_long_enough_is_frozen_and_not_before() -> None:
    said = watch([ROOM] * 70)
    assert said.index(FROZEN) == SECONDS * FPS
    assert set(said[: int(SECONDS * FPS)]) == {""}
    assert set(said[int(SECONDS * FPS) :]) == {FROZEN}


def test_a_picture_encoded_anew_is_frozen_too() -> None:
    again = np.clip(ROOM.astype(int) + np.random.default_rng(1).integers(-1, 2, ROOM.shape), 0, 255)
    assert watch([ROOM, again.astype(np.uint8)] * 40)[-1] == FROZEN


@pytest.mark.parametrize("quality", [95, 60])
@pytest.mark.parametrize("light", [1.0, 0.25], ids=["day", "night"])
def test_an_empty_room_is_alive_by_the_noise_of_the_sensor(light: float, quality: int) -> None:
    scene = ROOM * light
    pictures = [through_jpeg(living(scene, number), quality) for number in range(80)]
    assert set(watch(pictures)) == {""}


def test_a_clock_in_the_picture_is_life_enough() -> None:
    pictures = []
    for number in range(150):
        picture = ROOM.copy()
        cv2.putText(
            picture,
            f"12:00:{number // FPS:02d}",
            (400, 460),
            cv2.FONT_HERSHEY_SIMPLEX,
            1.2,
            (255, 255, 255),
            3,
        )
        pictures.append(picture)
    assert set(watch(pictures)) == {""}


def test_slow_dawn_is_a_change() -> None:
    pictures = [np.clip(ROOM * 0.5 + number * 0.15, 0, 255).astype(np.uint8) for number in range(200)]
    assert set(watch(pictures)) == {""}


def test_a_new_picture_ends_it_at_once() -> None:
    assert watch([ROOM] * 60 + [living(ROOM, 1)])[-2:] == [FROZEN, ""]


def test_a_picture_of_another_size_is_another_picture() -> None:
    small = cv2.resize(ROOM, (320, 240))
    assert watch([ROOM] * 45 + [small] + [ROOM] * 40)[-1] == ""


def test_what_hung_before_a_pause_hangs_after_it() -> None:
    watched = PictureWatch(SECONDS, covers=True)
    for number in range(60):
        watched.see(ROOM, number / FPS)
    watched.see(ROOM, 600.0)
    assert watched.trouble == FROZEN


def test_a_camera_that_sends_one_picture_a_second_repeats_nothing_yet() -> None:
    assert watch([ROOM] * 9, fps=1)[-1] == ""


@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255), (10, 40, 200)])
def test_one_colour_is_a_covered_lens(colour: tuple[int, int, int]) -> None:
    one = np.full((480, 640, 3), colour, np.uint8)
    said = watch([living(one, number) for number in range(40)])
    assert said.index(COVERED) == 3 * FPS
    assert set(said[: 3 * FPS]) == {""}
    # It is the cover that is told, not that black is always the same black.
    assert watch([one] * 100)[-1] == COVERED


def test_a_dark_scene_and_snow_are_not_covered() -> None:
    noise = [
        np.random.default_rng(number).integers(0, 255, (480, 640, 3), dtype=np.uint8) for number in range(40)
    ]
    assert set(watch(noise)) == {""}
    assert set(watch([living(ROOM * 0.15, number) for number in range(40)])) == {""}


def test_a_hand_before_the_lens_for_a_moment_is_nothing() -> None:
    dark = np.full((480, 640, 3), 20, np.uint8)
    pictures = [dark] * 20 + [living(ROOM, 0)] + [dark] * 20
    assert set(watch(pictures)) == {""}


def test_what_cannot_be_told_is_not_told() -> None:
    assert set(watch([ROOM] * 200, seconds=0)) == {""}
    assert set(watch([np.zeros((480, 640, 3), np.uint8)] * 200, seconds=0, covers=False)) == {""}


def test_the_pictures_of_these_tests_are_pictures() -> None:
    assert len({jpeg(living(blank(), number)) for number in range(3)}) == 3
