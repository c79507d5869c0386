"""A network camera in memory: a real MJPEG server on the loopback, showing a drawn entrance."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from hardware.drivers.vision import encode_jpeg, load_cv2
from hardware.simulators.scene import PEOPLE, PLACE, code_picture, scene_of

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES_PER_SECOND = 12
QUALITY = 85
BOUNDARY = "gatehouse"
SMALL, LARGE = (640, 480), (1280, 720)
JOIN_SECONDS = 3.0
NOISE_LOOP = 12
PATH = "/entrance.mjpg"


@dataclass(slots=True, eq=False)
class _Shown:
    """A code that is held in front of the camera until a moment."""

    text: str | Callable[[], str]
    until: float
    picture: Any = None


class CameraEmulator:
    """Serves the scene at `url`; the ordinary camera driver opens it through OpenCV."""

    def __init__(self, name: str = "", width: int = 1280, height: int = 720) -> None:
        self.name = name
        self._size = LARGE if width >= LARGE[0] and height >= LARGE[1] else SMALL
        self._lock = threading.Lock()
        self._rendering = threading.Lock()
        self._closed = threading.Event()
        self._code: _Shown | None = None
        self._person: str | None = None
        self._instead: Any = None
        self._noise_until = 0.0
        self._frozen = False
        self._repeated: bytes | None = None
        self._covered = False
        self._plugged = True
        self._cached: tuple[Any, bytes] = (None, b"")
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of the picture stream."""
        if self._server is None:
            return ""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def start(self) -> None:
        """Open the server on a free port of the loopback; ImportError without OpenCV."""
        load_cv2()
        self._closed.clear()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="camera-emulator",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the server and all its connections."""
        self._closed.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.wait_idle(JOIN_SECONDS)
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def show_code(self, text: str | Callable[[], str], seconds: float = 3.0) -> None:
        """Hold a phone with this code in front of the camera; a callable is asked when it is drawn."""
        with self._lock:
            self._code = _Shown(text, time.monotonic() + seconds)

    def show_person(self, kind: str | None) -> None:
        """Let a visitor or a stranger stand at the door, or nobody."""
        if kind is not None and kind not in PEOPLE:
            raise ValueError("unknown_person")
        with self._lock:
            self._person = kind

    def show_picture(self, picture: Any) -> None:
        """Show this BGR picture, as large as the stream, in place of the entrance; None for the entrance again."""
        with self._lock:
            self._instead = picture

    def show_noise(self, seconds: float) -> None:
        """Show snow, as a bad cable does."""
        with self._lock:
            self._noise_until = time.monotonic() + seconds

    def freeze(self, frozen: bool = True) -> None:
        """Keep the connection and send no pictures, as a hung camera does."""
        with self._lock:
            self._frozen = frozen

    def repeat(self, repeated: bool = True) -> None:
        """Send the picture of this moment again and again, as a camera does whose encoder hangs."""
        picture = self._jpeg() if repeated else None
        with self._lock:
            self._repeated = picture

    def cover(self, covered: bool = True) -> None:
        """Hold something over the lens."""
        with self._lock:
            self._covered = covered

    def unplug(self) -> None:
        """Drop all connections and refuse new ones."""
        with self._lock:
            self._plugged = False

    def plug(self) -> None:
        """Accept connections again."""
        with self._lock:
            self._plugged = True

    @property
    def connected(self) -> bool:
        """Tell whether the stream may go on."""
        return self._plugged and not self._closed.is_set()

    def serve(self, write: Callable[[bytes], Any]) -> None:
        """Send pictures at a steady pace while plugged in; runs in the thread of one connection."""
        due = time.monotonic()
        while self.connected:
            if not self._frozen:
                write(self._part())
            due = max(due + 1 / FRAMES_PER_SECOND, time.monotonic())
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return

    def _part(self) -> bytes:
        jpeg = self._repeated or self._jpeg()
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        # One write per picture: a header that travels alone would wait for the acknowledgement of the last picture.
        return head.encode() + jpeg + b"\r\n"

    def _jpeg(self) -> bytes:
        """Return the present picture, drawn and encoded only when something in it changed."""
        with self._rendering:
            now = time.monotonic()
            with self._lock:
                code, person, noisy = self._code, self._person, now < self._noise_until
                covered = self._covered
                instead = self._instead
                if code is not None and now >= code.until:
                    code = self._code = None
            if instead is not None:
                return encode_jpeg(instead, QUALITY)
            scene = scene_of(*self._size)
            if covered:
                return encode_jpeg(scene.covered(), QUALITY)
            if noisy:
                return encode_jpeg(scene.noise(int(now * FRAMES_PER_SECOND) % NOISE_LOOP), QUALITY)
            clock = datetime.now(PLACE).strftime("%Y-%m-%d %H:%M:%S")
            key = (clock, person, code)
            if self._cached[0] != key:
                if code is not None and code.picture is None:
                    code.picture = code_picture(code.text() if callable(code.text) else code.text)
                picture = scene.compose(clock, person, None if code is None else code.picture)
                self._cached = (key, encode_jpeg(picture, QUALITY))
            return self._cached[1]


class _Server(ThreadingHTTPServer):
    """Counts its connections, so that stopping can wait for them."""

    daemon_threads = True

    def __init__(self, camera: CameraEmulator) -> None:
        self.camera = camera
        self._idle = threading.Condition()
        self._active = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and note its end."""
        with self._idle:
            self._active += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def wait_idle(self, timeout: float) -> None:
        """Wait until no connection is served."""
        with self._idle:
            self._idle.wait_for(lambda: self._active == 0, timeout)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a viewer that hangs up is no error of the camera."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 2
    server: _Server

    def do_GET(self) -> None:
        """Answer with an endless stream, or refuse while unplugged."""
        camera = self.server.camera
        if not camera.connected or self.path != PATH:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            camera.serve(self.wfile.write)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the demo's console quiet."""
