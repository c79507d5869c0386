"""What holds for consent and faces, as tables: whose consent stands, thresholds, guardians, the gauge."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import i18n
from app.domain.identity.rules import (
    FILING_PEOPLE,
    GAUGE_LEVELS,
    LIMITS,
    TERMS,
    Age,
    Purpose,
    Relation,
    expiry,
    gauge_level,
    guardian_fault,
    stands,
    thresholds_fault,
)

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
TERMS_NOW = TERMS[Purpose.FACE_RECOGNISE]
KNOWN = {
    ("2026-11", "face_recognise", "zh-CN"): "df0fd657dded2acd",
    ("2026-11", "face_recognise", "en"): "c5683cfb84e4a02f",
    ("2026-11", "face_visit", "zh-CN"): "48a4be8df0782a8c",
    ("2026-11", "face_visit", "en"): "f372417e4f32de25",
}
CLASSES = tuple(kind.value for kind in TERMS_NOW.classes)


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("purpose", "classes", "version", "withdrawn", "expected"),
    [
        (Purpose.FACE_RECOGNISE, CLASSES, TERMS_NOW.version, None, True),
        (Purpose.FACE_RECOGNISE, (*CLASSES, "more"), TERMS_NOW.version, None, True),
        (Purpose.FACE_RECOGNISE, CLASSES, TERMS_NOW.version, NOON, False),
        (Purpose.FACE_RECOGNISE, CLASSES, "2020-01", None, False),
        (Purpose.FACE_RECOGNISE, (), TERMS_NOW.version, None, False),
        ("marketing", CLASSES, TERMS_NOW.version, None, False),
    ],
    ids=["as asked", "wider", "taken back", "older notice", "less", "another purpose"],
)
def test_a_consent_covers_what_it_was_given_to_and_nothing_else(
    purpose: str, classes: tuple[str, ...], version: str, withdrawn: datetime | None, expected: bool
) -> None:
    assert stands(purpose, classes, version, NOON, withdrawn) is expected


def test_the_words_of_a_notice_do_not_change_without_its_version() -> None:
    # Whoever changes the notice gives it a new version in TERMS and puts the new hashes here: everyone is asked again.
    told = {}
    for purpose, terms in TERMS.items():
        for locale in i18n.LOCALES:
            words = i18n.catalogue(locale)[f"faces.notice.{purpose}"]
            told[terms.version, purpose.value, locale] = hashlib.sha256(words.encode()).hexdigest()[:16]
    assert told == KNOWN


def test_thresholds_must_agree_with_each_other() -> None:
    usual = {name: limit.default for name, limit in LIMITS.items()}
    assert thresholds_fault(usual) == ""
    assert thresholds_fault(usual | {"other": usual["same"]}) == "other"
    assert thresholds_fault(usual | {"recognise_same": usual["same"] - 1}) == "recognise_same"
    assert all(limit.low <= limit.default <= limit.high for limit in LIMITS.values())


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("age", "relation", "guardian", "fault"),
    [
        (Age.OLDER, "", "", ""),
        ("", "", "", "age"),
        ("unknown", Relation.MOTHER, "李梅", "age"),
        (Age.UNDER_14, "", "李梅", "guardian_relation"),
        (Age.UNDER_14, "neighbour", "李梅", "guardian_relation"),
        (Age.UNDER_14, Relation.MOTHER, "", "guardian"),
        (Age.UNDER_14, Relation.MOTHER, "李梅", ""),
    ],
)
def test_under_fourteen_somebody_answers_for_the_child(
    age: str, relation: str, guardian: str, fault: str
) -> None:
    assert guardian_fault(age, relation, guardian) == fault


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("people", "level"),
    [(0, 0), (59_999, 0), (60_000, 60), (79_999, 60), (80_000, 80), (94_999, 80), (95_000, 95), (99_999, 95),
     (100_000, 100), (2_000_000, 100)],
)  # fmt: skip
def test_the_gauge_warns_before_the_duty_to_file(people: int, level: int) -> None:
    assert FILING_PEOPLE == 100_000
    assert gauge_level(people) == level


@given(st.integers(0, 3 * FILING_PEOPLE))
def test_the_gauge_never_falls_while_people_are_added(people: int) -> None:
    assert gauge_level(people + 1) >= gauge_level(people)
    assert gauge_level(people) in {0, *GAUGE_LEVELS}


def test_a_template_ends_by_itself() -> None:
    assert expiry(NOON, 30) == NOON + timedelta(days=30)
