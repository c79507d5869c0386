"""A picture that shows what was just read is not read again; one that moves always is."""

from __future__ import annotations

import cv2
import pytest

from hardware.drivers.code_reader import CodeReader
from hardware.drivers.code_watcher import ReadingPace
from tests.hardware.pictures import CODE, OTHER, blank, living, with_codes

pytestmark = pytest.mark.req("AD-02")

FPS = 15


def test_an_empty_room_is_read_twice_a_second_with_the_second_opinion_among_them() -> None:
    pace = ReadingPace()
    chosen = [pace.choose(living(blank(), number), number / FPS) for number in range(10 * FPS)]
    assert 15 <= sum(read for read, _ in chosen) <= 24
    assert any(thorough for _, thorough in chosen[:4])
    assert sum(thorough for _, thorough in chosen) >= 5


def test_a_scene_that_never_rests_is_read_each_time_with_every_third_second_opinion() -> None:
    pace = ReadingPace()
    pictures = [blank(), with_codes("a"), with_codes("b", "c")]
    chosen = [pace.choose(pictures[number % 3], number / FPS) for number in range(30)]
    assert all(read for read, _ in chosen)
    assert sum(thorough for _, thorough in chosen) == 10


@pytest.mark.parametrize("side", [60, 90, 160])
def test_a_code_that_appears_is_read_at_once_however_small(side: int) -> None:
    pace, number = ReadingPace(), 0
    for number in range(2 * FPS):
        pace.choose(living(blank(1280, 720), number), number / FPS)
    now = number / FPS
    assert pace.choose(living(blank(1280, 720), 999), now + 0.01) == (False, False)
    picture = blank(1280, 720)
    code = cv2.resize(with_codes(CODE)[120:360, 20:260], (side, side), interpolation=cv2.INTER_AREA)
    picture[300 : 300 + side, 500 : 500 + side] = code
    assert pace.choose(living(picture, 1000), now + 0.02)[0]


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
def test_a_code_is_found_where_it_is(size: tuple[int, int]) -> None:
    width, height = size
    found = CodeReader().find(with_codes(CODE, width=width, height=height))
    assert [code.text for code in found] == [CODE]
    x, y, w, h = found[0].box
    side = min(height // 2, width - 60)
    quiet = 4 / 41 * side
    assert x * width == pytest.approx(20 + quiet, abs=side / 15)
    assert y * height == pytest.approx(height // 4 + quiet, abs=side / 15)
    assert w * width == pytest.approx(side - 2 * quiet, abs=side / 10)
    assert h * height == pytest.approx(side - 2 * quiet, abs=side / 10)


def test_what_a_code_says_is_not_printed() -> None:
    assert CODE not in repr(CodeReader().find(with_codes(CODE)))


def test_two_codes_have_two_places() -> None:
    left, right = sorted(CodeReader().find(with_codes(CODE, OTHER)), key=lambda code: code.box[0])
    assert left.box[0] + left.box[2] < right.box[0]
