"""Cards from the console to the gate: issued by hand or by a reader that types, blocked, and refused at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import person


@pytest.fixture
def office(gate: Gate) -> Page:
    """The manager at the page of permits."""
    page = person(gate.new_context, gate.server, gate.server.cookie("manager")).new_page()
    page.goto("/console/permits/")
    expect(page.get_by_role("heading", name="长期通行与卡片", level=1)).to_be_visible()
    return page


def file_partner(page: Page, gate: Gate, name: str) -> Locator:
    """Enter a partner of the household; the dialog that follows issues the cards."""
    page.get_by_role("button", name="登记合作人员").click()
    form = page.get_by_role("dialog", name="登记合作人员")
    form.get_by_label("姓名").fill(name)
    phone = form.get_by_label("手机")
    if phone.count():
        phone.fill("13755550123")
    form.get_by_label("前往").fill(gate.unit)
    form.get_by_role("button", name="保存并发卡").click()
    permit = page.locator("dialog[open]", has=page.locator("#card-uid"))
    expect(permit).to_be_visible()
    return permit


@pytest.mark.req("AD-02", "SI-06")
def test_a_card_issued_in_the_office_opens_the_gate_until_it_is_blocked(office: Page, gate: Gate) -> None:
    permit = file_partner(office, gate, "孙巧云")
    number = permit.locator("#card-uid")
    # A reader that types gives the number and Enter.
    number.press_sequentially("04:7a:3b:19")
    number.press("Enter")
    expect(permit.get_by_role("cell", name="使用中")).to_be_visible()
    assert gate.present("047A3B19", "card")["outcome"] == "admit"
    permit.get_by_role("button", name="停用").click()
    expect(permit.get_by_role("cell", name="已停用")).to_be_visible()
    answer = gate.present("047A3B19", "card")
    assert (answer["outcome"], answer["reasons"]) == ("refuse", ["card_blocked"])


@pytest.mark.req("AD-02", "SI-06")
def test_half_a_number_and_a_card_of_somebody_else_are_refused_with_words(office: Page, gate: Gate) -> None:
    permit = file_partner(office, gate, "梁志远")
    number = permit.locator("#card-uid")
    for typed, words in (("123", "卡号"), ("08a1b2c3", "卡")):
        number.fill(typed)
        number.press("Enter")
        expect(permit.get_by_role("alert")).to_contain_text(words)
    number.fill("04 99 88 77")
    number.press("Enter")
    expect(permit.get_by_role("cell", name="使用中")).to_be_visible()
    office.reload()
    other = file_partner(office, gate, "罗小梅")
    other.locator("#card-uid").fill("0499 8877")
    other.locator("#card-uid").press("Enter")
    expect(other.get_by_role("alert")).to_be_visible()
    assert gate.present("04998877", "card")["outcome"] == "admit"


@pytest.mark.req("RE-05")
def test_whom_one_searches_for_stays_out_of_the_address_and_its_history(office: Page, gate: Gate) -> None:
    permit = file_partner(office, gate, "单雄飞")
    permit.get_by_role("button", name="关闭").first.click()
    search = office.locator("#permit-search")
    rows = office.locator("table tbody tr")
    for wanted in ("单雄飞", "shanxiongfei", "13755550123"):
        search.fill(wanted)
        search.press("Enter")
        expect(rows.filter(has_text="单**")).to_have_count(1)
        assert office.url.rstrip("/").endswith("/console/permits")
    search.fill("查无此人")
    search.press("Enter")
    office.get_by_role("button", name="显示全部").click()
    expect(rows.filter(has_text="单**")).to_have_count(1)
    expect(search).to_have_value("")
