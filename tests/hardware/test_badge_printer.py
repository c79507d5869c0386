"""Badge printers on a real TCP port: the raster decoded back, what is told of paper and cable, and nothing printed late."""

from __future__ import annotations

import io
import os
import pty
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
import zxingcpp
from PIL import Image

from hardware.drivers import printer_line
from hardware.drivers.badge_printer import INIT, condition_of, encode
from hardware.drivers.printer_line import open_line
from hardware.jobs import JobAnswer, JobQueue, PrintJob
from hardware.ports import DeviceConfig, DeviceError, DeviceStatus
from hardware.registry import dots
from hardware.simulators.badge_printer import BadgePrinterEmulator
from hardware.supervisor import HardwareService
from tests.hardware.id_card_rig import Run
from tests.hardware.recorder import Recorder, eventually

TEXT = "V1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOP"
SOON = 4.0


def code_picture(width: int = 576, height: int = 700) -> bytes:
    """A picture with a QR code in it, as wide as the paper."""
    drawn = io.BytesIO()
    segno.make(TEXT, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    picture = Image.new("L", (width, height), 255)
    picture.paste(Image.open(drawn).convert("L"), (8, 8))
    made = io.BytesIO()
    picture.convert("1").save(made, "PNG")
    return made.getvalue()


@contextmanager
def switched_on(**options: object) -> Iterator[BadgePrinterEmulator]:
    printer = BadgePrinterEmulator(**options)  # type: ignore[arg-type]
    printer.start()
    try:
        yield printer
    finally:
        printer.stop()


@pytest.fixture
def printer() -> Iterator[BadgePrinterEmulator]:
    with switched_on() as made:
        yield made


def attach(run: Run, recorder: Recorder, printer: BadgePrinterEmulator, detail: str = "") -> HardwareService:
    service = run("printer", address=printer.address)
    recorder.wait_status(DeviceStatus.ONLINE, detail)
    return service


def printed(service: HardwareService, picture: bytes, seconds: float = SOON) -> JobAnswer:
    return service.ask("dev", PrintJob(picture), seconds).result(seconds + 2)


def test_the_raster_is_the_picture_dot_for_dot_and_its_code_can_be_read(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    service = attach(run, recorder, printer)
    picture = code_picture()
    assert printed(service, picture) == JobAnswer(True, "printed")
    came_out = Image.open(io.BytesIO(printer.picture() or b""))
    assert came_out.size == (576, 700)
    assert came_out.tobytes() == Image.open(io.BytesIO(picture)).tobytes()
    assert [found.text for found in zxingcpp.read_barcodes(came_out.convert("L"))] == [TEXT]


def test_bytes_of_a_picture_are_never_a_command_of_the_printer() -> None:
    picture = Image.new("1", (576, 72), 1)
    body = bytearray(255 for _ in range(72 * 72))
    for place, command in enumerate((b"\x10\x04", b"\x10\x05", b"\x10\x14")):
        body[place * 72 + 70 : place * 72 + 72] = bytes(255 - byte for byte in command)
    picture = Image.frombytes("1", (576, 72), bytes(body))
    made = io.BytesIO()
    picture.save(made, "PNG")
    data = encode(made.getvalue(), cut=True)
    assert data.startswith(INIT)
    for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"):
        assert command not in data
        assert b"\x18" + command[1:] in data


def test_badges_come_out_in_the_order_they_were_asked_for(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    service = attach(run, recorder, printer)
    asked = [service.ask("dev", PrintJob(code_picture(height=300 + n)), SOON) for n in range(3)]
    assert [answer.result(SOON).code for answer in asked] == ["printed"] * 3
    assert Image.open(io.BytesIO(printer.picture() or b"")).height == 302
    assert printer.prints == 3


@pytest.mark.req("DU-06")
def test_a_pulled_cable_shows_within_three_seconds_and_the_return_by_itself(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    service = attach(run, recorder, printer)
    printer.unplug()
    assert recorder.wait_status(DeviceStatus.OFFLINE, "unreachable") <= 3
    assert printed(service, code_picture()) == JobAnswer(False, "unreachable")
    printer.plug()
    recorder.wait_status(DeviceStatus.ONLINE)
    assert printed(service, code_picture()).done
    assert printer.prints == 1


@pytest.mark.req("DU-06")
def test_a_printer_that_falls_silent_is_offline_within_three_seconds(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    attach(run, recorder, printer)
    printer.hung = True
    assert recorder.wait(lambda: recorder.said()[-1] == ("offline", "printer_silent"), 3) <= 3
    printer.hung = False
    recorder.wait_status(DeviceStatus.ONLINE)


def test_without_paper_it_refuses_at_once_and_prints_when_a_roll_is_in(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    service = attach(run, recorder, printer)
    printer.take_paper()
    recorder.wait_status(DeviceStatus.FAULT, "paper_out")
    assert printed(service, code_picture()) == JobAnswer(False, "paper_out")
    printer.load_paper()
    recorder.wait_status(DeviceStatus.ONLINE)
    assert printer.prints == 0
    assert printed(service, code_picture()).done


def test_paper_that_ends_in_the_midst_of_a_badge_is_told_and_the_rest_never_comes_out(
    run: Run, recorder: Recorder, printer: BadgePrinterEmulator
) -> None:
    service = attach(run, recorder, printer)
    printer.take_paper(after_lines=100)
    assert printed(service, code_picture(), 1.5) == JobAnswer(False, "paper_out")
    recorder.wait_status(DeviceStatus.FAULT, "paper_out")
    printer.load_paper()
    recorder.wait_status(DeviceStatus.ONLINE)
    assert printer.prints == 0
    assert printed(service, code_picture(height=320)).done
    assert Image.open(io.BytesIO(printer.picture() or b"")).height == 320


def test_a_printer_that_is_unplugged_in_the_midst_of_a_badge_is_told(run: Run, recorder: Recorder) -> None:
    with switched_on(bytes_per_second=20_000) as slow:
        service = attach(run, recorder, slow)
        asked = service.ask("dev", PrintJob(code_picture(height=2000)), SOON)
        eventually(lambda: asked.running() and len(slow._buffer) > CHUNKS)
        slow.unplug()
        assert asked.result(SOON) == JobAnswer(False, "unreachable")
        recorder.wait_status(DeviceStatus.OFFLINE, "unreachable")
        slow.bytes_per_second = None
        slow.plug()
        recorder.wait_status(DeviceStatus.ONLINE)
        assert printed(service, code_picture(height=320)).done
        assert slow.prints == 1
        assert Image.open(io.BytesIO(slow.picture() or b"")).height == 320


CHUNKS = 4096


def test_a_printer_that_is_too_slow_is_given_up_in_time_and_nothing_comes_out_later(
    run: Run, recorder: Recorder
) -> None:
    with switched_on(bytes_per_second=8_000) as slow:
        service = attach(run, recorder, slow)
        assert printed(service, code_picture(height=6000), 1.0) == JobAnswer(False, "print_slow")
        slow.bytes_per_second = None
        recorder.wait(lambda: recorder.said()[-2:] == [("fault", "print_slow"), ("online", "")])
        assert printed(service, code_picture(height=320)).done
        assert slow.prints == 1


def test_a_printer_that_answers_nothing_is_told_as_such_and_its_badges_as_sent(
    run: Run, recorder: Recorder
) -> None:
    with switched_on(mute=True) as mute:
        service = attach(run, recorder, mute, "paper_unknown")
        assert printed(service, code_picture()) == JobAnswer(True, "sent")
        assert mute.wait(1)


def test_a_refused_connection_is_told(run: Run, recorder: Recorder) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = run("printer", address=f"127.0.0.1:{port}")
    recorder.wait_status(DeviceStatus.OFFLINE, "unreachable")
    assert printed(service, b"") == JobAnswer(False, "unreachable")


def test_a_usb_printer_is_found_by_vendor_and_product_and_its_absence_told(
    run: Run, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("printer", address="usb:04b8:0e15")
    recorder.wait_status(DeviceStatus.OFFLINE, "printer_absent")
    device = tmp_path / "devices" / "1-2"
    (device / "1-2:1.0").mkdir(parents=True)
    (device / "idVendor").write_text("04b8\n")
    (device / "idProduct").write_text("0E15\n".lower())
    (tmp_path / "usbmisc" / "lp3").mkdir(parents=True)
    (tmp_path / "usbmisc" / "lp3" / "device").symlink_to(device / "1-2:1.0")
    assert printer_line._usb_path("04b8", "0e15", tmp_path / "usbmisc") == Path("/dev/usb/lp3")
    with pytest.raises(DeviceError) as caught:
        printer_line._usb_path("04b8", "ffff", tmp_path / "usbmisc")
    assert caught.value.code == "printer_absent"


def test_a_device_file_is_written_to_and_nothing_else_is(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        line = open_line(os.ttyname(theirs), lambda: None)
        line.send(b"badge", threading.TIMEOUT_MAX)
        assert os.read(ours, 5) == b"badge"
        line.close()
    finally:
        os.close(ours)
        os.close(theirs)
    page = tmp_path / "page"
    page.write_text("not to be overwritten")
    for address, code in (
        (str(page), "not_a_device"),
        (str(tmp_path), "not_a_device"),
        (str(tmp_path / "none"), "printer_absent"),
        ("a printer", "bad_address"),
        ("", "bad_address"),
    ):
        with pytest.raises(DeviceError) as caught:
            open_line(address, lambda: None)
        assert caught.value.code == code
    assert page.read_text() == "not to be overwritten"


@pytest.mark.parametrize(
    ("cause", "paper", "status", "detail"),
    [
        (0x12, 0x12, DeviceStatus.ONLINE, ""),
        (0x12, 0x1E, DeviceStatus.ONLINE, "paper_low"),
        (0x32, 0x7E, DeviceStatus.FAULT, "paper_out"),
        (0x32, 0x12, DeviceStatus.FAULT, "paper_out"),
        (0x16, 0x12, DeviceStatus.FAULT, "cover_open"),
        (0x52, 0x12, DeviceStatus.FAULT, "printer_error"),
    ],
)
def test_what_a_printer_says_of_itself(cause: int, paper: int, status: DeviceStatus, detail: str) -> None:
    found = condition_of(cause, paper)
    assert (found.status, found.detail) == (status, detail)


def test_the_width_of_the_paper_decides_the_dots() -> None:
    assert [dots(settings) for settings in ({"paper": 58}, {"paper": 79}, {"paper": 80}, {})] == [
        384,
        384,
        576,
        576,
    ]


def test_a_job_that_waited_too_long_or_was_taken_back_is_never_done() -> None:
    jobs = JobQueue()
    late, taken_back, good = (jobs.put(PrintJob(b"x"), seconds) for seconds in (-1, 60, 60))
    taken_back.cancel()
    job = jobs.take(0)
    assert job is not None
    assert job.answer is good
    assert jobs.take(0) is None
    assert late.result() == JobAnswer(False, "expired")
    with pytest.raises(CancelledError):
        taken_back.result()
    job.finish(JobAnswer(True))
    job.finish(JobAnswer(False, "again"))
    assert good.result() == JobAnswer(True)


def test_a_device_that_is_off_or_unknown_refuses_at_once(service: HardwareService) -> None:
    service.apply(
        [DeviceConfig("dev", "lane", "printer", "Printer", {"address": "/dev/null"}, enabled=False)]
    )
    assert service.ask("dev", PrintJob(b""), SOON).result(0) == JobAnswer(False, "disabled")
    assert service.ask("other", PrintJob(b""), SOON).result(0) == JobAnswer(False, "device_unknown")


def test_a_job_says_nothing_of_what_is_printed() -> None:
    assert "secret" not in repr(PrintJob(b"secret"))
    queue = JobQueue()
    queue.put(PrintJob(b"secret"), 60)
    assert "secret" not in repr(queue.take(0))
