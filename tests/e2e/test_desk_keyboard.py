"""The desk by keyboard alone (EV-02), and scanners that type."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk, tab_to

HAND = 60  # ms from key to key; faster is a scanner

# A scanner types faster than any hand; an input method turns each key into "Process" and keeps the code.
# A busy page may hold it up: ``stalls`` are milliseconds before the character of that number.
BURST = """([text, key, ends]) => {
  const press = (target, options) => {
    const event = new KeyboardEvent("keydown", {...options, bubbles: true, cancelable: true});
    Object.defineProperty(event, "timeStamp", {value: performance.now()});  // of the page's clock, which stands still here
    target.dispatchEvent(event);
  };
  const target = document.activeElement ?? document.body;
  for (const char of text) {
    const digit = /\\d/.test(char);
    press(target, {code: digit ? `Digit${char}` : `Key${char}`, key: key || char, shiftKey: !digit, isComposing: key === "Process"});
  }
  if (ends) press(document.activeElement, {code: "Enter", key: "Enter"});
}"""


def burst(page: Page, text: str, key: str, stalls: dict[int, int]) -> None:
    """A scanner types, held up for so many ms before some of its characters; by the page's clock, however slow the machine is."""
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    starts = [0, *sorted(stalls)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if start in stalls:
            page.clock.run_for(stalls[start])
        page.evaluate(BURST, [text[start:end], key, end == len(text)])
    page.clock.resume()


@pytest.mark.req("EV-02", "AD-01", "AD-08")
def test_register_approve_admit_and_leave_without_a_mouse(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    keys = desk.page.keyboard
    keys.press("F3")
    form = desk.dialog("登记新访客")
    tab_to(desk.page, form.get_by_label("姓名"), 2)
    keys.type("钟爱华", delay=HAND)
    keys.press("Tab")
    expect(form.get_by_label("去哪一户")).to_be_focused()
    keys.type(gate.unit, delay=HAND)
    keys.press("Tab")
    if form.get_by_label("手机号").count():
        expect(form.get_by_label("手机号")).to_be_focused()
        keys.type("13955556666", delay=HAND)
    keys.press("Enter")
    desk.expect_verdict("还差一步", "正在等住户答复")
    keys.press("F2")
    expect(desk.page.locator(".evidence")).to_contain_text("证件")
    keys.press("F10")
    call = desk.dialog("电话或对讲询问")
    tab_to(desk.page, call.get_by_role("radio", name="同意", exact=True))
    keys.press("Space")
    keys.press("Enter")
    desk.expect_verdict("可以放行", "住户已同意")
    keys.press("Enter")
    desk.expect_verdict("已放行：钟爱华")
    keys.press("F4")
    expect(desk.page.locator("#desk-search")).to_be_focused()
    keys.type("zah")
    keys.press("Enter")
    found = desk.dialog("查找结果")
    tab_to(desk.page, found.locator("li", has_text=gate.unit).get_by_role("button", name="离场", exact=True))
    keys.press("Enter")
    expect(desk.notice.filter(has_text="已登记离场，通行证已收回。")).to_be_visible()


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("where", "key", "stalls"),
    [
        ("nowhere", "", {}),
        ("nowhere", "Process", {}),
        ("in the search field", "", {}),
        ("in the search field", "Process", {}),
        ("nowhere", "", {2: 90, 20: 150}),
        ("in the search field", "Process", {1: 60, 3: 60, 30: 150}),
        ("in the search field", "Process", {30: 400}),
    ],
    ids=[
        "latin",
        "input-method",
        "latin-in-field",
        "input-method-in-field",
        "held-up",
        "held-up-in-field",
        "held-up-long",
    ],
)
def test_a_scanner_that_types_is_a_scanner(gate: Gate, where: str, key: str, stalls: dict[int, int]) -> None:
    guest = gate.guest("廖凡")
    context = gate.desk()
    context.clock.install()
    desk = Desk.open(context)
    field = desk.page.locator("#desk-search")
    if where != "nowhere":
        field.fill("刘")
    burst(desk.page, gate.server.backstage.code(booking=guest["booking"]), key, stalls)
    desk.expect_verdict("可以放行")
    desk.expect_name("廖凡")
    expect(field).to_have_value("" if where == "nowhere" else "刘")
    assert not gate.server.backstage.visits_of(booking=guest["booking"])


@pytest.mark.req("AD-01")
def test_every_key_is_listed_and_dialogs_give_the_focus_back(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("?")
    listed = desk.dialog("按键一览")
    for key in ("Enter", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10", "Esc", "?"):
        expect(listed.locator("kbd", has_text=key).first).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    desk.expect_verdict("请出示通行码或刷卡")


@pytest.mark.req("AD-01")
def test_the_six_digits_and_the_name_are_ways_in_as_well(gate: Gate) -> None:
    guest = gate.guest("卢思远")
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("F4")
    expect(desk.page.locator("#desk-search")).to_be_focused()
    desk.page.keyboard.type(guest["short_code"], delay=HAND)
    desk.page.keyboard.press("Enter")
    desk.expect_verdict("可以放行")
    desk.expect_name("卢思远")
    desk.page.locator("main").focus()
    desk.page.keyboard.press("F7")
    desk.dialog("不予进入").get_by_role("button", name="不予进入").click()
    desk.expect_verdict("请出示通行码或刷卡")
    desk.page.keyboard.press("F4")
    expect(desk.page.locator("#desk-search")).to_be_focused()
    desk.page.keyboard.type("lsy")
    desk.page.keyboard.press("Enter")
    desk.dialog("查找结果").locator("li", has_text=gate.unit).get_by_role("button", name="到达").click()
    desk.expect_verdict("还差一步", "请出示通行码，或由您核对证件")
    desk.page.keyboard.press("F2")
    desk.expect_verdict("可以放行")


@pytest.mark.req("EV-02")
def test_the_focus_is_always_to_be_seen(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    invisible = []
    seen = set()
    for _ in range(40):
        desk.page.keyboard.press("Tab")
        state = desk.page.evaluate(
            """() => { const el = document.activeElement; const css = getComputedStyle(el);
              const box = el.getBoundingClientRect();
              return {name: el.outerHTML.slice(0, 90), ring: css.outlineStyle !== "none" && parseFloat(css.outlineWidth) > 0 || css.boxShadow !== "none",
                body: el === document.body, size: box.width * box.height}; }"""
        )
        if state["body"] or state["name"] in seen:
            continue
        seen.add(state["name"])
        if not state["ring"] or not state["size"]:
            invisible.append(state["name"])
    assert not invisible
    assert len(seen) > 8
