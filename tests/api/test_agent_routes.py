"""The routes of lane computers as anybody on the network may call them (AD-22, SI-04)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from sqlmodel import select
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.core.actor import SYSTEM
from app.core.audit import AuditEntry
from app.domain.people import lane_keys
from app.domain.sites import agents
from hardware.agent import files
from tests.api.agent_rig import Rig
from tests.hardware.recorder import eventually

SOON = 30.0
_streams = count(1)
EVENTS, CONFIG, HEALTH = (f"/api/v1/agents/me/{name}" for name in ("events", "config", "health"))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig() as made:
        assert made.agent.enrol(made.gate.code).returncode == 0
        yield made


@pytest.fixture
def own(rig: Rig) -> Iterator[httpx.Client]:
    with rig.client() as client:
        yield client


@pytest.fixture
def stream() -> str:
    return f"{next(_streams):016x}"


def event(rig: Rig, number: int, stream: str, /, **changes: Any) -> dict[str, Any]:
    made = {
        "seq": number,
        "lane_id": rig.world.both.id,
        "device_id": rig.gate.reader,
        "kind": "code",
        "payload": {"text": f"HELLO {number}"},
        "at": "2026-03-02T10:00:00+00:00",
        "age": 0.5,
        "number": number,
        "boot": stream[-8:],
    }
    return {**made, **changes}


def batch(rig: Rig, stream: str, /, *numbers: int, **changes: Any) -> dict[str, Any]:
    return {"stream": stream, "events": [event(rig, number, stream, **changes) for number in numbers]}


def mine(rig: Rig, stream: str) -> list[int]:
    """The numbers that the server recorded of a stream, in order."""
    return [int(nonce.rpartition(":")[2]) for nonce in rig.recorded() if nonce.split(":")[1] == stream[-8:]]


def actions(rig: Rig, name: str) -> list[AuditEntry]:
    return list(rig.world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == name)).all()))


@pytest.mark.req("AD-22")
def test_a_repeated_batch_changes_nothing(rig: Rig, own: httpx.Client, stream: str) -> None:
    for _ in range(3):
        answer = own.post(EVENTS, json=batch(rig, stream, 1, 2, 3))
        assert (answer.status_code, answer.json()) == (200, {"acknowledged": 3})
    assert mine(rig, stream) == [1, 2, 3]
    # A batch that begins with what is known and goes on is taken from where it is news.
    assert own.post(EVENTS, json=batch(rig, stream, 2, 3, 4)).json() == {"acknowledged": 4}
    assert mine(rig, stream) == [1, 2, 3, 4]


@pytest.mark.req("AD-22")
@pytest.mark.parametrize("numbers", [(2,), (1, 3), (2, 1), (1, 1)])
def test_a_gap_is_refused_with_the_number_that_is_due(
    rig: Rig, own: httpx.Client, stream: str, numbers: tuple[int, ...]
) -> None:
    before = len(actions(rig, "agent.gap"))
    answer = own.post(EVENTS, json=batch(rig, stream, *numbers))
    assert (answer.status_code, answer.json()["error"], answer.json()["expected"]) == (409, "agent_gap", 1)
    assert mine(rig, stream) == []
    assert len(actions(rig, "agent.gap")) == before + 1
    assert own.post(EVENTS, json=batch(rig, stream, 1, 2)).json() == {"acknowledged": 2}


@pytest.mark.req("AD-22")
def test_the_same_number_with_another_body_is_a_conflict(rig: Rig, own: httpx.Client, stream: str) -> None:
    own.post(EVENTS, json=batch(rig, stream, 1))
    answer = own.post(EVENTS, json=batch(rig, stream, 1, payload={"text": "OTHER"}))
    assert (answer.status_code, answer.json()["error"], answer.json()["seq"]) == (409, "agent_conflict", 1)
    assert mine(rig, stream) == [1]
    # How long ago it was is another number each time it is sent, and no other body.
    assert own.post(EVENTS, json=batch(rig, stream, 1, age=77.0)).json() == {"acknowledged": 1}


@pytest.mark.req("AD-22")
def test_an_event_that_was_recorded_under_another_number_is_recorded_once(
    rig: Rig, own: httpx.Client, stream: str
) -> None:
    own.post(EVENTS, json=batch(rig, stream, 1))
    body = {"stream": f"f{stream[1:]}", "events": [event(rig, 1, stream)]}
    assert own.post(EVENTS, json=body).json() == {"acknowledged": 1}
    assert mine(rig, stream) == [1]


@pytest.mark.req("SI-04")
def test_it_speaks_for_its_own_lanes_only(rig: Rig, own: httpx.Client, stream: str) -> None:
    before = len(actions(rig, "agent.lane"))
    answer = own.post(EVENTS, json=batch(rig, stream, 1, lane_id=rig.world.entry.id))
    assert answer.json() == {"acknowledged": 1}
    assert mine(rig, stream) == []
    assert len(actions(rig, "agent.lane")) == before + 1
    assert own.post(f"/api/v1/lanes/{rig.world.both.id}/present", json={}).status_code == 403


@pytest.mark.req("AD-22")
def test_what_comes_late_is_in_the_ledger_and_calls_nobody(rig: Rig, own: httpx.Client, stream: str) -> None:
    own.post(EVENTS, json=batch(rig, stream, 1))
    now = rig.attempts()[-1]
    own.post(EVENTS, json=batch(rig, stream, 2, age=7200.0))
    late = rig.attempts()[-1]
    assert late.id != now.id
    assert late.status in {"set_aside", "refused"}
    assert 7190 < (late.recorded_at - late.occurred_at).total_seconds() < 7260
    # Who stands at the lane now is not touched by it.
    assert next(a.status for a in rig.attempts() if a.id == now.id) == "open"


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"lane_id": "../x"},
        {"payload": {"text": 7}},
        {"payload": None},
        {"at": "yesterday"},
        {"at": "2026-03-02T10:00:00"},
        {"age": -1},
        {"kind": "k" * 65},
        {"number": -1},
    ],
    ids=str,
)
def test_bad_bodies_are_refused_and_leave_nothing(
    rig: Rig, own: httpx.Client, stream: str, change: dict[str, Any]
) -> None:
    answer = own.post(EVENTS, json=batch(rig, stream, 1, **change))
    assert answer.status_code == 422, answer.text
    assert len(answer.content) < 2_000
    assert mine(rig, stream) == []


def test_an_unknown_kind_of_a_newer_agent_is_passed_over(rig: Rig, own: httpx.Client, stream: str) -> None:
    assert own.post(EVENTS, json=batch(rig, stream, 1, kind="smell")).json() == {"acknowledged": 1}
    assert mine(rig, stream) == []


def test_states_are_taken_of_its_own_devices_only(rig: Rig, own: httpx.Client) -> None:
    told = [
        {"id": rig.gate.reader, "status": "perfect", "detail": "so_they_say"},
        {"id": "f" * 32, "status": "online"},
    ]
    answer = own.post(HEALTH, json={"version": "9", "waiting": 3, "trouble": "disk_full", "devices": told})
    assert answer.json()["revision"] == own.get(CONFIG).json()["revision"]
    # A state that is none is not taken for a good one.
    assert rig.device(rig.gate.reader) == ("unknown", "so_they_say")
    assert (rig.row.version, rig.row.waiting, rig.row.trouble) == ("9", 3, "disk_full")


def test_a_computer_that_believes_it_is_1970_is_heard_all_the_same(rig: Rig, own: httpx.Client) -> None:
    told = {
        "waiting": 0,
        "offset_ms": 1_790_000_000_000,
        "devices": [{"id": rig.gate.reader, "status": "online"}],
    }
    assert own.post(HEALTH, json=told).status_code == 200
    assert rig.device(rig.gate.reader) == ("online", "")
    assert rig.row.clock_offset_ms == 2**31 - 1


@pytest.mark.req("SI-04")
def test_an_enrolment_code_works_once_and_wrong_ones_are_counted(rig: Rig) -> None:
    agent, code = rig.world.do(agents.create, SYSTEM, "第二台", [rig.world.exit.id])
    body = {"code": code.lower().replace("-", " "), "version": "1"}
    with rig.client("nobody") as client:
        first = client.post("/api/v1/agents/enrol", json=body, headers={"Authorization": ""})
        assert first.status_code == 200, first.text
        assert first.json()["agent"] == agent.id
        for tried in (code, "AAAAA-BBBBB-CCCCC-DDDDD"):
            again = client.post("/api/v1/agents/enrol", json={"code": tried}, headers={"Authorization": ""})
            assert (again.status_code, again.json()["error"]) == (403, "agent_code_wrong")
        answers = [
            client.post(
                "/api/v1/agents/enrol", json={"code": "wrong-wrong"}, headers={"Authorization": ""}
            ).status_code
            for _ in range(12)
        ]
    assert answers[0] == 403
    assert answers[-1] == 429


@pytest.mark.req("SI-04")
def test_strangers_keys_and_people_are_no_lane_computer(rig: Rig, stream: str) -> None:
    key = rig.world.do(lane_keys.create, SYSTEM, rig.world.both.id, "x")
    for secret in ("gha_nobody", "nobody", key):
        with rig.client(secret) as client:
            for answer in (client.get(CONFIG), client.post(EVENTS, json=batch(rig, stream, 1))):
                assert answer.status_code in {401, 403}
        with pytest.raises(InvalidStatus) as caught:
            connect(socket_url(rig), additional_headers=bearer(secret), proxy=None)
        assert caught.value.response.status_code == 403
    with pytest.raises(InvalidStatus):
        connect(socket_url(rig), proxy=None)
    assert mine(rig, stream) == []


def socket_url(rig: Rig) -> str:
    return rig.gate.url.replace("http", "ws") + "/api/v1/agents/me/link"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.req("SI-04")
def test_a_revoked_computer_is_a_stranger_at_its_next_word(rig: Rig, stream: str) -> None:
    agent, code = rig.world.do(agents.create, SYSTEM, "第三台", [rig.world.exit.id])
    with rig.world.database.transaction() as session:
        enrolled = agents.enrol(session, code, "1", "127.0.0.1")
    assert enrolled is not None
    with (
        rig.client(enrolled.secret) as client,
        connect(socket_url(rig), additional_headers=bearer(enrolled.secret), proxy=None) as socket,
    ):
        assert client.get(CONFIG).status_code == 200
        assert "watch" in str(socket.recv(timeout=SOON))
        rig.world.do(agents.revoke, SYSTEM, agent.id)
        assert client.get(CONFIG).status_code == 401
        assert client.post(EVENTS, json=batch(rig, stream, 1)).status_code == 401
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=SOON)


def test_pictures_of_others_cameras_and_what_is_none_are_passed_over(rig: Rig) -> None:
    with connect(socket_url(rig), additional_headers=bearer(rig.enrolment().secret), proxy=None) as socket:
        for sent in (
            b"",
            b"\n",
            b"[]\n\xff\xd8\xff",
            b'{"device": "x"}\n\xff\xd8\xff',
            b"{" * 20_000,
            b"\x00" * 99,
        ):
            socket.send(sent)
        socket.send("{}")
        socket.ping().wait(SOON)
        assert "watch" in str(socket.recv(timeout=SOON))


def test_a_revoked_agent_keeps_what_it_has_and_says_so(rig: Rig) -> None:
    rig.agent.start()
    eventually(lambda: rig.agent.status.get("server") == "reached", SOON)
    rig.world.do(agents.revoke, SYSTEM, rig.gate.agent.id)
    eventually(lambda: rig.agent.status.get("server") == "refused", 2 * SOON)
    said = rig.agent.command("status").stdout
    assert "revoked" in said, said
    assert rig.agent.stop() == 0
    assert files.load_enrolment(rig.agent.folder).agent == rig.gate.agent.id
