"""Draws the night entrance that the emulated camera looks at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hardware.drivers.vision import load_cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Picture = npt.NDArray[Any]

# The entrance stands in China, whatever the clock of the computer is set to; a camera writes the time of its place.
PLACE = ZoneInfo("Asia/Shanghai")
HEIGHT = 720
SMOOTHING = 2
CODE_SIDE = 330
NIGHT_TOP, NIGHT_LOW = (38, 26, 20), (74, 56, 46)
FLOOR_FAR, FLOOR_NEAR = (70, 66, 64), (34, 31, 30)
WALL, WALL_EDGE = (52, 45, 42), (66, 58, 54)
FRAME, GLASS_TOP, GLASS_LOW = (30, 28, 28), (120, 168, 196), (92, 124, 148)
GLOW = (150, 205, 255)
DARK = 9
WHITE, RED = (240, 240, 240), (64, 64, 214)
PEOPLE: dict[str, dict[str, Any]] = {
    "visitor": {"coat": (112, 92, 66), "head": (126, 152, 186), "hood": False},
    "stranger": {"coat": (36, 34, 38), "head": (44, 44, 50), "hood": True},
}


@cache
def scene_of(width: int, height: int) -> Scene:
    """Draw the layers of one size once for all emulated cameras of the process."""
    return Scene(width, height)


class Scene:
    """Composes pictures of one size from layers that are drawn once."""

    def __init__(self, width: int, height: int) -> None:
        self._cv2 = load_cv2()
        import numpy as np

        self._np = np
        self._size = (width, height)
        self._columns = round(HEIGHT * width / height)
        background = self._background()
        self._layers = {person: self._layer(background, person) for person in (None, *PEOPLE)}

    def compose(self, clock: str, person: str | None, code: Picture | None) -> Picture:
        """Draw what the camera sees now."""
        picture = self._layers[person].copy()
        if code is not None:
            self._phone(picture, code)
        self._label(picture, clock)
        if self._size[1] == HEIGHT:
            return picture
        return self._np.asarray(self._cv2.resize(picture, self._size, interpolation=self._cv2.INTER_AREA))

    def noise(self, seed: int) -> Picture:
        """Draw the snow of a broken cable."""
        generator = self._np.random.default_rng(seed)
        small = generator.integers(0, 255, (self._size[1] // 2, self._size[0] // 2, 3), dtype=self._np.uint8)
        return self._np.asarray(self._cv2.resize(small, self._size, interpolation=self._cv2.INTER_NEAREST))

    def covered(self) -> Picture:
        """Draw what is seen through a covered lens: next to nothing."""
        return self._np.full((self._size[1], self._size[0], 3), DARK, self._np.uint8)

    def _background(self) -> Picture:
        picture = self._np.zeros((HEIGHT * SMOOTHING, self._columns * SMOOTHING, 3), self._np.uint8)
        self._gradient(picture, 0, 520, NIGHT_TOP, NIGHT_LOW)
        self._gradient(picture, 520, HEIGHT, FLOOR_FAR, FLOOR_NEAR)
        self._tiles(picture)
        self._building(picture)
        self._plants(picture)
        return self._lit(picture)

    def _layer(self, background: Picture, person: str | None) -> Picture:
        picture = background.copy()
        if person is not None:
            self._person(picture, **PEOPLE[person])
        size = (self._columns, HEIGHT)
        return self._np.asarray(self._cv2.resize(picture, size, interpolation=self._cv2.INTER_AREA))

    def _point(self, x: float, y: float) -> tuple[int, int]:
        """Turn scene coordinates (x from the middle, 720 high) into pixels."""
        return round((self._columns / 2 + x) * SMOOTHING), round(y * SMOOTHING)

    def _box(
        self, picture: Picture, left: float, top: float, right: float, bottom: float, colour: Any
    ) -> None:
        self._cv2.rectangle(picture, self._point(left, top), self._point(right, bottom), colour, -1)

    def _polygon(self, picture: Picture, points: Sequence[tuple[float, float]], colour: Any) -> None:
        corners = self._np.array([self._point(x, y) for x, y in points], self._np.int32)
        self._cv2.fillPoly(picture, [corners], colour, self._cv2.LINE_AA)

    def _gradient(self, picture: Picture, top: int, bottom: int, upper: Any, lower: Any) -> None:
        rows = slice(top * SMOOTHING, bottom * SMOOTHING)
        share = self._np.linspace(0, 1, (bottom - top) * SMOOTHING)[:, None, None]
        picture[rows] = (self._np.array(upper) * (1 - share) + self._np.array(lower) * share).astype(
            self._np.uint8
        )

    def _tiles(self, picture: Picture) -> None:
        for y in (535, 556, 584, 622, 672):
            self._cv2.line(
                picture, self._point(-700, y), self._point(700, y), (58, 54, 52), 2, self._cv2.LINE_AA
            )
        for x in range(-1400, 1401, 200):
            start, end = self._point(x * 0.42, 520), self._point(x, HEIGHT)
            self._cv2.line(picture, start, end, (58, 54, 52), 2, self._cv2.LINE_AA)

    def _building(self, picture: Picture) -> None:
        self._box(picture, -430, 90, 430, 520, WALL)
        for x in (-430, 424):
            self._box(picture, x, 90, x + 6, 520, WALL_EDGE)
        self._box(picture, -460, 78, 460, 104, WALL_EDGE)
        self._box(picture, -212, 176, 212, 522, FRAME)
        for left in (-200, 6):
            self._glass(picture, left)
        self._box(picture, -22, 330, -14, 420, (150, 150, 155))
        self._box(picture, 14, 330, 22, 420, (150, 150, 155))
        for left in (-390, 262):
            self._box(picture, left, 220, left + 128, 400, FRAME)
            self._box(picture, left + 6, 226, left + 122, 394, (66, 74, 80))
            self._box(picture, left + 61, 226, left + 67, 394, FRAME)

    def _glass(self, picture: Picture, left: int) -> None:
        (x1, y1), (x2, y2) = self._point(left, 188), self._point(left + 194, 520)
        share = self._np.linspace(0, 1, y2 - y1)[:, None, None]
        warm = self._np.array(GLASS_TOP) * (1 - share) + self._np.array(GLASS_LOW) * share
        picture[y1:y2, x1:x2] = warm.astype(self._np.uint8)
        shine = [(left + 30, 520), (left + 90, 188), (left + 120, 188), (left + 60, 520)]
        self._polygon(picture, shine, (124, 164, 190))

    def _plants(self, picture: Picture) -> None:
        for side in (-1, 1):
            x = side * 300
            for lean in (-46, -26, -8, 10, 28, 48):
                leaf = [(x - 6, 478), (x + lean, 400 + abs(lean) * 0.7), (x + 6, 478)]
                self._polygon(picture, leaf, (62, 84, 58))
            self._polygon(picture, [(x - 34, 474), (x + 34, 474), (x + 26, 532), (x - 26, 532)], (46, 54, 74))

    def _lit(self, picture: Picture) -> Picture:
        """Let the lamp over the door and the door itself shine on wall and floor."""
        np = self._np
        light = np.zeros(picture.shape[:2], np.float32)
        for x, y, radius, power in ((0, 132, 300, 0.55), (0, 600, 330, 0.30)):
            column, row = self._point(x, y)
            rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
            spread = 2 * (radius * SMOOTHING / 2) ** 2
            light += power * np.exp(-(((columns - column) ** 2 + 2.2 * (rows - row) ** 2) / spread)).astype(
                np.float32
            )
        shone = picture + light[:, :, None] * np.array(GLOW, np.float32) * 0.55
        lit: Picture = np.clip(shone, 0, 255).astype(np.uint8)
        self._box(lit, -52, 122, 52, 130, (226, 244, 255))
        return lit

    def _person(self, picture: Picture, *, coat: Any, head: Any, hood: bool) -> None:
        cv2 = self._cv2
        x = 104 if hood else -96
        cv2.ellipse(picture, self._point(x, 666), (150, 22), 0, 0, 360, (28, 26, 25), -1, cv2.LINE_AA)
        for leg in (-26, 8):
            self._polygon(
                picture,
                [(x + leg, 500), (x + leg + 22, 500), (x + leg + 20, 664), (x + leg, 664)],
                (40, 36, 36),
            )
        body = [
            (x - 54, 316),
            (x - 22, 292),
            (x + 22, 292),
            (x + 54, 316),
            (x + 62, 470),
            (x + 44, 524),
            (x - 44, 524),
        ]
        self._polygon(picture, [*body, (x - 62, 470)], coat)
        self._polygon(
            picture, [(x - 2, 296), (x + 2, 296), (x + 3, 522), (x - 3, 522)], tuple(c * 3 // 4 for c in coat)
        )
        if hood:
            self._polygon(
                picture, [(x - 44, 316), (x - 34, 232), (x, 208), (x + 34, 232), (x + 44, 316)], coat
            )
            cv2.ellipse(picture, self._point(x, 262), (42, 58), 0, 0, 360, (22, 20, 22), -1, cv2.LINE_AA)
            return
        self._box(picture, x - 10, 276, x + 10, 300, head)
        cv2.ellipse(picture, self._point(x, 250), (58, 74), 0, 0, 360, head, -1, cv2.LINE_AA)
        cv2.ellipse(picture, self._point(x, 240), (62, 66), 0, 180, 360, (34, 32, 36), -1, cv2.LINE_AA)
        self._polygon(picture, [(x + 52, 400), (x + 100, 400), (x + 106, 478), (x + 48, 478)], (66, 88, 132))

    def _phone(self, picture: Picture, code: Picture) -> None:
        cv2 = self._cv2
        middle = picture.shape[1] // 2
        left, top = middle - CODE_SIDE // 2, 178
        thumb = (middle + 205, 600)
        cv2.ellipse(picture, thumb, (70, 210), 18, 0, 360, (104, 134, 176), -1, cv2.LINE_AA)
        cv2.rectangle(
            picture, (left - 34, top - 96), (left + CODE_SIDE + 34, top + CODE_SIDE + 170), (22, 20, 20), -1
        )
        cv2.rectangle(
            picture,
            (left - 22, top - 82),
            (left + CODE_SIDE + 22, top + CODE_SIDE + 156),
            (250, 250, 250),
            -1,
        )
        cv2.rectangle(picture, (left - 22, top - 82), (left + CODE_SIDE + 22, top - 30), (150, 104, 46), -1)
        picture[top : top + CODE_SIDE, left : left + CODE_SIDE] = code
        for row, share in ((40, 0.62), (72, 0.42)):
            end = (left + round(CODE_SIDE * share), top + CODE_SIDE + row + 12)
            cv2.rectangle(picture, (left, top + CODE_SIDE + row), end, (214, 210, 206), -1)
        cv2.ellipse(picture, (middle + 186, 560), (34, 92), 12, 0, 360, (116, 148, 190), -1, cv2.LINE_AA)

    def _label(self, picture: Picture, clock: str) -> None:
        cv2 = self._cv2
        font = cv2.FONT_HERSHEY_SIMPLEX
        # At the bottom, because the desk writes over the upper left corner; large enough for a picture 300 pixels wide.
        bottom = HEIGHT - 30
        cv2.rectangle(picture, (24, bottom - 44), (178, bottom + 12), RED, -1)
        cv2.putText(picture, "DEMO", (38, bottom), font, 1.3, WHITE, 3, cv2.LINE_AA)
        (width, _), _ = cv2.getTextSize(clock, font, 1.2, 3)
        position = (picture.shape[1] - width - 28, bottom)
        cv2.putText(picture, clock, position, font, 1.2, (0, 0, 0), 7, cv2.LINE_AA)
        cv2.putText(picture, clock, position, font, 1.2, WHITE, 3, cv2.LINE_AA)


def code_picture(text: str) -> Picture:
    """Draw the QR code of a text at the size of the phone in the scene."""
    import numpy as np
    import segno

    cv2 = load_cv2()
    matrix = np.array([list(row) for row in segno.make_qr(text, error="m").matrix], np.uint8)
    modules = np.pad(np.where(matrix == 1, 20, 250).astype(np.uint8), 2, constant_values=250)
    grey = cv2.resize(modules, (CODE_SIDE, CODE_SIDE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
