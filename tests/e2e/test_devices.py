"""Devices that go and come back, and the live picture."""

from __future__ import annotations

import re
import socket
import time

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Demo, Desk, NewContext, person
from tests.e2e.server import Server
from tests.e2e.test_main_job import east, east_lane

__all__ = ["east"]


@pytest.mark.req("DU-06")
def test_an_unplugged_reader_is_on_the_desk_within_three_seconds(east: tuple[Desk, Demo]) -> None:
    desk, panel = east
    lamp = desk.lamp("IC 读卡器")
    expect(lamp).to_have_class("lamp ok")
    panel.press("拔掉读卡器")
    try:
        expect(lamp).to_have_class("lamp no", timeout=3_000)
        expect(lamp).to_contain_text("离线")
    finally:
        panel.press("插回读卡器")
    expect(lamp).to_have_class("lamp ok")
    panel.press("刷没登记的卡")
    desk.expect_verdict("不能放行", "没有登记过的卡")


@pytest.mark.req("DU-06")
def test_a_fault_is_a_ticket_that_somebody_takes_and_its_end_is_noted(
    east: tuple[Desk, Demo], server: Server, new_context: NewContext
) -> None:
    desk, panel = east
    console = person(new_context, server, server.cookie("manager")).new_page()
    console.goto("/console/devices/")
    tickets = console.locator(".card", has=console.get_by_role("heading", name="故障记录"))
    panel.press("拔掉读卡器")
    try:
        row = (
            tickets.locator("tbody tr", has_text="东门")
            .filter(has_text="未恢复")
            .filter(has_text="IC 读卡器")
        )
        expect(row).to_have_count(1)
        row.get_by_role("button", name="我来处理").click()
        expect(row).to_contain_text("manager")
    finally:
        panel.press("插回读卡器")
    expect(desk.lamp("IC 读卡器")).to_have_class("lamp ok")
    expect(row).to_have_count(0)
    expect(tickets.locator("tbody tr", has_text="已恢复").filter(has_text="manager")).not_to_have_count(0)


@pytest.mark.req("DU-06", "AD-01")
def test_a_lost_camera_is_told_and_its_picture_comes_back(east: tuple[Desk, Demo]) -> None:
    desk, panel = east
    desk.page.bring_to_front()
    picture, lamp = desk.page.locator(".camera"), desk.lamp("摄像机")
    expect(picture).to_have_attribute("data-state", "live")
    image = picture.get_by_role("img", name="车道实时画面")
    expect(image).to_be_visible()
    first = image.get_attribute("src")
    expect(image).not_to_have_attribute("src", first or "")
    desk.page.wait_for_function("() => document.querySelector('.camera img').naturalWidth >= 640")
    panel.press("拔掉摄像机")
    try:
        expect(lamp).to_have_class("lamp no", timeout=10_000)
        expect(picture).to_have_attribute("data-state", re.compile("lost|connecting"), timeout=10_000)
    finally:
        panel.press("插回摄像机")
    expect(lamp).to_have_class("lamp ok", timeout=15_000)
    expect(picture).to_have_attribute("data-state", "live", timeout=20_000)


def camera_of(server: Server) -> str:
    found = server.backstage.devices(lane=east_lane(server))
    return next(str(device["id"]) for device in found if device["driver"] == "camera")


def frames(answer: httpx.Response, wanted: int) -> list[bytes]:
    """Whole pictures out of a running stream."""
    buffer, found = b"", []
    for piece in answer.iter_raw():
        buffer += piece
        while match := re.search(
            rb"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: (\d+)\r\n\r\n", buffer
        ):
            end = match.end() + int(match[1])
            if len(buffer) < end:
                break
            found.append(buffer[match.end() : end])
            buffer = buffer[end:]
        if len(found) >= wanted:
            return found
    return found


@pytest.mark.req("AD-01")
def test_the_live_picture_is_for_who_may_see_it_and_is_never_stored(server: Server, gate: Gate) -> None:
    address = f"/api/cameras/{camera_of(server)}/stream"
    with server.client() as stranger:
        assert stranger.get(address).status_code == 401
    with server.client(gate.host["cookie"]) as resident:
        assert resident.get(address).status_code == 403
    with server.client(gate.guard["cookie"]) as guard, guard.stream("GET", address) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        assert "no-store" in answer.headers["cache-control"]
        pictures = frames(answer, 3)
    assert all(picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9") for picture in pictures)


@pytest.mark.req("AD-01")
def test_viewers_that_go_away_leave_nothing_behind(server: Server, gate: Gate) -> None:
    address = f"/api/cameras/{camera_of(server)}/stream"
    before = connections(server)
    for _ in range(8):
        with server.client(gate.guard["cookie"]) as client, client.stream("GET", address) as answer:
            assert len(frames(answer, 1)) == 1
    # Some go without a word, in the middle of a picture.
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(
                f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Cookie: gatehouse={gate.guard['cookie']}\r\n\r\n".encode()
            )
            assert b"200 OK" in raw.recv(1000)
    with server.client(gate.guard["cookie"]) as client, client.stream("GET", address) as answer:
        assert len(frames(answer, 2)) == 2
    until = time.monotonic() + 10
    while connections(server) > before and time.monotonic() < until:
        time.sleep(0.1)
    assert connections(server) <= before


def connections(server: Server) -> int:
    """How many established connections the server's port has, as the kernel knows."""
    from pathlib import Path

    wanted = f":{server.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(1 for row in rows if row[1].endswith(wanted) and row[3] in {"01", "08"})
