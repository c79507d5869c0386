"""Cameras: real streams through OpenCV, from the standard library, from GStreamer and from files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from hardware.ports import DeviceStatus, EventKind
from hardware.simulators.camera import CameraEmulator
from hardware.supervisor import HardwareService
from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pictures import CODE, OTHER, blank, jpeg, video, with_codes
from tests.hardware.recorder import Recorder, eventually
from tests.hardware.rtsp import RtspServer

pytestmark = pytest.mark.req("AD-02")

Run = Callable[..., HardwareService]


@pytest.fixture
def emulator(run: Run, recorder: Recorder) -> CameraEmulator:
    service = run("camera", source="emulator", width=640, height=480)
    recorder.wait_status(DeviceStatus.ONLINE)
    return cast("CameraEmulator", service.emulator("dev"))


def test_a_code_before_a_network_camera_is_one_event(
    run: Run, recorder: Recorder, mjpeg: MjpegServer
) -> None:
    run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    mjpeg.part = jpeg(with_codes(CODE))
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    recorder.quiet(1.0, lambda: len(recorder.events) > 1)
    mjpeg.part = jpeg(with_codes(OTHER))
    assert recorder.wait_event(EventKind.CODE, 2)[1] == {"text": OTHER}


def test_two_codes_in_one_frame_are_one_refusal(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    mjpeg.part = jpeg(with_codes(CODE, OTHER, width=1280, height=720))
    run("camera", source=mjpeg.url)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "two_codes"}]
    recorder.quiet(1.0, lambda: len(recorder.events) > 1)


def test_an_rtsp_camera_shows_a_picture_and_its_code(run: Run, recorder: Recorder, rtsp: RtspServer) -> None:
    service = run("camera", source=rtsp.url)
    recorder.wait_status(DeviceStatus.ONLINE, timeout=20)
    assert recorder.wait_event(EventKind.CODE, timeout=10) == [{"text": CODE}]
    feed = service.camera("dev")
    assert feed is not None
    assert feed.snapshot() is not None
    rtsp.close()
    recorder.wait_status(DeviceStatus.OFFLINE, "cannot_open", timeout=15)
    assert feed.snapshot() is None
    assert len(recorder.events) == 1


@pytest.mark.parametrize("name", ["gate.avi", "gate.mp4"])
def test_a_file_plays_at_its_own_speed_and_ends(
    name: str, run: Run, recorder: Recorder, tmp_path: Path
) -> None:
    path = video(tmp_path / name, [blank(), *[with_codes(CODE)] * 9], fps=10)
    service = run("camera", source=str(path))
    recorder.wait_status(DeviceStatus.ONLINE)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    assert recorder.wait_status(DeviceStatus.OFFLINE, "end_of_stream") > 0.4
    health = service.health()["dev"]
    # OpenCV 5 keeps the first frame of a file to itself.
    assert health.counters["frames"] in {9, 10}
    assert health.counters["restarts"] == 0


def test_a_looped_file_goes_on_and_its_code_stays_one_event(
    run: Run, recorder: Recorder, tmp_path: Path
) -> None:
    path = video(tmp_path / "gate.avi", [with_codes(CODE)] * 5, fps=15)
    service = run("camera", source=str(path), loop=True)
    feed = service.camera("dev")
    assert feed is not None
    eventually(lambda: feed.counters["frames"] > 12)
    assert recorder.of() == [{"text": CODE}]
    assert recorder.said() == [("starting", ""), ("online", "")]


def test_large_and_fast_pictures_are_cut_to_the_limits(run: Run, mjpeg: MjpegServer) -> None:
    mjpeg.part, mjpeg.fps = jpeg(blank(1280, 720)), 40.0
    feed = run("camera", source=mjpeg.url, width=320, height=240, fps=5).camera("dev")
    assert feed is not None
    first = feed.wait_newer(0, 5)
    assert first is not None
    assert first[1].shape == (180, 320, 3)
    threading.Event().wait(1.0)
    assert 3 <= feed.counters["frames"] - first[0] <= 7


@pytest.mark.req("DU-06")
def test_a_camera_that_hangs_is_a_fault_and_returns(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    mjpeg.flowing.clear()
    assert 1.5 < recorder.wait_status(DeviceStatus.FAULT, "stale_picture") < 3
    mjpeg.flowing.set()
    recorder.wait_status(DeviceStatus.ONLINE, timeout=10)


@pytest.mark.req("DU-06")
@pytest.mark.parametrize("source", ["/nowhere/gate.mp4", "http://127.0.0.1:9/gate.mjpg", 97])
def test_a_camera_that_is_not_there_is_offline(source: str | int, run: Run, recorder: Recorder) -> None:
    service = run("camera", source=source)
    recorder.wait_status(DeviceStatus.OFFLINE, "cannot_open")
    eventually(lambda: service.health()["dev"].counters["restarts"] >= 2)


def test_garbage_in_the_stream_is_left_out(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    good, garbage = jpeg(blank()), [b"", b"\xff\xd8\xff\xe0nonsense\xff\xd9", bytes(range(256)) * 20]
    code = jpeg(with_codes(CODE))
    mjpeg.part = lambda n: garbage[n // 2 % 3] if 10 <= n < 40 and n % 2 else code if n > 50 else good
    mjpeg.fps = 40.0
    service = run("camera", source=mjpeg.url, fps=40)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    assert recorder.said() == [("starting", ""), ("online", "")]
    assert service.health()["dev"].counters["unusable"] == 15
    assert mjpeg.connections == 1


@pytest.mark.req("AD-01")
def test_a_picture_is_at_the_viewer_at_once(run: Run, recorder: Recorder, mjpeg: MjpegServer) -> None:
    service = run("camera", source=mjpeg.url)
    recorder.wait_status(DeviceStatus.ONLINE)
    feed = service.camera("dev")
    assert feed is not None
    told = threading.Event()
    leave = feed.attach(told.set)
    assert told.wait(2)
    newest = feed.jpeg()
    assert newest is not None
    assert newest[1].startswith(b"\xff\xd8")
    assert service.health()["dev"].counters["viewers"] == 1
    leave()
    encoded, frames = feed.counters["encoded"], feed.counters["frames"]
    eventually(lambda: feed.counters["frames"] > frames + 3)
    assert feed.counters["encoded"] == encoded
    assert feed.viewers == 0


@pytest.mark.req("EV-08")
def test_the_emulated_camera_shows_codes_to_the_same_driver(
    emulator: CameraEmulator, recorder: Recorder
) -> None:
    emulator.show_code(CODE, seconds=1.0)
    assert recorder.wait_event(EventKind.CODE) == [{"text": CODE}]
    asked: list[int] = []

    def fresh() -> str:
        asked.append(1)
        return OTHER

    emulator.show_person("visitor")
    emulator.show_code(fresh, seconds=1.5)
    assert recorder.wait_event(EventKind.CODE, 2)[1] == {"text": OTHER}
    assert asked == [1]


@pytest.mark.req("EV-08", "DU-06")
def test_the_emulated_camera_hangs_and_is_unplugged_like_a_real_one(
    emulator: CameraEmulator, recorder: Recorder
) -> None:
    emulator.unplug()
    assert recorder.wait(lambda: recorder.said()[-1][0] == "offline") < 2
    emulator.plug()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 4
    emulator.show_noise(0.5)
    emulator.freeze()
    recorder.wait_status(DeviceStatus.FAULT, "stale_picture", timeout=4)
    emulator.freeze(False)
    recorder.wait_status(DeviceStatus.ONLINE, timeout=10)


@pytest.mark.req("EV-08")
def test_each_scene_of_the_emulated_camera_is_another_picture(
    emulator: CameraEmulator, service: HardwareService
) -> None:
    feed = service.camera("dev")
    assert feed is not None
    middles = []
    for person in (None, "visitor", "stranger"):
        emulator.show_person(person)
        # Frames that were under way when the scene changed still show the old one.
        wanted = feed.counters["frames"] + 4
        newest = feed.wait_newer(wanted, 5)
        assert newest is not None
        assert newest[1].shape == (480, 640, 3)
        middles.append(newest[1][150:440, 220:420].mean())
    assert len({round(middle) for middle in middles}) == 3
    with pytest.raises(ValueError, match="unknown_person"):
        emulator.show_person("ghost")
