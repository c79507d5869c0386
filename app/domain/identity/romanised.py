"""Whether Latin letters may be a Chinese name as passports write it.

A machine-readable zone has no Chinese characters. There a name is held against its pinyin, every reading of each
character; so a homophone passes, which a chip would tell apart. The guard who holds the document sees the characters.
"""

from __future__ import annotations

import unicodedata

from app.core.chinese import Style, pinyin
from app.domain.identity.names import parts

# ü as passports have written it: LYU since 2012, LV and LU before.
UMLAUT = ("yu", "v", "u")
LONGEST = 12


def romanises(name: str, latin: str, *, cut: bool = False) -> bool:
    """Whether these letters are a way to write this name; ``cut`` says that the letters may go on."""
    characters = [character for character in unicodedata.normalize("NFKC", name) if character.isalpha()]
    letters = "".join(parts(latin))
    if not letters or not 2 <= len(characters) <= LONGEST or not all(map(_is_han, characters)):
        return False
    rests = {letters}
    for character in characters:
        if cut and "" in rests:
            return True
        rests = {rest[len(way) :] for way in _readings(character) for rest in rests if rest.startswith(way)}
    return "" in rests


def _readings(character: str) -> set[str]:
    found: set[str] = set()
    for reading in pinyin(character, style=Style.NORMAL, heteronym=True, v_to_u=True, errors="ignore")[
        :1
    ] or [[]]:
        for syllable in reading:
            ways = UMLAUT if "ü" in syllable else ("",)
            found |= {syllable.replace("ü", way) for way in ways}
    return {syllable for syllable in found if syllable.isascii() and syllable}


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH") or character == "〇"
