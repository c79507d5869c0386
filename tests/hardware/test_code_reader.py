"""Codes: damaged pictures are read, and one presentation is one event."""

from __future__ import annotations

import pytest

from hardware.drivers.code_reader import CodePresence, CodeReader
from hardware.ports import EventKind
from tests.bench import qr
from tests.hardware.pictures import CODE, OTHER, blank, with_codes

pytestmark = pytest.mark.req("AD-02")

TWO_CODES = [(EventKind.UNREADABLE, {"reason": "two_codes"})]


def code(text: str) -> list[tuple[EventKind, dict[str, str]]]:
    return [(EventKind.CODE, {"text": text})]


def test_damaged_pictures_are_read_and_never_wrongly() -> None:
    reader = CodeReader()
    found = [(text, reader.read(picture)) for _, text, picture in qr.pictures(seed=3, per_kind=4)]
    wrong = [texts for text, texts in found if texts not in ([], [text])]
    assert not wrong
    assert sum(texts == [text] for text, texts in found) >= 0.95 * len(found)


def test_all_different_codes_of_a_frame_are_told() -> None:
    reader = CodeReader()
    assert set(reader.read(with_codes(CODE, OTHER, width=1280, height=720))) == {CODE, OTHER}
    assert reader.read(with_codes(CODE, CODE, width=1280, height=720)) == [CODE]
    assert reader.read(blank(1280, 720)) == []


def test_chinese_text_survives() -> None:
    assert CodeReader().read(with_codes("门岗 一号")) == ["门岗 一号"]


@pytest.mark.parametrize("missing", ["_zxing", "_pyzbar"])
def test_either_library_alone_reads(missing: str) -> None:
    reader = CodeReader()
    setattr(reader, missing, None)
    assert reader.read(with_codes(CODE)) == [CODE]
    assert reader.read(blank()) == []


def test_a_code_that_stays_is_told_once_and_again_after_it_was_absent() -> None:
    presence = CodePresence()
    assert presence.see([CODE], 0.0) == code(CODE)
    for tenth in range(1, 100):
        assert presence.see([CODE], tenth / 10) == []
    assert presence.see([], 10.0) == []
    assert presence.see([CODE], 11.3) == []
    assert presence.see([CODE], 12.8) == code(CODE)


def test_a_code_that_flickers_in_bad_light_is_told_once() -> None:
    presence = CodePresence()
    events = [
        event for tick in range(60) for event in presence.see([CODE] if tick % 7 == 0 else [], tick * 0.2)
    ]
    assert events == code(CODE)


def test_a_renewed_code_is_news() -> None:
    presence = CodePresence()
    assert presence.see([CODE], 0.0) == code(CODE)
    assert presence.see([OTHER], 0.1) == code(OTHER)
    assert presence.see([CODE], 0.2) == []


def test_two_codes_at_once_are_one_refusal_and_neither_counts() -> None:
    presence = CodePresence()
    assert presence.see([CODE, OTHER], 0.0) == TWO_CODES
    assert presence.see([CODE, OTHER], 0.5) == []
    assert presence.see([CODE], 1.0) == []
    assert presence.see([], 3.0) == []
    assert presence.see([CODE], 3.1) == code(CODE)
    assert presence.see([OTHER, CODE], 3.2) == TWO_CODES
