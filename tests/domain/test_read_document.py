"""What the gate takes from a card, what it leaves behind, and what it doubts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.admission.documents import compare
from app.domain.admission.rules import Result
from app.domain.identity.read_document import take
from hardware.drivers.id_card_text import DocumentKind
from tests.domain.cards_at_hand import CITIZEN, TODAY, card, document, document_of, event

HMT = DocumentKind.HMT_RESIDENCE_PERMIT
OLD = DocumentKind.FOREIGN_PERMANENT_RESIDENT_2017
NEW = DocumentKind.FOREIGN_PERMANENT_RESIDENT_2023
FOREIGN = {"address": "", "issuer": "", "ethnic_code": "", "name": ""}


@pytest.mark.parametrize(
    ("changes", "name", "tail", "result"),
    [
        ({}, "周婷婷", "", Result.OK),
        ({}, "周婷婷", "002X", Result.OK),
        ({}, "周婷婷", "002x", Result.OK),
        ({}, "", "", Result.OK),
        ({}, "周婷", "", Result.OTHER_NAME),
        ({}, "周婷婷", "1234", Result.OTHER_NUMBER),
        ({}, "周婷", "1234", Result.OTHER_NAME),
        ({"valid_to": "20260302"}, "周婷婷", "", Result.OK),
        ({"valid_to": "20260301"}, "周婷婷", "", Result.EXPIRED),
        ({"valid_to": "20260301"}, "周婷", "", Result.OTHER_NAME),
        ({"valid_to": "长期"}, "周婷婷", "", Result.OK),
        ({"valid_to": "20260231"}, "周婷婷", "", Result.ABNORMAL),
        ({"valid_to": ""}, "周婷婷", "", Result.ABNORMAL),
        ({"valid_from": "20260302"}, "周婷婷", "", Result.OK),
        ({"valid_from": "20260303"}, "周婷婷", "", Result.ABNORMAL),
        ({"number": "110105194912310021"}, "周婷婷", "", Result.ABNORMAL),
        ({"number": "110105491231002"}, "周婷婷", "", Result.ABNORMAL),
        ({"number": ""}, "周婷婷", "", Result.ABNORMAL),
        ({"birth": "19491230"}, "周婷婷", "", Result.ABNORMAL),
        ({"birth": "20010229"}, "周婷婷", "", Result.ABNORMAL),
        ({"sex": "7", "ethnic_code": "99"}, "周婷婷", "", Result.OK),
        ({"name": ""}, "周婷婷", "", Result.ABNORMAL),
        ({"name": "阿布都热合曼·艾合买提江·吐尔逊"}, "阿布都热合曼·艾合买提江·吐尔逊", "", Result.OK),
        ({"name": "𠮷" * 8}, "𠮷" * 8, "", Result.OK),
    ],
)
def test_a_citizens_card_is_held_against_name_tail_and_day(
    changes: dict[str, str], name: str, tail: str, result: Result
) -> None:
    assert compare(document(**changes), name, tail, TODAY) is result


@pytest.mark.parametrize(
    ("kind", "changes", "name", "tail", "result"),
    [
        (HMT, {"number": "810000199408230021", "birth": "19940823"}, "周婷婷", "0021", Result.OK),
        (HMT, {"number": "810000199408230021", "birth": "19940823", "permit_number": "H12345678"}, "周婷婷", "5678", Result.OK),
        (HMT, {}, "周婷婷", "", Result.ABNORMAL),
        (OLD, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "number": "SWE110087041234"}, "Anna Lindqvist", "1234", Result.OK),
        (OLD, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "name": "林安娜", "number": "SWE110087041234"}, "林安娜", "", Result.OK),
        (OLD, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "number": "SWE11008704123"}, "Anna Lindqvist", "", Result.ABNORMAL),
        (NEW, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "number": "91100019870412002X", "birth": "19870412"}, "Anna Lindqvist", "", Result.OK),
        (NEW, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "number": "911000198704120021", "birth": "19870412"}, "Anna Lindqvist", "", Result.ABNORMAL),
        (NEW, {**FOREIGN, "name_latin": "LINDQVIST, ANNA", "number": "91100019870412002X", "birth": "19870412"}, "Anna Lind", "", Result.OTHER_NAME),
    ],
)  # fmt: skip
def test_the_other_cards_of_the_family_are_held_against_the_same(
    kind: DocumentKind, changes: dict[str, str], name: str, tail: str, result: Result
) -> None:
    read = take(event(card(kind, **changes)), TODAY)
    assert compare(read, name, tail, TODAY) is result


@pytest.mark.parametrize("name", ["张晓雯", "阿卜杜拉·买买提", "𠮷田𡈽", "Anna Lindqvist", "Madonna"])
def test_the_emulated_cards_are_good_ones(name: str) -> None:
    assert compare(document_of(name), name, "", TODAY) is Result.OK


def test_number_address_birthday_and_photo_end_where_the_document_is_taken() -> None:
    made = event(card()) | {"photo": "cGhvdG8=", "photo_type": "image/png"}
    read = take(made, TODAY)
    kept = str([getattr(read, field) for field in read.__slots__])
    for value in (CITIZEN["number"], CITIZEN["address"], "1949", "cGhvdG8=", CITIZEN["issuer"]):
        assert value not in kept
    assert CITIZEN["name"] in kept
    assert repr(read) == str(read) == "<ReadDocument>"


def test_a_long_valid_card_never_expires_and_a_dated_one_does_the_day_after() -> None:
    dated, long_term = document(), document(valid_to="长期")
    last = date(2027, 3, 5)
    assert [dated.has_expired(last + timedelta(days=days)) for days in (-1, 0, 1)] == [False, False, True]
    assert not long_term.has_expired(last + timedelta(days=36500))


fields = st.dictionaries(
    st.sampled_from(
        ["kind", "name", "name_latin", "number", "birth", "valid_from", "valid_to", "long_term", "faults", "permit_number"]
    ),
    st.one_of(st.text(max_size=30), st.sampled_from(["resident_id", "2026-02-30", "2026-03-01", "name number"])),
)  # fmt: skip


@given(fields)
def test_any_event_is_taken_without_an_error(payload: dict[str, str]) -> None:
    read = take(payload, TODAY)
    assert compare(read, "周婷婷", "002X", TODAY) in set(Result)
