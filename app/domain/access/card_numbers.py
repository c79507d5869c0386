"""Card numbers as people and readers write them, made one: the UID in hex, first byte first, as PC/SC gives it."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import InvalidInput

# A UID has 4, 7 or 10 bytes (ISO/IEC 14443-3). So many decimal digits can only be one of 4 or of 7 bytes; a
# number of 8, 14 or 20 digits is read as hex, which has just that length.
HEX_DIGITS = frozenset({8, 14, 20})
DECIMAL_BYTES = {9: 4, 10: 4, 15: 7, 16: 7, 17: 7}
SEPARATORS = re.compile(r"[\s:\-._]")
HEX = re.compile(r"[0-9A-F]+")
# A number that stands in a card's file, not its UID: marked, so that no card's UID can be taken for it.
FILE_MARK = "#"
FILE_NUMBER = re.compile(r"#[0-9A-Z]{1,32}", re.ASCII)
RANDOM_LENGTH, RANDOM_PREFIX = 8, "08"


def number(text: str, *, backwards: bool = False) -> str:
    """The UID in upper-case hex from hex with or without separators, or from 9, 10 or 15 to 17 decimal digits.

    A number with ``#`` before it is one that stands in a card's file, and stays as it is.

    ``backwards`` turns the bytes round, for readers that type the last byte first; nothing in the number itself
    tells. Raises ``InvalidInput`` for anything else, so for the five-digit short forms that hold half a UID, and
    for a UID that its card makes up anew at each read (four bytes, the first 08).
    """
    found = normal(text)
    if FILE_NUMBER.fullmatch(found):
        return found
    if len(found) not in HEX_DIGITS or not HEX.fullmatch(found) or set(found) <= {"0"} or set(found) <= {"F"}:
        raise InvalidInput("card_uid_wrong", "uid")
    if backwards:
        found = turned(found)
    if len(found) == RANDOM_LENGTH and found.startswith(RANDOM_PREFIX):
        raise InvalidInput("card_random", "uid")
    return found


def normal(text: str) -> str:
    """A number as ``number`` spells it; what is none comes back as it was, only tidied."""
    tidy = SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper().removeprefix("0X")
    size = DECIMAL_BYTES.get(len(tidy)) if tidy.isascii() and tidy.isdecimal() else None
    if size is None or int(tidy) >= 256**size:
        return tidy
    return int(tidy).to_bytes(size).hex().upper()


def on_file(found: str) -> str:
    """How a number that a card's file holds is told from a UID."""
    return normal(FILE_MARK + found)


def turned(found: str) -> str:
    """The same bytes, last one first; a number in a card's file has one order only."""
    if found.startswith(FILE_MARK):
        return found
    return bytes.fromhex(found)[::-1].hex().upper()
