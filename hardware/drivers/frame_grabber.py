"""Pulls frames from one source in a thread of its own, because OpenCV blocks for seconds on a silent camera."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from hardware.camera_feed import is_usable
from hardware.drivers.capture import Capture

if TYPE_CHECKING:
    from hardware.camera_feed import CameraFeed
    from hardware.drivers.capture import Source
    from hardware.drivers.picture_watch import PictureWatch

SILENT_SECONDS = 1.8
MAX_BROKEN = 10
JOIN_SECONDS = 2.0
# A frame this little early still counts as due; without it a 15 fps camera under a 15 fps limit loses every other one.
EARLY_SHARE = 0.25


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
            capture = Capture(self._source)
            try:
                if not capture.opened:
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

    def _pump(self, capture: Capture) -> int:
        """Publish until the source ends; returns how many frames it gave."""
        pace = capture.interval if self._source.is_file else 0.0
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

    def _grab(self, capture: Capture) -> bool:
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

    def _publish(self, capture: Capture) -> None:
        frame, jpeg = capture.retrieve()
        if self._cancelled.is_set():
            return
        if frame is not None and is_usable(frame):
            # Before it is published: whoever takes the frame then knows what it is worth.
            self._picture.see(frame, time.monotonic())
            self._feed.trouble = self._picture.trouble
        self._feed.publish(frame, jpeg)
