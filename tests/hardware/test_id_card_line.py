"""The ID card driver when line, reader or port fail: what it says, and how it comes back."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.drivers.sdt_module import FIND_CARD, READ_CARD, SAM_STATUS, SELECT_CARD, Status
from hardware.ports import DeviceStatus, EventKind
from hardware.simulators.id_card_reader import Fault, IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN
from tests.hardware.id_card_rig import NUMBER, OTHER, Run, attach, lift, numbers, started
from tests.hardware.recorder import Recorder, eventually


@pytest.fixture(params=[False, True], ids=["finds_once", "finds_again"])
def either(request: pytest.FixtureRequest) -> Iterator[IdCardReaderEmulator]:
    """Both kinds of readers on the market."""
    with started(finds_again=request.param) as made:
        yield made


@pytest.fixture
def reader() -> Iterator[IdCardReaderEmulator]:
    with started() as made:
        yield made


@pytest.mark.parametrize("on", [FIND_CARD, SELECT_CARD, READ_CARD], ids=["find", "select", "read"])
@pytest.mark.parametrize("fault", [Fault.NOISE, Fault.DRIP])
def test_noise_before_an_answer_and_single_bytes_do_no_harm(
    fault: Fault, on: bytes, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, reader)
    reader.inject(fault, on, times=3)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    assert "line_errors" not in service.health()["dev"].counters


BROKEN = [
    Fault.CHECKSUM,
    Fault.LENGTH,
    Fault.FALSE_PREAMBLE,
    Fault.HALF_FRAME,
    Fault.LATE,
    Fault.SILENT,
]


@pytest.mark.parametrize("on", [FIND_CARD, SELECT_CARD], ids=["find", "select"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_is_asked_for_again(
    fault: Fault, on: bytes, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, reader)
    reader.inject(fault, on)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    errors = service.health()["dev"].counters["line_errors"]
    # An answer that comes late spoils the next exchange too.
    assert errors == 1 or (fault is Fault.LATE and errors <= 3)
    assert numbers(recorder) == [NUMBER]
    assert not recorder.of(EventKind.UNREADABLE)
    assert recorder.said() == [("starting", ""), ("online", "")]


@pytest.mark.parametrize("fault", [fault for fault in BROKEN if fault is not Fault.LATE])
def test_a_broken_text_is_read_again_where_the_reader_finds_the_card_again(
    fault: Fault, run: Run, recorder: Recorder
) -> None:
    with started(finds_again=True) as emulator:
        service = attach(run, recorder, emulator)
        emulator.inject(fault, READ_CARD)
        emulator.lay(SPECIMEN)
        recorder.wait_event(EventKind.DOCUMENT)
        assert service.health()["dev"].counters["line_errors"] == 1
        assert not recorder.of(EventKind.UNREADABLE)
        service.apply([])


@pytest.mark.parametrize("fault", [Fault.CHECKSUM, Fault.HALF_FRAME])
def test_a_broken_text_of_a_reader_that_finds_once_asks_the_guard_to_lay_the_card_again(
    fault: Fault, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.inject(fault, READ_CARD)
    reader.lay(SPECIMEN)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "card_line_error", "source": "document"}]
    lift(reader)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    assert len(recorder.of(EventKind.UNREADABLE)) == 1


def test_a_late_answer_is_never_taken_for_the_next_one(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.inject(Fault.LATE, SELECT_CARD)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    assert numbers(recorder) == [NUMBER]


@pytest.mark.req("DU-06")
def test_an_unplugged_reader_shows_at_once_and_comes_back(
    either: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, either)
    either.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)
    either.unplug()
    assert recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent") < 1.5
    either.lay(OTHER)
    either.plug()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    recorder.wait_event(EventKind.DOCUMENT, 2)
    assert not recorder.of(EventKind.UNREADABLE)


@pytest.mark.req("DU-06")
def test_a_reader_unplugged_in_the_middle_of_a_text_tells_no_half_card(run: Run, recorder: Recorder) -> None:
    with started(baud=9600) as emulator:
        attach(run, recorder, emulator)
        emulator.lay(SPECIMEN)
        # 1295 bytes take 1.3 s at this speed: the third answer is under way.
        seen = emulator.answered
        eventually(lambda: emulator.answered >= seen + 2)
        recorder.quiet(0.3, lambda: recorder.events)
        emulator.unplug()
        recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
        assert not recorder.events


@pytest.mark.req("DU-06")
def test_a_reader_that_is_plugged_in_after_the_start_is_found(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    reader.unplug()
    service = run("id_card", port=reader.port)
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    reader.plug()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    service.apply([])


@pytest.mark.req("DU-06")
@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.BABBLE, Fault.HALF_FRAME])
def test_a_reader_that_stops_answering_is_given_up_and_found_again_when_it_returns(
    fault: Fault, reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.inject(fault, SAM_STATUS, times=1000)
    reader.inject(fault, FIND_CARD, times=1000)
    recorder.wait_status(DeviceStatus.OFFLINE, "no_answer")
    reader.calm()
    recorder.wait_status(DeviceStatus.ONLINE)
    reader.lay(SPECIMEN)
    recorder.wait_event(EventKind.DOCUMENT)


def test_a_module_that_is_not_authorised_is_a_fault_of_the_reader(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    reader.module_status = Status.NOT_AUTHORISED
    recorder.wait_status(DeviceStatus.FAULT, "module_fault")
    reader.module_status = Status.OK
    recorder.wait_status(DeviceStatus.ONLINE)


def test_a_port_of_something_else_is_no_reader(run: Run, recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a port")
    service = run("id_card", port=str(tmp_path / "file"))
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    service.apply([])


def test_a_port_that_another_program_holds_is_said_to_be_busy(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    with open(reader.port, "rb", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        service = run("id_card", port=reader.port)
        recorder.wait_status(DeviceStatus.OFFLINE, "port_busy")
    recorder.wait_status(DeviceStatus.ONLINE)
    service.apply([])


def test_without_pyserial_the_reader_says_so(
    run: Run, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    run("id_card", port="/dev/ttyUSB0")
    recorder.wait_status(DeviceStatus.UNAVAILABLE, "pyserial_missing")


def test_importing_driver_and_emulator_loads_no_pyserial() -> None:
    code = "import sys, hardware.drivers.id_card_reader, hardware.simulators.id_card_reader; print('serial' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_at_the_speed_of_a_real_line_a_card_is_told_within_a_second(run: Run, recorder: Recorder) -> None:
    with started(baud=115_200) as emulator:
        attach(run, recorder, emulator)
        took = []
        for count in range(1, 6):
            began = time.monotonic()
            emulator.lay(SPECIMEN if count % 2 else OTHER)
            recorder.wait_event(EventKind.DOCUMENT, count)
            took.append(time.monotonic() - began)
            lift(emulator)
        # 1295 bytes of ten bits need 0.112 s: less would not be that line.
        assert min(took) >= 0.112
        assert sorted(took)[-1] < 1.0


@pytest.mark.req("DU-06")
def test_a_reader_plugged_and_unplugged_again_and_again_leaves_nothing(
    reader: IdCardReaderEmulator, run: Run, recorder: Recorder
) -> None:
    attach(run, recorder, reader)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for count in range(1, 6):
        reader.unplug()
        recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
        reader.plug()
        recorder.wait_status(DeviceStatus.ONLINE)
        reader.lay(SPECIMEN if count % 2 else OTHER)
        recorder.wait_event(EventKind.DOCUMENT, count)
    eventually(lambda: len(list(descriptors.iterdir())) <= before)
