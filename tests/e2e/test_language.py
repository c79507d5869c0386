"""A page shows itself in the reader's language at once, and its title stays right wherever one is led (EV-01)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.pages.early_language import PATIENCE_MS
from tests.e2e.conftest import Gate
from tests.e2e.pages import NewContext, person
from tests.e2e.server import Server

# In each frame: the Chinese that can be seen, whatever the page is doing; the button to Chinese is always Chinese.
SEEN = """
window.seenChinese = [];
const look = () => {
  if (document.body && getComputedStyle(document.body).visibility === "visible")
    for (const line of document.body.innerText.split("\\n"))
      if (/[\\u4e00-\\u9fff]/.test(line) && !["中文", "门岗 Gatehouse"].includes(line.trim())) window.seenChinese.push(line);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def stranger(server: Server, new_context: NewContext, locale: str = "en") -> BrowserContext:
    """A browser of nobody in particular."""
    return person(new_context, server, "", locale=locale)


def silence(page: Page) -> None:
    """Let no socket of this page reach the server."""
    page.route_web_socket(re.compile("/_event"), lambda socket: socket.close())
    page.route(re.compile("/_event"), lambda route: route.abort())


@pytest.mark.req("EV-01")
@pytest.mark.parametrize("route", ["/login", "/pass"])
def test_an_english_reader_never_sees_the_chinese_page(
    server: Server, new_context: NewContext, route: str
) -> None:
    page = stranger(server, new_context).new_page()
    page.add_init_script(SEEN)
    page.goto(route + "/")
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("window.seenChinese") == []


@pytest.mark.req("EV-01")
def test_the_watch_for_chinese_sees_some(server: Server, new_context: NewContext) -> None:
    page = stranger(server, new_context, "zh-CN").new_page()
    page.add_init_script(SEEN)
    page.goto("/login/")
    page.wait_for_function("window.seenChinese.length > 0")


@pytest.mark.req("EV-01")
def test_nothing_stays_hidden_when_the_socket_fails(server: Server, new_context: NewContext) -> None:
    page = stranger(server, new_context).new_page()
    silence(page)
    page.clock.install()
    page.goto("/login/")
    expect(page.locator("main")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.clock.run_for(PATIENCE_MS)
    expect(page.get_by_label("用户名")).to_be_visible()
    expect(page.get_by_label("用户名")).to_be_focused()
    # It says the language that it shows.
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page).to_have_title("登录 · 门岗")


@pytest.mark.req("EV-01")
def test_the_title_is_right_after_a_redirect(server: Server, new_context: NewContext) -> None:
    page = stranger(server, new_context).new_page()
    page.goto("/account/")
    page.wait_for_url(re.compile(r"/login/?$"))
    expect(page).to_have_title("Sign in · Gatehouse")


@pytest.mark.req("EV-01")
def test_title_and_language_follow_links_and_the_language_button(gate: Gate) -> None:
    page = gate.home(locale="en").new_page()
    page.goto("/home/")
    expect(page).to_have_title("Home · Gatehouse")
    page.get_by_role("link", name="Invite a guest").first.click()
    expect(page).to_have_title("Invite a guest")
    page.go_back()
    page.get_by_role("button", name="中文").click()
    expect(page).to_have_title("我家 · 门岗")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="邀请访客").first.click()
    expect(page).to_have_title("邀请访客")
    page.go_back()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_title("Home · Gatehouse")


@pytest.mark.req("EV-02")
def test_the_page_is_no_live_region(server: Server, new_context: NewContext) -> None:
    page = stranger(server, new_context, "zh-CN").new_page()
    page.goto("/login/")
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("[role=status] main, [aria-live] main")).to_have_count(0)
