"""The ID card driver on a real serial port: what it tells of cards, laid, lifted, exchanged, pulled away, refused."""

from __future__ import annotations

import base64
import logging
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from hardware.drivers.sdt_module import READ_ADDRESS, READ_CARD, SELECT_CARD, Status
from hardware.ports import DeviceStatus, EventKind
from hardware.simulators.id_card_reader import Fault, IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN, IdCard
from tests.hardware.id_card_rig import NUMBER, OTHER, OTHER_NUMBER, Run, attach, lift, numbers, started
from tests.hardware.recorder import Recorder, eventually

PHOTO = bytes(range(256)) * 4


@pytest.fixture(params=[False, True], ids=["finds_once", "finds_again"])
def either(request: pytest.FixtureRequest) -> Iterator[IdCardReaderEmulator]:
    """Both kinds of readers on the market."""
    with started(finds_again=request.param) as made:
        yield made


@pytest.fixture
def reader() -> Iterator[IdCardReaderEmulator]:
    with started() as made:
        yield made


def test_a_card_is_one_event_with_all_it_says(
    either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, either)
    either.lay(SPECIMEN)
    assert recorder.wait_event(EventKind.DOCUMENT) == [
        {
            "kind": "resident_id",
            "name": "张三",
            "sex": "female",
            "ethnic_code": "01",
            "ethnic_group": "汉",
            "birth": "1949-12-31",
            "address": "北京市朝阳区样证路1号",
            "number": NUMBER,
            "issuer": "北京市公安局朝阳分局",
            "valid_from": "2017-03-05",
            "long_term": "1",
            "photo_state": "no_decoder",
        }
    ]
    # It lies there for longer than the driver takes to ask for a swap, and is still one event.
    recorder.quiet(1.6, lambda: len(recorder.events) > 1)
    assert (recorder.events[0].lane_id, recorder.events[0].at.tzinfo is not None) == ("lane", True)


def test_what_the_card_has_wrong_is_told_with_the_rest(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.lay(OTHER)
    document = recorder.wait_event(EventKind.DOCUMENT)[0]
    assert (document["name"], document["faults"], document["ethnic_code"]) == ("𠮷野家", "birth", "57")
    assert "birth" not in document
    assert "ethnic_group" not in document


def test_the_same_card_is_news_again_when_it_was_lifted_for_a_second(
    either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, either)
    either.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    lift(either)
    either.lay(SPECIMEN)
    eventually(lambda: service.health()["dev"].counters.get("repeats"))
    assert numbers(recorder) == [NUMBER]
    lift(either)
    recorder.quiet(1.0, lambda: len(recorder.events) > 1)
    either.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT, 2)


def test_a_card_in_place_of_another_is_told(
    either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, either)
    either.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    either.lay(OTHER)
    recorder.wait_event(EventKind.DOCUMENT, 2)
    assert numbers(recorder) == [NUMBER, OTHER_NUMBER]


@pytest.mark.parametrize(("command", "name"), [(SELECT_CARD, "select"), (READ_CARD, "read")])
def test_a_card_pulled_while_being_read_is_unreadable_once(
    command: bytes, name: str, either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, either)
    either.pull_on(command)
    either.lay(SPECIMEN)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "card_pulled", "source": "document"}], (
        name
    )
    either.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    assert len(recorder.of(EventKind.UNREADABLE)) == 1


def test_two_cards_are_told_once_and_one_of_them_is_read_when_the_other_is_gone(
    either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, either)
    either.lay(SPECIMEN, OTHER)
    assert recorder.wait_event(EventKind.UNREADABLE)[0]["reason"] == "card_not_selected"
    recorder.quiet(1.6, lambda: len(recorder.events) > 1)
    # Taken away so fast that the reader never saw an empty field.
    either.lay(OTHER)
    recorder.wait_event(EventKind.DOCUMENT)
    assert numbers(recorder) == [OTHER_NUMBER]


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        (SELECT_CARD, Status.SELECT_FAILED, "card_not_selected"),
        (SELECT_CARD, Status.CARD_REFUSED_READER, "card_refused"),
        (READ_CARD, Status.READER_REFUSED_CARD, "card_refused"),
        (READ_CARD, Status.DATA_CHECK_FAILED, "card_damaged"),
        (READ_CARD, Status.WRONG_CARD_TYPE, "card_type"),
        (READ_CARD, Status.READ_FAILED, "card_not_read"),
        (READ_CARD, Status.RANDOM_FAILED, "card_not_read"),
        (READ_CARD, Status.UNKNOWN, "card_error"),
        (READ_CARD, Status.BAD_CHECKSUM, "card_line_error"),
    ],
)
def test_each_refusal_has_its_reason(
    command: bytes,
    status: Status,
    reason: str,
    reader: IdCardReaderEmulator,
    run: Run,
    recorder: Recorder,
) -> None:
    attach(run, recorder, reader)
    reader.refuse(command, status, times=3)
    reader.lay(SPECIMEN)
    assert recorder.wait_event(EventKind.UNREADABLE)[0]["reason"] == reason
    # The card still lies there: what passes by itself needs nobody.
    recorder.wait_event(EventKind.DOCUMENT)
    assert len(recorder.of(EventKind.UNREADABLE)) == 1


@pytest.mark.parametrize("status", [Status.READ_FAILED, Status.RANDOM_FAILED, Status.SELECT_FAILED])
def test_a_refusal_that_passes_is_not_told(
    status: Status, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.refuse(SELECT_CARD, status, times=2)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    assert not recorder.of(EventKind.UNREADABLE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SPECIMEN.text[:248] + b"Q\0" + SPECIMEN.text[250:], "card_type"),
        (SPECIMEN.text[:-2], "card_line_error"),
    ],
)
def test_a_text_of_another_kind_or_size_is_unreadable(
    text: bytes, reason: str, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.lay(IdCard(text))
    assert recorder.wait_event(EventKind.UNREADABLE)[0]["reason"] == reason
    assert not recorder.of(EventKind.DOCUMENT)


def test_the_emulated_reader_of_the_configuration_is_read(run: Run, recorder: Recorder) -> None:
    service = run("id_card", emulated=True)
    recorder.wait_status(DeviceStatus.ONLINE)
    emulator = cast("IdCardReaderEmulator", service.emulator("dev"))
    emulator.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    folder = Path(emulator.port).parent
    service.apply([])
    assert not folder.exists()


def decoder(folder: Path, body: str) -> str:
    """A program that stands for the vendor's decoder."""
    program = folder / "decoder"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("printf 'BM'; cat", "decoded"),
        ("cat >/dev/null; echo text", "not_a_picture"),
        ("cat >/dev/null; exit 3", "decoder_failed"),
        ("exec sleep 10", "decoder_slow"),
        ("printf 'BM'; head -c 600000 /dev/zero; cat >/dev/null", "not_a_picture"),
        (None, "decoder_absent"),
    ],
)
def test_the_photo_goes_through_the_operators_program_and_the_text_works_without(
    body: str | None,
    state: str,
    reader: IdCardReaderEmulator,
    run: Run,
    recorder: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = decoder(tmp_path, body) if body else str(tmp_path / "none")
    monkeypatch.setenv("GATEHOUSE_ID_PHOTO_DECODER", path)
    attach(run, recorder, reader)
    reader.lay(IdCard(SPECIMEN.text, PHOTO))
    document = recorder.wait_event(EventKind.DOCUMENT)[0]
    assert (document["number"], document["photo_state"]) == (NUMBER, state)
    if state == "decoded":
        assert document["photo_type"] == "image/bmp"
        assert base64.b64decode(document["photo"]) == b"BM" + PHOTO
    else:
        assert "photo" not in document
    assert recorder.said()[-1] == ("online", "")


def test_a_card_without_photo_is_read(reader: IdCardReaderEmulator, run: Run, recorder: Recorder) -> None:
    attach(run, recorder, reader)
    reader.lay(IdCard(SPECIMEN.text, b""))
    assert recorder.wait_event(EventKind.DOCUMENT)[0]["photo_state"] == "no_photo"


def test_nothing_of_the_card_reaches_log_health_or_representation(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service = attach(run, recorder, reader)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    reader.inject(Fault.CHECKSUM, READ_CARD)
    reader.lay(OTHER)
    recorder.wait_event(EventKind.UNREADABLE)
    reader.unplug()
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    shown = f"{caplog.text} {recorder.states!r} {service.health()!r} {recorder.events!r}"
    for secret in ("张三", NUMBER, "1949", "样证路", "𠮷野家", "310101", SPECIMEN.text.hex()[:20]):
        assert secret not in shown


@pytest.mark.parametrize("added", ["", "上海市浦东新区某路9号"])
def test_the_newest_address_is_told_where_it_is_asked_for_and_there_is_one(
    added: str, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    address = added.encode("utf-16-le") + b" \0" * (35 - len(added)) if added else b""
    service = run("id_card", port=reader.port, newest_address=True)
    recorder.wait_status(DeviceStatus.ONLINE)
    reader.lay(replace(SPECIMEN, newest_address=address))
    told = recorder.wait_event(EventKind.DOCUMENT)[0]
    assert told.get("newest_address", "") == added
    assert told["address"] == "北京市朝阳区样证路1号"
    assert "line_errors" not in service.health()["dev"].counters
    # That the address cannot be read keeps nobody's card from being told.
    lift(reader)
    reader.refuse(READ_ADDRESS, Status.READ_FAILED)
    reader.lay(OTHER)
    recorder.wait_event(EventKind.DOCUMENT, 2)
    service.apply([])
