"""The badge as a picture: its code can be read, nothing is clipped, and rare characters stay themselves (AD-15)."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from app.adapters import badge_picture, fonts
from app.domain.admission.badges import Badge

CODE = "V1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOP"
BADGE = Badge(
    "visit",
    "site",
    "锦绣花园",
    False,
    "周**",
    "8 栋 1203",
    "11-25 10:30 – 14:30",
    2,
    "东门 · 1 号道",
    "2026-11-25 10:31",
    CODE,
)
LONG = "阿卜杜拉·买买提·艾合买提江·热依木·穆罕默德"
LATIN = "Wolfeschlegelsteinhausenbergerdorff Anna-Maria von und zu Guttenberg"


def drawn(badge: Badge, dots: int = 384, locale: str = "zh-CN") -> Image.Image:
    return Image.open(io.BytesIO(badge_picture.draw(badge, locale, dots)))


def ink(picture: Image.Image) -> tuple[int, int, int, int]:
    """Where there is something on the paper."""
    found = ImageOps.invert(picture.convert("L")).getbbox()
    assert found is not None
    return found


@pytest.mark.parametrize("dots", [384, 576])
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": LONG},
        {"name": LATIN},
        {"name": "🙂𠮷田𡈽"},
        {"name": ""},
        {"site": LONG * 2, "unit": LATIN, "window": "2026-11-25 10:30 – 2027-11-25 14:30", "heads": 9999},
        {"demo": True, "lane": LATIN},
    ],
)
def test_whatever_stands_on_it_the_code_is_read_and_no_edge_is_touched(
    dots: int, locale: str, changes: dict[str, object]
) -> None:
    picture = drawn(replace(BADGE, **changes), dots, locale)
    assert picture.width == dots
    assert [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))] == [CODE]
    left, top, right, bottom = ink(picture)
    assert left > 0
    assert top > 0
    assert right < dots
    assert bottom < picture.height


def test_each_module_of_the_code_is_a_whole_number_of_dots() -> None:
    picture = drawn(replace(BADGE, name="")).convert("L")
    (found,) = zxingcpp.read_barcodes(picture)
    corner = found.position.top_left
    row = [picture.getpixel((x, corner.y + 1)) for x in range(corner.x, picture.width)]
    seven = next(n for n, dot in enumerate(row) if dot)
    assert seven % 7 == 0
    assert seven // 7 >= 3


def test_a_longer_name_takes_more_paper_and_no_name_less() -> None:
    heights = [drawn(replace(BADGE, name=name)).height for name in ("", "周**", LONG)]
    assert heights == sorted(set(heights))


def test_only_the_demonstrations_badges_are_marked() -> None:
    assert drawn(replace(BADGE, demo=True)).height > drawn(BADGE).height


@pytest.mark.parametrize("character", ["𠮷", "𡈽", "㛃", "é", "Ж"])
def test_rare_characters_stay_themselves(character: str) -> None:
    ((piece, font),) = fonts.runs(character, 40)
    assert piece == character
    assert bytes(font.getmask(piece)) != bytes(font.getmask(fonts.NO_CHARACTER))


def test_what_no_font_has_is_marked_and_not_dropped() -> None:
    assert "".join(piece for piece, _ in fonts.runs("李\U000fffff明", 40)) == f"李{fonts.MISSING}明"


@given(st.text(alphabet="周婷 abcdefgh-·𠮷", max_size=60), st.integers(60, 300))
def test_wrapping_loses_nothing_and_every_line_fits(line: str, room: int) -> None:
    lines = badge_picture.wrap(line, 26, room)
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")
    assert all(fonts.width(piece, 26) <= room for piece in lines)
