"""Every page for everybody: axe finds nothing serious, nothing sticks out, and English is English (EV-01, EV-02)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.core import i18n
from app.pages.registry import PAGES
from tests.e2e.conftest import Gate
from tests.e2e.pages import NewContext, overflow, person
from tests.e2e.server import Server
from tests.screenshots import who_sees

ROUTES = [route for route, *_ in PAGES if route != "/"]
CJK = re.compile(r"[\u4e00-\u9fff]")
SIZES = ((360, 780), (1024, 768), (1440, 900))
DATA = {"IC 读卡器", "读卡器", "摄像机", "身份证阅读器"}  # names that the demonstration gave its devices
GRAVE = {"serious", "critical"}
Opened = Callable[..., Page]


@pytest.fixture
def opened(server: Server, new_context: NewContext) -> Opened:
    """A page as the person it is for sees it, loaded to the end."""

    def load(route: str, *, cookie: str = "", **options: object) -> Page:
        username = who_sees(route)
        context = person(
            new_context, server, cookie or (server.cookie(username) if username else ""), **options
        )
        locale = str(options.get("locale", "zh-CN"))
        context.add_cookies([{"name": "locale", "value": locale, "url": server.url}])
        page = context.new_page()
        page.goto(route.rstrip("/") + "/")
        expect(page.locator("main")).to_be_visible()
        # What only the state brings is there: the page is alive.
        expect(page.locator(".skeleton")).to_have_count(0, timeout=15_000)
        expect(page.locator("html")).to_have_attribute("lang", locale)
        expect(page).to_have_url(re.compile(rf"{re.escape(route)}/?$"))  # not some other page by a redirect
        return page

    return load


# Half faded in, everything is too pale; endless animations such as a spinner are not waited for.
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity).map((one) => one.finished.catch(() => {})))"""


def faults(page: Page) -> list[str]:
    """What axe finds grave once nothing moves any more."""
    page.evaluate(SETTLED)
    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:140]} ({len(item['nodes'])})"
        for item in found
        if item["impact"] in GRAVE
    ]


@pytest.mark.req("EV-02")
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("route", ROUTES)
def test_axe_finds_nothing_grave(opened: Opened, route: str, mode: str) -> None:
    assert not faults(opened(route, color_scheme=mode))


@pytest.mark.req("EV-02")
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_grave_on_a_busy_desk(gate: Gate, mode: str) -> None:
    guest = gate.guest("邹易安")
    page = gate.desk(color_scheme=mode).new_page()
    page.goto("/desk/")
    expect(page.locator(".verdict h1")).to_be_visible()
    seen = {"idle": faults(page)}
    gate.show_phone(guest, "stale")
    expect(page.locator(".verdict h1")).to_have_text("不能放行")
    seen["refused"] = faults(page)
    gate.show_phone(guest)
    expect(page.locator(".verdict h1")).to_have_text("可以放行")
    seen["admitted"] = faults(page)
    for key, title in (("F3", "登记新访客"), ("F7", "不予进入"), ("F9", "访客离场"), ("?", "按键一览")):
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog", name=title)
        expect(dialog).to_be_visible()
        seen[title] = faults(page)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    assert not {state: found for state, found in seen.items() if found}


@pytest.mark.req("EV-02")
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_sticks_out_to_the_side(opened: Opened, route: str) -> None:
    page = opened(route)
    found = {}
    for wide, high in SIZES:
        page.set_viewport_size({"width": wide, "height": high})
        if wider := overflow(page):
            found[wide] = wider
    assert not found


@pytest.mark.req("EV-02")
@pytest.mark.parametrize("outcome", ["live", "stale"])
def test_nothing_sticks_out_of_a_busy_desk(gate: Gate, outcome: str) -> None:
    guest = gate.guest("欧阳慕容婉清-von der Leyen-Schmidt")
    page = gate.desk(viewport=SIZES[0]).new_page()
    page.goto("/desk/")
    gate.show_phone(guest, outcome)
    expect(page.locator(".arrival .name")).to_be_visible()
    found = {}
    for wide, high in SIZES:
        page.set_viewport_size({"width": wide, "height": high})
        if wider := overflow(page):
            found[wide] = wider
    assert not found


def chinese_texts() -> set[str]:
    """Chinese texts of the catalogue that have another wording in English, cut at their placeholders."""
    english = i18n.catalogue("en")
    pieces: set[str] = set()
    for key, words in i18n.catalogue("zh-CN").items():
        if english.get(key) == words or key in {"common.other_language"}:
            continue
        if words in DATA:
            continue
        pieces |= {part.strip() for part in re.split(r"\{\w+\}", words) if len(CJK.findall(part)) >= 3}
    return pieces


@pytest.mark.req("EV-01")
@pytest.mark.parametrize("route", ROUTES)
def test_english_pages_are_english(opened: Opened, route: str) -> None:
    page = opened(route, locale="en")
    # What is marked as another language, such as the Chinese text of a message, is meant to be that.
    page.locator("body [lang='zh-CN']").evaluate_all("els => els.forEach((el) => el.remove())")
    text = page.locator("body").inner_text() + " ".join(page.locator("[aria-label]").evaluate_all(
        "els => els.map((el) => el.getAttribute('aria-label'))"
    ))  # fmt: skip
    assert not [words for words in chinese_texts() if words in text]
    expect(page).not_to_have_title(CJK)


@pytest.mark.req("EV-01")
def test_the_language_can_be_switched_and_stays(gate: Gate) -> None:
    page = gate.home().new_page()
    page.goto("/home/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="My guests")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.get_by_role("heading", name="My guests")).to_be_visible()


@pytest.mark.req("EV-02")
@pytest.mark.parametrize("route", ["/login", "/desk", "/home"])
def test_reduced_motion_is_respected(opened: Opened, route: str) -> None:
    page = opened(route, reduced_motion="reduce")
    moving: Iterator[str] = page.evaluate(
        "() => document.getAnimations().filter((a) => a.playState === 'running' && a.effect?.getComputedTiming().duration > 100).map(String)"
    )
    assert not moving
