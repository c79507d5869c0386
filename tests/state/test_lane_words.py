"""Whatever can come of a question to a lane's computer has words, in both languages."""

from __future__ import annotations

import pytest

from app.core.i18n import text
from app.domain.admission.case_rules import PictureState
from app.runtime.agent_asks import FAILURES, FAR, RESTARTED
from app.runtime.case_pictures import NO_PICTURE
from app.runtime.places import LANE_NO_MODELS
from hardware.face_compare import STATES
from hardware.face_ports import ServiceCode
from state import desk_printing

LOCALES = ("zh-CN", "en")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_finding_and_failure_of_a_comparison_has_words(locale: str) -> None:
    for state in {*STATES, *FAILURES, LANE_NO_MODELS, "off"} - {
        RESTARTED
    }:  # only a badge is never asked for anew
        words = text(locale, f"face_desk.{state}", fault="")
        assert "face_desk" not in words, state


@pytest.mark.parametrize("locale", LOCALES)
def test_every_failure_of_a_badge_has_words_of_its_own(locale: str) -> None:
    other = desk_printing._why("never heard of", locale)
    # A badge is no data of faces: it goes over any line.
    words = {code: desk_printing._why(code, locale) for code in {*FAILURES, "agent_busy"} - {FAR}}
    assert other not in words.values()
    assert len(set(words.values())) == len(words)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_of_a_cases_picture_has_words(locale: str) -> None:
    for state in PictureState:
        assert "cases.picture" not in text(locale, f"cases.picture.{state}"), state
    assert set(NO_PICTURE) < FAILURES


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_of_a_computers_models_has_words(locale: str) -> None:
    for code in ServiceCode:
        words = text(locale, "agents.faces", state=text(locale, f"faces.models.{code}"))
        assert "faces." not in words, code
