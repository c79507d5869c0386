"""The pages by what people see on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import zxingcpp
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.server import Server

NewContext = Callable[..., BrowserContext]
EAST = "东门 · 1 号道"
SCANNED = re.compile(r"V1[A-Z2-7]{48}")


def person(new_context: NewContext, server: Server, cookie: str, **options: Any) -> BrowserContext:
    """A browser of somebody who is signed in; no cookie is a stranger's."""
    context = new_context(base_url=server.url, **options)
    if cookie:
        context.add_cookies(
            [
                {
                    "name": "gatehouse",
                    "value": cookie,
                    "url": server.url,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )
    return context


def read_code(picture: bytes) -> str:
    """What a scanner reads from a picture."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = zxingcpp.read_barcodes(pixels)
    assert found, "no code can be read from the picture"
    return str(found[0].text)


@dataclass
class Desk:
    """A guard's desk."""

    page: Page

    @classmethod
    def open(cls, context: BrowserContext) -> Desk:
        """Open the desk of a guard who is signed on to a lane."""
        desk = cls(context.new_page())
        desk.page.goto("/desk/")
        expect(desk.verdict).to_be_visible()
        return desk

    @property
    def verdict(self) -> Locator:
        """The verdict's title."""
        return self.page.locator(".verdict h1")

    @property
    def why(self) -> Locator:
        """The verdict's reasons."""
        return self.page.locator(".verdict p")

    @property
    def actions(self) -> Locator:
        """The buttons under an arrival."""
        return self.page.locator(".arrival-acts")

    @property
    def notice(self) -> Locator:
        """The short notices."""
        return self.page.locator(".toast")

    @property
    def admit(self) -> Locator:
        """The one button that lets in."""
        return self.actions.locator(".btn.admit")

    def lamp(self, name: str) -> Locator:
        """The lamp of a device."""
        return self.page.locator(".lamp", has_text=name)

    def expect_verdict(self, title: str, why: str = "") -> None:
        """Wait for a verdict in words."""
        expect(self.verdict).to_have_text(title)
        if why:
            expect(self.why).to_contain_text(why)

    def expect_name(self, name: str) -> None:
        """Wait for the name of the arrival."""
        expect(self.page.locator(".arrival .name")).to_have_text(name)

    def dialog(self, title: str) -> Locator:
        """The open dialog of that title."""
        return self.page.get_by_role("dialog", name=title)


@dataclass
class Demo:
    """The panel with the emulated devices."""

    page: Page

    @classmethod
    def open(cls, context: BrowserContext) -> Demo:
        """Open the panel."""
        panel = cls(context.new_page())
        panel.page.goto("/demo/")
        expect(panel.page.locator("#lane option").first).to_be_attached()
        return panel

    def choose_guest(self, name: str) -> None:
        """Whose phone is held before the camera."""
        # The page in the background gets its answers all the same.
        option = self.page.locator("#guest option", has_text=name)
        value = option.get_attribute("value")
        self.page.locator("#guest").select_option(value)

    def press(self, label: str) -> None:
        """Press one of the buttons."""
        self.page.get_by_role("button", name=label, exact=True).click()


def answer_link(page: Page, link: str, tail: str) -> None:
    """Open a visitor's link and give the last digits of the phone."""
    page.goto(link)
    page.get_by_label("手机号后四位").fill(tail)
    page.get_by_role("button", name="打开通行证").click()


def shown_code(page: Page) -> str:
    """What the code on the visitor's screen says."""
    return read_code(page.locator(".pass-code").screenshot())


def overflow(page: Page) -> list[str]:
    """What sticks out of the page to the side, if anything does."""
    found: list[str] = page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= wide) return [];
          return [...document.querySelectorAll("body *")]
            .filter((el) => el.getBoundingClientRect().right > wide + 1 && getComputedStyle(el).position !== "fixed")
            .slice(0, 5).map((el) => `${el.tagName.toLowerCase()}.${el.className} ${Math.round(el.getBoundingClientRect().right)} "${el.textContent.slice(0, 30)}"`)
            .concat([`page ${document.documentElement.scrollWidth} of ${wide}`]);
        }"""
    )
    return found


def tab_to(page: Page, target: Locator, most: int = 15) -> None:
    """Press Tab until something has the focus."""
    expect(target).to_be_visible()
    for _ in range(most):
        if target.evaluate("el => el === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(target).to_be_focused()
