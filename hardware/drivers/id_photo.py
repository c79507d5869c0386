"""Plug-in point for the decoder of card photos.

The photo on a card is 1024 bytes of "WLT", a closed format whose decoder comes with the reader and may not be passed on.
The operator wraps it into a program: 1024 bytes on standard input, one BMP, JPEG or PNG on standard output, exit code 0.
Without a program the text works and there is no photo.

The program's path comes from the environment of the server and not from the device's settings: those are edited in the
browser, and whoever may edit them shall not be able to run programs on this computer.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Protocol

VARIABLE = "GATEHOUSE_ID_PHOTO_DECODER"
TIMEOUT_SECONDS = 1.5
MAX_PICTURE_BYTES = 512 * 1024
SIGNATURES = {b"BM": "image/bmp", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class PhotoError(Exception):
    """The photo could not be decoded: ``decoder_absent``, ``decoder_failed``, ``decoder_slow`` or ``not_a_picture``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PhotoDecoder(Protocol):
    """Turns the 1024 bytes of a card into a picture."""

    def decode(self, block: bytes) -> tuple[str, bytes]:
        """Media type and file content; PhotoError if there is none."""


class ProgramDecoder:
    """Runs the operator's program, once for each photo; nothing is written to disk."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def decode(self, block: bytes) -> tuple[str, bytes]:
        """Media type and file content; PhotoError if there is none."""
        try:
            # What the program writes to standard error is thrown away: it may be about the person.
            done = subprocess.run(  # noqa: S603 - the operator's own program, without arguments from anywhere
                [str(self._program)],
                input=block,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PhotoError("decoder_slow") from None
        except OSError:
            raise PhotoError("decoder_absent") from None
        if done.returncode != 0:
            raise PhotoError("decoder_failed")
        media_type = next((kind for mark, kind in SIGNATURES.items() if done.stdout.startswith(mark)), "")
        if not media_type or len(done.stdout) > MAX_PICTURE_BYTES:
            raise PhotoError("not_a_picture")
        return media_type, done.stdout


def configured_decoder() -> PhotoDecoder | None:
    """The decoder of this installation; None where the operator has none."""
    path = os.environ.get(VARIABLE, "")
    return ProgramDecoder(Path(path)) if path else None
