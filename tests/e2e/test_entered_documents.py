"""Documents typed, pasted or scanned into the desk (ID-05)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.domain.test_typed_documents import PASSPORT, zone
from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk
from tests.e2e.test_typing_scanners import TYPE

pytestmark = pytest.mark.req("ID-05")

HAND = 60
TITLE = "录入证件"


def chips(desk: Desk) -> Locator:
    return desk.page.locator(".evidence")


def test_a_pasted_zone_is_held_against_the_arrival_and_a_stranger_is_sent_to_the_supervisor(
    gate: Gate,
) -> None:
    guest = gate.guest("Anna Maria Eriksson")
    desk = Desk.open(gate.desk())
    gate.show_phone(guest)
    desk.expect_name("Anna Maria Eriksson")
    desk.page.keyboard.press("Shift+F2")
    form = desk.dialog(TITLE)
    form.locator("#zone").fill(zone("LI", "NA"))
    expect(form.get_by_text("机读区各项校验无误")).to_be_visible()
    form.get_by_role("button", name="核对").click()
    expect(form).to_be_hidden()
    desk.expect_verdict("需要复核", "证件上的姓名与登记不符")
    expect(chips(desk)).to_contain_text("证件（机读区）姓名不符")
    # The guard's look does not undo it; the right document does.
    desk.page.keyboard.press("F2")
    expect(desk.verdict).to_have_text("需要复核")
    desk.page.keyboard.press("Shift+F2")
    form.locator("#zone").fill(zone("ERIKSSON", "ANNA<MARIA"))
    form.get_by_role("button", name="核对").click()
    desk.expect_verdict("可以放行")
    expect(chips(desk)).to_contain_text("证件（机读区）✓")
    assert "ERIKSSON" not in gate.server.log_text()


def test_hints_come_while_typing_and_odd_things_must_be_confirmed(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("Shift+F2")
    form = desk.dialog(TITLE)
    area = form.locator("#zone")
    area.fill(PASSPORT.replace("L898902C3", "L8989O2C3"))
    expect(form.get_by_text("第 2 行第 6 位：“O”已按“0”读取，请与证件核对")).to_be_visible()
    expect(form.get_by_text("证件已于 2012-04-15 到期")).to_be_visible()
    form.get_by_role("button", name="核对").click()
    expect(form.get_by_role("alert")).to_contain_text("请先与证件逐字核对")
    expect(area).to_have_value(PASSPORT.replace("L898902C3", "L8989O2C3"))
    area.fill(PASSPORT.replace("7408122", "7408123"))
    expect(form.get_by_text("出生日期有误")).to_be_visible()
    area.fill("P<UTO")
    expect(form.get_by_text("机读区应为两行或三行")).to_be_visible()

    form.locator(".seg-opt", has_text="按证件填写").click()
    form.get_by_label("证件种类").select_option("resident_id")
    form.get_by_label("证件号码").fill("110105194912310021")
    expect(form.get_by_text("号码校验不符，有一位看错或输错了")).to_be_visible()
    form.get_by_label("证件号码").fill("11010519491231002x")
    expect(form.get_by_text("号码无误")).to_be_visible()
    form.get_by_label("有效期至").fill("20010229")
    expect(form.get_by_text("有效期不是存在的日期")).to_be_visible()
    form.get_by_label("有效期至").fill("20200101")
    expect(form.get_by_text("证件已于 2020-01-01 到期")).to_be_visible()
    form.get_by_label("有效期至").fill("长期")
    expect(form.get_by_text("长期有效", exact=True)).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def test_a_strangers_document_opens_the_form_filled_in(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("Shift+F2")
    form = desk.dialog(TITLE)
    form.locator(".seg-opt", has_text="按证件填写").click()
    form.get_by_label("证件种类").select_option("resident_id")
    form.get_by_label("姓名").fill("𠮷野家")
    form.get_by_label("证件号码").fill("11010519491231002X")
    form.get_by_label("有效期至").fill("长期")
    form.get_by_role("button", name="核对").click()
    walk_in = desk.dialog("登记新访客")
    expect(walk_in.get_by_label("姓名")).to_have_value("𠮷野家")
    walk_in.get_by_label("去哪一户").fill(gate.unit)
    if walk_in.get_by_label("手机号").count():
        walk_in.get_by_label("手机号").fill("010-12345678")
    walk_in.get_by_role("button", name="登记并通知住户").click()
    desk.expect_verdict("还差一步", "正在等住户答复")
    expect(chips(desk)).to_contain_text("证件（录入）✓")
    assert "11010519491231002X" not in gate.server.log_text()


def test_the_form_of_a_new_visitor_is_filled_without_losing_what_was_typed(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("F3")
    walk_in = desk.dialog("登记新访客")
    walk_in.get_by_label("去哪一户").fill(gate.unit)
    walk_in.get_by_label("车牌").fill("HK AB1234")
    walk_in.get_by_label("车牌").blur()
    expect(walk_in.get_by_text("不像国内号牌")).to_be_visible()
    desk.page.keyboard.press("Shift+F2")
    form = desk.dialog(TITLE)
    expect(form).to_be_visible()
    form.locator("#zone").fill(zone("ERIKSSON", "ANNA<MARIA"))
    form.get_by_role("button", name="填入登记表").click()
    expect(form).to_be_hidden()
    expect(walk_in.get_by_label("姓名")).to_have_value("ERIKSSON ANNA MARIA")
    expect(walk_in.get_by_label("去哪一户")).to_have_value(gate.unit)
    if walk_in.get_by_label("手机号").count():
        walk_in.get_by_label("手机号").fill("13955556666")
    walk_in.get_by_role("button", name="登记并通知住户").click()
    desk.expect_verdict("还差一步", "正在等住户答复")
    expect(chips(desk)).to_contain_text("证件（机读区）✓")


@pytest.mark.parametrize(
    ("key", "name", "latin"),
    [("", "钟离昧", ("ZHONGLI", "MEI")), ("Process", "尉迟恭", ("YUCHI", "GONG"))],
    ids=["latin", "input-method"],
)
def test_a_typing_scanner_reads_a_zone_line_by_line(
    gate: Gate, key: str, name: str, latin: tuple[str, str]
) -> None:
    gate.guest(name)
    desk = Desk.open(gate.desk())
    lines = zone(*latin).splitlines()
    for line in lines:
        desk.page.evaluate(TYPE, [line, {"key": key}])
    desk.expect_name(name)
    expect(chips(desk)).to_contain_text("证件（机读区）✓")
    desk.page.evaluate(TYPE, [lines[0], {"key": key}])
    expect(chips(desk)).to_contain_text("证件机读区读取失败")
