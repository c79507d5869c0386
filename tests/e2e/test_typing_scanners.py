"""Scanners that type, with a Chinese input method on, beside people who type (A-3)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk

pytestmark = pytest.mark.req("AD-02")

# Key events as a scanner gives them to a page. An input method swallows the character: key is "Process", keyCode 229,
# the event belongs to a composition, and only ``code`` says which key it was. ``caps``: Caps Lock is on. ``stalls``: so
# many milliseconds before the character of that number. ``real``: what no input method takes is also put into the field.
TYPE = """([text, {key, caps, stalls, enter = true}]) => {
  const SHIFTED = "!@#$%^&*()", PAIRS = {"-_": "Minus", "=+": "Equal", ",<": "Comma", ".>": "Period", "/?": "Slash", ";:": "Semicolon", "  ": "Space"};
  const stroke = (char) => {
    if (/[0-9]/.test(char)) return ["Digit" + char, false];
    if (SHIFTED.includes(char)) return ["Digit" + ((SHIFTED.indexOf(char) + 1) % 10), true];
    if (/[a-z]/i.test(char)) return ["Key" + char.toUpperCase(), char !== char.toLowerCase()];
    const pair = Object.keys(PAIRS).find((both) => both.includes(char));
    return [PAIRS[pair], pair[1] === char && char !== " "];
  };
  const composing = key === "Process";
  for (const [number, char] of [...text].entries()) {
    for (const until = performance.now() + (stalls?.[number] ?? 0); performance.now() < until;);
    const [code, shiftKey] = stroke(char);
    const target = document.activeElement ?? document.body;
    const shown = caps && /[a-z]/i.test(char) ? (shiftKey ? char.toLowerCase() : char.toUpperCase()) : char;
    if (shiftKey) target.dispatchEvent(new KeyboardEvent("keydown", {code: "ShiftLeft", key: "Shift", shiftKey: true, bubbles: true, cancelable: true}));
    const event = new KeyboardEvent("keydown", {code, key: key || shown, keyCode: composing ? 229 : 0, shiftKey, modifierCapsLock: !!caps,
      isComposing: composing, bubbles: true, cancelable: true});
    const goesOn = target.dispatchEvent(event);
    // A key that nobody stopped reaches the field, as its character or as the beginning of a composition.
    if (goesOn && "value" in target && target.selectionStart !== undefined) {
      const put = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(target), "value").set;
      put.call(target, target.value + (composing ? char.toLowerCase() : shown));
      target.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: composing}));
    }
  }
  if (enter) (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent("keydown", {code: "Enter", key: key || "Enter", keyCode: composing ? 229 : 13, bubbles: true, cancelable: true}));
}"""


def scan(desk: Desk, text: str, **how: Any) -> None:
    """Hold something before the typing scanner."""
    desk.page.evaluate(TYPE, [text, {"key": "", **how}])


@pytest.mark.parametrize("caps", [False, True], ids=["caps-off", "caps-on"])
@pytest.mark.parametrize("key", ["", "Process", "Unidentified"])
@pytest.mark.parametrize("field", [False, True], ids=["nowhere", "in-field"])
def test_a_pass_is_read_whatever_the_keyboard_is_set_to(
    gate: Gate, key: str, caps: bool, field: bool
) -> None:
    guest = gate.guest("廖凡")
    desk = Desk.open(gate.desk())
    search = desk.page.locator("#desk-search")
    if field:
        search.fill("刘")
        search.focus()
    scan(desk, gate.server.backstage.code(booking=guest["booking"]), key=key, caps=caps)
    desk.expect_verdict("可以放行")
    desk.expect_name("廖凡")
    expect(search).to_have_value("刘" if field else "")


def test_signs_above_the_digits_and_beside_the_letters_arrive_as_printed(gate: Gate) -> None:
    desk = Desk(gate.desk().new_page())
    sent: list[str] = []
    # The verdict is the same for all foreign codes: what the page hands to the server is seen where it leaves.
    desk.page.on("websocket", lambda line: line.on("framesent", lambda data: sent.append(str(data))))
    desk.page.goto("/desk/")
    expect(desk.verdict).to_be_visible()
    text = "HTTPS://A-B.C/?x=1_2&y=(3)*4"
    scan(desk, text, key="Process")
    desk.expect_verdict("不能放行")
    assert [data for data in sent if text in data], [data[:300] for data in sent[-3:]]


def test_a_burst_that_is_held_up_in_the_middle_is_one_code(gate: Gate) -> None:
    guest = gate.guest("廖凡")
    desk = Desk.open(gate.desk())
    code = gate.server.backstage.code(booking=guest["booking"])
    scan(desk, code, key="Process", stalls={"2": 90, "9": 150, "30": 150, "49": 150})
    desk.expect_name("廖凡")


def test_what_a_person_is_typing_stays_when_a_scanner_breaks_in(gate: Gate) -> None:
    guest = gate.guest("廖凡")
    desk = Desk.open(gate.desk())
    desk.page.keyboard.press("F3")
    form = desk.dialog("登记新访客")
    name = form.get_by_label("姓名")
    expect(name).to_be_focused()
    desk.page.keyboard.type("Anna Eriks", delay=80)
    scan(desk, gate.server.backstage.code(booking=guest["booking"]))
    expect(name).to_have_value("Anna Eriks")
    expect(name).to_be_focused()
    desk.page.keyboard.type("son", delay=80)
    expect(name).to_have_value("Anna Eriksson")
    # The code was taken meanwhile: the arrival waits behind the form.
    desk.page.keyboard.press("Escape")
    desk.expect_name("廖凡")


def test_a_fast_typist_and_a_short_burst_are_no_scanner(gate: Gate) -> None:
    desk = Desk.open(gate.desk())
    search = desk.page.locator("#desk-search")
    search.focus()
    desk.page.keyboard.type("zhangwei", delay=45)
    expect(search).to_have_value("zhangwei")
    search.fill("")
    scan(desk, "abcde", enter=False)
    expect(search).to_have_value("abcde")
    desk.expect_verdict("请出示通行码或刷卡")
