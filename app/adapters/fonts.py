"""The system's Chinese font for what is drawn on the server, and others for the few characters it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("~/.fonts").expanduser(),
)
CHINESE = (
    "NotoSansCJK-Bold.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-*.otf",
    "NotoSansSC*.[ot]tf",
    "SourceHanSans*",
)
OTHERS = ("NotoSerifCJK-Bold.ttc", "NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf", "HanaMin*.[ot]tf")
MISSING = "〓"  # literal: how printers have always marked a character that they have not
NO_CHARACTER = "\U0010fffe"
FACES = 12


class FontMissing(Exception):
    """This computer has no font with Chinese characters."""


def has_chinese() -> bool:
    """Whether badges can be drawn on this computer."""
    try:
        _chinese()
    except FontMissing:
        return False
    return True


@lru_cache(maxsize=1)
def _chinese() -> tuple[Path, int]:
    for path in _find(CHINESE):
        return path, _simplified(path)
    raise FontMissing


@lru_cache(maxsize=1)
def _others() -> tuple[Path, ...]:
    return tuple(_find(OTHERS))


def _find(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        for folder in FOLDERS:
            yield from sorted(folder.rglob(pattern))


def _simplified(path: Path) -> int:
    """Which face of a collection draws the characters as they are written on the mainland."""
    if path.suffix != ".ttc":
        return 0
    for index in range(FACES):
        try:
            family = ImageFont.truetype(str(path), 20, index=index).getname()[0] or ""
        except OSError:
            break
        if family.endswith(" SC"):
            return index
    return 0


@lru_cache(maxsize=64)
def _font(path: Path, size: int, index: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, index=index)


@lru_cache(maxsize=4096)
def _has(path: Path, index: int, character: str) -> bool:
    font = _font(path, 24, index)
    drawn, none = font.getmask(character), font.getmask(NO_CHARACTER)
    return character.isspace() or drawn.size != none.size or bytes(drawn) != bytes(none)


def chinese(size: int) -> ImageFont.FreeTypeFont:
    """The Chinese font in a size; raises ``FontMissing``."""
    path, index = _chinese()
    return _font(path, size, index)


def runs(text: str, size: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """A text in pieces, each with a font that has all its characters; what no font has becomes a mark of its own."""
    path, index = _chinese()
    pieces: list[tuple[str, ImageFont.FreeTypeFont]] = []
    for character in text:
        shown, font = character, chinese(size)
        if not _has(path, index, character):
            other = next((found for found in _others() if _has(found, 0, character)), None)
            shown, font = (character, _font(other, size, 0)) if other else (MISSING, font)
        if pieces and pieces[-1][1] is font:
            pieces[-1] = (pieces[-1][0] + shown, font)
        else:
            pieces.append((shown, font))
    return pieces


def width(text: str, size: int) -> int:
    """How many dots a text is wide."""
    return round(sum(font.getlength(piece) for piece, font in runs(text, size)))
