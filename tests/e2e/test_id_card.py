"""ID cards on the emulated reader: read through a serial port, judged, and shown at the desk."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.pages import Demo, Desk
from tests.e2e.server import Server
from tests.e2e.test_main_job import east

__all__ = ["east"]


def chips(desk: Desk) -> Locator:
    """What was presented in the arrival."""
    return desk.page.locator(".evidence")


def test_a_guest_comes_by_id_card_and_a_strangers_card_fills_in_the_form(
    server: Server, east: tuple[Desk, Demo]
) -> None:
    desk, panel = east
    expect(desk.lamp("身份证阅读器")).to_have_class("lamp ok")
    server.backstage.guest(host="resident", name="阿丽娅·买买提")

    # The guest's card alone finds the booking.
    panel.press("刷新名单")
    expect(panel.page.locator("#guest option", has_text="阿丽娅·买买提")).to_be_attached()
    panel.choose_guest("阿丽娅·买买提")
    panel.press("放上所选访客的身份证")
    desk.expect_verdict("可以放行")
    desk.expect_name("阿丽娅·买买提")
    expect(chips(desk)).to_contain_text("身份证 ✓")
    desk.admit.click()
    desk.expect_verdict("已放行：阿丽娅·买买提")

    # A stranger's card is at the desk, but the name only when the guard asks for the form.
    panel.press("放上别人的身份证（样证）")
    desk.expect_verdict("还差一步")
    expect(desk.page.locator("body")).not_to_contain_text("张三")
    desk.page.keyboard.press("F3")
    form = desk.dialog("登记新访客")
    expect(form.get_by_label("姓名")).to_have_value("张三")
    expect(form.get_by_label("证件后四位")).to_have_value("002X")
    form.get_by_label("去哪一户").fill("8 栋 1203")
    form.get_by_label("手机号").fill("13922223333")
    form.get_by_role("button", name="登记并通知住户").click()
    expect(form).to_be_hidden()
    desk.expect_verdict("还差一步", "正在等住户答复")
    desk.expect_name("张三")
    expect(chips(desk)).to_contain_text("身份证 ✓")

    # It served once.
    desk.page.keyboard.press("F3")
    expect(form.get_by_label("姓名")).to_have_value("")
    desk.page.keyboard.press("Escape")
    expect(form).to_be_hidden()

    # A card pulled away says so; somebody else's is a case for the supervisor, whatever the guard presses.
    panel.press("身份证没读完就拿走")
    expect(chips(desk)).to_contain_text("身份证读取失败")
    panel.press("放上所选访客的身份证")
    desk.expect_verdict("需要复核", "证件上的姓名与登记不符")
    expect(chips(desk)).to_contain_text("身份证姓名不符")
    desk.page.keyboard.press("F2")
    expect(desk.notice.filter(has_text="阅读器读到的证件有问题")).to_be_visible()
    expect(desk.verdict).to_have_text("需要复核")
    for secret in ("11010519491231002X", "11000019870412002X"):
        assert secret not in server.log_text()
