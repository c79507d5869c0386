"""Plates: one spelling, a class by the first form that fits, and look-alikes that a person confirms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import inputs
from app.domain.vehicles.rules import ALIKE, CLASSES, PROVINCES, PlateClass, classify, may_be, normalise


@pytest.mark.parametrize(
    ("plate", "kind"),
    [
        ("京AD12345", PlateClass.NEV_SMALL),
        ("粤BK1234Z", PlateClass.UNKNOWN),
        ("沪AF01234", PlateClass.NEV_SMALL),
        ("京A12345D", PlateClass.NEV_LARGE),
        ("京A8C56Z", PlateClass.STANDARD),
        ("苏O12345", PlateClass.STANDARD),
        ("京AI2345", PlateClass.UNKNOWN),
        ("京A1234O", PlateClass.UNKNOWN),
        ("京I12345", PlateClass.UNKNOWN),
        ("京A1234挂", PlateClass.SPECIAL),
        ("京A1234学", PlateClass.SPECIAL),
        ("京A1234警", PlateClass.SPECIAL),
        ("粤Z1234港", PlateClass.HK_MACAU),
        ("粤Z12A4澳", PlateClass.HK_MACAU),
        ("京A1234港", PlateClass.UNKNOWN),
        ("使123456", PlateClass.EMBASSY),
        ("224001使", PlateClass.EMBASSY),
        ("沪A1234领", PlateClass.CONSULATE),
        ("粤12345领", PlateClass.CONSULATE),
        ("京X0001应急", PlateClass.EMERGENCY),
        ("WJ京12345", PlateClass.ARMED_POLICE),
        ("WJ01A2345", PlateClass.ARMED_POLICE),
        ("VA12345", PlateClass.MILITARY),
        ("ABC", PlateClass.UNKNOWN),
        ("", PlateClass.UNKNOWN),
        ("HKAB1234", PlateClass.UNKNOWN),
        ("京A１２３４５", PlateClass.STANDARD),
        ("京A12٣45", PlateClass.UNKNOWN),
    ],
)
def test_a_plate_has_the_class_of_the_first_form_that_fits(plate: str, kind: PlateClass) -> None:
    assert classify(plate) is kind


@pytest.mark.parametrize("letter", "DABCEFGHJK")
def test_the_letters_of_new_energy_are_electric_and_other(letter: str) -> None:
    assert classify(f"京A{letter}12345") is PlateClass.NEV_SMALL
    assert classify(f"京A12345{letter}") is PlateClass.NEV_LARGE


@pytest.mark.parametrize("written", ["京A·8C56Z", "京a 8c56z", "京Ａ-８Ｃ５６Ｚ", "京A•8C56Z", " 京A.8C56Z "])
def test_every_spelling_is_one_plate(written: str) -> None:
    assert normalise(written) == "京A8C56Z"


@pytest.mark.parametrize("written", ["无", "_无_", "无牌", "无牌车", "  "])
def test_no_plate_is_no_plate(written: str) -> None:
    assert normalise(written) == ""


@pytest.mark.parametrize(
    ("read", "known", "alike"),
    [
        ("京A8C56Z", "京ABC56Z", True),
        ("京A8C562", "京A8C56Z", True),
        ("京A8C56Z", "京A8C56Z", False),
        ("京A8C56Z", "京A8C57Z", False),
        ("京A8C562", "京ABC56Z", False),
        ("沪A8C56Z", "京A8C56Z", False),
        ("京A8C56", "京A8C56Z", False),
    ],
)
def test_one_look_alike_is_worth_a_question_and_nothing_else_is(read: str, known: str, alike: bool) -> None:
    assert may_be(read, known) is alike
    assert may_be(known, read) is alike


@given(
    st.sampled_from(PROVINCES), st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=5, max_size=5)
)
def test_every_serial_without_i_and_o_is_standard(province: str, serial: str) -> None:
    assert classify(f"{province}A{serial}") is PlateClass.STANDARD


@given(st.text(max_size=20))
def test_any_text_has_a_class_and_normalising_is_done_once(text: str) -> None:
    assert classify(text) in set(PlateClass)
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "plate", ["京AD12345", "京A12345D", "粤Z1234港", "WJ京12345", "京X0001应急", "HKAB1234", "ABC"]
)
def test_no_class_and_not_even_none_keeps_a_plate_from_being_entered(plate: str) -> None:
    assert inputs.plate(plate) == plate


def test_the_classes_and_look_alikes_are_those_of_the_standard() -> None:
    assert len(PROVINCES) == 31 == len(set(PROVINCES))
    assert len({kind for kind, _ in CLASSES}) == len(PlateClass) - 1
    letters = "".join(ALIKE)
    assert len(letters) == len(set(letters))
