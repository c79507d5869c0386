"""A picture that somebody sent from a phone: told by its bytes, measured before it is unpacked, drawn anew (BK-04).

What comes out is a JPEG of our own making: no place, no camera, no words, no second file hidden behind the first.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from app.core.errors import InvalidInput

MOST_BYTES = 8_000_000
# A JPEG is mostly unpacked at a fraction of its size; others are whole in memory first.
MOST_PIXELS = {"JPEG": 52_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
LEAST_SIDE = 160
# A progressive JPEG has about ten scans, and each costs a pass over the whole picture, however few its bytes are.
SCAN, MOST_SCANS = b"\xff\xda", 64
SIDE = 1024
QUALITY = 88
# The brands of files that telephones call HEIC or AVIF.
BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})


def clean(data: bytes) -> bytes:
    """The picture as a small JPEG, upright; raises ``InvalidInput`` saying what is wrong with the file."""
    if not data:
        raise InvalidInput("photo_missing", "photo")
    if len(data) > MOST_BYTES:
        raise InvalidInput("file_large", "photo", maximum=MOST_BYTES // 1_000_000)
    if data[4:8] == b"ftyp" and data[8:12] in BRANDS:
        raise InvalidInput("photo_heic", "photo")
    if data.count(SCAN) > MOST_SCANS and data.startswith(b"\xff\xd8"):
        raise InvalidInput("photo_broken", "photo")
    try:
        picture = Image.open(io.BytesIO(data), formats=tuple(MOST_PIXELS))
    except Image.DecompressionBombError as error:
        raise InvalidInput("photo_pixels", "photo") from error
    except Exception as error:  # Pillow's plug-ins raise what they like on broken files
        raise InvalidInput("photo_format", "photo") from error
    with picture:
        _measure(picture)
        try:
            return _draw(picture)
        except Exception as error:
            raise InvalidInput("photo_broken", "photo") from error


def _measure(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS[str(picture.format)]:
        raise InvalidInput("photo_pixels", "photo")
    if min(width, height) < LEAST_SIDE:
        raise InvalidInput("photo_tiny", "photo")


def _draw(picture: Image.Image) -> bytes:
    picture.draft("RGB", (SIDE, SIDE))
    upright = ImageOps.exif_transpose(picture)
    if "A" in upright.getbands() or "transparency" in upright.info:
        shown = upright.convert("RGBA")
        plain = Image.new("RGB", shown.size, "white")
        plain.paste(shown, mask=shown.getchannel("A"))
    else:
        plain = upright.convert("RGB")
    plain.thumbnail((SIDE, SIDE))
    # A picture of its own: what came along with the other one, such as where it was taken, is not carried over.
    bare = Image.new("RGB", plain.size)
    bare.paste(plain)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
