"""What is found in a picture is drawn where it is; a picture that hangs or shows nothing is never taken for live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk, person
from tests.hardware.mjpeg import MjpegServer
from tests.hardware.pictures import CODE, blank, jpeg, living, with_codes

pytestmark = pytest.mark.req("AD-01", "DU-06")


def sensor(picture: Any) -> Callable[[int], bytes]:
    pictures = [jpeg(living(picture, number)) for number in range(8)]
    return lambda number: pictures[number % len(pictures)]


@pytest.fixture
def camera() -> Iterator[MjpegServer]:
    server = MjpegServer()
    server.part = sensor(blank())
    yield server
    server.close()


def lane_of(page: Page, gate: Gate) -> Locator:
    """The card of the test's own lane."""
    return page.locator(".card", has=page.get_by_role("heading", name=gate.title))


@pytest.fixture
def console(gate: Gate, camera: MjpegServer) -> Page:
    """The console's page of devices, in which the camera was just entered for the lane."""
    manager = gate.server.backstage.account(roles=["manager"], name="管理员")
    page = person(gate.new_context, gate.server, manager["cookie"]).new_page()
    page.goto("/console/devices/")
    lane_of(page, gate).get_by_role("button", name="添加设备").click()
    form = page.get_by_role("dialog")
    form.get_by_label("设备类型").select_option("camera")
    form.get_by_label("设备名称").fill("门前摄像机")
    form.get_by_label("画面来源").fill(camera.url)
    expect(form.get_by_text("视频文件不查")).to_be_visible()
    form.get_by_label("画面不动多少秒算卡住").fill("2")
    form.get_by_role("button", name="保存").click()
    expect(form).to_be_hidden()
    return page


def box_on_screen(page: Page) -> tuple[float, ...]:
    """Where the mark is, in pixels of the page."""
    box = page.locator(".camera .mark.code").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def code_on_screen(page: Page) -> tuple[float, ...]:
    """Where the code is, in pixels of the page, found by its white quiet zone in a photograph without the mark."""
    page.add_style_tag(content=".camera .marks, .camera .tag { visibility: hidden }")
    camera = page.locator(".camera").bounding_box()
    assert camera is not None
    shot = cv2.imdecode(np.frombuffer(page.locator(".camera").screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shot is not None
    white = (shot > 225).astype(np.uint8)
    _, _, blobs, _ = cv2.connectedComponentsWithStats(white)
    # The largest after the background is the quiet zone: in the rounded corners the page is white, too.
    x, y, width, height, _ = max(blobs[1:], key=lambda blob: blob[4])
    left, top = camera["x"] + x, camera["y"] + y
    return left, top, left + width, top + height


@pytest.mark.parametrize(
    "shape", ["", "aspect-ratio: 21 / 9", "aspect-ratio: 3 / 4"], ids=["own", "wide", "tall"]
)
def test_a_code_is_framed_where_it_is_whatever_the_shape_of_the_frame(
    gate: Gate, camera: MjpegServer, console: Page, shape: str
) -> None:
    picture = np.roll(with_codes(CODE), 180, axis=1)
    camera.part = sensor(picture)
    desk = Desk.open(gate.desk())
    if shape:
        desk.page.add_style_tag(content=f".camera {{ {shape} !important }}")
    mark = desk.page.locator(".camera .mark.code")
    expect(mark).to_be_visible()
    expect(mark).to_have_text("二维码")
    expect(desk.page.locator(".camera .marks")).to_have_attribute("aria-hidden", "true")
    assert CODE not in desk.page.content()
    desk.page.wait_for_timeout(300)  # until the frame has moved to its place
    framed, code = box_on_screen(desk.page), code_on_screen(desk.page)
    # The white around a code is four modules of forty-one on each side.
    quiet = 4 / 41 * (code[2] - code[0])
    inner = (code[0] + quiet, code[1] + quiet, code[2] - quiet, code[3] - quiet)
    assert framed == pytest.approx(inner, abs=12)
    camera.part = sensor(blank())
    expect(mark).to_have_count(0)


def test_a_picture_that_hangs_is_said_over_it_and_at_the_lamp(
    gate: Gate, camera: MjpegServer, console: Page
) -> None:
    desk = Desk.open(gate.desk())
    live, lamp = desk.page.locator(".camera"), desk.lamp("门前摄像机")
    expect(live).to_have_attribute("data-state", "live")
    expect(lamp).to_have_class("lamp ok")
    camera.part = jpeg(with_codes(CODE))
    expect(live).to_have_attribute("data-state", "trouble")
    expect(live.get_by_role("status")).to_have_text("画面一直不动，请重启摄像机")
    expect(live.locator(".mark")).to_have_count(0)
    expect(lamp).to_have_class("lamp wait")
    expect(lamp).to_contain_text("画面卡住")
    camera.part = sensor(blank() * 0 + 90)
    expect(live.get_by_role("status")).to_have_text("画面只有一种颜色，镜头可能被遮住或太暗")
    expect(lamp).to_contain_text("看不到画面")
    camera.part = sensor(blank())
    expect(live).to_have_attribute("data-state", "live")
    expect(live.get_by_role("status")).to_have_text("")
    expect(lamp).to_have_class("lamp ok")


def test_the_console_counts_what_a_camera_sent(gate: Gate, camera: MjpegServer, console: Page) -> None:
    row = lane_of(console, gate).get_by_role("row", name="门前摄像机")
    expect(row).to_contain_text("正常")
    row.get_by_role("button", name="画面").click()
    dialog = console.get_by_role("dialog", name="门前摄像机")
    expect(dialog.locator(".camera")).to_have_attribute("data-state", "live")
    expect(dialog).to_contain_text("640 × 480")

    def value(term: str) -> int:
        return int(dialog.locator("dt", has_text=term).locator("+ dd").inner_text().replace(",", ""))

    first = value("已收帧数")
    camera.part = sensor(with_codes(CODE))
    # The open dialog brings its figures up to date by itself.
    expect(dialog.locator("dt", has_text="读到的二维码").locator("+ dd")).to_have_text("1", timeout=20_000)
    assert value("已收帧数") > first
    assert value("断开后重新接通次数") == 0
    assert value("正在观看") == 1
