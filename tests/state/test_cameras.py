"""What pages say about a camera is what it is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.domain.sites.models import Device
from app.runtime.places import Here
from hardware.face_service import FaceService
from hardware.ports import CameraFeed
from state import cameras
from tests.hardware.pictures import blank

pytestmark = pytest.mark.req("DU-06")


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> CameraFeed:
    """The feed of the one camera that runs, of id `cam`."""
    made = CameraFeed()
    health = {"cam": SimpleNamespace(counters={"codes": 3, "reconnects": 2, "frames": 1})}
    feeds = {"cam": made}
    hardware = SimpleNamespace(camera=feeds.get, health=lambda: health)
    place = Here(hardware, FaceService(None))  # type: ignore[arg-type]
    places = SimpleNamespace(of={"cam": place}.get)
    hub = SimpleNamespace(camera=feeds.get, hardware=hardware, places=places)
    monkeypatch.setattr(cameras, "get_hub", lambda: hub)
    return made


async def test_a_photo_is_taken_of_this_moment_or_not_at_all(feed: CameraFeed) -> None:
    assert await cameras.picture_now("cam") == (None, "no_picture")
    feed.publish(blank())
    picture, trouble = await cameras.picture_now("cam")
    assert picture is not None
    assert trouble == ""
    feed.trouble = "frozen_picture"
    assert await cameras.picture_now("cam") == (None, "frozen_picture")
    assert await cameras.picture_now("other") == (None, "")
    assert await cameras.picture_now("") == (None, "")


def test_figures_are_the_counters_in_words(feed: CameraFeed) -> None:
    for _ in range(1200):
        feed.publish(blank())
    rows = {row["term"]: row["value"] for row in cameras.figures("cam", "en")}
    assert rows["Frames received"] == "1,200"
    assert rows["Codes read"] == "3"
    assert rows["Reconnections"] == "2"
    assert rows["Picture"].startswith("640 × 480, ")
    feed.clear()
    assert cameras.figures("cam", "en")[0]["value"] == "No picture now"
    assert cameras.figures("other", "en") == []


@pytest.mark.parametrize(
    ("status", "detail", "enabled", "said"),
    [
        ("fault", "frozen_picture", True, True),
        ("fault", "covered_picture", True, True),
        ("fault", "frozen_picture", False, False),
        ("fault", "code_reader_missing", True, False),
        ("online", "", True, False),
    ],
)
def test_only_a_picture_that_deceives_is_written_over(
    status: str, detail: str, enabled: bool, said: bool
) -> None:
    device = Device(
        id="cam", site_id="s", lane_id="l", driver="camera", name="n", status=status, status_detail=detail
    )
    device.enabled = enabled
    for locale in ("zh-CN", "en"):
        words = cameras.trouble_of(device, locale)
        assert bool(words) is said
        assert detail not in words or not said
    assert cameras.trouble_of(None, "en") == ""
