"""Faces as people meet them: at the desk, at the console and on the own phone, with tiny real models (ID-02, ID-06)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import EAST, Demo, Desk, NewContext, person
from tests.e2e.server import Server, make_server, remove
from tests.hardware.face_pack import insightface_source, install
from tests.hardware.face_pictures import Person, png, scene

HOLDER, ANOTHER = Person(3, size=300), Person(4, size=300)
PHONE = (360, 780)


def film(path: Path, *people: Person) -> str:
    """A looping film of these people."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, (1280, 720))
    for _ in range(45):
        writer.write(scene(*people, width=1280, height=720))
    writer.release()
    return str(path)


class Gate:
    """A server whose east camera sees the holder, and whose decoder says what a test puts down."""

    def __init__(self, server: Server, lane: str, photo: Path) -> None:
        self.server, self.lane, self._photo = server, lane, photo

    def photo(self, *people: Person) -> None:
        """What is on the next card that is read."""
        self._photo.write_bytes(png(scene(*people)))

    def arrive(self, panel: Demo, name: str) -> None:
        """A guest lays the own card on the reader."""
        self.server.backstage.guest(host="resident", name=name)
        panel.press("刷新名单")
        expect(panel.page.locator("#guest option", has_text=name)).to_be_attached()
        panel.choose_guest(name)
        panel.press("放上所选访客的身份证")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The gate of this file."""
    folder = tmp_path_factory.mktemp("faces")
    photo, program = folder / "photo.png", folder / "decode"
    program.write_text(f"#!/bin/sh\ncat >/dev/null; cat '{photo}'\n")
    program.chmod(0o755)
    server = make_server(GATEHOUSE_ID_PHOTO_DECODER=str(program), GATEHOUSE_FACE_PACK="insight")
    try:
        install(server.data / "models", "insight", insightface_source(folder / "source"))
        lane = next(str(row["lane"]) for row in server.backstage.lanes() if row["title"] == EAST)
        server.backstage.film(lane=lane, source=film(folder / "film.avi", HOLDER))
        server.start()
        yield Gate(server, lane, photo)
    finally:
        remove(server)


@pytest.fixture
def desk(gate: Gate, new_context: NewContext) -> tuple[Desk, Demo]:
    """The desk of that lane, and the panel that plays its devices."""
    gate.server.backstage.clear_lane(lane=gate.lane)
    guard = gate.server.backstage.account(roles=["guard"], name="李建国")
    gate.server.backstage.on_duty(username=guard["username"], lane=gate.lane)
    context = person(new_context, gate.server, guard["cookie"])
    made = Desk.open(context)
    expect(made.lamp("摄像机")).to_have_class("lamp ok")
    return made, Demo.open(context)


def shown(page: Page, scope: str) -> list[bool]:
    """Whether each picture there has arrived."""
    loaded: list[bool] = page.evaluate(
        "(scope) => [...document.querySelectorAll(scope + ' .face-pair img')].map((i) => i.complete && i.naturalWidth > 0)",
        scope,
    )
    return loaded


@pytest.mark.req("ID-02", "AD-18")
def test_the_desk_compares_by_itself_and_a_person_does_where_it_cannot(
    gate: Gate, desk: tuple[Desk, Demo]
) -> None:
    guard, panel = desk
    page, evidence = guard.page, guard.page.locator(".evidence")

    # The holder of the card stands there: a line and a chip, no pictures.
    gate.photo(HOLDER)
    gate.arrive(panel, "陈静")
    guard.expect_name("陈静")
    expect(evidence).to_contain_text("面部与证件一致 ✓")
    guard.expect_verdict("可以放行")
    expect(page.locator(".arrival .face-pair")).to_have_count(0)
    guard.admit.click()
    guard.expect_verdict("已放行：陈静")
    expect(page.locator(".face-panel")).to_have_count(0)

    # Somebody else's card: the supervisor's case, and the guard's look does not undo it.
    gate.photo(ANOTHER)
    gate.arrive(panel, "陆远")
    guard.expect_verdict("需要复核", "面部与证件或预约照片不是同一人")
    expect(page.locator(".face-line")).to_have_text("面部与证件不是同一人，请主管处理。")
    page.locator(".face-panel").get_by_role("button", name="一致", exact=True).click()
    expect(guard.notice.filter(has_text="比对发现不是同一人")).to_be_visible()
    expect(guard.verdict).to_have_text("需要复核")
    page.keyboard.press("Escape")
    guard.expect_verdict("请出示通行码或刷卡")

    # A photo without a face: said plainly, both pictures beside each other, the answer with one key and one press.
    gate.photo()
    gate.arrive(panel, "宋佳")
    expect(page.locator(".face-line")).to_contain_text("证件照片看不清脸")
    expect(page.locator(".face-panel .face-pair img")).to_have_count(2)
    page.keyboard.press("F11")
    dialog = guard.dialog("对照面部")
    expect(dialog).to_be_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('dialog[open] .face-pair img')].filter((i) => i.complete && i.naturalWidth).length === 2"
    )
    assert shown(page, "dialog[open]") == [True, True]
    dialog.get_by_role("button", name="一致", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(evidence).to_contain_text("人工比对面部：一致")
    guard.expect_verdict("可以放行")


@pytest.mark.req("ID-02")
def test_the_pictures_are_for_the_guard_of_the_lane_alone(
    gate: Gate, desk: tuple[Desk, Demo], new_context: NewContext
) -> None:
    guard, panel = desk
    gate.photo(ANOTHER)
    gate.arrive(panel, "何琳")
    guard.expect_verdict("需要复核")
    expect(guard.page.locator(".face-panel .face-pair img")).to_have_count(2)
    address = guard.page.locator(".face-panel .face-pair img").first.get_attribute("src")
    assert address is not None
    answers: dict[str, Any] = {}
    backstage = gate.server.backstage
    elsewhere = backstage.account(roles=["guard"], name="周海")
    backstage.on_duty(username=elsewhere["username"], lane=backstage.lane()["lane"])
    for name, cookie in {
        "own": guard.page.context.cookies()[0]["value"],
        "elsewhere": elsewhere["cookie"],
        "manager": backstage.account(roles=["manager"])["cookie"],
        "resident": backstage.account(roles=["resident"], unit="1 栋 201")["cookie"],
        "nobody": "",
    }.items():
        with gate.server.client(cookie) as client:
            answer = client.get(address)
            answers[name] = answer.status_code
            if name == "own":
                assert "no-store" in answer.headers["cache-control"]
                assert answer.content == png(scene(ANOTHER))
    assert answers == {"own": 200, "elsewhere": 403, "manager": 403, "resident": 403, "nobody": 401}


@pytest.mark.req("ID-02", "ID-06", "AD-02")
def test_a_resident_agrees_is_recognised_and_withdraws_with_one_tap(
    gate: Gate, desk: tuple[Desk, Demo], new_context: NewContext
) -> None:
    guard, _ = desk
    gate.server.backstage.permit(username="resident")
    console = person(new_context, gate.server, gate.server.cookie("manager")).new_page()
    console.goto("/console/faces/")
    expect(console.get_by_text("已就绪")).to_be_visible()
    expect(console.get_by_text("人脸识别没有开启")).to_be_visible()
    expect(console.get_by_role("button", name="录入")).to_have_count(0)

    # What a change does stands there before it is made; recognising needs the assessment.
    console.get_by_label("认出同意过的常来人员（1:N）").check()
    console.get_by_role("button", name="看看会改变什么").click()
    expect(console.get_by_text("可以录入同意过的人")).to_be_visible()
    console.get_by_label("评估名称").fill("人脸识别影响评估")
    console.get_by_label("评估日期").fill("2026-01-15")
    console.get_by_label("评估人").fill("钱伟")
    console.get_by_label("文件编号或存放处").fill("PIA-2026-03")
    console.get_by_role("button", name="确认生效").click()
    expect(console.get_by_text("影响评估 2026-01-15，PIA-2026-03")).to_be_visible()

    # Whom, the notice, the consent: unticked, the age said, and nothing without either.
    console.get_by_role("button", name="录入").click()
    dialog = console.get_by_role("dialog")
    dialog.locator("#holder").fill("8 栋 1203")
    dialog.locator("#holder").press("Enter")
    dialog.locator("li", has_text="王**").get_by_role("button", name="选择").click()
    expect(dialog.locator("#faces-notice")).to_contain_text("可以不同意")
    tick = dialog.get_by_role("checkbox")
    expect(tick).not_to_be_checked()
    dialog.get_by_label("已满 14 周岁").check()
    dialog.get_by_role("button", name="记录同意，去拍照").click()
    expect(dialog.get_by_text("不同意就关闭窗口")).to_be_visible()
    tick.check()
    dialog.get_by_role("button", name="记录同意，去拍照").click()
    camera = dialog.get_by_label("摄像机")
    camera.select_option(label=f"{EAST} · 摄像机")
    dialog.get_by_role("button", name="拍摄").click()
    expect(dialog).to_be_hidden()
    row = console.locator("tbody tr", has_text="王**")
    expect(row).to_contain_text("有效至")

    # The camera knows the person now.
    guard.expect_verdict("可以放行", "长期通行")
    expect(guard.page.locator(".evidence")).to_contain_text("人脸 · 有效")

    # One tap on the own phone; whoever has an account finds the same beside the password.
    own = person(new_context, gate.server, gate.server.cookie("resident")).new_page()
    own.goto("/account/")
    expect(own.get_by_role("heading", name="我的人脸")).to_be_visible()
    phone = person(new_context, gate.server, gate.server.cookie("resident"), viewport=PHONE).new_page()
    phone.goto("/home/")
    expect(phone.get_by_role("heading", name="我的人脸")).to_be_visible()
    phone.get_by_role("button", name="撤回同意并删除").click()
    expect(phone.get_by_role("heading", name="我的人脸")).to_have_count(0)
    expect(console.get_by_text("还没有人同意")).to_be_visible()
    own.get_by_role("button", name="撤回同意并删除").click()  # a second tap is no error
    expect(own.get_by_role("heading", name="我的人脸")).to_have_count(0)
    log = gate.server.log_text()
    assert "Traceback" not in log
    assert not [name for name in ("陈静", "陆远", "宋佳", "何琳", "PIA-2026-03") if name in log]
