"""No request to any other host, neither from the pages nor from the server (EV-07)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Request, WebSocket, expect

from app.pages.registry import PAGES
from tests.e2e.conftest import Gate
from tests.e2e.pages import NewContext, answer_link, person
from tests.e2e.server import Server, make_server, remove
from tests.screenshots import who_sees

# Loaded by the interpreter itself before anything else, in the server and in whatever it starts.
WATCH = """
import json, os, socket, sys

def told(kind, value):
    with open(os.environ["WATCHED_CALLS"], "a", encoding="utf-8") as file:
        file.write(json.dumps([kind, str(value)]) + "\\n")

def hook(event, args):
    if event == "socket.connect" and args[0].family in (socket.AF_INET, socket.AF_INET6):
        told("connect", args[1][0])
    elif event == "socket.getaddrinfo":
        told("lookup", args[0])
    elif event == "socket.gethostbyname":
        told("lookup", args[0])
    elif event == "socket.sendto" and args[0].family in (socket.AF_INET, socket.AF_INET6):
        told("send", args[1][0])

sys.addaudithook(hook)
"""


def watch(context: BrowserContext) -> list[str]:
    """Note every address that a browser asks for."""
    asked: list[str] = []
    context.on("request", lambda request: asked.append(_address(request)))
    context.on("page", lambda page: page.on("websocket", lambda socket: asked.append(_socket(socket))))
    return asked


def _address(request: Request) -> str:
    return request.url


def _socket(socket: WebSocket) -> str:
    return socket.url


def foreign(asked: list[str], server: Server) -> list[str]:
    """What was asked of somebody else."""
    own = urlsplit(server.url).netloc
    return [
        url for url in asked if urlsplit(url).scheme not in {"data", "blob"} and urlsplit(url).netloc != own
    ]


@pytest.mark.req("EV-07")
def test_no_page_asks_another_host(server: Server, new_context: NewContext) -> None:
    asked: list[str] = []
    for route, *_ in PAGES:
        username = who_sees(route)
        context = person(new_context, server, server.cookie(username) if username else "")
        seen = watch(context)
        page = context.new_page()
        page.goto(route)
        expect(page.locator("main")).to_be_visible()
        page.wait_for_load_state("load")
        asked += seen
        context.close()
    assert len(asked) > len(PAGES) * 5
    assert any(urlsplit(url).scheme == "ws" for url in asked)
    assert not foreign(asked, server)


@pytest.mark.req("EV-07")
def test_a_desk_at_work_and_an_open_pass_ask_no_other_host(gate: Gate, new_context: NewContext) -> None:
    guest = gate.guest("邹易安")
    guards = gate.desk()
    visitors = person(new_context, gate.server, "", viewport=(360, 780))
    asked = [watch(guards), watch(visitors)]
    desk = guards.new_page()
    desk.goto("/desk/")
    phone = visitors.new_page()
    answer_link(phone, f"/v/{guest['link']}", guest["phone"][-4:])
    expect(phone.locator(".pass-code[data-token]")).to_be_visible()
    gate.show_phone(guest)
    expect(desk.locator(".verdict h1")).to_have_text("可以放行")
    desk.keyboard.press("Enter")
    expect(desk.locator(".verdict h1")).to_contain_text("已放行")
    assert not foreign([*asked[0], *asked[1]], gate.server)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server of its own whose every connection is noted."""
    (tmp_path / "sitecustomize.py").write_text(WATCH, "utf-8")
    notes = tmp_path / "calls.jsonl"
    notes.touch()
    server = make_server(PYTHONPATH=str(tmp_path), WATCHED_CALLS=str(notes))
    try:
        server.start()
        yield server, notes
    finally:
        remove(server)


@pytest.mark.req("EV-07")
def test_the_server_reaches_this_machine_only(watched: tuple[Server, Path]) -> None:
    server, notes = watched
    backstage = server.backstage
    lane = backstage.lane()
    host = backstage.account(roles=["resident"], unit="外联楼 1")
    guest = backstage.guest(host=host["username"], name="雷鸣")
    with server.client(headers={"Authorization": f"Bearer {lane['key']}"}) as client:
        body = {
            "kind": "code",
            "text": backstage.code(booking=guest["booking"]),
            "nonce": "outside-1",
            "admit": True,
        }
        assert client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body).json()["admitted"]
    with server.client() as client:
        for route, *_ in PAGES:
            assert client.get(route, follow_redirects=True).is_success
    server.stop()
    calls = [json.loads(line) for line in notes.read_text("utf-8").splitlines()]
    assert calls, "nothing was noted: the watch does not work"
    outside = {(kind, where) for kind, where in calls if not _local(where)}
    assert not outside


def _local(where: str) -> bool:
    import socket

    if where in {"localhost", "None", "", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(where.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
