"""Whether two spellings name the same person: what a host typed against what stands on a card. Pure.

Compared is what is written, never how it sounds: a homophone is somebody else. Width, case, spaces, dots between the parts
of a name, accents and the order of Latin words do not count.
"""

from __future__ import annotations

import unicodedata
from itertools import product

# The dot in a name is U+00B7 by the book; keyboards and input methods make any of the others.
SEPARATORS = str.maketrans(dict.fromkeys("·•‧∙⋅・●.,，、-‐‑–—_/", " "))
SILENT = str.maketrans(dict.fromkeys("'’‘ʼ`´ʻ\"", ""))
# Letters that do not come apart into a letter and a mark.
PLAIN = {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
# How passports write them (ICAO 9303 part 3, section 6), where it is not the letter without its mark.
WRITTEN_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}


def parts(name: str) -> list[str]:
    """The parts of a name between spaces, dots and hyphens, folded."""
    return _folded(name, {})


def same_name(booked: str, on_card: str, *, cut: bool = False) -> bool:
    """Whether both name one person; ``cut`` says that the card had no room for the rest of the name."""
    if cut:
        on_card = on_card.rstrip("\N{REPLACEMENT CHARACTER}")
    return any(_same(one, other, cut) for one, other in product(_spellings(booked), _spellings(on_card)))


def _same(booked: list[str], on_card: list[str], cut: bool) -> bool:
    mine, theirs = "".join(booked), "".join(on_card)
    if not mine or not theirs:
        return False
    if mine == theirs or (cut and mine.startswith(theirs)):
        return True
    # Family name first or last: cards and hosts differ. In other scripts the order is part of the name.
    return mine.isascii() and sorted(booked) == sorted(on_card)


def _spellings(name: str) -> tuple[list[str], list[str]]:
    return _folded(name, {}), _folded(name, WRITTEN_OUT)


def _folded(name: str, written_out: dict[str, str]) -> list[str]:
    text = unicodedata.normalize("NFKC", name.translate(SILENT)).casefold().translate(SEPARATORS)
    return "".join(_letter(character, written_out) for character in text).split()


def _letter(character: str, written_out: dict[str, str]) -> str:
    """One character as it counts; marks that only choose a shape of it are dropped."""
    if character in written_out or character in PLAIN:
        return written_out.get(character) or PLAIN[character]
    if character.isspace():
        return " "
    if unicodedata.category(character) in {"Cc", "Cf"} or _is_mark(character):
        return ""
    base = unicodedata.normalize("NFD", character)
    return base[0] if base[0].isascii() else character


def _is_mark(character: str) -> bool:
    """An accent by itself, or a selector of one drawing of the same character."""
    ranges = (("\u0300", "\u036f"), ("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"))
    return any(first <= character <= last for first, last in ranges)
