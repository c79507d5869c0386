"""Comparing faces through the real engines: insightface on ONNX Runtime, and OpenCV (ID-02)."""

from __future__ import annotations

import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.camera_feed import CameraFeed
from hardware.face_ports import FaceFault, FaceOutcome, Pack, Portrait, portrait_of, vector_bytes
from hardware.face_service import FaceService
from tests.hardware.face_pictures import Person, png, scene
from tests.hardware.face_rig import Camera, running
from tests.hardware.pictures import jpeg

SAME, OTHER = 0.7, 0.4
ANNA, BORIS = Person(1), Person(2)


def portrait(service: FaceService, person: Person) -> Portrait:
    made = service.portrait(png(scene(person)))
    assert isinstance(made, Portrait)
    return made


@pytest.mark.req("ID-02")
def test_who_stands_there_is_the_one_of_the_picture_or_another(faces: FaceService) -> None:
    anna = portrait(faces, ANNA)
    with Camera(lambda n: scene(Person(1, x=220 + n % 9, y=60, size=240), noise=n + 1)) as camera:
        same = faces.verify(camera.feed, anna, same=SAME, other=OTHER, seconds=20)
    with Camera(lambda n: scene(BORIS, noise=n + 1)) as camera:
        other = faces.verify(camera.feed, anna, same=SAME, other=OTHER, seconds=20)
    assert (same.outcome, same.fault) == (FaceOutcome.SAME, None)
    assert (other.outcome, other.fault) == (FaceOutcome.OTHER, None)
    assert same.score > 0.95 > OTHER > other.score
    assert same.pack_id == other.pack_id == anna.pack.id
    assert other.frames >= 3


@pytest.mark.req("ID-02")
@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (scene(), FaceFault.NO_FACE),
        (np.full((480, 640, 3), 255, np.uint8), FaceFault.NO_FACE),
        (scene(Person(1, x=60, size=150), Person(2, x=380, size=150)), FaceFault.SEVERAL),
        (scene(Person(1, size=66)), FaceFault.SMALL),
        (cv2.GaussianBlur(scene(ANNA), (0, 0), 9), FaceFault.BLURRED),
        (scene(Person(1, nose=(0.12, 0))), FaceFault.TURNED),
        (np.where(scene(ANNA) > 100, (170, 0, 0), 0).astype(np.uint8), FaceFault.DARK),
    ],
    ids=["empty", "white", "several", "small", "blurred", "turned", "dark"],
)
def test_a_bad_picture_says_what_is_wrong(faces: FaceService, shown: Any, fault: FaceFault) -> None:
    seen = faces.look(shown)
    assert (seen.fault, seen.portrait) == (fault, None)


@pytest.mark.req("ID-02")
def test_bad_pictures_say_nothing_of_the_person(faces: FaceService) -> None:
    stop = threading.Event()
    with Camera(lambda n: stop.set() if n > 40 else scene(Person(2, nose=(0.12, 0)))) as camera:
        verdict = faces.verify(
            camera.feed, portrait(faces, ANNA), same=SAME, other=OTHER, seconds=20, stop=stop
        )
    assert (verdict.outcome, verdict.fault, verdict.frames) == (FaceOutcome.UNREADABLE, FaceFault.TURNED, 0)


@pytest.mark.req("ID-02")
@pytest.mark.parametrize("size", [90, 150, 300, 520])
def test_a_face_is_found_where_it_is(faces: FaceService, size: int) -> None:
    for number in range(4):
        x, y = 37 * number + 11, (720 - size) * number // 4
        shown = scene(Person(number, x=x, y=y, size=size), width=1280, height=720, noise=number + 1)
        box = faces.look(shown).faces[0].box
        left, top, wide, tall = box.x * 1280, box.y * 720, box.width * 1280, box.height * 720
        inner = max(0, min(left + wide, x + size) - max(left, x)) * max(
            0, min(top + tall, y + size) - max(top, y)
        )
        assert inner / (wide * tall + size * size - inner) > 0.9


def test_the_best_picture_of_several_is_kept(insight: FaceService) -> None:
    with Camera(
        lambda n: scene(Person(1, size=220), noise=n + 1) if n % 2 else scene(Person(1, size=66))
    ) as camera:
        made = insight.capture(camera.feed, seconds=20)
    assert isinstance(made, Portrait)
    assert float(made.vector @ portrait(insight, ANNA).vector) > 0.95
    assert insight.capture(CameraFeed(), seconds=0.1) is FaceFault.NO_PICTURE


def test_a_portrait_survives_being_kept(insight: FaceService) -> None:
    anna = portrait(insight, ANNA)
    back = portrait_of(anna.pack, vector_bytes(anna))
    assert np.array_equal(back.vector, anna.vector)
    with pytest.raises(ValueError, match="vector_length"):
        portrait_of(anna.pack, vector_bytes(anna)[:-4])
    with pytest.raises(ValueError, match="vector_not_unit"):
        portrait_of(anna.pack, bytes(4 * anna.pack.dimension))


@pytest.mark.req("ID-02")
def test_portraits_of_other_models_are_not_compared(insight: FaceService, face_models: Path) -> None:
    second = running(face_models, "second")
    foreign = portrait(second, ANNA)
    second.stop()
    with Camera(scene(ANNA)) as camera:
        verdict = insight.verify(camera.feed, foreign, same=SAME, other=OTHER)
    assert (verdict.outcome, verdict.fault, verdict.frames) == (
        FaceOutcome.UNREADABLE,
        FaceFault.OTHER_PACK,
        0,
    )


def test_nothing_of_a_face_shows_in_a_repr(insight: FaceService) -> None:
    anna = portrait(insight, ANNA)
    assert str(anna.vector[0])[:6] not in repr(anna)
    assert "array" not in repr(insight.look(scene(ANNA)))


def test_a_dead_camera_is_no_person(insight: FaceService) -> None:
    verdict = insight.verify(CameraFeed(), portrait(insight, ANNA), same=SAME, other=OTHER, seconds=0.2)
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NO_PICTURE)


def test_stills_come_as_jpeg_or_png(insight: FaceService) -> None:
    assert isinstance(insight.portrait(jpeg(scene(ANNA))), Portrait)
    for broken in (b"", b"GIF89a", png(scene(ANNA))[:200], b"x" * 9_000_000):
        assert insight.portrait(broken) is FaceFault.NO_PICTURE


def test_a_small_file_cannot_hold_a_picture_that_fills_the_memory(insight: FaceService) -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(1000))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert insight.portrait(bomb) is FaceFault.NO_PICTURE
    # Whole and valid, and still too many pixels.
    assert insight.portrait(png(np.zeros((5000, 5000, 3), np.uint8))) is FaceFault.NO_PICTURE


def test_an_old_picture_is_not_of_who_stands_there_now(insight: FaceService) -> None:
    feed, anna = CameraFeed(), portrait(insight, ANNA)
    feed.publish(scene(ANNA))
    feed._taken_at = time.monotonic() + 3600  # however slow this machine is
    assert insight.verify(feed, anna, same=SAME, other=OTHER, seconds=20).outcome is FaceOutcome.SAME
    feed._taken_at = -3600.0
    verdict = insight.verify(feed, anna, same=SAME, other=OTHER, seconds=0.3)
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NO_PICTURE)


@pytest.mark.req("ID-02")
def test_without_models_everything_says_so() -> None:
    service = FaceService(None)
    service.start("any")
    anna = Portrait(Pack("p", "p", "insightface", 2), np.array([1, 0], np.float32))
    assert service.state.code == "no_pack"
    assert service.portrait(png(scene(ANNA))) is FaceFault.NO_MODELS
    assert service.capture(CameraFeed()) is FaceFault.NO_MODELS
    verdict = service.verify(CameraFeed(), anna, same=SAME, other=OTHER)
    assert (verdict.outcome, verdict.fault) == (FaceOutcome.UNREADABLE, FaceFault.NO_MODELS)
    service.stop()
