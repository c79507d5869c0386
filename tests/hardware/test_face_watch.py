"""Somebody known is told once, others never, and the camera waits for nobody (ID-02)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.face_index import FaceIndex, Nearest
from hardware.face_ports import FaceFault, Portrait
from hardware.face_service import FaceService
from hardware.face_watch import FaceWatch, Presence, WatchRule
from hardware.face_worker import WAITING_JOBS
from hardware.ports import CameraFeed
from tests.hardware.face_pictures import Person, png, scene, washed_out
from tests.hardware.face_rig import Camera, running
from tests.hardware.recorder import eventually

pytestmark = pytest.mark.req("ID-02")

FAST = 200.0


def index_of(service: FaceService, *seeds: int) -> FaceIndex:
    pack = service.state.pack
    assert pack is not None
    index = FaceIndex(pack)
    for seed in seeds:
        made = service.portrait(png(scene(Person(seed))))
        assert isinstance(made, Portrait)
        index.put(f"person-{seed}", made)
    return index


@contextmanager
def watching(service: FaceService, feed: CameraFeed, index: FaceIndex, **options: Any) -> Iterator[list[str]]:
    told: list[str] = []
    rule = {"threshold": 0.6, "margin": 0.1, "per_second": FAST} | options
    on_match: Callable[[Nearest], None] = rule.pop("on_match", lambda found: told.append(found.key))
    watch = service.watch(feed, index, on_match=on_match, **rule)
    yield told
    watch.stop()


def test_two_known_people_are_told_once_each_and_marked(insight: FaceService) -> None:
    index = index_of(insight, 1, 2, 3)
    seen: list[int] = []
    people = (Person(1, x=60, size=150), Person(2, x=380, size=150))
    with (
        Camera(lambda n: scene(*people, noise=n + 1)) as camera,
        watching(insight, camera.feed, index, on_faces=lambda faces: seen.append(len(faces))) as told,
    ):
        eventually(lambda: len(seen) >= 25, 30)
        marks = [mark for mark in camera.feed.marks if mark.kind == "face"]
    assert sorted(told) == ["person-1", "person-2"]
    assert set(seen) == {2}
    assert sorted(round(mark.x * 640, -1) for mark in marks) == [60, 380]
    assert {mark.label for mark in marks} == {"match"}


@pytest.mark.parametrize(
    ("shown", "options"),
    [
        (scene(Person(9)), {}),
        (scene(Person(1, size=66)), {}),
        (scene(Person(1)), {"margin": 1.5}),
        (scene(Person(1), noise=5), {"threshold": 1.0}),
        (washed_out(scene(Person(1))), {"liveness": "passive"}),
    ],
    ids=["a stranger", "too small", "too close to another", "below the threshold", "a print"],
)
def test_nobody_is_told_without_reason(insight: FaceService, shown: Any, options: dict[str, Any]) -> None:
    looks: list[int] = []
    with (
        Camera(shown) as camera,
        watching(
            insight, camera.feed, index_of(insight, 1, 2), on_faces=lambda f: looks.append(1), **options
        ) as told,
    ):
        eventually(lambda: len(looks) >= 8, 30)
    assert told == []


def test_a_watch_that_cannot_see_life_knows_nobody_and_says_so(face_models: Path) -> None:
    service = running(face_models, "second")
    looks: list[int] = []
    with (
        Camera(scene(Person(1))) as camera,
        watching(
            service, camera.feed, index_of(service, 1), liveness="passive", on_faces=lambda f: looks.append(1)
        ) as told,
    ):
        eventually(lambda: len(looks) >= 4, 30)
        labels = {mark.label for mark in camera.feed.marks}
    service.stop()
    assert told == []
    assert labels == {FaceFault.NO_LIVENESS}


def test_who_is_removed_is_no_longer_known(insight: FaceService) -> None:
    index = index_of(insight, 1)
    looks: list[int] = []
    index.remove("person-1")
    with (
        Camera(scene(Person(1))) as camera,
        watching(insight, camera.feed, index, on_faces=lambda f: looks.append(1)) as told,
    ):
        eventually(lambda: len(looks) >= 5, 30)
    assert told == []


def test_an_index_of_other_models_knows_nobody(insight: FaceService, face_models: Path) -> None:
    second = running(face_models, "second")
    foreign = index_of(second, 1)
    second.stop()
    looks: list[int] = []
    with (
        Camera(scene(Person(1))) as camera,
        watching(insight, camera.feed, foreign, on_faces=lambda f: looks.append(1)) as told,
    ):
        eventually(lambda: len(looks) >= 5, 30)
    assert told == []


def test_a_receiver_that_fails_ends_nothing(insight: FaceService) -> None:
    calls: list[int] = []

    def fails(_: Any) -> None:
        calls.append(1)
        raise RuntimeError

    with (
        Camera(scene(Person(1))) as camera,
        watching(insight, camera.feed, index_of(insight, 1), on_faces=fails),
    ):
        eventually(lambda: len(calls) >= 3, 30)


def test_the_camera_goes_on_while_the_engine_is_busy(face_models: Path) -> None:
    service = running(face_models, "second")
    index = index_of(service, 1)
    hold, held = threading.Event(), threading.Event()
    assert service._worker is not None
    service._worker.send(lambda: (held.set(), hold.wait(60)))
    assert held.wait(10)
    for _ in range(WAITING_JOBS):
        service._worker.send(lambda: None)
    assert service.send_look_at_all(scene(), 1, live=False) is None, "there is no room"
    with Camera(scene(Person(1))) as camera, watching(service, camera.feed, index) as told:
        eventually(lambda: camera.feed.counters["frames"] >= 50, 30)
        assert told == []
        hold.set()
        eventually(lambda: told == ["person-1"], 30)
    service.stop()


def test_stopping_the_service_answers_all_who_wait(face_models: Path) -> None:
    service = running(face_models, "second")
    hold, held = threading.Event(), threading.Event()
    assert service._worker is not None
    service._worker.send(lambda: (held.set(), hold.wait(60)))
    assert held.wait(10)
    answers: list[Any] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(service.portrait(png(scene(Person(1))))))
        for _ in range(4)
    ]
    for thread in waiting:
        thread.start()
    assert service._worker is not None
    worker = service._worker
    eventually(lambda: worker._jobs.qsize() == 4)
    ending = threading.Thread(target=service.stop)
    ending.start()
    eventually(lambda: worker._stopping.is_set())
    hold.set()
    for thread in [*waiting, ending]:
        thread.join(10)
        assert not thread.is_alive()
    assert answers == [FaceFault.NO_MODELS] * 4
    assert service.portrait(png(scene(Person(1)))) is FaceFault.NO_MODELS
    assert not [thread for thread in threading.enumerate() if thread is worker._thread]


def test_an_engine_that_keeps_failing_is_shown_and_may_recover(
    face_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = running(face_models, "second")
    engine: Any = service._engine

    def fails(*_: Any) -> Any:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "detect", fails)
        for _ in range(5):
            assert service.portrait(png(scene(Person(1)))) is FaceFault.FAILED
        assert (service.state.code, service.state.detail) == ("failed", "RuntimeError")
    assert isinstance(service.portrait(png(scene(Person(1)))), Portrait)
    assert service.state.code == "ready"
    service.stop()


@pytest.mark.parametrize(
    "frame",
    [
        None,
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros((0, 9, 3), np.uint8),
        "x",
    ],
)
def test_what_is_no_picture_is_refused_by_each_engine(faces: FaceService, frame: Any) -> None:
    engine: Any = faces._engine
    with pytest.raises(ValueError, match="not_a_bgr_picture"):
        engine.detect(frame)
    assert faces.portrait_of_frame(frame) is FaceFault.NO_PICTURE
    assert faces.state.code == "ready", "a bad picture is no fault of the engine"


# -- presence alone ----------------------------------------------------------------------------------------------------


def test_presence_is_told_again_only_after_being_gone() -> None:
    presence = Presence(gone_seconds=3)
    assert presence.take(["a"], 0.0) == [], "one picture names nobody"
    assert presence.take(["a"], 0.3) == ["a"]
    assert presence.take([], 0.6) == []
    assert presence.take(["a"], 0.9) == []
    assert presence.take(["a"], 1.2) == []
    assert presence.take([], 4.1) == [], "seen within three seconds"
    assert presence.take(["a"], 4.15) == []
    assert presence.take(["a"], 4.18) == []
    assert presence.take(["a"], 8.0) == []
    assert presence.take(["a", "b"], 8.1) == ["a"]
    assert presence.take(["b"], 8.2) == ["b"]


@given(st.lists(st.tuples(st.floats(0.05, 5), st.sets(st.sampled_from("abc"))), max_size=60))
def test_nobody_is_told_twice_without_a_gap(looks: list[tuple[float, set[str]]]) -> None:
    presence, now = Presence(gone_seconds=3), 0.0
    told: dict[str, float] = {}
    last: dict[str, float] = {}
    for wait, keys in looks:
        now += wait
        gone = {key for key, at in last.items() if now - at > 3}
        for key in presence.take(sorted(keys), now):
            assert key in keys
            assert key not in told or key in gone or told[key] < last.get(f"gap-{key}", -1)
            told[key] = now
        for key in gone:
            last[f"gap-{key}"] = now
            told.pop(key, None) if key not in keys else None
        for key in keys:
            last[key] = now


@pytest.mark.parametrize(
    "wrong", [{"threshold": 2.0}, {"margin": -0.1}, {"per_second": 0.0}, {"liveness": "depth"}]
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"watch_rule|liveness_of_watch"):
        WatchRule(**({"threshold": 0.5, "margin": 0.1} | wrong))


def test_a_watch_ends_before_its_camera_shows_anything(insight: FaceService) -> None:
    watch = insight.watch(
        CameraFeed(), index_of(insight, 1), threshold=0.5, margin=0.1, on_match=lambda _: None
    )
    assert isinstance(watch, FaceWatch)
    watch.stop()
    assert not watch._thread.is_alive()
