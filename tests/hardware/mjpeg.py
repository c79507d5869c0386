"""A network camera of the standard library: the test says what it sends and when it hangs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.hardware.pictures import blank, jpeg


class MjpegServer:
    """Sends `part` again and again; `flowing` cleared means that it hangs with the connection open."""

    def __init__(self) -> None:
        self.part: Callable[[int], bytes] | bytes = jpeg(blank())
        self.flowing = threading.Event()
        self.flowing.set()
        self.fps = 20.0
        self.connections = 0
        self._closed = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.serve(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream.mjpg"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.connections += 1
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        handler.close_connection = True
        number = 0
        with contextlib.suppress(OSError):
            while not self._closed.wait(1 / self.fps):
                if not self.flowing.is_set():
                    continue
                body = self.part(number) if callable(self.part) else self.part
                number += 1
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                handler.wfile.write(head.encode() + body + b"\r\n")

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
