"""One pass with the keyboard: ID card, one key, badge (AD-04); and a card that does not fit, from the desk to its end (AD-18)."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import Demo, Desk, NewContext, overflow, person
from tests.e2e.server import Server
from tests.e2e.test_main_job import east

__all__ = ["east"]


def after(desk: Desk) -> Locator:
    """What stands under the name of somebody who was let in."""
    return desk.page.locator(".arrival-acts")


def press_until(desk: Desk, words: str) -> None:
    """Press F8 until it is a new press, not the one before, and the desk says so."""
    for _ in range(10):
        desk.page.keyboard.press("F8")
        with suppress(AssertionError):
            expect(after(desk)).to_contain_text(words, timeout=2_000)
            return
    expect(after(desk)).to_contain_text(words)


def expect_guest(server: Server, panel: Demo, name: str) -> None:
    """A guest of the demonstration's first household, chosen in the panel."""
    server.backstage.guest(host="resident", name=name)
    panel.press("刷新名单")
    expect(panel.page.locator("#guest option", has_text=name)).to_be_attached()
    panel.choose_guest(name)


def test_card_key_badge_without_the_mouse(server: Server, east: tuple[Desk, Demo]) -> None:
    desk, panel = east
    expect(desk.lamp("打印机")).to_have_class("lamp ok")
    expect_guest(server, panel, "古丽娜尔")
    panel.press("放上所选访客的身份证")
    desk.expect_verdict("可以放行")
    desk.expect_name("古丽娜尔")
    desk.page.keyboard.press("Enter")
    desk.expect_verdict("已放行：古丽娜尔")
    desk.page.keyboard.press("F8")
    desk.page.keyboard.press("F8")
    expect(after(desk)).to_contain_text("访客证已打印")
    panel.press("看打印出的访客证")
    badge = panel.page.get_by_alt_text("最近打印的访客证")
    expect(badge).to_be_visible()

    # Without paper it says so, and the browser is one key away.
    panel.press("取出打印纸")
    expect(desk.lamp("打印机")).to_have_class("lamp wait")
    press_until(desk, "打印机缺纸，请用浏览器打印。")
    with desk.page.expect_popup() as popup:
        desk.page.get_by_role("button", name="浏览器打印").click()
    expect(popup.value.locator("h1")).to_have_text("古**")
    expect(popup.value.locator(".demo")).to_have_text("演示 · 无效")
    panel.press("装上打印纸")
    expect(desk.lamp("打印机")).to_have_class("lamp ok")
    press_until(desk, "访客证已打印")


def test_a_card_that_does_not_fit_becomes_a_case_that_a_supervisor_closes(
    server: Server, east: tuple[Desk, Demo], new_context: NewContext
) -> None:
    desk, panel = east
    lead = person(new_context, server, server.cookie("supervisor"))
    console = lead.new_page()
    console.goto("/console/cases/")
    expect(console.get_by_role("heading", name="案卷", level=1)).to_be_visible()

    expect(desk.lamp("摄像机")).to_have_class("lamp ok")
    expect_guest(server, panel, "热依木")
    panel.press("放上所选访客的身份证")
    desk.expect_verdict("可以放行")
    panel.press("放上别人的身份证（样证）")
    desk.expect_verdict("需要复核", "证件上的姓名与登记不符")
    evidence = desk.page.locator(".evidence")
    expect(evidence).to_contain_text("已立案")
    number = evidence.get_by_text("已立案").inner_text().split()[-1]

    # The list of the supervisor fills by itself; a guard has no way in.
    row = console.get_by_role("row", name=number)
    expect(row).to_contain_text("证件姓名与登记不符")
    expect(row).to_contain_text("待处理")
    refused = person(new_context, server, server.cookie("guard2")).new_page()
    refused.goto("/console/cases/")
    expect(refused.get_by_text("您的角色看不到这一页")).to_be_visible()

    row.get_by_role("button", name="打开案卷").click()
    dialog = console.get_by_role("dialog", name=f"案卷 {number}")
    expect(dialog.get_by_text("热**")).to_be_visible()
    picture = dialog.get_by_alt_text("立案时的现场画面")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") > 0
    expect(dialog).to_contain_text("已立案并通知主管")
    assert not overflow(console)
    dialog.get_by_label("处理结果").select_option(label="核实后放行")
    dialog.get_by_label("处理说明").fill("与本人核对过户口本")
    dialog.get_by_role("button", name="结案").click()
    expect(dialog.get_by_text("与本人核对过户口本")).to_be_visible()
    expect(dialog.get_by_role("button", name="结案")).to_have_count(0)
    close(console)
    expect(row).to_contain_text("核实后放行")
    expect(evidence).not_to_contain_text("已立案")
    assert "户口本" not in server.log_text()


def close(page: Page) -> None:
    """Esc closes the dialog."""
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_supervisor_at_the_desk_is_told_of_a_new_case(
    server: Server, east: tuple[Desk, Demo], new_context: NewContext
) -> None:
    desk, panel = east
    other = server.backstage.lane()
    server.backstage.on_duty(username="supervisor", lane=other["lane"])
    lead = Desk.open(person(new_context, server, server.cookie("supervisor")))
    expect_guest(server, panel, "艾孜买提")
    panel.press("放上所选访客的身份证")
    desk.expect_verdict("可以放行")
    panel.press("放上别人的身份证（样证）")
    expect(lead.notice.filter(has_text="新案卷").last).to_be_visible()
