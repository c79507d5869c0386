"""Pulls frames from one source in a thread of its own, because OpenCV blocks for seconds on a silent camera."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware.camera_feed import is_usable
from hardware.drivers.vision import fit, load_cv2

if TYPE_CHECKING:
    from hardware.camera_feed import CameraFeed
    from hardware.drivers.picture_watch import PictureWatch

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
SILENT_SECONDS = 1.8
MAX_BROKEN = 10
JOIN_SECONDS = 2.0
UNPACED_FPS = 25.0
MAX_PLAUSIBLE_FPS = 240.0
# A frame this little early still counts as due; without it a 15 fps camera under a 15 fps limit loses every other one.
EARLY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from and how many of what size are wanted."""

    address: int | str
    fps: float
    width: int
    height: int
    loop: bool

    @property
    def is_file(self) -> bool:
        """Tell a file, which must be played at its own speed, from a live source."""
        return isinstance(self.address, str) and "://" not in self.address


class FrameGrabber:
    """Publishes frames until told to stop or the source ends; `outcome` then says why as a code."""

    def __init__(self, source: Source, feed: CameraFeed, picture: PictureWatch) -> None:
        self.done = threading.Event()
        self.opened = threading.Event()
        self.outcome = ""
        self._source = source
        self._feed = feed
        self._picture = picture
        self._grabbed_at = time.monotonic()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-grabber", daemon=True)

    def start(self) -> None:
        """Begin to open the source."""
        self._thread.start()

    def stop(self) -> None:
        """Stop publishing at once; a thread that is blocked inside OpenCV ends by itself at its read timeout."""
        self._cancelled.set()
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self.outcome = self._play()
        except Exception as error:
            # cv2.error has no common base that could be named without importing OpenCV here.
            self.outcome = "decode_failed" if type(error).__name__ == "error" else "grabber_failed"
        finally:
            self.done.set()

    def _play(self) -> str:
        while not self._cancelled.is_set():
            capture = self._open()
            try:
                if not capture.isOpened():
                    return "cannot_open"
                self.opened.set()
                shown = self._pump(capture)
            finally:
                capture.release()
            if not self._source.is_file and self._is_silent():
                # The connection stands and the camera says nothing: hung, not gone.
                return "stale_picture"
            if not (self._source.is_file and self._source.loop and shown):
                return "end_of_stream"
        return ""

    def _open(self) -> Any:
        cv2 = load_cv2()
        address = self._source.address
        if isinstance(address, int):
            capture = cv2.VideoCapture(address)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._source.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._source.height)
            return capture
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            OPEN_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            READ_TIMEOUT_MS,
        ]
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)

    def _pump(self, capture: Any) -> int:
        """Publish until the source ends; returns how many frames it gave."""
        pace = self._file_interval(capture) if self._source.is_file else 0.0
        interval = 1.0 / self._source.fps
        started = due = self._grabbed_at = time.monotonic()
        grabbed = 0
        while not self._cancelled.is_set() and self._grab(capture):
            grabbed += 1
            if pace and self._cancelled.wait(max(0.0, started + grabbed * pace - time.monotonic())):
                break
            now = time.monotonic()
            if now < due - interval * EARLY_SHARE:
                continue
            due = max(due + interval, now)
            self._publish(capture)
        return grabbed

    def _grab(self, capture: Any) -> bool:
        """Take the next frame; a live stream may stumble over broken pictures without being at its end."""
        for failed in range(1 if self._source.is_file else MAX_BROKEN):
            if capture.grab():
                for _ in range(failed):
                    self._feed.publish(None)
                self._grabbed_at = time.monotonic()
                return True
            if self._cancelled.is_set() or self._is_silent():
                break
        return False

    def _is_silent(self) -> bool:
        return time.monotonic() - self._grabbed_at > SILENT_SECONDS

    def _publish(self, capture: Any) -> None:
        retrieved, frame = capture.retrieve()
        if self._cancelled.is_set():
            return
        if retrieved and is_usable(frame):
            frame = fit(frame, self._source.width, self._source.height)
            # Before it is published: whoever takes the frame then knows what it is worth.
            self._picture.see(frame, time.monotonic())
        self._feed.publish(frame if retrieved else None)

    def _file_interval(self, capture: Any) -> float:
        fps = float(capture.get(load_cv2().CAP_PROP_FPS))
        return 1.0 / (fps if 0 < fps <= MAX_PLAUSIBLE_FPS else UNPACED_FPS)
