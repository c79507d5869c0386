"""What real streams do when something is wrong with them, and that they are well again by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest

from hardware.ports import CameraFeed, DeviceStatus, EventKind
from hardware.simulators.camera import CameraEmulator
from hardware.supervisor import HardwareService
from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pictures import CODE, OTHER, blank, jpeg, living, with_codes
from tests.hardware.recorder import Recorder, eventually
from tests.hardware.rtsp import RtspServer

pytestmark = pytest.mark.req("DU-06")

Run = Callable[..., HardwareService]
SEEN = 1.0


def sensor(picture: Any) -> Callable[[int], bytes]:
    """A camera that looks at this."""
    pictures = [jpeg(living(picture, number)) for number in range(12)]
    return lambda number: pictures[number % len(pictures)]


def feed_of(service: HardwareService) -> CameraFeed:
    feed = service.camera("dev")
    assert feed is not None
    return feed


def test_a_picture_that_hangs_is_told_and_its_end_too(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    mjpeg.part = sensor(blank())
    service = run("camera", source=mjpeg.url, frozen_seconds=1)
    recorder.wait_status(DeviceStatus.ONLINE)
    recorder.quiet(1.5, lambda: len(recorder.said()) > 2)
    mjpeg.part = jpeg(living(blank(), 5))
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")
    assert feed_of(service).trouble == "frozen_picture"
    # The frames keep coming and are shown, with what is wrong said over them.
    frames = feed_of(service).counters["frames"]
    eventually(lambda: feed_of(service).counters["frames"] > frames + 3)
    mjpeg.part = sensor(blank())
    recorder.wait_status(DeviceStatus.ONLINE)
    assert feed_of(service).trouble == ""
    assert mjpeg.connections == 1


def test_a_code_on_a_hung_picture_is_not_presented_again(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    mjpeg.part = sensor(with_codes(CODE))
    service = run("camera", source=mjpeg.url, frozen_seconds=1)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    eventually(lambda: feed_of(service).marks)
    mjpeg.part = jpeg(with_codes(CODE))
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")
    eventually(lambda: feed_of(service).marks == ())
    # Long after it would count as gone, the camera lives again with the same phone still before it.
    recorder.quiet(2.5, lambda: len(recorder.events) > 1)
    mjpeg.part = sensor(with_codes(CODE))
    recorder.wait_status(DeviceStatus.ONLINE)
    recorder.quiet(SEEN, lambda: len(recorder.events) > 1)
    mjpeg.part = sensor(with_codes(OTHER))
    assert recorder.wait_event(EventKind.CODE, 2)[1] == {"text": OTHER}


def test_a_code_that_only_a_hung_picture_shows_is_not_read(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    mjpeg.part = jpeg(with_codes(CODE))
    run("camera", source=mjpeg.url, frozen_seconds=1)
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")
    assert recorder.of() == [{"text": CODE}]
    # The connection breaks; what comes back is the picture of before.
    mjpeg.flowing.clear()
    recorder.wait(lambda: recorder.said()[-1][1] != "frozen_picture", timeout=12)
    connections = mjpeg.connections
    eventually(lambda: mjpeg.connections > connections, timeout=12)
    mjpeg.flowing.set()
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")
    recorder.quiet(2.0, lambda: len(recorder.events) > 1)
    assert ("online", "") not in recorder.said()[recorder.said().index(("fault", "frozen_picture")) :]


def test_a_looped_still_of_a_file_is_no_fault(run: Run, recorder: Recorder, tmp_path: Any) -> None:
    from tests.hardware.pictures import video

    path = video(tmp_path / "still.avi", [blank()] * 5, fps=20)
    service = run("camera", source=str(path), loop=True)
    eventually(lambda: feed_of(service).counters["frames"] > 40)
    assert recorder.said() == [("starting", ""), ("online", "")]
    # Who wants it watched all the same says so.
    run("camera", source=str(path), loop=True, frozen_seconds=1)
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")


def test_a_lens_that_is_covered_is_told(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    mjpeg.part = sensor(blank())
    run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    mjpeg.part = sensor(blank() * 0 + 128)
    recorder.wait_status(DeviceStatus.FAULT, "covered_picture")
    mjpeg.part = sensor(blank())
    recorder.wait_status(DeviceStatus.ONLINE)


def test_a_picture_that_shrinks_in_the_middle_is_shown_as_it_is(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    mjpeg.part = sensor(blank(1280, 720))
    service = run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    feed = feed_of(service)
    assert (feed.counters["width"], feed.counters["height"], feed.counters["resized"]) == (1280, 720, 0)
    mjpeg.part = sensor(with_codes(CODE, width=640, height=480))
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    eventually(lambda: feed.counters["height"] == 480)
    mjpeg.part = sensor(blank(1280, 720))
    eventually(lambda: feed.counters["height"] == 720)
    assert feed.counters["resized"] >= 2
    assert {status for status, _ in recorder.said()} <= {"starting", "online", "offline"}


def test_broken_pictures_are_counted_and_never_shown(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    good = sensor(blank())
    mjpeg.part = lambda number: good(number)[: 900 if number % 4 == 3 else None]
    service = run("camera", source=mjpeg.url, fps=60)
    recorder.wait_status(DeviceStatus.ONLINE)
    eventually(lambda: service.health()["dev"].counters["frames"] >= 30)
    counters = service.health()["dev"].counters
    # Each fourth; the first ones go to whoever opens the stream.
    assert counters["frames"] // 3 - 3 <= counters["unusable"] <= counters["frames"] // 3 + 3
    latest = feed_of(service).latest()
    assert latest is not None
    assert latest[1].std() > 20
    assert recorder.said() == [("starting", ""), ("online", "")]
    assert mjpeg.connections == 1


def test_a_stream_that_stops_is_opened_again_and_counted(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    mjpeg.part = sensor(blank())
    service = run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    assert service.health()["dev"].counters.get("reconnects", 0) == 0
    mjpeg.flowing.clear()
    recorder.wait_status(DeviceStatus.FAULT, "stale_picture")
    mjpeg.flowing.set()
    recorder.wait_status(DeviceStatus.ONLINE, timeout=12)
    # A connection that gave no picture does not count.
    assert 1 <= service.health()["dev"].counters["reconnects"] <= mjpeg.connections - 1


@pytest.mark.req("AD-01")
def test_an_rtsp_camera_that_dies_comes_back_at_its_address(
    run: Run, recorder: Recorder, rtsp: RtspServer
) -> None:
    service = run("camera", source=rtsp.url, frozen_seconds=60)
    recorder.wait_status(DeviceStatus.ONLINE, timeout=20)
    recorder.wait_event(EventKind.CODE, timeout=10)
    rtsp.die()
    recorder.wait_status(DeviceStatus.OFFLINE, "cannot_open", timeout=15)
    assert feed_of(service).latest() is None
    assert feed_of(service).counters["fps"] == 0
    rtsp.start()
    recorder.wait_status(DeviceStatus.ONLINE, timeout=20)
    assert service.health()["dev"].counters["reconnects"] == 1


def test_an_rtsp_camera_that_encodes_one_picture_for_ever_is_frozen(
    run: Run, recorder: Recorder, rtsp: RtspServer
) -> None:
    run("camera", source=rtsp.url, frozen_seconds=3)
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture", timeout=25)


@pytest.mark.req("EV-08")
def test_the_emulated_camera_hangs_and_is_covered_like_a_real_one(run: Run, recorder: Recorder) -> None:
    service = run("camera", source="emulator", width=640, height=480, frozen_seconds=3)
    camera = cast("CameraEmulator", service.emulator("dev"))
    recorder.wait_status(DeviceStatus.ONLINE)
    # Its clock is life enough.
    recorder.quiet(4.0, lambda: len(recorder.said()) > 2)
    camera.repeat()
    recorder.wait_status(DeviceStatus.FAULT, "frozen_picture")
    camera.repeat(False)
    recorder.wait_status(DeviceStatus.ONLINE)
    camera.cover()
    recorder.wait_status(DeviceStatus.FAULT, "covered_picture")
    camera.cover(False)
    recorder.wait_status(DeviceStatus.ONLINE)


@pytest.mark.req("AD-01")
def test_a_slow_consumer_never_sees_an_old_picture(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    """Each picture carries its number as its brightness; the one who sleeps wakes to the newest, not to the next."""
    sent = count()
    newest = 0

    def part(_: int) -> bytes:
        nonlocal newest
        newest = next(sent)
        return jpeg(blank() // 2 + newest)

    mjpeg.part, mjpeg.fps = part, 15.0
    service = run("camera", source=mjpeg.url, read_codes=False)
    recorder.wait_status(DeviceStatus.ONLINE)
    feed, told = feed_of(service), threading.Event()
    leave = feed.attach(told.set)
    base = float((blank() // 2).mean())
    for _ in range(3):
        threading.Event().wait(0.8)
        assert told.is_set()
        latest = feed.latest()
        assert latest is not None
        shown = float(latest[1].mean()) - base
        assert newest - shown < 4, "an old picture"
    assert feed.counters["dropped"] > 15
    leave()
