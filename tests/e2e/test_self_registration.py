"""A visitor registers by the own phone: scanned from the lane's screen, taken up by the guard, answered by the host (AD-06)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk, overflow, read_code
from tests.e2e.test_accessibility import faults

PHONE = (360, 780)
SOON = 15_000


def scanned(gate: Gate) -> str:
    """What a phone reads from the lane's screen."""
    screen = gate.desk(viewport=(1024, 768)).new_page()
    screen.goto("/lane-code")
    expect(screen.get_by_role("heading", name="扫码登记")).to_be_visible()
    picture = screen.get_by_alt_text("本车道的登记码")
    expect(picture).to_be_visible()
    screen.wait_for_function("() => document.getElementById('code').naturalWidth > 0")
    found = read_code(picture.screenshot())
    screen.close()
    return found


def visitor(gate: Gate, address: str) -> Page:
    """A stranger's phone that has followed the code."""
    page = gate.new_context(base_url=gate.server.url, viewport=PHONE).new_page()
    page.goto(address)
    expect(page.get_by_label("姓名")).to_be_visible(timeout=SOON)
    return page


def fill(page: Page, gate: Gate, name: str, *, agree: bool = True) -> None:
    """Fill the form in and send it."""
    page.get_by_label("姓名").fill(name)
    page.get_by_label("手机号").fill("13922224444")
    page.get_by_label("去哪一户或哪家公司").fill(gate.unit)
    page.get_by_role("radio", name="维修", exact=True).check()
    page.get_by_label("一共几位").fill("2")
    if agree:
        page.get_by_label("我已阅读上面的说明").check()
    page.get_by_role("button", name="提交登记").click()


@pytest.mark.req("AD-06", "AD-08")
def test_scan_fill_in_be_called_and_let_in(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    phone = visitor(gate, scanned(gate))
    assert faults(phone) == []
    assert overflow(phone) == []
    expect(phone.get_by_label("我已阅读上面的说明")).not_to_be_checked()
    fill(phone, gate, "罗小曼", agree=False)
    expect(phone.get_by_text("请先阅读说明并勾选同意").first).to_be_visible()
    expect(phone.get_by_label("姓名")).to_have_value("罗小曼")
    phone.get_by_label("我已阅读上面的说明").check()
    phone.get_by_label("记在这部手机上").check()
    phone.get_by_role("button", name="提交登记").click()
    expect(phone.get_by_text("已提交，请等候叫号")).to_be_visible(timeout=SOON)
    number = phone.locator("#number").inner_text()
    assert faults(phone) == []

    waiting = desk.page.locator("#registered")
    expect(waiting).to_contain_text("罗**", timeout=SOON)
    expect(waiting).to_contain_text(number)
    assert "罗小曼" not in desk.page.content()
    desk.page.keyboard.press("Shift+F3")
    form = desk.dialog("登记新访客")
    expect(form).to_contain_text(f"{number} 号访客自己填写的")
    expect(form.get_by_label("姓名")).to_have_value("罗小曼")
    expect(form.get_by_label("去哪一户")).to_have_value(gate.unit)
    expect(form.get_by_label("人数")).to_have_value("2")
    expect(form.get_by_role("radio", name="维修")).to_be_checked()
    form.get_by_role("button", name="登记并通知住户").click()
    expect(form).to_be_hidden()
    desk.expect_verdict("还差一步", "正在等住户答复")
    expect(waiting).to_have_count(0)
    expect(phone.get_by_text("保安已受理，正在征询住户")).to_be_visible(timeout=SOON)

    home = gate.home().new_page()
    home.goto("/home/")
    home.locator(".waiting-card").get_by_role("button", name="同意", exact=True).click()
    expect(phone.get_by_text("住户已同意")).to_be_visible(timeout=SOON)
    desk.page.keyboard.press("F2")
    expect(desk.page.locator(".evidence")).to_contain_text("证件")
    desk.admit.click()
    desk.expect_verdict("已放行：罗小曼")
    expect(phone.get_by_text("欢迎进入")).to_be_visible(timeout=SOON)
    phone.get_by_role("link", name="打开离场通行码").click()
    phone.get_by_label("手机号后四位").fill("4444")
    phone.get_by_role("button", name="打开通行证").click()
    expect(phone.get_by_text("罗小曼，您好")).to_be_visible(timeout=SOON)

    # Next time the phone has it by heart, and only the phone: a new code, the same person.
    phone.goto(scanned(gate))
    expect(phone.get_by_label("姓名")).to_have_value("罗小曼", timeout=SOON)
    expect(phone.get_by_label("手机号")).to_have_value("13922224444")
    expect(phone.get_by_label("记在这部手机上")).to_be_checked()


@pytest.mark.req("AD-06")
def test_taken_back_turned_away_and_a_reload_keeps_the_place(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    first = visitor(gate, scanned(gate))
    fill(first, gate, "邓先行")
    expect(first.get_by_text("已提交，请等候叫号")).to_be_visible(timeout=SOON)
    first.reload()
    expect(first.get_by_text("已提交，请等候叫号")).to_be_visible(timeout=SOON)
    first.get_by_role("button", name="撤回登记").click()
    expect(first.get_by_text("您已撤回登记")).to_be_visible(timeout=SOON)
    waiting = desk.page.locator("#registered")
    expect(waiting).to_have_count(0)

    second = visitor(gate, scanned(gate))
    fill(second, gate, "<b>邹 & 子</b>")
    expect(second.get_by_text("已提交，请等候叫号")).to_be_visible(timeout=SOON)
    waiting.locator("button.pick").first.click()
    form = desk.dialog("登记新访客")
    expect(form.get_by_label("姓名")).to_have_value("<b>邹 & 子</b>")
    form.get_by_role("button", name="无此人，退回").click()
    expect(second.get_by_text("登记没有受理")).to_be_visible(timeout=SOON)
    expect(waiting).to_have_count(0)
    assert gate.server.backstage.attempts_of(lane=gate.lane) == []
    desk.page.keyboard.press("Shift+F3")
    expect(desk.notice.filter(has_text="没有人在等扫码登记")).to_be_visible()


@pytest.mark.req("AD-06")
def test_the_screen_is_the_guards_and_a_made_up_code_opens_no_form(gate: Gate) -> None:
    with gate.server.client() as stranger:
        assert stranger.get("/lane-code").status_code == 401
        assert stranger.get("/api/lane-code.svg").status_code == 401
    page = gate.new_context(base_url=gate.server.url, viewport=PHONE).new_page()
    for code in ("A" * 43, "x", "%3Cscript%3E"):
        page.goto(f"/r/{code}")
        expect(page.get_by_text("这不是本门岗的登记码")).to_be_visible(timeout=SOON)
        expect(page.get_by_label("姓名")).to_have_count(0)
    expect(page).to_have_url(re.compile("/register"))
