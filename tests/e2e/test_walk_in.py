"""Somebody without a booking: the host is asked, and nothing opens without the answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk


def register(desk: Desk, gate: Gate, name: str) -> None:
    """Register a walk-in by F3."""
    desk.page.keyboard.press("F3")
    form = desk.dialog("登记新访客")
    form.get_by_label("姓名").fill(name)
    form.get_by_label("去哪一户").fill(gate.unit)
    phone = form.get_by_label("手机号")
    if phone.count():
        phone.fill("13922223333")
    form.get_by_role("button", name="登记并通知住户").click()
    expect(form).to_be_hidden()
    desk.expect_verdict("还差一步", "正在等住户答复")
    desk.expect_name(name)


def home(gate: Gate) -> Page:
    """The resident's phone, on its first page."""
    page = gate.home().new_page()
    page.goto("/home/")
    expect(page.get_by_role("heading", name=gate.unit)).to_be_visible()
    return page


@pytest.mark.req("AD-08")
def test_no_consent_no_entry_and_the_answer_is_on_the_desk_at_once(gate: Gate) -> None:
    desk, phone = Desk.open(gate.desk()), home(gate)
    register(desk, gate, "孔令辉")
    expect(desk.admit).to_have_count(0)
    desk.page.keyboard.press("F2")
    expect(desk.page.locator(".evidence")).to_contain_text("证件")
    desk.page.keyboard.press("Enter")
    expect(desk.notice.filter(has_text="还不能放行：正在等住户答复")).to_be_visible()
    assert all(row["status"] == "open" for row in gate.server.backstage.attempts_of(lane=gate.lane))

    question = phone.locator(".waiting-card")
    expect(question).to_contain_text("孔令辉")
    question.get_by_role("button", name="同意", exact=True).click()
    expect(desk.verdict).to_have_text("可以放行", timeout=1_000)
    expect(desk.why).to_contain_text("住户已同意")
    expect(question).to_have_count(0)
    desk.admit.click()
    desk.expect_verdict("已放行：孔令辉")


@pytest.mark.req("AD-08")
@pytest.mark.parametrize("button", ["不同意", "我不认识这个人"])
def test_a_declined_visitor_is_refused(gate: Gate, button: str) -> None:
    desk, phone = Desk.open(gate.desk()), home(gate)
    register(desk, gate, "潘大伟")
    phone.locator(".waiting-card").get_by_role("button", name=button, exact=True).click()
    desk.expect_verdict("不能放行", "住户不同意")
    expect(desk.admit).to_have_count(0)
    desk.page.keyboard.press("Enter")
    expect(desk.notice.filter(has_text="还不能放行")).to_be_visible()
    assert gate.server.backstage.attempts_of(lane=gate.lane)[-1]["status"] == "open"


@pytest.mark.req("AD-08")
def test_an_answer_by_telephone_is_recorded_with_who_and_how(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    register(desk, gate, "施雨晴")
    desk.page.keyboard.press("F2")
    expect(desk.page.locator(".evidence")).to_contain_text("证件")
    desk.page.keyboard.press("F10")
    call = desk.dialog("电话或对讲询问")
    call.get_by_role("radio", name="对讲", exact=True).check()
    call.get_by_role("radio", name="同意", exact=True).check()
    call.get_by_role("button", name="记录答复").click()
    desk.expect_verdict("可以放行", "住户已同意")
    expect(desk.page.locator(".evidence")).to_contain_text("对讲")
    expect(desk.page.locator(".evidence")).to_contain_text("王*")


@pytest.mark.req("AD-22")
def test_a_double_press_admits_once(gate: Gate) -> None:
    guest = gate.guest("邓小佳")
    desk = Desk.open(gate.desk())
    gate.show_phone(guest)
    desk.expect_verdict("可以放行")
    # Faster than any round trip, by key and by mouse: both reach the server.
    desk.page.evaluate(
        """() => {
          const key = () => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", code: "Enter", bubbles: true, cancelable: true}));
          key(); document.querySelector(".btn.admit").click(); document.querySelector(".btn.admit").click(); key();
        }"""
    )
    desk.expect_verdict("已放行：邓小佳")
    assert len(gate.server.backstage.visits_of(booking=guest["booking"])) == 1


@pytest.mark.req("AD-22")
def test_of_two_guards_on_one_visitor_one_wins_and_the_other_reads_why(gate: Gate) -> None:
    guest = gate.guest("曾国强")
    first, second = Desk.open(gate.desk()), Desk.open(gate.second_guard())
    gate.show_phone(guest)
    first.expect_verdict("可以放行")
    second.expect_verdict("可以放行")
    # Both press at the same moment.
    handler = "() => document.querySelector('.btn.admit')?.click()"
    second.page.evaluate(f"() => setTimeout({handler}, 0)")
    first.page.evaluate(handler)
    winners = []
    for desk in (first, second):
        expect(desk.verdict).not_to_have_text("可以放行")
        winners.append((desk.verdict.text_content() or "").startswith("已放行"))
    assert sorted(winners) == [False, True]
    loser = first if winners[1] else second
    loser.expect_verdict("请出示通行码或刷卡")
    assert len(gate.server.backstage.visits_of(booking=guest["booking"])) == 1


@pytest.mark.req("AD-03")
def test_a_booking_cancelled_while_the_visitor_stands_there_flips_the_verdict(gate: Gate) -> None:
    guest = gate.guest("石磊")
    desk, phone = Desk.open(gate.desk()), home(gate)
    gate.show_phone(guest)
    desk.expect_verdict("可以放行")
    row = phone.locator("li", has_text="石磊")
    row.get_by_text("重发或取消").click()
    row.get_by_role("button", name="取消邀请").click()
    expect(phone.get_by_text("已取消，对方的通行证已失效。")).to_be_visible()
    expect(desk.verdict).to_have_text("不能放行")
    expect(desk.why).to_contain_text("预约已被取消")
    expect(desk.admit).to_have_count(0)


@pytest.mark.req("AD-08")
def test_a_double_click_registers_one_visitor_and_asks_once(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("F3")
    form = desk.dialog("登记新访客")
    form.get_by_label("姓名").fill("双击者")
    form.get_by_label("去哪一户").fill(gate.unit)
    form.get_by_label("手机号").fill("13922223333")
    form.get_by_role("button", name="登记并通知住户").dblclick()
    expect(form).to_be_hidden()
    desk.expect_name("双击者")
    desk.page.keyboard.press("F2")  # handled after both clicks
    expect(desk.page.locator(".evidence")).to_contain_text("证件")
    assert len(gate.server.backstage.attempts_of(lane=gate.lane)) == 1
