"""What rules a face out of a comparison, as numbers."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import face_quality
from hardware.drivers.face_models import TEMPLATE
from hardware.face_look import most_telling
from hardware.face_ports import Box, FaceFault, SeenFace
from hardware.face_quality import LIVE, Measures, Pose
from tests.hardware.face_pictures import colours

GOOD = Measures(pixels=200, share=0.4, pose=Pose(0, 0, 0), sharpness=400, luma=120, bright_share=0.0)


@pytest.mark.req("ID-02")
@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (replace(GOOD, pixels=79), FaceFault.SMALL),
        (replace(GOOD, share=0.04), FaceFault.SMALL),
        (replace(GOOD, pose=Pose(26, 0, 0)), FaceFault.TURNED),
        (replace(GOOD, pose=Pose(-26, 0, 0)), FaceFault.TURNED),
        (replace(GOOD, pose=Pose(0, -26, 0)), FaceFault.TURNED),
        (replace(GOOD, pose=Pose(0, 0, 31)), FaceFault.TURNED),
        (replace(GOOD, luma=44), FaceFault.DARK),
        (replace(GOOD, bright_share=0.41), FaceFault.BRIGHT),
        (replace(GOOD, sharpness=24), FaceFault.BLURRED),
        (replace(GOOD, sharpness=24, luma=44), FaceFault.DARK),
    ],
)
def test_each_limit_rules_a_face_out(found: Measures, fault: FaceFault) -> None:
    assert face_quality.judge(found) is fault


def test_a_good_face_gets_a_number_and_a_better_one_a_higher() -> None:
    best = face_quality.judge(GOOD)
    assert not isinstance(best, FaceFault)
    assert 0.9 < best <= 1
    for worse in (
        replace(GOOD, pixels=100),
        replace(GOOD, sharpness=40),
        replace(GOOD, pose=Pose(20, 0, 0)),
        replace(GOOD, bright_share=0.3),
    ):
        judged = face_quality.judge(worse)
        assert not isinstance(judged, FaceFault)
        assert 0 <= judged < best


NUMBER = st.floats(-200, 200)


@given(
    st.builds(
        Measures,
        pixels=st.floats(0, 4000),
        share=st.floats(0, 1),
        pose=st.builds(Pose, NUMBER, NUMBER, NUMBER),
        sharpness=st.floats(0, 1e5),
        luma=st.floats(0, 255),
        bright_share=st.floats(0, 1),
    )
)
def test_every_face_is_ruled_out_or_rated(found: Measures) -> None:
    judged = face_quality.judge(found)
    assert isinstance(judged, FaceFault) or 0 <= judged <= 1


def moved(nose: tuple[float, float] = (0, 0), roll: float = 0) -> list[tuple[float, float]]:
    """The template's points with the nose moved by shares of the eyes' distance, then turned."""
    points = TEMPLATE.copy()
    points[2] += np.array(nose) * 35.2
    angle = np.radians(roll)
    turned = (points - 56) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 56
    return [(float(x), float(y)) for x, y in turned]


@given(st.floats(-60, 60))
def test_the_pose_of_a_frontal_face_is_its_roll_alone(roll: float) -> None:
    pose = face_quality.pose(moved(roll=roll))
    assert abs(pose.yaw) < 2
    assert abs(pose.pitch) < 3
    assert pose.roll == pytest.approx(roll, abs=1)


def test_left_is_the_persons_own_and_down_is_positive() -> None:
    assert face_quality.pose(moved((0.3, 0))).yaw > 20
    assert face_quality.pose(moved((-0.3, 0))).yaw < -20
    assert face_quality.pose(moved((0, 0.3))).pitch > 20
    assert face_quality.pose(moved((0, -0.3))).pitch < -20
    assert face_quality.pose(moved((0.3, 0), roll=30)).yaw == pytest.approx(
        face_quality.pose(moved((0.3, 0))).yaw, abs=0.5
    )


@given(st.floats(0.2, 1.0))
def test_a_photo_that_is_turned_does_not_turn_its_head(squeeze: float) -> None:
    flat = [(x * squeeze, y) for x, y in moved()]
    assert abs(face_quality.pose(flat).yaw) < 5


@pytest.mark.parametrize("points", [[(1.0, 1.0)] * 5, [(0, 0), (1, 0), (0.5, -1), (0, -2), (1, -2)]])
def test_points_that_make_no_face_are_no_frontal_face(points: list[tuple[float, float]]) -> None:
    pose = face_quality.pose(points)
    assert max(abs(pose.yaw), abs(pose.pitch)) >= 90


def test_sharpness_falls_with_blur_and_light_is_measured() -> None:
    crop = cv2.resize(colours(1), (112, 112), interpolation=cv2.INTER_NEAREST)
    blurred = [
        face_quality.sharpness(face_quality.luma(cv2.GaussianBlur(crop, (0, 0), s))) for s in (0.5, 2, 8)
    ]
    assert face_quality.sharpness(face_quality.luma(crop)) > blurred[0] > blurred[1] > blurred[2]
    face = SeenFace(Box(0.1, 0.1, 0.5, 0.5), tuple((x / 112, y / 112) for x, y in TEMPLATE), 0.9)
    frame = np.zeros((400, 400, 3), np.uint8)
    assert face_quality.judge(face_quality.measure(frame, face, crop // 8)) is FaceFault.DARK
    white = np.full((112, 112, 3), 255, np.uint8)
    assert face_quality.judge(face_quality.measure(frame, face, white)) is FaceFault.BRIGHT


def at(x: float, y: float, width: float) -> SeenFace:
    points = tuple((x + float(px) / 112 * width, y + float(py) / 112 * width) for px, py in TEMPLATE)
    return SeenFace(Box(x, y, width, width), points, 0.9)


def test_a_second_face_of_like_size_makes_it_unclear_who_is_meant() -> None:
    large, like, small = at(0.1, 0.1, 0.4), at(0.6, 0.1, 0.3), at(0.6, 0.1, 0.2)
    assert face_quality.main_face([]) is FaceFault.NO_FACE
    assert face_quality.main_face([large, like]) is FaceFault.SEVERAL
    assert face_quality.main_face([large, small]) is large


@pytest.mark.parametrize(
    ("x", "cut"), [(0.3, False), (-0.02, False), (-0.06, True), (0.62, False), (0.66, True)]
)
def test_a_face_across_the_border_is_cut(x: float, cut: bool) -> None:
    assert face_quality.is_cut(at(x, 0.3, 0.4)) is cut
    turned = at(0.3, x, 0.4)
    assert face_quality.is_cut(turned) is cut
    assert LIVE.overhang == 0.1


def test_of_many_faults_the_most_frequent_that_helps_is_told() -> None:
    none, small, turned = FaceFault.NO_FACE, FaceFault.SMALL, FaceFault.TURNED
    assert most_telling([]) is FaceFault.NO_PICTURE
    assert most_telling([none, none]) is none
    assert most_telling([none, none, none, small]) is small
    assert most_telling([small, turned, turned, none]) is turned
    assert most_telling([turned, small]) is small, "of equals the later"
