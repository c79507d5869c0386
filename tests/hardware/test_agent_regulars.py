"""Regulars at a lane's computer: the faces its own models made, whole or not at all, and none once the line is down (ID-02)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from hardware.agent.regulars import Regulars
from hardware.camera_feed import CameraFeed
from hardware.face_ports import Pack, Portrait, vector_bytes
from hardware.face_service import FaceService
from hardware.ports import DeviceEvent, EventKind
from hardware.supervisor import HardwareService
from tests.hardware.face_pictures import Person, scene
from tests.hardware.face_rig import Camera, face_models, insight
from tests.hardware.recorder import eventually

__all__ = ["face_models", "insight"]

ONE, OTHER = "1" * 32, "2" * 32
Hold = Callable[..., Any]


class Place(HardwareService):
    """Cameras in the test's hand."""

    def __init__(self) -> None:
        super().__init__(lambda _: None, lambda _: None)
        self.feeds: dict[str, CameraFeed] = {}

    def camera(self, device_id: str) -> CameraFeed | None:
        return self.feeds.get(device_id)


class Rig:
    """What the server says, and what comes of it."""

    def __init__(self, service: FaceService) -> None:
        self.place, self.events = Place(), list[DeviceEvent]()
        self.regulars = Regulars(self.place, service, self.events.append)
        pack = service.state.pack
        assert pack is not None
        self.pack: Pack = pack

    async def hold(self, body: bytes, **changes: Any) -> str:
        head = {
            "pack": self.pack.id,
            "first": True,
            "last": True,
            "cameras": [["cam", "lane"]],
            "threshold": 0.5,
            "margin": 0.05,
            "liveness": "none",
        }
        return await self.regulars.hold({**head, **changes}, body)


@pytest.fixture
async def rig(insight: FaceService) -> AsyncIterator[Rig]:
    made = Rig(insight)
    yield made
    await made.regulars.forget()


def face(service: FaceService, person: Person) -> bytes:
    found = service.portrait_of_frame(scene(person))
    assert isinstance(found, Portrait)
    return vector_bytes(found)


@pytest.mark.req("ID-02")
async def test_who_is_held_is_told_and_nobody_after_the_line_broke(rig: Rig, insight: FaceService) -> None:
    holder, another = Person(3, size=300), Person(4, size=300)
    with Camera(scene(holder, width=1280, height=720)) as camera:
        rig.place.feeds["cam"] = camera.feed
        body = ONE.encode() + face(insight, holder)
        assert await rig.hold(body + OTHER.encode() + face(insight, another)) == "held"
        eventually(lambda: rig.events, 20)
        told = rig.events[0]
        assert (told.kind, told.lane_id, told.device_id) == (EventKind.FACE, "lane", "cam")
        assert told.payload == {"template": ONE}
        index = rig.regulars._index
        assert index is not None
        await rig.regulars.forget()
        assert len(rig.regulars) == 0
        assert not np.any(index._rows), "overwritten, not only left out"
        assert rig.regulars._running == {}


async def test_a_whole_comes_in_parts_and_replaces_what_was_before(rig: Rig, insight: FaceService) -> None:
    one, other = (key.encode() + face(insight, Person(n, size=300)) for key, n in ((ONE, 3), (OTHER, 4)))
    assert await rig.hold(one, last=False) == "held"
    assert len(rig.regulars) == 0, "half of it is not looked for"
    assert await rig.hold(other, first=False) == "held"
    assert len(rig.regulars) == 2
    assert await rig.hold(other) == "held"
    assert (len(rig.regulars), ONE in (rig.regulars._index or ())) == (1, False)
    assert await rig.hold(b"", cameras=[]) == "held"
    assert len(rig.regulars) == 0


async def test_faces_of_other_models_and_rubbish_are_not_taken(rig: Rig, insight: FaceService) -> None:
    good = ONE.encode() + face(insight, Person(3, size=300))
    assert await rig.hold(good, pack="f" * 64) == "other_pack"
    assert await rig.hold(good[:-4]) == "job_unknown"
    assert await rig.hold(ONE.encode() + bytes(4 * rig.pack.dimension)) == "held"
    assert len(rig.regulars) == 0, "no vector of a face"
    assert (
        await Regulars(rig.place, FaceService(None), rig.events.append).hold({"pack": ""}, b"")
        == "other_pack"
    )
