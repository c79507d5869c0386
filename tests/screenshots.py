"""Photographs of every page and state: ``python -m tests.screenshots [--out screenshots] [--only desk]``.

Starts a server of its own with the demonstration community, walks through the pages as the people who use them, and
writes ``page-state-size-light-language.png``. Prints what sticks out to the side and whatever a page complained about.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.core import i18n
from app.pages.registry import PAGES
from tests.e2e.pages import overflow, read_code
from tests.e2e.server import Server, make_server, remove
from tests.plugins.browser import FLAGS, chromium_path

SIZES = {"1440": (1440, 900), "1024": (1024, 768), "360": (360, 780)}
MODES = ("light", "dark")
SIGNED_IN = {
    "/home": "resident",
    "/invite": "resident",
    "/desk": "guard",
    "/demo": "guard",
    "/account": "manager",
}
BY_RIGHT = (("/console/accounts", "admin"), ("/console/audit", "auditor"), ("/console/roles", "admin"))
# Route, account, name of the state, the button that opens the dialog, and one to press inside.
DIALOGS = (
    ("/console/ledger/", "manager", "attempt", "console.ledger.open", "console.reveal.show"),
    ("/console/people/", "manager", "resident", "console.people.add", ""),
    ("/console/people/", "manager", "import", "console.people.import", ""),
    ("/console/permits/", "manager", "partner", "permits.add_partner", ""),
    ("/console/permits/", "manager", "staff", "permits.add_staff", ""),
    ("/console/permits/", "manager", "permit", "permits.open", "permits.end"),
    ("/console/integrations/", "manager", "integration", "integrations.add", ""),
    ("/console/integrations/", "manager", "webhook", "webhooks.add", ""),
    ("/console/devices/", "admin", "keys", "lane_keys.manage", ""),
    ("/console/devices/", "admin", "device", "console.devices.add", ""),
    ("/console/devices/", "admin", "lane", "console.devices.add_lane", ""),
    ("/console/accounts/", "admin", "account", "console.accounts.add", ""),
    ("/console/accounts/", "admin", "disable", "console.accounts.disable", ""),
)
ALONE = {"/", "/desk", "/home", "/pass", "/invite", "/register"}


def who_sees(route: str) -> str:
    """The account of the demonstration that a page is for; nobody for the public ones."""
    for prefix, username in BY_RIGHT:
        if route.startswith(prefix):
            return username
    return SIGNED_IN.get(route, "manager" if route.startswith("/console") else "")


class Photographer:
    """Takes the pictures of one language, size and light."""

    def __init__(
        self, browser: Browser, server: Server, out: Path, size: str, mode: str, locale: str, only: str
    ) -> None:
        self.browser, self.server, self.out, self.only = browser, server, out, only
        self.size, self.mode, self.locale = size, mode, locale
        self.troubles: list[str] = []

    def word(self, key: str) -> str:
        """A text of the catalogue in the language of the picture."""
        return i18n.text(self.locale, key)

    @contextmanager
    def context(self, username: str = "", cookie: str = "") -> Iterator[BrowserContext]:
        """Somebody's browser."""
        wide, high = SIZES[self.size]
        context = self.browser.new_context(
            viewport={"width": wide, "height": high},
            locale=self.locale,
            color_scheme=self.mode,  # type: ignore[arg-type]
            timezone_id="Asia/Shanghai",
            base_url=self.server.url,
        )
        context.set_default_timeout(10_000)
        cookie = cookie or (self.server.cookie(username) if username else "")
        host = self.server.url
        if cookie:
            context.add_cookies([{"name": "gatehouse", "value": cookie, "url": host}])
        context.add_cookies([{"name": "locale", "value": self.locale, "url": host}])
        context.add_init_script(f"try {{ localStorage.setItem('theme', '{self.mode}') }} catch {{}}")
        yield context
        context.close()

    def wants(self, name: str) -> bool:
        """Whether this picture was asked for."""
        return not self.only or self.only in name

    def shoot(self, page: Page, name: str, state: str, *, whole: bool = False) -> None:
        """One picture, of what the window shows or of the ``whole`` page."""
        file = f"{name}-{state}-{self.size}-{self.mode}-{self.locale}.png"
        page.wait_for_load_state("networkidle") if name != "desk" else page.wait_for_load_state()
        expect(page.locator(".skeleton")).to_have_count(0, timeout=15_000)
        if (name, state) not in {("badge", "plain"), ("register", "screen")}:
            expect(page.locator("html")).to_have_attribute("lang", self.locale)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=self.out / file, animations="disabled", full_page=whole)
        for line in overflow(page):
            self.troubles.append(f"{file}: {line}")

    def guarded(self, name: str, work: Callable[[], None]) -> None:
        """Go on with the other pictures when one cannot be taken."""
        if not self.wants(name):
            return
        try:
            work()
        except Exception as error:
            self.troubles.append(f"{name} {self.size} {self.mode} {self.locale}: {str(error)[:300]}")

    def plain_pages(self) -> None:
        """The pages that show the same to whoever may see them."""
        for route, *_ in PAGES:
            if route in ALONE:
                continue
            name = route.strip("/").replace("/", "-") or "start"

            def work(route: str = route, name: str = name) -> None:
                with self.context(who_sees(route)) as context:
                    page = context.new_page()
                    page.goto(route.rstrip("/") + "/")
                    expect(page.locator("main")).to_be_visible()
                    self.shoot(page, name, "plain", whole=True)

            self.guarded(name, work)

    def pass_page(self) -> None:
        """The visitor's page: the question, a wrong answer, the open pass, an ended one."""
        backstage = self.server.backstage
        made = backstage.guest(host="resident", name="张晓雯", phone="13900139001")
        with self.context() as context:
            page = context.new_page()
            page.goto("/pass/")
            self.shoot(page, "pass", "nolink")
            page.goto(f"/v/{made['link']}")
            tail = page.get_by_label(self.word("pass.phone_tail"))
            tail.fill("0000")
            self.shoot(page, "pass", "question")
            tail.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text(self.word("error.phone_tail_wrong"))
            self.shoot(page, "pass", "wrong")
            tail.fill(made["phone"][-4:])
            tail.press("Enter")
            expect(page.locator(".pass-code[data-token]")).to_be_visible()
            self.shoot(page, "pass", "open")
            lane = backstage.lane()
            self.present(lane, backstage.code(booking=made["booking"]), admit=True)
            self.present(lane, backstage.code(booking=made["booking"]), admit=True)

    def present(self, lane: dict[str, str], text: str, *, admit: bool = False) -> None:
        """Something is read at a lane."""
        from secrets import token_hex

        with self.server.client(headers={"Authorization": f"Bearer {lane['key']}"}) as client:
            body = {"kind": "code", "text": text, "nonce": f"shot-{token_hex(6)}", "admit": admit}
            client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body).raise_for_status()

    def household(self) -> None:
        """A resident's phone: empty, with somebody waiting, with guests; and the invitation."""
        backstage = self.server.backstage
        unit = f"8 栋 {backstage.lane()['lane'][-4:]}"
        host = backstage.account(roles=["resident"], name="王建平", unit=unit)
        with self.context(cookie=host["cookie"]) as context:
            page = context.new_page()
            page.goto("/home/")
            expect(page.get_by_role("heading", name=unit)).to_be_visible()
            self.shoot(page, "home", "empty")
            for name in ("陈立", "Anna Lindqvist"):
                backstage.guest(host=host["username"], name=name)
            self.walk_in(unit)
            page.reload()
            expect(page.locator(".waiting-card")).to_be_visible()
            self.shoot(page, "home", "waiting")
            page.goto("/invite/")
            expect(page.get_by_label(self.word("invite.name"))).to_be_visible()
            self.shoot(page, "invite", "form")
            page.get_by_label(self.word("invite.name")).fill("周婷")
            page.get_by_label(self.word("invite.phone")).fill("123")
            page.get_by_role("button", name=self.word("invite.submit")).click()
            expect(page.locator(".form-error")).to_be_visible()
            self.shoot(page, "invite", "error")
            page.get_by_label(self.word("invite.phone")).fill("13900139007")
            page.get_by_role("button", name=self.word("invite.submit")).click()
            expect(page.get_by_text(self.word("invite.ready"))).to_be_visible()
            self.shoot(page, "invite", "done")

    def walk_in(self, unit: str) -> None:
        """A guard elsewhere registers somebody for this household."""
        backstage = self.server.backstage
        lane = next(str(row["lane"]) for row in backstage.lanes())
        backstage.clear_lane(lane=lane)
        guard = backstage.account(roles=["guard"])
        backstage.on_duty(username=guard["username"], lane=lane)
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        context.add_cookies([{"name": "gatehouse", "value": guard["cookie"], "url": self.server.url}])
        page = context.new_page()
        page.goto(f"{self.server.url}/desk/")
        expect(page.locator(".camera[data-state=live]")).to_be_visible()
        page.keyboard.press("F3")
        form = page.get_by_role("dialog", name="登记新访客")
        form.get_by_label("姓名").fill("孔令辉")
        form.get_by_label("去哪一户").fill(unit)
        if form.get_by_label("手机号").count():
            form.get_by_label("手机号").fill("13922223333")
        form.get_by_role("button", name="登记并通知住户").click()
        expect(form).to_be_hidden()
        context.close()

    def desk(self) -> None:
        """The desk in its states."""
        backstage = self.server.backstage
        guard = backstage.account(roles=["guard"], name="李建国")
        rows = backstage.lanes()
        east = {"lane": rows[0]["lane"], "key": backstage.lane_key(lane=rows[0]["lane"])}
        backstage.clear_lane(lane=east["lane"])
        with self.context(cookie=guard["cookie"]) as context:
            page = context.new_page()
            page.goto("/desk/")
            expect(page.get_by_role("button", name=rows[0]["title"])).to_be_visible()
            self.shoot(page, "desk", "lanes")
            backstage.on_duty(username=guard["username"], lane=east["lane"])
            page.goto("/desk/")
            verdict = page.locator(".verdict h1")
            expect(verdict).to_be_visible()
            expect(page.locator(".camera[data-state=live]")).to_be_visible()
            self.shoot(page, "desk", "idle")
            made = backstage.guest(host="resident", name="张晓雯", phone="13900139001")
            self.present(east, backstage.code(booking=made["booking"]))
            expect(verdict).to_have_text(self.word("verdict.admit"))
            self.shoot(page, "desk", "admit")
            page.keyboard.press("F7")
            expect(page.get_by_role("dialog", name=self.word("refuse.title"))).to_be_visible()
            self.shoot(page, "desk", "refusing")
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog", name=self.word("refuse.title"))).to_be_hidden()
            page.locator(".btn.admit").click()
            expect(page.locator(".arrival-acts")).to_contain_text(self.word("desk.print_badge"))
            self.shoot(page, "desk", "done")
            page.keyboard.press("F9")
            expect(page.get_by_role("dialog", name=self.word("exit.title"))).to_be_visible()
            self.shoot(page, "desk", "exit")
            page.keyboard.press("Escape")
            other = backstage.guest(host="resident", name="陈立", phone="13900139002")
            self.present(east, backstage.code(booking=other["booking"], kind="stale"))
            expect(verdict).to_have_text(self.word("verdict.refuse"))
            self.shoot(page, "desk", "refuse")
            page.keyboard.press("Escape")
            expect(verdict).to_have_text(self.word("desk.idle"))
            self.present(east, backstage.code(booking=other["booking"], kind="forged"))
            expect(verdict).to_have_text(self.word("verdict.review"))
            self.shoot(page, "desk", "review")
            page.keyboard.press("F3")
            form = page.get_by_role("dialog", name=self.word("walk_in.title"))
            expect(form).to_be_visible()
            self.shoot(page, "desk", "walkin")
            form.get_by_label(self.word("walk_in.name")).fill("欧阳慕容婉清")
            form.get_by_label(self.word("walk_in.unit")).fill("8 栋 1203")
            if form.get_by_label(self.word("walk_in.phone")).count():
                form.get_by_label(self.word("walk_in.phone")).fill("13922223333")
            form.get_by_role("button", name=self.word("walk_in.submit")).click()
            expect(verdict).to_have_text(self.word("verdict.needs"))
            expect(page.locator(".arrival figure img, .arrival .photo img").first).to_be_visible()
            self.shoot(page, "desk", "needs")
            self.present(east, backstage.code(booking=other["booking"]))
            expect(page.locator(".desk-col .queue").first).to_be_visible()
            self.shoot(page, "desk", "queue")
            page.keyboard.press("F10")
            call = page.get_by_role("dialog", name=self.word("call.title"))
            expect(call).to_be_visible()
            self.shoot(page, "desk", "call")
            page.keyboard.press("Escape")
            expect(call).to_be_hidden()
            page.locator("#desk-search").fill("李")
            page.locator("#desk-search").press("Enter")
            found = page.get_by_role("dialog", name=self.word("find.title"))
            expect(found).to_be_visible()
            self.shoot(page, "desk", "found")
            page.keyboard.press("Escape")
            expect(found).to_be_hidden()
            page.locator("main").focus()
            page.keyboard.press("?")
            expect(page.get_by_role("dialog", name=self.word("help.title"))).to_be_visible()
            self.shoot(page, "desk", "help")
            backstage.clear_lane(lane=east["lane"])

    def registering(self) -> None:
        """The lane's screen, the form on a stranger's phone, the number, and the guard's list."""
        backstage = self.server.backstage
        lane = backstage.lane()
        guard = backstage.account(roles=["guard"], name="李建国")
        backstage.on_duty(username=guard["username"], lane=lane["lane"])
        with self.context(cookie=guard["cookie"]) as own, self.context() as stranger:
            screen, phone, desk = own.new_page(), stranger.new_page(), own.new_page()
            screen.goto("/lane-code")
            screen.wait_for_function("() => document.getElementById('code').naturalWidth > 0")
            self.shoot(screen, "register", "screen")
            code = read_code(screen.locator("#code").screenshot())
            phone.goto(code)
            name = phone.locator("#register-form #name")
            expect(name).to_be_visible()
            self.shoot(phone, "register", "form", whole=True)
            name.fill("罗小曼")
            phone.locator("#register-form #phone").fill("13922224444")
            phone.locator("#register-form #unit").fill("8 栋 1203")
            phone.get_by_role("button", name=self.word("register.submit")).click()
            expect(phone.get_by_role("alert").first).to_be_visible()
            self.shoot(phone, "register", "error", whole=True)
            phone.get_by_label(self.word("register.agreed")).check()
            phone.get_by_role("button", name=self.word("register.submit")).click()
            expect(phone.locator("#number")).to_be_visible()
            self.shoot(phone, "register", "number")
            desk.goto("/desk/")
            expect(desk.locator("#registered")).to_be_visible()
            self.shoot(desk, "register", "desk")
            desk.keyboard.press("Shift+F3")
            expect(desk.get_by_role("dialog", name=self.word("walk_in.title"))).to_be_visible()
            self.shoot(desk, "register", "taken")

    def badge(self) -> None:
        """The printed badge."""
        backstage = self.server.backstage
        lane = backstage.lane()
        made = backstage.guest(host="resident", name="张晓雯", phone="13900139001")
        self.present(lane, backstage.code(booking=made["booking"]), admit=True)
        visit = backstage.visits_of(booking=made["booking"])[0]["id"]
        with self.context("guard2") as context:
            page = context.new_page()
            page.goto(f"/badge/{visit}")
            self.shoot(page, "badge", "plain")

    def console_dialogs(self) -> None:
        """The dialogs of the console, each opened by its button on its page."""
        for route, username, state, button, more in DIALOGS:
            with self.context(username) as context:
                page = context.new_page()
                page.goto(route)
                expect(page.locator(".skeleton")).to_have_count(0, timeout=15_000)
                page.get_by_role("button", name=self.word(button)).first.click()
                dialog = page.locator("dialog[open]")
                expect(dialog).to_be_visible()
                self.shoot(page, "console-dialogs", state)
                if more:
                    dialog.get_by_role("button", name=self.word(more)).first.click()
                    expect(page.locator("dialog[open]")).to_be_visible()
                    self.shoot(page, "console-dialogs", f"{state}-more")

    def everything(self) -> list[str]:
        """All pictures."""
        self.plain_pages()
        for name, work in (
            ("pass", self.pass_page),
            ("home", self.household),
            ("desk", self.desk),
            ("register", self.registering),
            ("badge", self.badge),
            ("console-dialogs", self.console_dialogs),
        ):
            self.guarded(name, work)
        return self.troubles


def main() -> int:
    """Take them all."""
    parser = argparse.ArgumentParser(description="Photograph every page.")
    parser.add_argument("--out", default="screenshots")
    parser.add_argument("--only", default="", help="a part of the name: desk, home, console…")
    parser.add_argument("--size", default="", choices=["", *SIZES])
    parser.add_argument("--mode", default="", choices=["", *MODES])
    parser.add_argument("--locale", default="", choices=["", *i18n.LOCALES])
    options: Any = parser.parse_args()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    server = make_server()
    troubles: list[str] = []
    try:
        server.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            for locale in [options.locale] if options.locale else i18n.LOCALES:
                for size in [options.size] if options.size else SIZES:
                    for mode in [options.mode] if options.mode else MODES:
                        taker = Photographer(browser, server, out, size, mode, locale, options.only)
                        troubles += taker.everything()
                        print(f"{locale} {size} {mode}: done", flush=True)
            browser.close()
    finally:
        remove(server)
    shown = [re.sub(r"\s+", " ", line) for line in troubles]
    print("\n".join(shown) or "Nothing sticks out.")
    print(f"{len(list(out.glob('*.png')))} pictures in {out}")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
