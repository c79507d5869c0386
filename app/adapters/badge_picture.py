"""The badge as a picture in the dots of a thermal printer: black on white, nothing clipped, the code in whole dots (AD-15)."""

from __future__ import annotations

import io

import segno
from PIL import Image, ImageDraw

from app.adapters import fonts
from app.core.i18n import text
from app.domain.admission.badges import Badge

NARROW = 384  # dots of a line on 58 mm paper; all measures are given for it
QUIET = 4  # modules of white around the code, as its standard wants
CODE_DOTS = 330
NAME_SIZES = (64, 56, 48, 40, 34)


def draw(badge: Badge, locale: str, dots: int) -> bytes:
    """The badge as a PNG, ``dots`` wide; raises ``FontMissing`` where this computer has no Chinese font."""
    page = _Page(dots)
    page.ends(badge.site, text(locale, "badge.title"))
    page.rule()
    if badge.demo:
        page.bar(text(locale, "badge.demo"))
    if badge.name:
        page.name(badge.name)
    page.row(text(locale, "badge.to"), badge.unit)
    page.row(text(locale, "badge.valid"), badge.window)
    page.row(text(locale, "badge.heads"), str(badge.heads))
    page.code(badge.code)
    page.centred(text(locale, "badge.rules"))
    page.centred(f"{badge.lane} · {badge.entered}")
    return page.png()


def wrap(line: str, size: int, room: int) -> list[str]:
    """A text in lines that fit; broken between words where there are any, else between characters."""
    lines = [""]
    for word in _words(line):
        if fonts.width((lines[-1] + word).rstrip(), size) <= room:
            lines[-1] += word
        elif fonts.width(word.rstrip(), size) <= room:
            lines.append(word.lstrip())
        else:
            for character in word:
                if lines[-1] and fonts.width(lines[-1] + character, size) > room:
                    lines.append("")
                lines[-1] += character
    return [piece.rstrip() for piece in lines if piece.strip()] or [""]


def _words(line: str) -> list[str]:
    words: list[str] = []
    for character in line:
        # Between Chinese characters a line may break anywhere; a Latin word stays whole as long as it fits.
        if (
            words
            and character.isascii()
            and not character.isspace()
            and words[-1][-1].isascii()
            and not words[-1].endswith(" ")
        ):
            words[-1] += character
        elif words and character.isspace():
            words[-1] += " "
        else:
            words.append(character)
    return words


class _Page:
    """A roll of paper that grows downwards."""

    def __init__(self, dots: int) -> None:
        self._dots = dots
        self._factor = dots / NARROW
        self._edge = self._size(10)
        self._y = self._size(8)
        self._image = Image.new("1", (dots, self._size(400)), 1)
        self._pen = ImageDraw.Draw(self._image)

    @property
    def _room(self) -> int:
        return self._dots - 2 * self._edge

    def _size(self, dots: float) -> int:
        return round(dots * self._factor)

    def _grow(self, height: int) -> None:
        if self._y + height > self._image.height:
            longer = Image.new("1", (self._dots, (self._y + height) * 2), 1)
            longer.paste(self._image)
            self._image, self._pen = longer, ImageDraw.Draw(longer)

    def _write(self, x: int, line: str, size: int, fill: int = 0) -> None:
        self._grow(round(size * 1.5))
        for piece, font in fonts.runs(line, size):
            self._pen.text((x, self._y + size), piece, fill=fill, font=font, anchor="ls")
            x += round(font.getlength(piece))

    def _lines(self, lines: list[str], size: int, *, x: int | None = None) -> None:
        for line in lines:
            left = (self._dots - fonts.width(line, size)) // 2 if x is None else x
            self._write(left, line, size)
            self._y += round(size * 1.32)

    def ends(self, left: str, right: str) -> None:
        """Two texts at the ends of a line; the first wraps beside the second."""
        size = self._size(24)
        aside = fonts.width(right, size)
        self._write(self._dots - self._edge - aside, right, size)
        self._lines(wrap(left, size, self._room - aside - self._size(12)), size, x=self._edge)

    def rule(self) -> None:
        """A line across."""
        self._y += self._size(4)
        self._grow(self._size(12))
        self._pen.rectangle((self._edge, self._y, self._dots - self._edge, self._y + self._size(2)), fill=0)
        self._y += self._size(10)

    def bar(self, line: str) -> None:
        """White on black, across."""
        size = self._size(24)
        lines = wrap(line, size, self._room)
        height = round(size * 1.32) * len(lines) + self._size(8)
        self._grow(height)
        self._pen.rectangle((self._edge, self._y, self._dots - self._edge, self._y + height), fill=0)
        for piece in lines:
            self._write((self._dots - fonts.width(piece, size)) // 2, piece, size, fill=1)
            self._y += round(size * 1.32)
        self._y += self._size(16)

    def name(self, name: str) -> None:
        """As large as it fits on one line; a long one wraps."""
        sizes = [self._size(size) for size in NAME_SIZES]
        size = next((size for size in sizes if fonts.width(name, size) <= self._room), sizes[-1])
        self._lines(wrap(name, size, self._room), size, x=self._edge)
        self._y += self._size(6)

    def row(self, label: str, value: str) -> None:
        """A label and what belongs to it, which wraps in its own column."""
        small, size = self._size(20), self._size(26)
        column = self._edge + max(self._size(76), fonts.width(label, small) + self._size(10))
        self._write(self._edge, label, small)
        self._lines(wrap(value, size, self._dots - self._edge - column), size, x=column)

    def code(self, content: str) -> None:
        """The QR code, each module a whole number of dots."""
        matrix = segno.make(content, error="m", micro=False).matrix
        modules = len(matrix) + 2 * QUIET
        scale = max(2, min(self._size(CODE_DOTS), self._dots) // modules)
        self._grow(modules * scale)
        left, top = (self._dots - len(matrix) * scale) // 2, self._y + QUIET * scale
        for row, line in enumerate(matrix):
            for column, dark in enumerate(line):
                if dark:
                    x, y = left + column * scale, top + row * scale
                    self._pen.rectangle((x, y, x + scale - 1, y + scale - 1), fill=0)
        self._y += modules * scale

    def centred(self, line: str) -> None:
        """A text in the middle."""
        size = self._size(20)
        self._lines(wrap(line, size, self._room), size)
        self._y += self._size(4)

    def png(self) -> bytes:
        """What was drawn, and no more paper than it needs."""
        made = io.BytesIO()
        self._image.crop((0, 0, self._dots, self._y + self._size(8))).save(made, "PNG")
        return made.getvalue()
