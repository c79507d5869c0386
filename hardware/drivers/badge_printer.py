"""Badge printers that speak ESC/POS: the picture of a badge goes out as a raster, and the printer says when it is done.

What a printer tells of itself is asked for once a second (DLE EOT). Whether a badge came out is asked behind its last byte
(GS r), which the printer answers when it got so far. Some printers answer neither: they are watched by their line alone, and
of their badges is said that they were sent, not that they were printed.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware.drivers.printer_line import LineError, open_line
from hardware.jobs import JobAnswer, PrintJob
from hardware.ports import DeviceError, DeviceStatus, DriverUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware.drivers.printer_line import PrinterLine
    from hardware.jobs import Job
    from hardware.ports import DeviceConfig, DriverContext

LOOK_SECONDS = 0.8
TAKE_SECONDS = 0.2
ANSWER_SECONDS = 0.8
MUTE_LOOK_SECONDS = 5.0
INIT = b"\x1b@"
CLEAR = b"\x10\x05\x02"  # DLE ENQ 2: recover, and forget what is still to be printed
ASK_CAUSE, ASK_PAPER = b"\x10\x04\x02", b"\x10\x04\x04"  # DLE EOT: why it is offline, and its paper
ASK_DONE = b"\x1dr\x01"  # GS r: answered when everything before it is through
# Bytes of a picture that a printer would take for a command in the midst of it, and the same with one dot more.
COMMANDS = {b"\x10\x04": b"\x18\x04", b"\x10\x05": b"\x18\x05", b"\x10\x14": b"\x18\x14"}


@dataclass(frozen=True, slots=True)
class Condition:
    """How a printer is by its own word."""

    status: DeviceStatus
    detail: str = ""


MUTE = Condition(DeviceStatus.ONLINE, "paper_unknown")


def encode(picture: bytes, *, cut: bool) -> bytes:
    """What prints a PNG: reset, the raster, and the cut or the feed to the tear-off edge."""
    from escpos.printer import Dummy
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("1", dither=Image.Dither.NONE)
    raster = bytes(255 - byte for byte in image.tobytes())
    for wrong, right in COMMANDS.items():
        raster = raster.replace(wrong, right)
    image = Image.frombytes("1", image.size, bytes(255 - byte for byte in raster))
    printer = Dummy()
    # It knows no printer here, and says so on the console of the server unless it is told the width.
    printer.profile.profile_data = {
        **printer.profile.profile_data,
        "media": {"width": {"pixels": image.width}},
    }
    printer.image(image, impl="bitImageRaster", center=False)
    if cut:
        printer.cut(mode="PART")
    else:
        printer.print_and_feed(4)
    return INIT + bytes(printer.output)


def condition_of(cause: int, paper: int) -> Condition:
    """What the two answers say together; the gravest first."""
    if paper & 0x60:
        return Condition(DeviceStatus.FAULT, "paper_out")
    if cause & 0x04:
        return Condition(DeviceStatus.FAULT, "cover_open")
    if cause & 0x20:
        return Condition(DeviceStatus.FAULT, "paper_out")
    if cause & 0x40:
        return Condition(DeviceStatus.FAULT, "printer_error")
    return Condition(DeviceStatus.ONLINE, "paper_low" if paper & 0x0C else "")


class BadgePrinter:
    """Prints what it is handed, one badge after the other, and never one that is not wanted any more."""

    def __init__(self, config: DeviceConfig) -> None:
        self._address = str(config.settings.get("address", "/dev/usb/lp0"))
        self._cut = bool(config.settings.get("cut", True))

    def run(self, context: DriverContext) -> None:
        """Hold the line, watch the printer, print."""
        try:
            import escpos.printer  # noqa: F401 - a missing library shall show at the start
        except ImportError:
            raise DriverUnavailable("escpos_missing") from None
        address = getattr(context.emulator, "address", self._address)
        line = open_line(address, context.beat)
        try:
            _Session(line, self._cut).serve(context)
        finally:
            line.close()


class _Session:
    """One open line, from its opening to its end."""

    def __init__(self, line: PrinterLine, cut: bool) -> None:
        self._line = line
        self._cut = cut
        self._answers: bool | None = None

    def serve(self, context: DriverContext) -> None:
        """Until the device is stopped or the line breaks."""
        # What another failure left in the printer must not come out hours later.
        self._say(CLEAR)
        due = 0.0
        while not context.stop.is_set():
            context.beat()
            if time.monotonic() >= due:
                condition = self._look()
                context.report(condition.status, condition.detail)
                due = time.monotonic() + (MUTE_LOOK_SECONDS if condition is MUTE else LOOK_SECONDS)
            if (job := context.jobs.take(TAKE_SECONDS)) is not None:
                self._handle(context, job)
                due = 0.0

    def _handle(self, context: DriverContext, job: Job) -> None:
        try:
            answer = self._print(job)
        except DeviceError as error:
            context.count("failed")
            code = self._give_up(error.code)
            job.finish(JobAnswer(False, code))
            raise DeviceError(code, error.status) from None
        except Exception:
            job.finish(JobAnswer(False, "driver_failed"))
            raise
        context.count("printed" if answer.done else "failed")
        job.finish(answer)

    def _print(self, job: Job) -> JobAnswer:
        if not isinstance(job.body, PrintJob):
            return JobAnswer(False, "job_unknown")
        condition = self._look()
        if condition.status is not DeviceStatus.ONLINE:
            return JobAnswer(False, condition.detail)
        data = encode(job.body.picture, cut=self._cut)
        self._line.send(data, job.deadline)
        if not self._answers:
            return JobAnswer(True, "sent")
        self._line.drain()
        self._line.send(ASK_DONE, job.deadline)
        if self._hear(lambda byte: not byte & 0x90, job.seconds_left) is None:
            raise LineError("print_slow")
        return JobAnswer(True, "printed")

    def _give_up(self, code: str) -> str:
        """Make the printer forget what it has of a badge, and find out why it stopped; the line is done with."""
        try:
            condition = self._look()
            self._say(CLEAR)
            if self._answers:
                # The line is closed next, and with it goes what the printer has not taken in yet: an answer says that it has.
                self._look()
        except DeviceError:
            self._line.spoil()
            return code
        return condition.detail if condition.status is not DeviceStatus.ONLINE else code

    def _say(self, data: bytes) -> None:
        self._line.send(data, time.monotonic() + ANSWER_SECONDS)

    def _look(self) -> Condition:
        """Ask the printer how it is; raises when one that used to answer is silent now."""
        self._line.drain()
        answers = []
        for question in (ASK_CAUSE, ASK_PAPER):
            self._say(question)
            answers.append(self._hear(lambda byte: byte & 0x93 == 0x12, ANSWER_SECONDS))
            if answers[-1] is None:
                break
        cause, paper = answers[0], answers[-1]
        if cause is not None and paper is not None:
            self._answers = True
            return condition_of(cause, paper)
        if self._answers:
            raise LineError("printer_silent", DeviceStatus.OFFLINE)
        self._answers = False
        return MUTE

    def _hear(self, wanted: Callable[[int], bool], seconds: float) -> int | None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for byte in self._line.read(left):
                if wanted(byte):
                    return byte
        return None
