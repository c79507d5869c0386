"""Numbers of identity documents: shape, check character and date of each kind (N-1 to N-3).

Pure. A number that holds may still be nobody's; one that does not hold was mistyped, misread or made up.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

# GB 11643-1999: ISO 7064 MOD 11-2 over the first seventeen digits.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
MAX_AGE_YEARS = 150
# First two digits of GB/T 2260. Below that level codes come and go, and people keep the one they were given.
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
LEGACY = re.compile(r"[1-8]\d{14}", re.ASCII)
# Marks that stand for the check character X where keyboards and input methods are at work.
LOOKS_LIKE_X = str.maketrans({"×": "X", "Х": "X", "х": "X", "Χ": "X", "χ": "X", "✕": "X"})
SEPARATORS = re.compile(r"[\s\-·•.]")


class DocumentKind(StrEnum):
    """What the number belongs to."""

    RESIDENT_ID = "resident_id"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"
    HOME_RETURN_PERMIT = "home_return_permit"
    TAIWAN_TRAVEL_PERMIT = "taiwan_travel_permit"
    CHINESE_PASSPORT = "chinese_passport"
    FOREIGN_PASSPORT = "foreign_passport"


class NumberFault(StrEnum):
    """Why a number does not hold."""

    SHAPE = "shape"
    CHECK_CHARACTER = "check_character"
    DATE = "date"
    FUTURE = "future"
    AGE = "age"
    LEGACY = "legacy"


class NumberWarning(StrEnum):
    """What is odd about a number that holds; never a reason to refuse."""

    REGION_UNKNOWN = "region_unknown"


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """What a number says about itself.

    ``number`` is as it should be written. ``birth`` and ``sex`` (``male``, ``female`` or empty) are what it holds, None
    and empty where it holds none. ``successor`` is the 18-digit number that a 15-digit one became (1999); those cards are
    void since 2013, the person has a new one.
    """

    number: str = field(repr=False)
    faults: frozenset[NumberFault] = frozenset()
    warnings: frozenset[NumberWarning] = frozenset()
    birth: date | None = field(default=None, repr=False)
    sex: str = field(default="", repr=False)
    successor: str = field(default="", repr=False)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


# Numbers that hold nothing but themselves. A foreign passport has whatever shape its state chose.
SHAPES = {
    DocumentKind.HOME_RETURN_PERMIT: re.compile(r"[HM]\d{8}(?:\d{2})?", re.ASCII),
    DocumentKind.TAIWAN_TRAVEL_PERMIT: re.compile(r"\d{8}(?:\d{2})?", re.ASCII),
    DocumentKind.CHINESE_PASSPORT: re.compile(r"[A-Z]{1,2}\d{7,8}", re.ASCII),
    DocumentKind.FOREIGN_PASSPORT: re.compile(r"[A-Z0-9]{5,20}", re.ASCII),
}
FOREIGN_RESIDENT_2017 = re.compile(r"[A-Z]{3}\d{12}", re.ASCII)
# Eighteen characters with date and check character, by how they begin.
DATED = {
    DocumentKind.RESIDENT_ID: re.compile(r"[1-8]\d{16}[\dX]", re.ASCII),
    DocumentKind.HMT_RESIDENCE_PERMIT: re.compile(r"8[123]0000\d{11}[\dX]", re.ASCII),
    DocumentKind.FOREIGN_PERMANENT_RESIDENT: re.compile(r"9\d{16}[\dX]", re.ASCII),
}


def normalise(text: str) -> str:
    """The number as it is written down: half width, upper case, X for its look-alikes, no separators."""
    plain = unicodedata.normalize("NFKC", text.translate(LOOKS_LIKE_X)).upper()
    return SEPARATORS.sub("", plain)


def check(kind: DocumentKind, text: str, today: date) -> NumberCheck:
    """Check a number as it was typed or read; never raises."""
    number = normalise(text)
    if kind is DocumentKind.RESIDENT_ID and LEGACY.fullmatch(number):
        return _check_legacy(number, today)
    if kind is DocumentKind.FOREIGN_PERMANENT_RESIDENT and FOREIGN_RESIDENT_2017.fullmatch(number):
        return NumberCheck(number)
    if kind in DATED:
        return _check_dated(kind, number, today)
    faults = set() if SHAPES[kind].fullmatch(number) else {NumberFault.SHAPE}
    return NumberCheck(number, frozenset(faults))


def check_character(digits: str) -> str:
    """The eighteenth character for seventeen digits."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def _check_dated(kind: DocumentKind, number: str, today: date) -> NumberCheck:
    if not DATED[kind].fullmatch(number):
        return NumberCheck(number, frozenset({NumberFault.SHAPE}))
    birth, faults = _birth(number[6:14], today)
    if check_character(number[:17]) != number[17]:
        faults.add(NumberFault.CHECK_CHARACTER)
    foreign = kind is DocumentKind.FOREIGN_PERMANENT_RESIDENT
    warnings = set() if foreign or number[:2] in PROVINCES else {NumberWarning.REGION_UNKNOWN}
    return NumberCheck(
        number,
        frozenset(faults),
        frozenset(warnings),
        birth,
        # The standard that has the sex in the seventeenth digit is that of citizens.
        "" if foreign else _sex(number[16]),
    )


def _check_legacy(number: str, today: date) -> NumberCheck:
    birth, faults = _birth("19" + number[6:12], today)
    digits = number[:6] + "19" + number[6:]
    return NumberCheck(
        number,
        frozenset(faults | {NumberFault.LEGACY}),
        frozenset() if number[:2] in PROVINCES else frozenset({NumberWarning.REGION_UNKNOWN}),
        birth,
        _sex(number[14]),
        successor="" if faults else digits + check_character(digits),
    )


def _birth(text: str, today: date) -> tuple[date | None, set[NumberFault]]:
    try:
        birth = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None, {NumberFault.DATE}
    if birth > today:
        return birth, {NumberFault.FUTURE}
    if today.year - birth.year > MAX_AGE_YEARS:
        return birth, {NumberFault.AGE}
    return birth, set()


def _sex(digit: str) -> str:
    return "male" if int(digit) % 2 else "female"
