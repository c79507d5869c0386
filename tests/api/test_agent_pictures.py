"""Live pictures of a camera at a lane's computer: they come up while somebody looks, and only then (AD-01)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.core.permissions import Role
from tests.api.agent_rig import Rig
from tests.hardware.recorder import eventually

SOON = 30.0
MARK = b"--frame\r\n"


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig() as made:
        assert made.agent.enrol(made.gate.code).returncode == 0
        made.agent.start()
        eventually(lambda: made.device(made.gate.camera) == ("online", ""), SOON)
        eventually(lambda: made.agent.status.get("link"), SOON)
        yield made


def pictures(rig: Rig, secret: str, wanted: int) -> int:
    """Look at the remote camera until so many pictures came, then go away."""
    seen, until = 0, time.monotonic() + SOON
    with rig.gate.client(secret) as client, client.stream("GET", stream_of(rig)) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            seen += piece.count(MARK)
            if seen >= wanted or time.monotonic() > until:
                break
    return seen


def stream_of(rig: Rig) -> str:
    return f"/api/cameras/{rig.gate.camera}/stream"


def sent(rig: Rig) -> tuple[int, int]:
    """How many pictures the agent encoded (a camera's own JPEGs are passed on) and sent, as of its next word after now."""
    told = rig.agent.status["at"]
    eventually(lambda: rig.agent.status["at"] != told, SOON)
    return rig.agent.status["encoded"], rig.agent.status["pictures"]


def test_pictures_come_up_only_while_somebody_looks(rig: Rig) -> None:
    _, secret = rig.gate.sign_in(Role.GUARD)
    assert sent(rig) == (0, 0), "nobody looks, yet pictures were made"
    assert pictures(rig, secret, 5) == 5
    first = sent(rig)
    assert first[1] >= 5
    assert sent(rig) == first, "the last viewer has gone, yet pictures go on"
    assert pictures(rig, secret, 3) == 3
    assert sent(rig)[1] > first[1]


def test_a_viewer_sees_the_camera_again_after_the_line_was_cut(rig: Rig) -> None:
    _, secret = rig.gate.sign_in(Role.MANAGER)
    seen, cut, until = 0, False, time.monotonic() + 2 * SOON
    with rig.gate.client(secret) as client, client.stream("GET", stream_of(rig)) as answer:
        for piece in answer.iter_raw():
            seen += piece.count(MARK)
            if not cut and seen >= 3:
                rig.line.cut()
                rig.line.mend()
                cut, seen = True, 0
            if (cut and seen >= 10) or time.monotonic() > until:
                break
    assert cut
    assert seen >= 10, "more than can have been under way"


@pytest.mark.req("SI-04")
def test_who_may_not_see_cameras_sees_none_there_either(rig: Rig) -> None:
    _, secret = rig.gate.sign_in(Role.PATROL)
    with rig.gate.client(secret) as client:
        assert client.get(stream_of(rig)).status_code == 403
