"""The route by which a lane's computer hands over what it read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest

from tests.e2e.server import Server

_numbers = count(1)
Send = Callable[..., httpx.Response]


@pytest.fixture
def lane(server: Server) -> dict[str, str]:
    made: dict[str, str] = server.backstage.lane()
    return made


@pytest.fixture
def guest(server: Server) -> dict[str, str]:
    host = server.backstage.account(roles=["resident"], unit=f"接口楼 {next(_numbers)}")
    made: dict[str, str] = server.backstage.guest(host=host["username"], name="雷鸣")
    return made


@pytest.fixture
def send(server: Server, lane: dict[str, str]) -> Send:
    def call(text: str = "x", *, at_lane: str = "", key: str = "", **more: Any) -> httpx.Response:
        body = {"kind": "code", "text": text, "nonce": f"nonce-{next(_numbers):08}", **more}
        headers = {"Authorization": f"Bearer {key or lane['key']}"}
        return httpx.post(
            f"{server.url}/api/v1/lanes/{at_lane or lane['lane']}/present",
            json=body,
            headers=headers,
            trust_env=False,
            timeout=20,
        )

    return call


@pytest.mark.req("AD-22")
def test_the_same_delivery_three_times_is_one_row(
    server: Server, send: Send, lane: dict[str, str], guest: dict[str, str]
) -> None:
    code = server.backstage.code(booking=guest["booking"])
    answers = [send(code, nonce="thrice-0001").json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["outcome"] == "admit"
    assert len(server.backstage.attempts_of(lane=lane["lane"])) == 1


@pytest.mark.req("AD-03", "AD-22")
def test_presenting_with_admit_lets_in_once(
    server: Server, send: Send, lane: dict[str, str], guest: dict[str, str]
) -> None:
    code = server.backstage.code(booking=guest["booking"])
    first = send(code, nonce="enter-0001", admit=True).json()
    assert (first["outcome"], first["admitted"], first["leaving"]) == ("admit", True, False)
    assert send(code, nonce="enter-0001", admit=True).json() == first
    # The phone is still before the camera: nobody goes out, nobody comes in twice.
    again = send(code, nonce="enter-0002", admit=True).json()
    assert again["attempt"] == first["attempt"]
    visits = server.backstage.visits_of(booking=guest["booking"])
    assert [visit["left_at"] for visit in visits] == [None]


@pytest.mark.req("AD-22", "BK-07")
def test_the_same_code_at_two_gates_opens_one(server: Server, send: Send, guest: dict[str, str]) -> None:
    other = server.backstage.lane()
    code = server.backstage.code(booking=guest["booking"])

    def first() -> dict[str, Any]:
        return dict(send(code, admit=True).json())

    def second() -> dict[str, Any]:
        return dict(send(code, admit=True, at_lane=other["lane"], key=other["key"]).json())

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in (pool.submit(first), pool.submit(second))]
    assert sorted(bool(answer["admitted"] and not answer["leaving"]) for answer in answers) == [False, True]
    assert len(server.backstage.visits_of(booking=guest["booking"])) == 1


@pytest.mark.req("AD-22")
def test_many_deliveries_of_one_nonce_at_once_are_one_row(
    server: Server, send: Send, lane: dict[str, str], guest: dict[str, str]
) -> None:
    code = server.backstage.code(booking=guest["booking"])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(code, nonce="crowd-0001", admit=True), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["attempt"] for answer in answers}) == 1
    assert len(server.backstage.attempts_of(lane=lane["lane"])) == 1
    assert len(server.backstage.visits_of(booking=guest["booking"])) == 1


@pytest.mark.req("AD-22")
def test_the_refused_and_the_unknown_are_in_the_ledger_too(
    server: Server, send: Send, lane: dict[str, str], guest: dict[str, str]
) -> None:
    backstage = server.backstage
    texts = ["https://example.com/", backstage.code(booking=guest["booking"], kind="stale"), "V1" + "A" * 48]
    answers = [send(text, admit=True).json() for text in texts]
    assert [answer["admitted"] for answer in answers] == [False, False, False]
    assert [answer["outcome"] for answer in answers][:2] == ["refuse", "refuse"]
    assert len(backstage.attempts_of(lane=lane["lane"])) == 3


@pytest.mark.req("SI-04")
def test_a_key_opens_its_own_lane_only(server: Server, send: Send) -> None:
    other = server.backstage.lane()
    assert send(at_lane=other["lane"]).status_code == 403
    assert send(key="wrong-key").status_code == 401
    assert server.backstage.attempts_of(lane=other["lane"]) == []


@pytest.mark.req("SI-04")
def test_a_signed_in_guard_is_no_lane(server: Server, lane: dict[str, str]) -> None:
    guard = server.backstage.account(roles=["guard"])
    with server.client(guard["cookie"]) as client:
        body = {"kind": "code", "text": "x", "nonce": "nonce-guard-1"}
        assert client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body).status_code == 403


BAD = [
    {"kind": "face"},
    {"text": ""},
    {"text": "x" * 201},
    {"text": 7},
    {"nonce": "short"},
    {"nonce": "n" * 101},
    {"nonce": "with space and more"},
    {"nonce": "nonce\n00001"},
    {"at": "yesterday"},
    {"at": "2026-03-02T10:00:00"},
    {"admit": "perhaps"},
]


@pytest.mark.parametrize("change", BAD, ids=lambda change: str(change)[:40])
def test_bad_bodies_are_refused_and_leave_nothing(
    server: Server, send: Send, lane: dict[str, str], change: dict[str, Any]
) -> None:
    answer = send(**change)
    assert answer.status_code in {400, 422}, answer.text
    assert server.backstage.attempts_of(lane=lane["lane"]) == []


@pytest.mark.parametrize("text", ["\x00", "😀" * 60, "'; DROP TABLE visit; --", "٣٣٣٣٣٣", "V1" + "a" * 48])
def test_odd_texts_are_foreign_codes_and_no_error(send: Send, text: str) -> None:
    answer = send(text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] in {"refuse", "review"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe" * 50, "application/json"),
        (b'{"kind":"code","text":"' + b"x" * 5_000_000 + b'","nonce":"nonce-huge-1"}', "application/json"),
        (b"[" * 200_000, "application/json"),
    ],
    ids=["cut", "list", "empty", "no text", "5 MB", "deep"],
)
def test_broken_and_huge_bodies_do_no_harm(
    server: Server, lane: dict[str, str], content: bytes, kind: str
) -> None:
    headers = {"Authorization": f"Bearer {lane['key']}", "Content-Type": kind}
    answer = httpx.post(
        f"{server.url}/api/v1/lanes/{lane['lane']}/present",
        content=content,
        headers=headers,
        trust_env=False,
        timeout=20,
    )
    assert answer.status_code in {400, 413, 422}
    assert len(answer.content) < 2_000, "the answer repeats what was sent"
    assert "Traceback" not in answer.text
    assert httpx.get(f"{server.url}/healthz", trust_env=False).is_success


@pytest.mark.parametrize("at", ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00+08:00"])
def test_a_device_with_a_wrong_clock_is_heard_all_the_same(
    server: Server, send: Send, guest: dict[str, str], at: str
) -> None:
    answer = send(server.backstage.code(booking=guest["booking"]), at=at)
    assert answer.status_code == 200, answer.text


@pytest.mark.req("AD-16")
def test_a_badge_read_on_the_way_out_ends_the_visit(server: Server, guest: dict[str, str]) -> None:
    backstage = server.backstage
    inner, outer = backstage.lane(), backstage.lane(direction="out")

    def at(lane: dict[str, str], text: str) -> dict[str, Any]:
        with server.client(headers={"Authorization": f"Bearer {lane['key']}"}) as client:
            body = {"kind": "code", "text": text, "nonce": f"badge-{next(_numbers):08}", "admit": True}
            return dict(client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body).json())

    assert at(inner, backstage.code(booking=guest["booking"]))["admitted"]
    left = at(outer, backstage.badge_code(booking=guest["booking"]))
    assert (left["leaving"], left["admitted"]) == (True, True)
    assert backstage.pass_status(booking=guest["booking"]) == "returned"
    assert backstage.visits_of(booking=guest["booking"])[0]["exit_kind"] == "scan"


@pytest.mark.req("EV-03")
@pytest.mark.parametrize("key", ["", "nobody's"], ids=["its own key", "a foreign key"])
@pytest.mark.parametrize("told", [True, False], ids=["length told", "length hidden"])
def test_a_body_without_end_is_not_read_to_the_end(
    server: Server, lane: dict[str, str], key: str, *, told: bool
) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"kind": "code", "text": "'
        for _ in range(256):
            sent += 4096
            yield b"x" * 4096

    body = b"x" * 1_000_000 if told else endless()
    answer = httpx.post(
        f"{server.url}/api/v1/lanes/{lane['lane']}/present",
        content=body,
        headers={"Authorization": f"Bearer {key or lane['key']}", "Content-Type": "application/json"},
        trust_env=False,
        timeout=20,
    )
    assert answer.status_code == 413
    assert not server.backstage.attempts_of(lane=lane["lane"])
