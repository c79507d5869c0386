"""A real RTSP camera: GStreamer's server in a process of the system's Python."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import cv2

from tests.hardware.pictures import CODE, with_codes

PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
PROBE = "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None); assert Gst.ElementFactory.find('x264enc')"


@cache
def missing_for_rtsp() -> str:
    """Name what is not installed."""
    try:
        probe = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, timeout=20, check=False)
    except OSError:
        return PYTHON
    return "gst-rtsp-server with x264enc" if probe.returncode else ""


class RtspServer:
    """Shows a still picture with a code in it."""

    def __init__(self) -> None:
        self._port = 0
        self.start()

    def start(self) -> None:
        """Serve; after a death at the same address as before."""
        self.process = subprocess.Popen(
            [PYTHON, SERVER, str(self._port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(cv2.cvtColor(with_codes(CODE), cv2.COLOR_BGR2GRAY).tobytes())
        self.process.stdin.close()
        self._port = int(self.process.stdout.readline())
        self.url = f"rtsp://127.0.0.1:{self._port}/gate"

    def die(self) -> None:
        """End without a word."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.die()
