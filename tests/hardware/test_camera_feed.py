"""One picture for all viewers: the price does not grow with their number, and ends with the last of them."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from hardware.ports import CameraFeed
from tests.hardware.pictures import blank
from tests.hardware.recorder import eventually

pytestmark = pytest.mark.req("AD-01")


class Viewer:
    """Takes each new picture in a thread of its own, as a page's stream does."""

    def __init__(self, feed: CameraFeed) -> None:
        self.seen: list[int] = []
        self._feed = feed
        self._new = threading.Event()
        self._gone = threading.Event()
        self._leave = feed.attach(self._new.set)
        self._thread = threading.Thread(target=self._watch, name="camera-viewer", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._gone.is_set():
            self._new.wait()
            self._new.clear()
            newest = self._feed.jpeg()
            if newest is not None and not self._gone.is_set():
                self.seen.append(newest[0])

    def wait_for(self, number: int) -> None:
        eventually(lambda: self.seen[-1:] == [number])

    def leave(self) -> None:
        self._leave()
        self._gone.set()
        self._new.set()
        self._thread.join(5)


@pytest.mark.parametrize("count", [1, 5])
def test_a_frame_is_encoded_once_for_any_number_of_viewers(count: int) -> None:
    feed = CameraFeed()
    viewers = [Viewer(feed) for _ in range(count)]
    for number in range(1, 21):
        feed.publish(blank())
        for viewer in viewers:
            viewer.wait_for(number)
    assert feed.counters["encoded"] == 20
    assert feed.counters["viewers"] == count
    assert all(viewer.seen == sorted(viewer.seen) for viewer in viewers)
    for viewer in viewers:
        viewer.leave()


def test_a_viewer_that_goes_away_costs_nothing_any_more() -> None:
    feed = CameraFeed()
    viewer = Viewer(feed)
    feed.publish(blank())
    eventually(lambda: viewer.seen)
    viewer.leave()
    before = feed.counters["encoded"]
    for _ in range(10):
        feed.publish(blank())
    assert feed.viewers == 0
    assert feed.counters["encoded"] == before
    viewer.leave()
    assert feed.viewers == 0


def test_frames_are_not_encoded_while_nobody_watches() -> None:
    feed = CameraFeed()
    for _ in range(5):
        feed.publish(blank())
    counters = feed.counters
    assert [counters[name] for name in ("frames", "dropped", "unusable", "encoded", "viewers")] == [
        5,
        0,
        0,
        0,
        0,
    ]
    picture = feed.snapshot()
    assert picture is not None
    assert picture.startswith(b"\xff\xd8")
    assert feed.jpeg() == (5, picture)
    assert feed.counters["encoded"] == 1


def test_a_slow_viewer_gets_the_newest_frame_and_the_others_count_as_dropped() -> None:
    feed = CameraFeed()
    detach = feed.attach(lambda: None)
    for _ in range(4):
        feed.publish(blank())
    newest = feed.jpeg()
    assert newest is not None
    assert newest[0] == 4
    assert feed.counters["dropped"] == 3
    detach()


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        "picture",
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((480, 640, 3), np.uint16),
    ],
)
def test_what_is_no_picture_is_counted_and_left_out(garbage: object) -> None:
    feed = CameraFeed()
    assert feed.publish(blank())
    assert not feed.publish(garbage)
    assert feed.counters["unusable"] == 1
    assert feed.counters["frames"] == 1
    assert feed.jpeg() is not None


def test_a_viewer_whose_connection_died_harms_nobody() -> None:
    feed = CameraFeed()
    told = []

    def dead() -> None:
        raise BrokenPipeError

    leave_dead, leave = feed.attach(dead), feed.attach(lambda: told.append(1))
    feed.publish(blank())
    assert told == [1]
    leave_dead()
    leave()


def test_a_camera_that_is_gone_leaves_no_old_picture() -> None:
    feed = CameraFeed()
    feed.publish(blank())
    assert feed.age_seconds is not None
    feed.clear()
    assert (feed.jpeg(), feed.snapshot(), feed.latest()) == (None, None, None)
    assert feed.wait_newer(0, 0.01) is None
    feed.publish(blank())
    newest = feed.jpeg()
    assert newest is not None
    assert newest[0] == 2


def test_waiting_for_a_newer_frame_is_not_watching() -> None:
    feed = CameraFeed()
    feed.publish(blank())
    assert feed.wait_newer(1, 0.01) is None
    newer = feed.wait_newer(0, 1)
    assert newer is not None
    assert newer[0] == 1
    assert feed.viewers == 0


def test_a_picture_that_came_as_jpeg_is_passed_on_as_it_is() -> None:
    feed = CameraFeed()
    detach = feed.attach(lambda: None)
    feed.publish(blank(), b"\xff\xd8 the camera's own")
    assert feed.jpeg() == (1, b"\xff\xd8 the camera's own")
    feed.publish(blank())
    newest = feed.jpeg()
    assert newest is not None
    assert newest[0] == 2
    assert b"own" not in newest[1]
    assert feed.counters["encoded"] == 1
    detach()


def test_frames_are_dropped_only_where_somebody_could_have_seen_them() -> None:
    feed = CameraFeed()
    for _ in range(5):
        feed.publish(blank())
    detach = feed.attach(lambda: None)
    feed.publish(blank())
    assert feed.counters["dropped"] == 0
    feed.jpeg()
    feed.publish(blank())
    assert feed.counters["dropped"] == 0
    feed.publish(blank())
    assert feed.counters["dropped"] == 1
    detach()
    feed.publish(blank())
    feed.publish(blank())
    assert feed.counters["dropped"] == 1
    # Who comes back has missed nothing of what passed while nobody was there.
    feed.attach(lambda: None)()
    assert feed.counters["dropped"] == 1


def test_a_frame_that_is_being_encoded_is_not_dropped() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(frame: object) -> bytes:
        inside.set()
        assert go_on.wait(5)
        return b"\xff\xd8"

    feed = CameraFeed(encode=slow)
    detach = feed.attach(lambda: None)
    feed.publish(blank())
    taking = threading.Thread(target=feed.jpeg, name="camera-taker")
    taking.start()
    assert inside.wait(5)
    feed.publish(blank())
    assert feed.counters["dropped"] == 0
    go_on.set()
    taking.join(5)
    detach()


def test_size_and_rate_are_those_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("hardware.camera_feed.time.monotonic", lambda: now[0])
    feed = CameraFeed()
    assert [feed.counters[name] for name in ("fps", "width", "height", "resized")] == [0, 0, 0, 0]
    for _ in range(30):
        now[0] += 0.1
        feed.publish(blank())
    assert [feed.counters[name] for name in ("fps", "width", "height", "resized")] == [10, 640, 480, 0]
    feed.publish(blank(320, 240))
    assert [feed.counters[name] for name in ("width", "height", "resized")] == [320, 240, 1]
    now[0] += 6
    assert feed.counters["fps"] == 0
    feed.clear()
    assert [feed.counters[name] for name in ("width", "height")] == [0, 0]
    feed.publish(blank())
    assert feed.counters["resized"] == 2
