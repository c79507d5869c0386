"""Frames of the SDT/SAM_V protocol of resident ID card readers: bytes in, frames out, no port and no clock.

A frame is ``AA AA AA 96 69``, a length (16 bits, big-endian), a body and a checksum. The length counts body and checksum;
the checksum is the XOR of length and body, as the papers of the reader makers have it. A command's body begins with command
and parameter, an answer's with the three status bytes SW1 SW2 SW3.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
LENGTH_BYTES = 2
HEADER_BYTES = len(PREAMBLE) + LENGTH_BYTES
# The shortest is a command without data, the longest an answer with text, photo and two fingerprints: 2321 bytes whole.
MIN_LENGTH = 3
MAX_LENGTH = 2321 - HEADER_BYTES


class FrameError(Exception):
    """What looked like a frame is none; ``code`` is ``length`` or ``checksum``. Never holds the bytes: they may be personal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def checksum(data: bytes) -> int:
    """XOR of all bytes."""
    return reduce(xor, data, 0)


def encode(body: bytes) -> bytes:
    """The whole frame of a body; ValueError for a body that no frame holds."""
    length = len(body) + 1
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        raise ValueError("body length")
    counted = length.to_bytes(LENGTH_BYTES) + body
    return PREAMBLE + counted + bytes((checksum(counted),))


class FrameParser:
    """Finds frames in a stream that may be cut anywhere and be full of noise.

    Holds at most one frame's worth of bytes beyond what was fed and not yet taken. A preamble inside a frame is data. After
    a bad frame the search goes on behind its preamble, so that a good frame following any noise is found.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return len(self._buffer) >= len(PREAMBLE)

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._buffer += data

    def take(self) -> bytes | None:
        """The body of the next frame, None while there is no complete one; FrameError for a bad one.

        Each call consumes bytes or returns None: calling it until None always ends.
        """
        self._skip_noise()
        if len(self._buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[len(PREAMBLE) : HEADER_BYTES])
        if not MIN_LENGTH <= length <= MAX_LENGTH:
            raise self._bad("length")
        end = HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        counted = bytes(self._buffer[len(PREAMBLE) : end])
        if checksum(counted) != 0:
            raise self._bad("checksum")
        del self._buffer[:end]
        return counted[LENGTH_BYTES:-1]

    def reset(self) -> None:
        """Forget an unfinished frame."""
        self._buffer.clear()

    def _skip_noise(self) -> None:
        """Bring the next preamble, or what may become one, to the front."""
        start = self._buffer.find(PREAMBLE)
        if start < 0:
            start = len(self._buffer) - self._tail()
        del self._buffer[:start]

    def _tail(self) -> int:
        """How many bytes at the end begin a preamble."""
        longest = min(len(self._buffer), len(PREAMBLE) - 1)
        return next((n for n in range(longest, 0, -1) if self._buffer.endswith(PREAMBLE[:n])), 0)

    def _bad(self, code: str) -> FrameError:
        del self._buffer[: len(PREAMBLE)]
        return FrameError(code)
