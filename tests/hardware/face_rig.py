"""Cameras with a scene before them, and packs that are built once for all tests of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.camera_feed import CameraFeed
from hardware.face_ports import ServiceCode
from hardware.face_service import FaceService

PAUSE_SECONDS = 0.01


@pytest.fixture(scope="session")
def face_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packs `insight` and `opencv`, and a second one of insightface with other weights."""
    # Late: most tests of this folder need no library of models.
    from tests.hardware.face_pack import insightface_source, install, opencv_source

    folder = tmp_path_factory.mktemp("models")
    sources = tmp_path_factory.mktemp("sources")
    install(folder, "insight", insightface_source(sources / "insight"))
    install(folder, "opencv", opencv_source(sources / "opencv"))
    install(folder, "second", insightface_source(sources / "second", seed=99, extras=False))
    return folder


def running(folder: Path, name: str) -> FaceService:
    """A service that is ready."""
    service = FaceService(folder)
    service.start(name)
    state = service.wait_started()
    assert state.code is ServiceCode.READY, state
    return service


@pytest.fixture(scope="session")
def insight(face_models: Path) -> Iterator[FaceService]:
    service = running(face_models, "insight")
    yield service
    service.stop()


@pytest.fixture(scope="session", params=["insight", "opencv"])
def faces(request: pytest.FixtureRequest, face_models: Path) -> Iterator[FaceService]:
    """The service with each of the engines."""
    service = running(face_models, request.param)
    yield service
    service.stop()


class Camera:
    """Publishes what a scene shows, over and over, as a camera does."""

    def __init__(self, scene: Callable[[int], Any] | Any) -> None:
        self.feed = CameraFeed()
        self.shows: Callable[[int], Any] = scene if callable(scene) else lambda _: scene
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-face-scene", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            picture = self.shows(number)
            if picture is not None:
                self.feed.publish(picture.copy())
            number += 1

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
