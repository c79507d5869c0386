"""Licence plates by GA 36-2018: one spelling for each, and its class by the first form that fits (N-5). Pure.

A class that is not known blocks nothing: plates of other places and new kinds of plates come to every gate. What a camera
reads may be wrong by one of a few look-alikes, which a person then confirms (N-6).
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
P = f"[{PROVINCES}]"
# The letter of the office may be O (police and others); serials have neither I nor O.
OFFICE = "[A-HJ-Z]"
SERIAL = "[A-HJ-NP-Z0-9]"
# What cameras give where they see no plate.
NO_PLATE = frozenset({"", "无", "无牌", "无车牌", "无牌车", "NONE", "UNKNOWN", "NOPLATE"})
ALIKE = ("0OQD", "8B", "1I", "2Z", "5S")


class PlateClass(StrEnum):
    """What kind of plate it is."""

    NEV_SMALL = "nev_small"
    NEV_LARGE = "nev_large"
    STANDARD = "standard"
    SPECIAL = "special"
    HK_MACAU = "hk_macau"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    EMERGENCY = "emergency"
    UNKNOWN = "unknown"


CLASSES: tuple[tuple[PlateClass, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(form, re.ASCII))
    for kind, form in (
        (PlateClass.NEV_SMALL, rf"{P}{OFFICE}[A-HJK]{SERIAL}\d{{4}}"),
        (PlateClass.NEV_LARGE, rf"{P}{OFFICE}\d{{5}}[A-HJK]"),
        (PlateClass.STANDARD, rf"{P}{OFFICE}{SERIAL}{{5}}"),
        (PlateClass.HK_MACAU, rf"粤Z{SERIAL}{{4}}[港澳]"),
        (PlateClass.SPECIAL, rf"{P}{OFFICE}{SERIAL}{{4}}[挂学警]"),
        (PlateClass.EMBASSY, r"使\d{6}|\d{6}使"),
        (PlateClass.CONSULATE, rf"{P}{OFFICE}?\d{{4,5}}领"),
        (PlateClass.EMERGENCY, rf"{P}{OFFICE}?{SERIAL}{{3,5}}应急"),
        (PlateClass.ARMED_POLICE, rf"WJ(?:{P}|\d{{2}})?[A-Z0-9]{{4,6}}"),
        (PlateClass.MILITARY, r"[A-HJ-NP-Z]{2}\d{5}"),
    )
)


def normalise(text: str) -> str:
    """The plate as it is written down: half width, upper case, letters and digits alone; empty for "no plate"."""
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
    plain = "".join(character for character in upper if character.isalnum())
    return "" if plain in NO_PLATE else plain


def classify(plate: str) -> PlateClass:
    """The class of a plate, however it is spelled; UNKNOWN for what fits none."""
    found = normalise(plate)
    return next((kind for kind, form in CLASSES if form.fullmatch(found)), PlateClass.UNKNOWN)


def may_be(read: str, known: str) -> bool:
    """Whether what a camera read may be the plate that is known, but for one look-alike: a person then confirms."""
    one, other = normalise(read), normalise(known)
    if len(one) != len(other):
        return False
    wrong = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return len(wrong) == 1 and any(set(wrong[0]) <= set(group) for group in ALIKE)
