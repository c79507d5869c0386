"""Camera driver: newest picture for the desk, and the codes that people hold in front of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, cast

from hardware.drivers.capture import Source
from hardware.drivers.code_reader import CodeReader, CodeReaderMissing
from hardware.drivers.code_watcher import CodeWatcher
from hardware.drivers.frame_grabber import FrameGrabber
from hardware.drivers.picture_watch import PictureWatch
from hardware.drivers.vision import load_cv2
from hardware.ports import DeviceError, DeviceStatus, DriverUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardware.ports import DeviceConfig, DriverContext

EMULATOR = "emulator"
STALE_SECONDS = 2.0
TICK_SECONDS = 0.1
JOIN_SECONDS = 2.0
# A still scene looks frozen to whoever sees too little of it: H.264 keeps its noise back for as long as the encoder
# repeats itself, up to ten seconds with some makers; a file may show a still on purpose.
FROZEN_SECONDS = 10.0
FROZEN_RTSP_SECONDS = 20.0


class StreamSource(Protocol):
    """A stand-in camera that serves its pictures at an address."""

    @property
    def url(self) -> str:
        """Where OpenCV can open it."""


class CameraDriver:
    """Runs one camera: a grabber thread, a decoder thread, and this thread to judge the state of both."""

    def __init__(self, config: DeviceConfig) -> None:
        self._settings: Mapping[str, Any] = config.settings
        # All kept over restarts: a code that is still held there when the stream comes back is not presented again,
        # and a picture that hangs is not taken for a live one.
        self._codes = CodeWatcher()
        self._picture = self._picture_watch()
        self._was_open = False

    def run(self, context: DriverContext) -> None:
        """Show pictures until told to stop; raise when the source is gone."""
        reader = self._libraries()
        source = self._source(context)
        grabber = FrameGrabber(source, context.feed, self._picture)
        ended = threading.Event()
        decoder = threading.Thread(
            target=self._codes.run,
            args=(context, reader, ended),
            name=f"codes-{context.config.id}",
            daemon=True,
        )
        grabber.start()
        if reader is not None:
            decoder.start()
        try:
            self._watch(context, grabber, source, codes_missing=reader is None and self._wants_codes)
        finally:
            ended.set()
            grabber.stop()
            if decoder.ident is not None:
                decoder.join(JOIN_SECONDS)
            context.feed.clear()

    @property
    def _wants_codes(self) -> bool:
        return bool(self._settings.get("read_codes", True))

    def _libraries(self) -> CodeReader | None:
        try:
            load_cv2()
        except ImportError:
            raise DriverUnavailable("opencv_missing") from None
        if not self._wants_codes:
            return None
        try:
            return CodeReader()
        except CodeReaderMissing:
            return None

    def _picture_watch(self) -> PictureWatch:
        address = str(self._settings["source"])
        live = "://" in address or address.isdecimal() or address == EMULATOR
        usual = FROZEN_RTSP_SECONDS if address.lower().startswith("rtsp") else FROZEN_SECONDS
        wanted = self._settings.get("frozen_seconds")
        return PictureWatch(float((usual if live else 0.0) if wanted is None else wanted), covers=live)

    def _source(self, context: DriverContext) -> Source:
        address = self._settings["source"]
        if address == EMULATOR:
            address = cast("StreamSource", context.emulator).url
        elif isinstance(address, str) and address.isdecimal():
            address = int(address)
        return Source(
            address=address,
            fps=float(self._settings.get("fps", 15)),
            width=int(self._settings.get("width", 1280)),
            height=int(self._settings.get("height", 720)),
            loop=bool(self._settings.get("loop", False)),
        )

    def _watch(
        self, context: DriverContext, grabber: FrameGrabber, source: Source, *, codes_missing: bool
    ) -> None:
        opened_at: float | None = None
        while not context.stop.is_set():
            context.beat()
            if grabber.done.wait(TICK_SECONDS):
                self._ended(context, grabber, source)
                return
            if opened_at is None and grabber.opened.is_set():
                opened_at = time.monotonic()
                if self._was_open:
                    context.count("reconnects")
                self._was_open = True
            age = context.feed.age_seconds
            if age is None:
                if opened_at is not None and time.monotonic() - opened_at > STALE_SECONDS:
                    context.report(DeviceStatus.FAULT, "no_picture")
            elif age > STALE_SECONDS:
                context.report(DeviceStatus.FAULT, "stale_picture")
            elif self._picture.trouble:
                context.report(DeviceStatus.FAULT, self._picture.trouble)
            elif codes_missing:
                context.report(DeviceStatus.FAULT, "code_reader_missing")
            else:
                context.report(DeviceStatus.ONLINE)

    def _ended(self, context: DriverContext, grabber: FrameGrabber, source: Source) -> None:
        offline = grabber.outcome in {"cannot_open", "end_of_stream"}
        status = DeviceStatus.OFFLINE if offline else DeviceStatus.FAULT
        if not (source.is_file and grabber.outcome == "end_of_stream"):
            raise DeviceError(grabber.outcome, status)
        context.feed.clear()
        context.report(status, grabber.outcome)
        while not context.stop.wait(TICK_SECONDS):
            context.beat()
