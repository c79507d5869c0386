"""What the desk says of documents and of the reader, in both languages."""

from __future__ import annotations

import pytest

from app.core import clock
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.domain.admission import entering, presenting
from app.domain.admission.evidence import Presented
from app.domain.admission.rules import DOCUMENT_REASONS, Result
from app.domain.identity.read_document import ReadDocument
from app.runtime import devices
from hardware.drivers import serial_port
from state import desk_view
from tests.domain.cards_at_hand import document
from tests.factories import World, invite, nonce, see_document, show_code

READER_DETAILS = {
    *serial_port.PORT_FAULTS.values(),
    "pyserial_missing",
    "no_answer",
    "module_fault",
    "reader_absent",
}


def lay(world: World, read: ReadDocument | None) -> None:
    """A card on the lane's reader, or one that was pulled away."""
    kind, said = ("document", "") if read else ("unreadable", "document_card_pulled")
    item = Presented(kind, said, nonce(), clock.now(), "reader", read)
    world.do(presenting.present, world.both.id, item)


def arrival(world: World, locale: str = "zh-CN") -> desk_view.Arrival:
    return world.ask(desk_view.lane_view, world.both.id, locale, "").arrival


def chips(world: World, locale: str = "zh-CN") -> list[tuple[str, str]]:
    return [(chip["text"], chip["tone"]) for chip in arrival(world, locale).chips[1:]]


@pytest.mark.parametrize(
    ("changes", "chinese", "english", "tone"),
    [
        ({}, "身份证 ✓", "ID card ✓", "ok"),
        ({"name": "周婷"}, "身份证姓名不符", "ID card: other name", "no"),
        ({"valid_to": "20260301"}, "身份证已过期", "ID card expired", "no"),
        ({"valid_to": ""}, "身份证有疑问", "ID card in doubt", "no"),
    ],
)
def test_a_read_card_is_a_chip_with_its_finding(
    world: World, changes: dict[str, str], chinese: str, english: str, tone: str
) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    lay(world, document(**changes))
    assert chips(world) == [(chinese, tone)]
    assert chips(world, "en") == [(english, tone)]
    assert arrival(world).document_seen


def test_a_failed_read_stands_beside_the_finding_until_the_next_read(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    lay(world, None)
    assert chips(world) == [("身份证读取失败", "wait")]
    assert not arrival(world).document_seen
    lay(world, document())
    assert chips(world) == [("身份证 ✓", "ok")]
    lay(world, None)
    assert chips(world) == [("身份证 ✓", "ok"), ("身份证读取失败", "wait")]


def test_what_the_guard_looked_at_is_no_reading_of_a_card(world: World) -> None:
    _, issued, _ = invite(world)
    see_document(world, show_code(world, issued))
    assert chips(world) == [("证件", "ok")]


def test_a_strangers_card_shows_nothing_of_the_person(world: World) -> None:
    lay(world, document(name="何强生"))
    seen = repr(world.ask(desk_view.lane_view, world.both.id, "zh-CN", ""))
    assert "身份证 ✓" in seen
    assert "何强生" not in seen
    assert "002X" not in seen


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_console_has_words_for_the_reader_its_settings_and_its_troubles(locale: str) -> None:
    keys = ["console.device_detail.garbled"]
    for driver in devices.drivers():
        keys.append(f"console.driver.{driver['key']}")
        keys += [f"console.setting.{setting['name']}" for setting in driver["settings"]]
    keys += [f"console.device_detail.{detail}" for detail in sorted(READER_DETAILS)]
    assert [key for key in keys if text(locale, key) == key] == []


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_mistake_in_a_script_has_its_words(locale: str) -> None:
    wrong = [
        {"script": "00B00000XX"},
        {"script": "00B000001"},
        {"script": "00B0"},
        {"script": "00B0000010 = 90"},
        {"script": ";".join(["00B0000010"] * 17)},
        {"script": "00B0000010", "number_bytes": "8"},
        {"script": "00B0000010", "number_bytes": "3:1-8"},
        {"number_bytes": "1-8"},
        {"number_encoding": "ebcdic"},
    ]
    codes = set()
    for settings in wrong:
        with pytest.raises(InvalidInput) as caught:
            devices.check("lane", "Reader", "pcsc", settings)
        codes.add(caught.value.code)
    assert len(codes) == len(wrong)
    assert [code for code in codes if text(locale, f"error.{code}") == f"error.{code}"] == []


@pytest.mark.parametrize(
    ("source", "chinese", "english"),
    [("zone", "证件（机读区）✓", "Document (zone) ✓"), ("typed", "证件（录入）✓", "Document (typed) ✓")],
)
@pytest.mark.req("ID-05")
def test_a_document_says_how_it_was_read(world: World, source: str, chinese: str, english: str) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)
    item = Presented("document", "", nonce(), clock.now(), document=document(), source=source)
    world.do(entering.enter, world.guard, world.both.id, item, attempt.id)
    assert chips(world) == [(chinese, "ok")]
    assert chips(world, "en") == [(english, "ok")]
    for result in Result:
        if result in {Result.OK, *DOCUMENT_REASONS} or (result is Result.UNREADABLE and source == "zone"):
            assert text("zh-CN", f"document_{source}.{result}") != f"document_{source}.{result}"


def test_the_readers_form_becomes_its_settings() -> None:
    texts = {"port": "/dev/serial/by-id/reader", "baud": "9600", "emulated": ""}
    assert devices.settings_of("id_card", texts) == {
        "port": "/dev/serial/by-id/reader",
        "baud": 9600,
        "newest_address": False,
        "emulated": False,
    }
