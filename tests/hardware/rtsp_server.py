"""Runs under the system's Python, which alone sees GStreamer: shows the grey picture from stdin as RTSP."""
# `gi` lives in the system's Python only, which the checker does not see.
# mypy: ignore-errors

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, FPS = 640, 480, 15
LAUNCH = (
    "( appsrc name=source is-live=true format=time do-timestamp=true "
    f"caps=video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={FPS}/1 "
    "! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 "
    "! rtph264pay name=pay0 pt=96 )"
)


def main() -> None:
    """Serve until killed; the port is told on stdout."""
    picture = sys.stdin.buffer.read(WIDTH * HEIGHT)
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)

    def configured(_factory: object, media: object) -> None:
        source = media.get_element().get_child_by_name("source")

        def push() -> bool:
            return source.emit("push-buffer", Gst.Buffer.new_wrapped(picture)) == Gst.FlowReturn.OK

        GLib.timeout_add(1000 // FPS, push)

    factory.connect("media-configure", configured)
    server.get_mount_points().add_factory("/gate", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
