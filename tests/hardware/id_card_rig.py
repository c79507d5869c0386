"""An emulated ID card reader on its port, and the driver that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hardware.drivers.id_card_text import DocumentKind
from hardware.ports import DeviceStatus, EventKind
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import make_card
from hardware.supervisor import HardwareService
from tests.hardware.recorder import Recorder, eventually

Run = Callable[..., HardwareService]
NUMBER = "11010519491231002X"
OTHER_NUMBER = "310101200102280018"
OTHER = make_card(
    DocumentKind.RESIDENT_ID,
    {
        "name": "𠮷野家",
        "sex": "1",
        "ethnic_code": "57",
        "birth": "20010229",
        "address": "上海市黄浦区某路2号",
        "number": OTHER_NUMBER,
        "issuer": "上海市公安局黄浦分局",
        "valid_from": "20200101",
        "valid_to": "20300101",
    },
)


@contextmanager
def started(**settings: Any) -> Iterator[IdCardReaderEmulator]:
    made = IdCardReaderEmulator(**settings)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def attach(run: Run, recorder: Recorder, emulator: IdCardReaderEmulator) -> HardwareService:
    """Run the driver on a reader's port; the service's fixture stops it."""
    service = run("id_card", port=emulator.port)
    recorder.wait_status(DeviceStatus.ONLINE)
    return service


def lift(reader: IdCardReaderEmulator) -> None:
    """Take the card away and wait until the driver has seen the empty field."""
    reader.lift()
    seen = reader.answered
    eventually(lambda: reader.answered >= seen + 2)


def numbers(recorder: Recorder) -> list[str]:
    return [document["number"] for document in recorder.of(EventKind.DOCUMENT)]
