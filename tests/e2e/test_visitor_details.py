"""A visitor completes the booking on the phone: details, a picture by separate consent, or none (BK-04, ID-06)."""

from __future__ import annotations

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Gate
from tests.e2e.pages import Desk, overflow, person

PHONE = (360, 780)
TAIL = "9001"


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((900, 1200), 60).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def opened(gate: Gate, name: str, **options: object) -> tuple[Page, dict[str, str]]:
    """The page of a guest who answered the link on the own phone."""
    guest = gate.guest(name, phone=f"1390013{TAIL}")
    page = person(gate.new_context, gate.server, "", viewport=PHONE, **options).new_page()
    page.goto(f"/v/{guest['link']}")
    page.locator("#phone_tail").fill(TAIL)
    page.locator("#phone_tail").press("Enter")
    expect(page.locator(".pass-code")).to_be_visible()
    page.locator("a[href='/pass/details'], a[href='/pass/details/']").click()
    expect(page.locator("#plate")).to_be_visible()
    return page, guest


def save(page: Page) -> None:
    page.get_by_role("button", name="保存").click()


def add_picture(page: Page, data: bytes | None = None) -> None:
    """Say yes to the picture, all that it needs."""
    page.get_by_role("button", name="加一张照片").click()
    page.get_by_label("已满 14 周岁").check()
    page.get_by_label("我已了解上述内容，自愿单独同意").check()
    file = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": data or picture()}
    page.get_by_label("您的照片").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="同意并添加").click()


def breaks(page: Page) -> list[str]:
    """What axe finds that is serious."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.req("BK-04", "ID-06")
def test_a_visitor_who_adds_no_picture_completes_the_booking_and_gets_in(gate: Gate) -> None:
    page, guest = opened(gate, "陈静")
    none, add = page.get_by_role("button", name="不加照片"), page.get_by_role("button", name="加一张照片")
    first, second = none.bounding_box(), add.bounding_box()
    assert first is not None
    assert second is not None
    # Two ways alike: of one size, side by side, in one look, and neither chosen beforehand.
    assert (first["width"], first["height"], first["y"]) == (second["width"], second["height"], second["y"])
    assert none.get_attribute("class") == add.get_attribute("class")
    assert [one.get_attribute("aria-pressed") for one in (none, add)] == ["false", "false"]
    none.click()
    expect(page.get_by_text("好的，不加照片")).to_be_visible()

    # What is wrong is told beside its field, and what was typed stays.
    page.get_by_label("一共几人").fill("2")
    page.get_by_label("车牌").fill("x!")
    save(page)
    expect(page.locator("#plate-error")).to_contain_text("车牌号不对")
    expect(page.get_by_label("一共几人")).to_have_value("2")
    page.get_by_label("车牌").fill("京A12345")
    save(page)
    expect(page.get_by_text("已保存，邀请人和门岗能看到")).to_be_visible()
    assert breaks(page) == []
    assert overflow(page) == []

    # The host and the gate see what was completed, and of a picture nobody is told that there is none.
    home = gate.home().new_page()
    home.goto("/home/")
    expect(home.get_by_text("客人已补充：人数、车牌")).to_be_visible()
    desk = Desk.open(gate.desk())
    gate.show_phone(guest)
    desk.expect_name("陈静")
    expect(desk.page.locator(".arrival")).to_contain_text(re.compile("访客补充.*人数、车牌"))
    expect(desk.page.locator(".arrival")).to_contain_text("京A·12345")
    expect(desk.page.locator(".face-panel")).to_have_count(0)
    desk.expect_verdict("可以放行")
    desk.admit.click()
    desk.expect_verdict("已放行：陈静")
    page.reload()
    expect(page.get_by_text("您已到访或来访已结束")).to_be_visible()


@pytest.mark.req("BK-04", "ID-02", "ID-06")
def test_a_picture_goes_to_the_guard_and_with_one_tap_it_is_gone(gate: Gate) -> None:
    page, guest = opened(gate, "陆远")
    page.get_by_role("button", name="加一张照片").click()
    agree = page.get_by_label("我已了解上述内容，自愿单独同意")
    expect(agree).not_to_be_checked()
    notice = page.get_by_role("region", name="告知书")
    for words in ("用来做什么", "保存多久", "可以不同意", "可以随时撤回"):
        expect(notice).to_contain_text(words)
    camera = page.get_by_label("您的照片")
    assert (camera.get_attribute("accept"), camera.get_attribute("capture")) == ("image/*", "user")
    send = page.get_by_role("button", name="同意并添加")
    send.click()
    expect(page.get_by_role("alert").filter(has_text="请先勾选同意")).to_be_visible()
    expect(agree).to_be_focused()
    agree.check()
    page.get_by_label("未满 14 周岁").check()
    page.get_by_label("监护人姓名").fill("周建国")
    file = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"}
    camera.set_input_files(file)  # type: ignore[arg-type]
    page.get_by_label("监护人已了解上述内容").check()
    send.click()
    expect(page.get_by_role("alert").filter(has_text="不是 JPEG、PNG 或 WebP 照片")).to_be_visible()
    expect(page.get_by_label("监护人姓名")).to_have_value("周建国")
    assert breaks(page) == []
    page.reload()
    add_picture(page)
    expect(page.get_by_text("已添加。门岗现在没有可用的人脸模型")).to_be_visible()
    page.wait_for_function("(document.querySelector('.visit-photo img') ?? {}).naturalWidth > 0")
    assert breaks(page) == []
    assert overflow(page) == []

    desk = Desk.open(gate.desk())
    gate.show_phone(guest)
    desk.expect_verdict("可以放行")
    panel = desk.page.locator(".face-panel")
    expect(panel).to_contain_text("本道没有摄像机画面，请您当面对照")
    expect(panel.get_by_text("预约照片")).to_be_visible()
    desk.page.wait_for_function(
        "[...document.querySelectorAll('.face-panel .face-pair img')].some((i) => i.complete && i.naturalWidth > 0)"
    )
    address = str(panel.locator("img").first.get_attribute("src"))
    page.get_by_role("button", name="撤回同意并删除").click()
    expect(page.get_by_text("已撤回，照片已删除")).to_be_visible()
    expect(page.get_by_role("button", name="不加照片")).to_be_visible()
    expect(panel).to_have_count(0)
    assert desk.page.request.get(address).status == 404
    desk.expect_verdict("可以放行")


@pytest.mark.req("EV-01", "EV-02")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_serves_in_english_and_in_both_lights(gate: Gate, scheme: str) -> None:
    page, _ = opened(gate, "林秋月", locale="en", color_scheme=scheme)
    page.get_by_role("button", name="Add a picture").click()
    expect(page.get_by_role("region", name="Notice", exact=True)).to_contain_text("You may say no")
    page.get_by_label("Under 14").check()
    expect(page.get_by_label("Name of the guardian")).to_be_visible()
    assert breaks(page) == []
    assert overflow(page) == []
    # Another language shows another notice, and the consent is to the one that is shown.
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("region", name="告知书")).to_contain_text("可以不同意")
    expect(page.locator("input[name=locale]")).to_have_value("zh-CN")


@pytest.mark.req("BK-04")
def test_whoever_did_not_open_the_pass_sees_nothing(gate: Gate) -> None:
    page = person(gate.new_context, gate.server, "", viewport=PHONE).new_page()
    page.goto("/pass/details/")
    expect(page.get_by_text("请先从邀请链接打开通行证")).to_be_visible()
    expect(page.locator("form")).to_have_count(0)
