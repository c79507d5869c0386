"""Cameras in processes of their own: ``python -m tests.bench.camera_rig mjpeg|rtsp [frames a second]`` tells its address.

720p scenes with moving people and sensor noise. MJPEG over HTTP from the standard library; RTSP from GStreamer under the
system's Python, as in tests/hardware.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pictures import living
from tests.hardware.rtsp import PYTHON

SIZE = (1280, 720)
LOOP = 60
CODE_FRAMES = range(20, 32)
QUALITY = 82
# A scene of GStreamer's own, with a ball that moves and snow in a corner, so that no two frames are alike.
PIPELINE = (
    "( videotestsrc is-live=true pattern=ball background-color=0xff505860 "
    "! video/x-raw,width=1280,height=720,framerate={fps}/1 ! videoconvert "
    "! x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max={fps} "
    "! rtph264pay name=pay0 pt=96 )"
)
SERVER = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(); server.set_address("127.0.0.1"); server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory(); factory.set_launch(sys.argv[1]); factory.set_shared(True)
server.get_mount_points().add_factory("/gate", factory); server.attach(None)
print(f"rtsp://127.0.0.1:{server.get_bound_port()}/gate", flush=True)
GLib.MainLoop().run()
"""


def scene(number: int) -> Any:
    """A lobby through which somebody walks; now and then a code is held up."""
    width, height = SIZE
    small = np.random.default_rng(3).integers(60, 190, (6, 10, 3), dtype=np.uint8)
    picture = cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
    x = int(width * (0.5 + 0.4 * np.sin(2 * np.pi * number / LOOP)))
    cv2.ellipse(picture, (x, height - 220), (90, 230), 0, 0, 360, (60, 50, 45), -1, cv2.LINE_AA)
    cv2.circle(picture, (x, 230), 62, (150, 170, 205), -1, cv2.LINE_AA)
    if number in CODE_FRAMES:
        import segno

        matrix = np.array([list(row) for row in segno.make_qr("VMS1.BENCH", error="m").matrix], np.uint8)
        modules = np.pad(np.where(matrix == 1, 20, 240).astype(np.uint8), 4, constant_values=240)
        code = cv2.resize(modules, (220, 220), interpolation=cv2.INTER_NEAREST)
        picture[250:470, 500:720] = code[:, :, None]
    return living(picture, number + os.getpid() * LOOP)


def serve_mjpeg(fps: float) -> None:
    """Serve until killed."""
    pictures = [
        cv2.imencode(".jpg", scene(number), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        for number in range(LOOP)
    ]
    server = MjpegServer()
    server.fps = fps
    server.part = lambda number: pictures[number % LOOP]
    print(server.url, flush=True)
    threading.Event().wait()


class Camera:
    """One camera in a process of its own."""

    def __init__(self, kind: str, fps: int) -> None:
        if kind == "rtsp":
            command = [PYTHON, "-c", SERVER, PIPELINE.format(fps=fps)]
        else:
            command = [sys.executable, "-m", "tests.bench.camera_rig", "mjpeg", str(fps)]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


if __name__ == "__main__":
    serve_mjpeg(float(sys.argv[2]))
