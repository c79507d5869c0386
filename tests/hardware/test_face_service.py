"""Comparing faces through the real engines: insightface on ONNX Runtime, and OpenCV (ID-02)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.camera_feed import CameraFeed
from hardware.face_ports import FaceFault, FaceOutcome, Portrait, portrait_of, vector_bytes
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
        (scene(Person(1, x=60, size=150), Person(2, x=380, size=150)), FaceFault.SEVERAL),
        (scene(Person(1, size=66)), FaceFault.SMALL),
        (cv2.GaussianBlur(scene(ANNA), (0, 0), 9), FaceFault.BLURRED),
        (scene(Person(1, nose=(0.12, 0))), FaceFault.TURNED),
        (scene(ANNA)[:, :, [2, 2, 2]], FaceFault.NO_FACE),
    ],
    ids=["empty", "several", "small", "blurred", "turned", "not the face's colours"],
)
def test_a_bad_picture_says_what_is_wrong_and_nothing_of_the_person(
    faces: FaceService, shown: Any, fault: FaceFault
) -> None:
    with Camera(shown) as camera:
        verdict = faces.verify(camera.feed, portrait(faces, ANNA), same=SAME, other=OTHER, seconds=1)
    assert verdict.outcome is FaceOutcome.UNREADABLE
    if fault is not FaceFault.NO_FACE:
        assert verdict.fault is fault


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
