"""Chromium for tests, through Playwright's synchronous API.

    def test_desk(new_page, server):
        page = new_page(viewport=(1024, 768), locale="en", color_scheme="dark", base_url=server.url)
        page.goto("/desk")

The system's Chromium is driven (``CHROMIUM`` names another), Playwright's own is never downloaded. A page that was open
when its test failed leaves a picture in build/browser/.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

# As root Chromium has no sandbox; the rest keeps it from calling its makers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WAIT_MS = 10_000
# A busy machine is no fault of the page; what never comes fails all the same.
expect.set_options(timeout=15_000)
FAILED = pytest.StashKey[bool]()

NewPage = Callable[..., Page]


def chromium_path() -> str | None:
    """Where the browser is, if there is one."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    return next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)


def missing(what: str, package: str) -> None:
    """Skip a test for want of a program; on CI, where all must be there, fail it."""
    message = f"{what} is not installed (apt-get install {package})"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for each worker."""
    executable = chromium_path()
    if executable is None:
        missing("Chromium", "chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, headless=True, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts: each is a person with cookies of its own."""
    opened: list[BrowserContext] = []

    def make(
        viewport: tuple[int, int] = (1440, 900),
        locale: str = "zh-CN",
        color_scheme: str = "light",
        **options: Any,
    ) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": viewport[0], "height": viewport[1]},
            locale=locale,
            color_scheme=color_scheme,
            timezone_id=options.pop("timezone_id", "Asia/Shanghai"),
            **options,
        )
        context.set_default_timeout(WAIT_MS)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def new_page(new_context: Callable[..., BrowserContext], request: pytest.FixtureRequest) -> Iterator[NewPage]:
    """Open a page in a context of its own: ``new_page(viewport=(360, 780), locale="en", color_scheme="dark")``."""
    pages: list[Page] = []

    def make(**options: Any) -> Page:
        page = new_context(**options).new_page()
        pages.append(page)
        return page

    yield make
    if request.node.stash.get(FAILED, False):
        folder = Path(request.config.rootpath, "build", "browser")
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "_", request.node.name)
        for number, page in enumerate(pages, 1):
            with suppress(Error):  # a page that crashed has no picture
                page.screenshot(path=folder / f"{name}-{number}.png")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let fixtures know that their test failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
