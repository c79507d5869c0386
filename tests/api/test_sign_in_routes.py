"""Signing in and out, the visitor's link, and what every answer carries."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.server import Server

_numbers = count(1)


def sign_in(server: Server, username: str, password: str) -> httpx.Response:
    with server.client() as client:
        return client.post(
            "/api/session", data={"username": username, "password": password}, follow_redirects=False
        )


def error_of(answer: httpx.Response) -> str:
    return parse_qs(urlsplit(answer.headers["location"]).query).get("error", [""])[0]


def cookie_parts(answer: httpx.Response, name: str) -> list[str]:
    found = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{name}=")]
    assert len(found) == 1
    return [part.strip().lower() for part in found[0].split(";")]


@pytest.fixture
def account(server: Server) -> dict[str, str]:
    made: dict[str, str] = server.backstage.account(roles=["guard"])
    return made


@pytest.fixture
def guest(server: Server) -> dict[str, str]:
    host = server.backstage.account(roles=["resident"], unit=f"链接楼 {next(_numbers)}")
    made: dict[str, str] = server.backstage.guest(host=host["username"], name="雷鸣", phone="13911114321")
    return made


@pytest.mark.req("EV-05")
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    server: Server, account: dict[str, str]
) -> None:
    answer = sign_in(server, account["username"], account["password"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    parts = cookie_parts(answer, "gatehouse")
    assert {"httponly", "samesite=strict", "path=/"} <= set(parts)
    assert len(parts[0].partition("=")[2]) >= 40


@pytest.mark.req("EV-05")
def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(
    server: Server, account: dict[str, str]
) -> None:
    codes = [error_of(sign_in(server, account["username"], f"wrong-Wrong-{n}")) for n in range(5)]
    assert codes[:4] == ["sign_in_wrong"] * 4
    locked = sign_in(server, account["username"], account["password"])
    assert error_of(locked) == "sign_in_locked"
    assert "set-cookie" not in locked.headers
    # Who is signed in elsewhere is not thrown out by a stranger's guesses.
    with server.client(account["cookie"]) as client:
        assert client.get("/badge/unknown").status_code == 404
    other = server.backstage.account(roles=["guard"])
    assert sign_in(server, other["username"], other["password"]).headers["location"] == "/"


@pytest.mark.req("EV-05")
def test_an_unknown_name_and_a_wrong_password_look_alike(server: Server, account: dict[str, str]) -> None:
    wrong = sign_in(server, account["username"], "wrong-Wrong-9")
    unknown = sign_in(server, "nobody-of-that-name", "wrong-Wrong-9")
    assert wrong.headers["location"] == unknown.headers["location"]
    assert sign_in(server, account["username"], account["password"]).headers["location"] == "/"


@pytest.mark.parametrize("username", ["", "\x00", "x" * 10_000, "' OR 1=1 --", "𠮷" * 50])
def test_odd_user_names_are_wrong_and_no_error(server: Server, username: str) -> None:
    answer = sign_in(server, username, "y" * 10_000)
    assert answer.status_code == 303
    assert error_of(answer) == "sign_in_wrong"
    good = server.backstage.account(roles=["guard"])
    sign_in(server, good["username"], good["password"])


def open_link(server: Server, link: str, tail: str) -> httpx.Response:
    with server.client() as client:
        return client.post(
            "/api/visitor/open", data={"link": link, "phone_tail": tail}, follow_redirects=False
        )


@pytest.mark.req("BK-07")
def test_five_guesses_at_a_link_lock_it(server: Server, guest: dict[str, str]) -> None:
    codes = [error_of(open_link(server, guest["link"], f"000{n}")) for n in range(5)]
    assert codes == ["phone_tail_wrong"] * 5
    locked = open_link(server, guest["link"], "4321")
    assert error_of(locked) == "link_locked"
    assert "set-cookie" not in locked.headers
    good = server.backstage.account(roles=["guard"])
    sign_in(server, good["username"], good["password"])


@pytest.mark.req("BK-07")
def test_the_pass_is_for_its_visitor_and_is_never_stored(server: Server, guest: dict[str, str]) -> None:
    opened = open_link(server, guest["link"], "4321")
    assert opened.headers["location"] == "/pass"
    parts = cookie_parts(opened, "gatehouse_visit")
    assert {"httponly", "samesite=strict"} <= set(parts)
    secret = parts_value(opened)
    with server.client() as client:
        assert client.get("/api/visitor/pass").status_code == 401
        answer = client.get("/api/visitor/pass", headers={"Cookie": f"gatehouse_visit={secret}"})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    body: dict[str, Any] = answer.json()
    assert body["status"] == "active"
    assert body["short_code"] == guest["short_code"]
    assert not {"name", "phone", "unit", "booking"} & set(body)
    # The visitor's cookie is no session of the house.
    with server.client(secret) as client:
        assert client.get("/badge/unknown").status_code in {401, 403}


def parts_value(answer: httpx.Response) -> str:
    line = next(row for row in answer.headers.get_list("set-cookie") if row.startswith("gatehouse_visit="))
    return line.partition("=")[2].partition(";")[0]


def test_forgetting_the_visitor_ends_the_session(server: Server, guest: dict[str, str]) -> None:
    secret = parts_value(open_link(server, guest["link"], "4321"))
    cookie = {"Cookie": f"gatehouse_visit={secret}"}
    with server.client() as client:
        assert client.get("/api/visitor/pass", headers=cookie).status_code == 200
        assert client.post("/api/visitor/close", headers=cookie, follow_redirects=False).status_code == 303
        assert client.get("/api/visitor/pass", headers=cookie).status_code == 401


@pytest.mark.parametrize("link", ["", "x", "../" * 8, "A" * 24, "%00" * 8, "javascript:alert(1)//aaaaa"])
def test_unknown_links_lead_to_words(server: Server, link: str) -> None:
    answer = open_link(server, link, "1234")
    assert answer.status_code == 303
    assert urlsplit(answer.headers["location"]).path == "/pass"
    assert error_of(answer) == "link_unknown"
    assert "//" not in answer.headers["location"]
    good = server.backstage.account(roles=["guard"])
    sign_in(server, good["username"], good["password"])


def test_the_first_run_is_shut_once_somebody_can_sign_in(server: Server) -> None:
    with server.client() as client:
        answer = client.post("/api/setup", data={"token": "x", "site_name": "x"}, follow_redirects=False)
    assert error_of(answer) == "setup_done"


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    "path", ["/login/", "/desk/", "/healthz", "/api/visitor/pass", "/badge/x", "/gatehouse.css"]
)
def test_every_answer_carries_the_headers_that_keep_others_out(server: Server, path: str) -> None:
    with server.client() as client:
        headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}


@pytest.mark.req("BK-07")
def test_a_cancelled_visit_gives_no_session_no_code_and_no_name(
    server: Server, guest: dict[str, str]
) -> None:
    secret = parts_value(open_link(server, guest["link"], "4321"))
    server.backstage.cancel(booking=guest["booking"])
    again = open_link(server, guest["link"], "4321")
    assert error_of(again) == "link_over"
    assert "set-cookie" not in again.headers
    with server.client() as client:
        answer = client.get("/api/visitor/pass", headers={"Cookie": f"gatehouse_visit={secret}"})
    assert answer.json()["status"] != "active"
    assert not {"secret", "short_code", "code_id", "name"} & set(answer.json())
