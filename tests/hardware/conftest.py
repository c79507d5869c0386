"""Services that clean up, and the real daemons that drivers are tested against."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.ports import DeviceConfig
from hardware.supervisor import HardwareService
from tests.hardware.face_rig import *  # noqa: F403
from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pcscd import Pcscd, missing_for_pcscd, only_one
from tests.hardware.recorder import Recorder
from tests.hardware.rtsp import RtspServer, missing_for_rtsp

OURS = ("device-", "card-", "scanner-", "camera-", "codes-", "hardware-", "face-watch")
# A grabber that is inside OpenCV when it is told to stop comes back at the read timeout.
LEAVE_SECONDS = 8.0


def require(missing: str) -> None:
    """Skip visibly where a daemon is not installed, except where it must be."""
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing} is missing")
    if missing:
        pytest.skip(f"{missing} is missing")


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    left = [thread for thread in threading.enumerate() if thread.name.startswith(OURS)]
    for thread in left:
        thread.join(LEAVE_SECONDS)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def service(recorder: Recorder) -> Iterator[HardwareService]:
    made = HardwareService(recorder.on_event, recorder.on_health)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def run(service: HardwareService) -> Callable[..., HardwareService]:
    """Run one device named `dev` with these settings."""

    def apply(driver: str, **settings: Any) -> HardwareService:
        service.apply([DeviceConfig("dev", "lane", driver, "Device", settings)])
        return service

    return apply


@pytest.fixture
def pcscd(tmp_path: Path) -> Iterator[Pcscd]:
    with only_one():
        require(missing_for_pcscd())
        daemon = Pcscd(tmp_path)
        yield daemon
        daemon.stop()


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.close()


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    require(missing_for_rtsp())
    server = RtspServer()
    yield server
    server.close()
