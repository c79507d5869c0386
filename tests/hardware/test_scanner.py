"""The scanner's driver on a pseudo-terminal through pyserial."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.ports import DeviceStatus, EventKind
from hardware.simulators.scanner import ScannerEmulator
from hardware.supervisor import HardwareService
from tests.hardware.id_card_rig import Run
from tests.hardware.recorder import Recorder, eventually
from tests.hardware.test_scanner_lines import CARD, CODE, PASSPORT

pytestmark = pytest.mark.req("ID-01")


@pytest.fixture
def scanner() -> Iterator[ScannerEmulator]:
    made = ScannerEmulator()
    made.start()
    yield made
    made.stop()


def attach(run: Run, recorder: Recorder, scanner: ScannerEmulator, **settings: object) -> HardwareService:
    service = run("scanner", port=scanner.port, **settings)
    recorder.wait_status(DeviceStatus.ONLINE)
    return service


def test_a_scanned_pass_is_a_code_and_a_scanned_zone_a_document(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    scanner.scan(CODE)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    scanner.scan("\r".join(PASSPORT))
    scanner.scan("\r".join(CARD))
    zones = recorder.wait_event(EventKind.DOCUMENT, 2)
    assert zones == [{"kind": "zone", "zone": "\n".join(zone)} for zone in (PASSPORT, CARD)]
    scanner.scan("04A1B2C3")
    assert recorder.wait_event(EventKind.CODE, 2)[1] == {"text": "04A1B2C3"}
    service.apply([])


@pytest.mark.parametrize("packet", [1, 7, 64])
def test_however_the_bytes_arrive_the_line_is_whole(
    packet: int, scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    scanner.send(CODE.encode() + b"\r", packet)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    service.apply([])


def test_without_an_ending_the_pause_ends_the_line(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner, ending="none", gap_ms=50, prefix="*", suffix="#")
    scanner.send(b"*HELLO#")
    assert recorder.wait_event(EventKind.CODE) == [{"text": "HELLO"}]
    service.apply([])


def test_a_code_that_stays_before_the_scanner_is_told_once(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    for _ in range(5):
        scanner.scan(CODE)
    scanner.scan("ANOTHER")
    assert [said["text"] for said in recorder.wait_event(EventKind.CODE, 2)] == [CODE, "ANOTHER"]
    assert service.health()["dev"].counters["repeats"] == 4
    service.apply([])


def test_half_a_line_asks_to_scan_again(scanner: ScannerEmulator, run: Run, recorder: Recorder) -> None:
    service = attach(run, recorder, scanner)
    scanner.send(CODE[:20].encode())
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "code_half", "source": "code"}]
    scanner.scan(CODE)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    service.apply([])


def test_half_a_zone_is_an_unreadable_document(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    scanner.scan(PASSPORT[0])
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "zone_half", "source": "document"}]
    assert not recorder.of(EventKind.CODE)
    service.apply([])


@pytest.mark.req("DU-06")
def test_endless_noise_is_a_fault_that_ends_with_the_noise(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    scanner.babble()
    recorder.wait_status(DeviceStatus.FAULT, "garbled")
    # It goes on and on, and the desk hears of it once.
    eventually(lambda: service.health()["dev"].counters.get("unreadable", 0) > 100)
    assert len(recorder.of(EventKind.UNREADABLE)) == 1
    scanner.calm()
    scanner.scan("\r\n" + CODE)
    recorder.wait(lambda: {"text": CODE} in recorder.of(EventKind.CODE))
    recorder.wait_status(DeviceStatus.ONLINE)
    service.apply([])


@pytest.mark.req("DU-06")
def test_an_unplugged_scanner_shows_within_three_seconds_and_comes_back_by_itself(
    scanner: ScannerEmulator, run: Run, recorder: Recorder
) -> None:
    service = attach(run, recorder, scanner)
    for count in range(1, 4):
        scanner.send(CODE[:20].encode())  # in the middle of a line
        scanner.unplug()
        assert recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent") < 3
        scanner.plug()
        assert recorder.wait_status(DeviceStatus.ONLINE) < 3
        scanner.scan(f"CODE-{count}")
        said = recorder.wait_event(EventKind.CODE, count)
        assert said[-1] == {"text": f"CODE-{count}"}
    service.apply([])


@pytest.mark.req("DU-06")
def test_a_port_that_is_not_there_denied_or_busy_is_said(
    scanner: ScannerEmulator, run: Run, recorder: Recorder, tmp_path: Path
) -> None:
    run("scanner", port=str(tmp_path / "none"))
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    with open(scanner.port, "rb", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        service = run("scanner", port=scanner.port)
        recorder.wait_status(DeviceStatus.OFFLINE, "port_busy")
    recorder.wait_status(DeviceStatus.ONLINE)
    service.apply([])


def test_the_emulated_scanner_is_driven_like_a_real_one(run: Run, recorder: Recorder) -> None:
    service = run("scanner", emulated=True)
    recorder.wait_status(DeviceStatus.ONLINE)
    emulator = service.emulator("dev")
    assert isinstance(emulator, ScannerEmulator)
    emulator.scan(CODE)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    service.apply([])


def test_nothing_scanned_is_logged(
    scanner: ScannerEmulator, run: Run, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        service = attach(run, recorder, scanner)
        scanner.scan("\r".join(PASSPORT))
        recorder.wait_event(EventKind.DOCUMENT)
        service.apply([])
    assert "ERIKSSON" not in caplog.text + repr(recorder.events) + repr(recorder.states)


def test_without_pyserial_the_scanner_says_so(
    run: Run, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    run("scanner")
    recorder.wait_status(DeviceStatus.UNAVAILABLE, "pyserial_missing")


def test_importing_driver_and_emulator_loads_no_pyserial() -> None:
    code = "import sys, hardware.drivers.scanner, hardware.simulators.scanner; print('serial' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
