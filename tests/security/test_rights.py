"""Every door there is, tried by everyone who may not pass it (SI-04).

The doors are taken from Reflex's registry and from the routes, never from a list of ours: one that somebody adds
without a right fails the first test, and is refused by the guard in the meantime.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_type_hints

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from app.core.actor import Actor
from app.core.permissions import RIGHTS, SCOPES, Right, Role, right_of
from tests.e2e.server import Server
from tests.security.raw_socket import RawSocket

NOBODY = {Role.LANE_AGENT, Role.LANE_COMPUTER, Role.VISITOR, Role.INTEGRATION}
PEOPLE = [role for role in Role if role not in NOBODY]
MACHINES = {Right.LANE_PRESENT, Right.AGENT_REPORT, *SCOPES}
T = TypeVar("T")
FOREIGN = "https://evil.example"


def handlers() -> dict[str, Right | None]:
    """Every event handler of the app but Reflex's own, with its right."""
    from reflex_base.registry import RegistrationContext

    import app.app  # noqa: F401 - registers all states
    from state import guard

    names = RegistrationContext.get().event_handlers
    return {name: guard.declared_right(name) for name in sorted(names) if not guard.is_framework(name)}


def routes() -> list[APIRoute]:
    """Every route of ours."""
    return _all_of(APIRoute)


def sockets() -> list[APIWebSocketRoute]:
    """Every socket of ours."""
    return _all_of(APIWebSocketRoute)


def _all_of(kind: type[T]) -> list[T]:
    from app.api import main

    found: list[T] = []

    def collect(items: list[Any]) -> None:
        for item in items:
            if isinstance(item, kind):
                found.append(item)
            else:
                collect(list(getattr(getattr(item, "original_router", item), "routes", None) or []))

    collect(list(main.create().routes))
    return found


def arguments(name: str) -> dict[str, Any]:
    """Arguments of the declared types, so that it is not the form of a call that refuses it."""
    from reflex_base.registry import RegistrationContext

    function = RegistrationContext.get().event_handlers[name].handler.fn
    hints = get_type_hints(getattr(function, "__wrapped__", function))
    values: dict[Any, Any] = {str: "x", bool: True, int: 1, float: 1.0}
    return {
        key: values.get(hint, {} if getattr(hint, "__origin__", hint) is dict else [])
        for key, hint in hints.items()
        if key != "return"
    }


@pytest.fixture(scope="session")
def cookies(server: Server) -> dict[str, str]:
    """One signed-in person for each role, and a stranger."""
    unit = "安全楼 101"
    made = {role.value: server.backstage.account(roles=[role.value], unit=unit)["cookie"] for role in PEOPLE}
    return {**made, "anonymous": ""}


def refusals(server: Server) -> int:
    """How many events the guard has refused, as it logged."""
    return server.log_text().count("Refused event")


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait for what the server does on its own."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.req("SI-04")
def test_every_handler_and_every_route_declares_its_right() -> None:
    unmarked = [name for name, right in handlers().items() if right is None and not name.endswith(".setvar")]
    assert not unmarked
    found = routes()
    assert len(found) > 10
    assert not [route.path for route in found if right_of(route.endpoint) is None]
    assert len(sockets()) >= 1
    assert not [socket.path for socket in sockets() if right_of(socket.endpoint) is None]


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", [*[role.value for role in PEOPLE], "anonymous"])
def test_sockets_of_machines_open_to_nobody_signed_in(
    server: Server, cookies: dict[str, str], role: str
) -> None:
    for socket in sockets():
        address = server.url.replace("http", "ws", 1) + socket.path
        headers = {"Cookie": f"gatehouse={cookies[role]}", "Origin": server.url}
        for extra in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Bearer gha_nobody"}):
            with (
                pytest.raises(InvalidStatus) as caught,
                connect(address, additional_headers={**headers, **extra}, proxy=None),
            ):
                pass
            assert caught.value.response.status_code == 403


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", [*[role.value for role in PEOPLE], "anonymous"])
def test_handlers_refuse_every_role_without_the_right_and_change_nothing(
    server: Server, cookies: dict[str, str], role: str
) -> None:
    actor = Actor() if role == "anonymous" else Actor(session_id="x", roles=frozenset({Role(role)}))
    forbidden = [name for name, right in handlers().items() if right is None or not actor.has(right)]
    assert len(forbidden) > 15
    before, refused = server.backstage.contents(), refusals(server)
    with RawSocket(server, cookies[role]) as tab:
        for name in forbidden:
            tab.send(name, arguments(name))
        assert until(lambda: refusals(server) == refused + len(forbidden)), (
            f"{refusals(server) - refused} of {len(forbidden)} were refused"
        )
    assert server.backstage.contents() == before


@pytest.mark.req("SI-04")
def test_no_variable_is_set_from_outside_even_by_the_administrator(
    server: Server, cookies: dict[str, str]
) -> None:
    names = [name for name in handlers() if name.endswith(".setvar")]
    assert len(names) > 8
    refused = refusals(server)
    with RawSocket(server, cookies["admin"]) as tab:
        for name in names:
            tab.send(name, {"var_name": "rights", "value": ["desk.use"]})
        assert until(lambda: refusals(server) == refused + len(names))


def named(ending: str) -> str:
    """A handler by the end of its name."""
    return next(name for name in handlers() if name.endswith(ending))


@pytest.mark.req("SI-04")
def test_the_token_of_another_tab_gives_no_right(server: Server, cookies: dict[str, str]) -> None:
    enter, press = named("desk_state.enter"), named("desk_state.choose_lane")
    lane = server.backstage.lane()["lane"]
    with RawSocket(server, cookies["guard"]) as tab:
        assert "lanes" in str(tab.call(enter))
        before, refused = server.backstage.contents(), refusals(server)
        for cookie in ("", cookies["resident"]):
            with RawSocket(server, cookie, token=tab.token) as thief:
                thief.send(press, {"lane_id": lane})
                refused += 1
                assert until(lambda: refusals(server) == refused)  # noqa: B023
        assert server.backstage.contents() == before


@pytest.mark.req("SI-04")
def test_signing_out_in_one_tab_ends_the_rights_of_the_other(server: Server) -> None:
    account = server.backstage.account(roles=["guard"])
    lane = server.backstage.lane()["lane"]
    with RawSocket(server, account["cookie"]) as tab:
        assert "lanes" in str(tab.call(named("desk_state.enter")))
        with server.client(account["cookie"]) as other:
            answer = other.post("/api/session/end", follow_redirects=False)
            assert answer.status_code == 303
            assert "gatehouse=" in answer.headers["set-cookie"]
            assert answer.headers["clear-site-data"] == '"storage"'
        before, refused = server.backstage.contents(), refusals(server)
        tab.send(named("desk_state.choose_lane"), {"lane_id": lane})
        assert until(lambda: refusals(server) == refused + 1)
        assert server.backstage.contents() == before


WRONG = [
    ("desk_state.press", {"name": {"a": 1}}),
    ("desk_state.press", {"name": 7}),
    ("desk_state.choose_lane", {"lane_id": ["x"]}),
    ("desk_state.scan", {"text": None}),
    ("desk_state.scan", {}),
    ("desk_state.open_dialog", {"name": True}),
    ("desk_tasks_state.register", {"form": "name=x"}),
    ("desk_tasks_state.find", {"form": []}),
    ("desk_tasks_state.pick", {"kind": "visit"}),
]


@pytest.mark.req("SI-04")
@pytest.mark.parametrize(("handler", "payload"), WRONG)
def test_arguments_of_a_wrong_type_are_refused(
    server: Server, cookies: dict[str, str], handler: str, payload: dict[str, Any]
) -> None:
    with RawSocket(server, cookies["guard"]) as tab:
        tab.call(named("desk_state.enter"))
        before = server.backstage.contents()
        log = server.log_text()
        told = str(tab.call(named(handler), payload))
        assert re.search("input_wrong|提交的内容不完整|notices|incomplete", told), told
        assert server.backstage.contents() == before
        assert "Traceback" not in server.log_text()[len(log) :]


def calls() -> Iterator[tuple[APIRoute, str, str]]:
    """Every route with each of its methods and an address."""
    for route in routes():
        path = re.sub(r"\{[^}]+\}", "0123456789abcdef0123456789abcdef", route.path)
        for method in sorted(route.methods or ()):
            yield route, method, path


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", [*[role.value for role in PEOPLE], "anonymous"])
def test_routes_refuse_every_role_without_the_right(
    server: Server, cookies: dict[str, str], role: str
) -> None:
    actor = Actor() if role == "anonymous" else Actor(session_id="x", roles=frozenset({Role(role)}))
    before, tried = server.backstage.contents(), 0
    with server.client(cookies[role]) as client:
        for route, method, path in calls():
            right = right_of(route.endpoint)
            assert right is not None
            if actor.has(right):
                continue
            tried += 1
            answer = client.request(method, path, json={}, follow_redirects=False)
            # The pass of a visitor hangs on a cookie of its own: to all others the asker is a stranger there.
            wanted = {401} if role == "anonymous" or right is Right.PASS_OWN else {403}
            if right in MACHINES:
                wanted = {401, 403}
            assert answer.status_code in wanted, f"{method} {path} as {role}: {answer.status_code}"
            assert answer.json()["error"]
    assert tried >= 3
    assert server.backstage.contents() == before


@pytest.mark.req("SI-04")
def test_a_changing_request_from_another_site_is_refused(server: Server, cookies: dict[str, str]) -> None:
    tried = 0
    for route, method, path in calls():
        right = right_of(route.endpoint)
        if method == "GET" or right in {Right.PUBLIC, Right.PASS_OWN, *MACHINES}:
            continue
        role = "guard" if right is Right.SIGNED_IN else next(r.value for r in PEOPLE if right in RIGHTS[r])
        for headers in ({"Origin": FOREIGN}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            with httpx.Client(
                base_url=server.url, cookies={"gatehouse": cookies[role]}, trust_env=False
            ) as client:
                answer = client.request(method, path, headers=headers, follow_redirects=False)
                assert answer.status_code == 403, f"{method} {path} {headers}"
                assert answer.json()["error"] == "foreign_origin"
        tried += 1
    assert tried


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1"])
def test_a_socket_from_another_site_is_refused(server: Server, cookies: dict[str, str], origin: str) -> None:
    with pytest.raises((InvalidHandshake, TimeoutError, OSError)):
        RawSocket(server, cookies["guard"], origin=origin)


@pytest.mark.req("SI-04")
def test_reading_another_sites_page_does_not_get_our_answers(server: Server, cookies: dict[str, str]) -> None:
    with httpx.Client(
        base_url=server.url, cookies={"gatehouse": cookies["guard"]}, trust_env=False
    ) as client:
        for path in ("/healthz", "/api/visitor/pass", "/login/", "/_event/?EIO=4&transport=polling"):
            answer = client.get(path, headers={"Origin": FOREIGN})
            allowed = answer.headers.get("access-control-allow-origin", "")
            assert allowed not in {"*", FOREIGN}, f"{path}: {allowed}"


@pytest.mark.req("SI-04")
def test_framework_doors_that_we_do_not_use_are_shut(server: Server) -> None:
    with server.client() as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/_upload", "/auth-codespace"):
            answer = client.get(path)
            assert answer.status_code in {404, 405, 307, 308} or "openapi" not in answer.text.lower()
        assert client.post("/_upload", content=b"x").status_code in {404, 405}
