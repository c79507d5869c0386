"""What holds for consent and faces, without a database: purposes, whose consent stands, limits, the gauge (F-1 to F-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What personal data is asked for; each has its own consent, never one for several (L-6)."""

    FACE_RECOGNISE = "face_recognise"
    FACE_VISIT = "face_visit"


class DataClass(StrEnum):
    """What kind of data a consent covers."""

    FACE_TEMPLATE = "face_template"
    FACE_PICTURE = "face_picture"


class Channel(StrEnum):
    """How a person said yes or took it back."""

    DESK = "desk"
    LINK = "link"
    CONSOLE = "console"
    PORTAL = "portal"


class Relation(StrEnum):
    """Who agrees for somebody under fourteen (F-4, L-8)."""

    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"


class Age(StrEnum):
    """What is declared of a person's age: no birthday is collected for it."""

    OLDER = "older"
    UNDER_14 = "under_14"


class Liveness(StrEnum):
    """How much a face must do to count as a living one."""

    NONE = "none"
    PASSIVE = "passive"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a purpose covers and the version of its notice; a change of either asks everyone again (L-1)."""

    classes: tuple[DataClass, ...]
    version: str


# The words lie in the catalogue under ``faces.notice.<purpose>``; a test ties them to the version.
TERMS: Mapping[Purpose, Terms] = {
    Purpose.FACE_RECOGNISE: Terms((DataClass.FACE_TEMPLATE,), "2026-11"),
    Purpose.FACE_VISIT: Terms((DataClass.FACE_PICTURE,), "2026-11"),
}


def stands(
    purpose: str, classes: tuple[str, ...], version: str, given_at: datetime, withdrawn_at: datetime | None
) -> bool:
    """Whether a consent covers what is done today: not taken back, and given to these terms."""
    if purpose not in set(Purpose):
        return False
    terms = TERMS[Purpose(purpose)]
    taken_back = withdrawn_at is not None and withdrawn_at >= given_at
    return not taken_back and version == terms.version and frozenset(terms.classes) <= frozenset(classes)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number of the policy may be, and is to begin with."""

    low: int
    high: int
    default: int


# Hundredths of the cosine; the defaults fit the packs that docs/faces.md names, and docs say how to measure one's own.
LIMITS: Mapping[str, Limit] = {
    "same": Limit(20, 95, 45),
    "other": Limit(0, 90, 25),
    "recognise_same": Limit(30, 95, 55),
    "recognise_margin": Limit(0, 50, 8),
    "template_days": Limit(1, 730, 365),
}


def thresholds_fault(numbers: Mapping[str, int]) -> str:
    """The field that makes no sense beside the others, empty where all do: between other and same lies unsure."""
    if numbers["other"] >= numbers["same"]:
        return "other"
    return "recognise_same" if numbers["recognise_same"] < numbers["same"] else ""


# From this many people on whose faces are stored, the operator files with the authority within 30 working days (F-12).
FILING_PEOPLE = 100_000
GAUGE_LEVELS = (60, 80, 95, 100)


def gauge_level(people: int) -> int:
    """The highest warning level in percent that so many stored faces have reached, 0 below all of them."""
    return max((level for level in GAUGE_LEVELS if people * 100 >= level * FILING_PEOPLE), default=0)


def expiry(captured_at: datetime, days: int) -> datetime:
    """Until when a template may be used."""
    return captured_at + timedelta(days=days)


def guardian_fault(age: str, relation: str, guardian: str) -> str:
    """The field that is missing before a face may be taken: the age is said, and under 14 somebody answers for it."""
    if age not in set(Age):
        return "age"
    if age == Age.OLDER:
        return ""
    if relation not in set(Relation):
        return "guardian_relation"
    return "" if guardian else "guardian"
