"""What a scanner on a serial port sends: bytes in, lines and zones out, no port; the clock is an argument.

A line ends with CR, LF or both, or where the scanner pauses. Lines of a machine-readable zone belong together: they come in
one burst or one by one, and are handed over as one zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

# More than any code, badge or zone has; a longer line is noise.
MAX_LINE_BYTES = 512
# What was begun and not ended for this long is half a line: the cable was pulled, or the scanner switched off.
HALF_LINE_SECONDS = 1.0
# Zone readers send their lines at once; people who scan line by line need a moment.
ZONE_SECONDS = 3.0
ENDINGS = {"any": re.compile(rb"[\r\n]"), "cr": re.compile(rb"\r"), "lf": re.compile(rb"\n"), "none": None}
BREAKS = re.compile(r"[\r\n]+")
ZONE_LINE = re.compile(r"[A-Z0-9<]{30}|[A-Z0-9<]{36}|[A-Z0-9<]{44}", re.ASCII)
ZONE_IN_ONE = re.compile(r"[A-Z0-9<]{72}|[A-Z0-9<]{88}|[A-Z0-9<]{90}", re.ASCII)
ZONE_LINES = {30: 3, 36: 2, 44: 2}
FIRST_LETTERS = "ACIPV"


class Kind(StrEnum):
    """What came of a line."""

    CODE = "code"
    ZONE = "zone"
    NOISE = "noise"
    TOO_LONG = "too_long"
    HALF = "half"
    HALF_ZONE = "half_zone"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was scanned, or why it was none. A zone has a line break between its lines; faults have no text."""

    kind: Kind
    text: str = field(default="", repr=False)


class LineReader:
    """Cuts a stream into decoded lines. Holds one line at most, however much noise there is."""

    def __init__(
        self,
        ending: str = "any",
        gap: float = 0.1,
        encoding: str = "utf-8",
        prefix: str = "",
        suffix: str = "",
    ) -> None:
        self._ending = ENDINGS[ending]
        self._gap = gap
        self._encoding = encoding
        self._prefix = prefix
        self._suffix = suffix
        self._buffer = bytearray()
        self._skipping = False
        self._heard_at = 0.0

    def feed(self, data: bytes, now: float) -> Iterator[Item]:
        """Take what was received; yields each line that it ends."""
        if not data:
            return
        self._heard_at = now
        pieces = self._ending.split(data) if self._ending else [data]
        for piece in pieces[:-1]:
            self._add(piece)
            yield from self._end()
        self._add(pieces[-1])
        if len(self._buffer) > MAX_LINE_BYTES and not self._skipping:
            self._buffer.clear()
            self._skipping = True
            yield Item(Kind.TOO_LONG)

    def look(self, now: float) -> Iterator[Item]:
        """Let time pass: a pause ends a line, or tells that half of one is all that will come."""
        quiet = now - self._heard_at
        if not (self._buffer or self._skipping):
            return
        if self._ending is None and quiet >= self._gap:
            yield from self._end()
        elif self._ending is not None and quiet >= HALF_LINE_SECONDS:
            readable = not self._skipping and self._decode(bytes(self._buffer))
            self.reset()
            if readable:
                yield Item(Kind.HALF)

    def reset(self) -> None:
        """Forget an unfinished line."""
        self._buffer.clear()
        self._skipping = False

    def _add(self, piece: bytes) -> None:
        if not self._skipping:
            # One byte more than allowed is enough to know that it is too long.
            self._buffer += piece[: MAX_LINE_BYTES + 1 - len(self._buffer)]

    def _end(self) -> Iterator[Item]:
        line, skipped = bytes(self._buffer), self._skipping
        self.reset()
        if skipped:
            return
        if len(line) > MAX_LINE_BYTES:
            yield Item(Kind.TOO_LONG)
            return
        text = self._decode(line)
        if text is None:
            yield Item(Kind.NOISE)
            return
        for part in BREAKS.split(text):
            if stripped := self._strip(part):
                yield Item(Kind.CODE, stripped)

    def _decode(self, line: bytes) -> str | None:
        """The text, None for what nobody has printed: broken characters, control characters."""
        try:
            text = line.decode(self._encoding).strip("\0\x02\x03 \r\n\t")
        except UnicodeDecodeError:
            return None
        return text if all(c.isprintable() or c in "\r\n\t\x1d" for c in text) else None

    def _strip(self, text: str) -> str:
        return text.strip().removeprefix(self._prefix).removesuffix(self._suffix).strip()


class ZoneKeeper:
    """Puts the lines of a zone together and lets everything else through. Holds two lines at most."""

    def __init__(self, seconds: float = ZONE_SECONDS) -> None:
        self._seconds = seconds
        self._held: list[str] = []
        self._since = 0.0

    def take(self, item: Item, now: float) -> Iterator[Item]:
        """Pass an item on, or keep it until the rest of its zone has come."""
        text = item.text
        if item.kind is not Kind.CODE:
            yield from self._give_up()
            yield item
        elif self._held and len(text) == len(self._held[0]) and ZONE_LINE.fullmatch(text):
            self._held.append(text)
            self._since = now
            if len(self._held) == ZONE_LINES[len(text)]:
                zone, self._held = "\n".join(self._held), []
                yield Item(Kind.ZONE, zone)
        else:
            yield from self._give_up()
            if ZONE_IN_ONE.fullmatch(text) and _begins_zone(text):
                yield Item(Kind.ZONE, text)
            elif ZONE_LINE.fullmatch(text) and _begins_zone(text):
                self._held, self._since = [text], now
            else:
                yield item

    def look(self, now: float) -> Iterator[Item]:
        """Let time pass: the rest of a zone that does not come is given up."""
        if self._held and now - self._since >= self._seconds:
            yield from self._give_up()

    def reset(self) -> None:
        """Forget an unfinished zone."""
        self._held = []

    def _give_up(self) -> Iterator[Item]:
        # A line of a zone is personal data and no code: it is never handed on as one.
        if self._held:
            self._held = []
            yield Item(Kind.HALF_ZONE)


def _begins_zone(text: str) -> bool:
    return text[0] in FIRST_LETTERS and "<" in text
