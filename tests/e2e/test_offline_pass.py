"""The visitor's pass opens again without a network, and leaves nothing behind (BK-07, S-15, S-19)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Response, expect

from app.commands.frontend import BUILT
from app.commands.offline_pass import needed
from tests.e2e.conftest import Gate
from tests.e2e.pages import SCANNED, NewContext, answer_link, overflow, person, shown_code
from tests.e2e.test_accessibility import faults

PHONE = (360, 780)
CODE = ".pass-code[data-token]"
STEP_MS = 30_000
SLOW_PHONE_MS = 20_000  # files, key and code come out of three stores of a busy browser

LEFT = """async () => ({
  databases: (await indexedDB.databases()).map((one) => one.name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).map((one) => new URL(one.scope).pathname),
})"""
NOTHING: dict[str, list[str]] = {"databases": [], "caches": [], "workers": []}
CACHED = """async () => Promise.all((await caches.keys()).map(async (name) =>
  (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname)))"""
# Everything that the phone keeps of the pass, and whether its key can be read out.
KEPT = """async () => {
  const database = await new Promise((resolve, reject) => {
    const asked = indexedDB.open("gatehouse-pass");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const all = await new Promise((resolve, reject) => {
    const asked = database.transaction("pass").objectStore("pass").getAll();
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  database.close();
  const readable = await crypto.subtle.exportKey("raw", all[0].key).then(() => true, () => false);
  return { rows: all.map(({ key, labels, ...rest }) => rest), extractable: all[0].key.extractable || readable };
}"""


def phone_of(gate: Gate, new_context: NewContext, **options: Any) -> BrowserContext:
    """A visitor's phone."""
    return person(new_context, gate.server, "", viewport=PHONE, **options)


def open_pass(context: BrowserContext, guest: dict[str, str]) -> Page:
    """Follow the link and wait until the phone keeps the pass."""
    page = context.new_page()
    answer_link(page, f"/v/{guest['link']}", guest["phone"][-4:])
    expect(page.locator(CODE)).to_be_visible()
    expect(page.locator("[data-kept=true]")).to_have_text("已存到这部手机，断网也能重新打开。")
    return page


def open_again(context: BrowserContext, address: str = "/pass") -> Page:
    """A new tab on the pass."""
    page = context.new_page()
    page.goto(address)
    return page


def booking_read(gate: Gate, code: str) -> str:
    """Whose code it is by the word of the gate, which would let them in."""
    seen = gate.present(code)
    assert seen["outcome"] == "admit", seen
    attempts = gate.server.backstage.attempts_of(lane=gate.lane)
    return next(str(one["booking_id"]) for one in attempts if one["id"] == seen["attempt"])


def wait_for_nothing_left(page: Page) -> None:
    """Wait until the phone keeps neither key nor files nor worker."""
    page.wait_for_function(
        f"async () => JSON.stringify(await ({LEFT})()) === {str(NOTHING).replace(chr(39), chr(34))!r}.replaceAll(' ', '')"
    )


@pytest.mark.req("BK-07")
def test_a_closed_pass_opens_again_offline_renews_and_is_taken_at_the_gate(
    gate: Gate, new_context: NewContext
) -> None:
    guest = gate.guest("秦晓梅")
    phone = phone_of(gate, new_context)
    first = open_pass(phone, guest)
    phone.set_offline(True)
    first.close()

    again = phone.new_page()
    again.clock.install()
    again.goto("/pass")
    expect(again.locator(".kept-pass " + CODE)).to_be_visible(timeout=SLOW_PHONE_MS)
    expect(again.get_by_role("status").filter(has_text="当前断网")).to_contain_text("最后一次联网核对：")
    expect(again.locator("main")).not_to_contain_text("秦晓梅")
    before = shown_code(again)
    assert SCANNED.fullmatch(before)
    assert booking_read(gate, before) == guest["booking"]

    again.clock.run_for(STEP_MS)
    expect(again.locator(CODE)).not_to_have_attribute("data-token", before)
    assert SCANNED.fullmatch(shown_code(again))


@pytest.mark.req("BK-07")
def test_the_link_of_the_invitation_opens_the_kept_pass_offline(gate: Gate, new_context: NewContext) -> None:
    guest = gate.guest("秦晓梅")
    phone = phone_of(gate, new_context)
    open_pass(phone, guest).close()
    phone.set_offline(True)
    page = open_again(phone, f"/v/{guest['link']}")
    expect(page.locator(".kept-pass " + CODE)).to_be_visible(timeout=SLOW_PHONE_MS)
    assert booking_read(gate, shown_code(page)) == guest["booking"]
    # Online again the same tab goes on to the whole page, without a second question.
    phone.set_offline(False)
    expect(page.get_by_role("heading", name="秦晓梅")).to_be_visible()
    expect(page.locator(CODE)).to_be_visible()


@pytest.mark.req("BK-07")
def test_a_link_whose_session_has_ended_asks_again(gate: Gate, new_context: NewContext) -> None:
    guest = gate.guest("秦晓梅")
    phone = phone_of(gate, new_context)
    open_pass(phone, guest).close()
    phone.clear_cookies(name="gatehouse_visit")
    page = open_again(phone, f"/v/{guest['link']}")
    expect(page.get_by_label("手机号后四位")).to_be_visible()
    expect(page.locator(CODE)).to_have_count(0)


@pytest.mark.req("BK-07")
def test_the_phone_keeps_the_shell_and_a_key_that_nobody_reads(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    page = open_pass(phone, gate.guest("欧阳晓梅"))
    assert [sorted(paths) for paths in page.evaluate(CACHED)] == [sorted(["/pass/", *needed(BUILT)])]
    kept = page.evaluate(KEPT)
    assert not kept["extractable"]
    assert len(kept["rows"]) == 1
    assert set(kept["rows"][0]) == {"holder", "link", "code_id", "kid", "not_after", "confirmed", "ahead"}
    text = page.evaluate("async () => (await (await caches.match('/pass/')).text())")
    assert "欧阳晓梅" not in text
    assert page.evaluate(LEFT)["workers"] == ["/pass", "/v/"]


@pytest.mark.req("BK-07")
def test_nothing_is_left_when_the_visit_has_ended_and_the_phone_is_online_again(
    gate: Gate, new_context: NewContext
) -> None:
    guest = gate.guest("程向东")
    phone = phone_of(gate, new_context)
    open_pass(phone, guest).close()
    phone.set_offline(True)
    again = open_again(phone)
    expect(again.locator(CODE)).to_be_visible()
    gate.server.backstage.cancel(booking=guest["booking"])
    expect(again.locator(CODE)).to_be_visible()
    phone.set_offline(False)
    expect(again.locator(CODE)).to_have_count(0)
    wait_for_nothing_left(again)
    again.close()
    phone.set_offline(True)
    closed = phone.new_page()
    with pytest.raises(Error, match="ERR_"):
        closed.goto("/pass")


@pytest.mark.req("BK-07")
def test_nothing_is_left_when_the_visitor_asks_to_be_forgotten(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    page = open_pass(phone, gate.guest("邹易安"))
    page.get_by_text("我的信息").click()
    page.get_by_role("button", name="从这部手机移除").click()
    expect(page.get_by_text("请从收到的邀请里打开链接。")).to_be_visible()
    wait_for_nothing_left(page)


@pytest.mark.req("BK-07")
def test_to_be_forgotten_offline_is_made_up_for_at_the_server(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    open_pass(phone, gate.guest("雷鸣")).close()
    phone.set_offline(True)
    page = open_again(phone)
    expect(page.locator(CODE)).to_be_visible()
    page.get_by_role("button", name="从这部手机移除").click()
    expect(page.get_by_text("已从这部手机移除。")).to_be_visible()
    expect(page.locator(CODE)).to_have_count(0)
    wait_for_nothing_left(page)
    page.close()
    phone.set_offline(False)
    fresh = open_again(phone)
    expect(fresh.get_by_text("请从收到的邀请里打开链接。")).to_be_visible()
    fresh.wait_for_url(re.compile(r"/pass/?\?error=closed$"))
    expect(fresh.locator(CODE)).to_have_count(0)
    assert "gatehouse_visit" not in {cookie["name"] for cookie in phone.cookies()}


@pytest.mark.req("BK-07")
def test_another_visitors_link_does_not_show_the_first_ones_pass(gate: Gate, new_context: NewContext) -> None:
    first, second = gate.guest("邹易安"), gate.guest("程向东", phone="13911114321")
    phone = phone_of(gate, new_context)
    page = open_pass(phone, first)
    mine = page.locator(CODE).get_attribute("data-token") or ""
    page.close()

    # Online and offline the link asks for its own answer.
    asked = open_again(phone, f"/v/{second['link']}")
    expect(asked.get_by_label("手机号后四位")).to_be_visible()
    expect(asked.locator(CODE)).to_have_count(0)
    phone.set_offline(True)
    for address in (asked.url, f"/v/{second['link']}"):
        asked.goto(address)
        expect(asked.get_by_role("heading", name="访客通行证")).to_be_visible()
        expect(asked.locator(".connection")).to_be_visible()
        expect(asked.locator(CODE)).to_have_count(0)
    asked.close()
    phone.set_offline(False)

    # Once the second link was answered, the first one's pass is gone from the phone, offline too.
    open_pass(phone, second).close()
    phone.set_offline(True)
    again = open_again(phone)
    expect(again.locator(CODE)).to_be_visible()
    yours = again.locator(CODE).get_attribute("data-token") or ""
    # version, kid and code id stand in the first 16 characters after the prefix, and one bit of the next
    assert mine[2:17] != yours[2:17]
    assert booking_read(gate, yours) == second["booking"]


@pytest.mark.req("BK-07")
def test_the_worker_leaves_every_other_page_alone(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    page = open_pass(phone, gate.guest("邹易安"))
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    with page.expect_websocket(lambda socket: "/_event" in socket.url):
        page.reload()
    expect(page.locator("[data-kept=true]")).to_be_visible()
    assert page.evaluate("Boolean(navigator.serviceWorker.controller)")
    by_worker = {urlsplit(one.url).path for one in answers if one.from_service_worker}
    assert "/api/visitor/pass" in {urlsplit(one.url).path for one in answers}
    assert by_worker
    assert by_worker <= {"/pass", "/pass/", *needed(BUILT)}
    for address in ("/login/", "/desk/", "/home/", "/console/", "/api/visitor/pass", "/demo/"):
        page.goto(address)
        assert not page.evaluate("Boolean(navigator.serviceWorker.controller)"), address


@pytest.mark.req("BK-07")
def test_the_kept_shell_is_shown_without_a_network_only(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    page = open_pass(phone, gate.guest("邹易安"))
    page.evaluate(
        """async () => {
          const old = new Response("<title>an old build</title>", { headers: { "Content-Type": "text/html" } });
          await (await caches.open((await caches.keys())[0])).put("/pass/", old);
        }"""
    )
    page.reload()
    expect(page.locator(CODE)).to_be_visible()
    assert page.title() == "访客通行证"
    phone.set_offline(True)
    page.reload()
    expect(page).to_have_title("an old build")


@pytest.mark.req("BK-07")
def test_an_update_shows_the_new_page_and_drops_the_old_files(gate: Gate, new_context: NewContext) -> None:
    phone = phone_of(gate, new_context)
    page = open_pass(phone, gate.guest("邹易安"))
    names = page.evaluate("caches.keys()")
    worker = (BUILT / "pass_worker.js").read_text("utf-8")
    newer = worker.replace(names[0].removeprefix("gatehouse-pass-"), "0123456789abcdef")
    assert newer != worker
    phone.route(
        "**/pass_worker.js",
        lambda route: route.fulfill(body=newer, content_type="text/javascript"),
    )
    page.reload()
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration('/pass')).update()")
    page.wait_for_function("async () => (await caches.keys()).join() === 'gatehouse-pass-0123456789abcdef'")
    phone.set_offline(True)
    page.close()
    expect(open_again(phone).locator(".kept-pass " + CODE)).to_be_visible(timeout=SLOW_PHONE_MS)


@pytest.mark.req("BK-07")
def test_on_plain_http_in_the_local_network_the_page_says_that_it_must_stay_open(
    gate: Gate, new_context: NewContext
) -> None:
    guest = gate.guest("邹易安")
    # This address leads to the same server, but unlike 127.0.0.1 it is no secure context to a browser.
    phone = new_context(viewport=PHONE, base_url=gate.server.url.replace("127.0.0.1", "0.0.0.0"))
    page = phone.new_page()
    answer_link(page, f"/v/{guest['link']}", guest["phone"][-4:])
    expect(page.locator(CODE)).to_be_visible()
    assert not page.evaluate("isSecureContext")
    expect(page.locator("[data-kept=false]")).to_contain_text("请不要关闭此页")
    assert booking_read(gate, shown_code(page)) == guest["booking"]


@pytest.mark.req("BK-07", "EV-01")
def test_offline_the_pass_speaks_the_readers_language(gate: Gate, new_context: NewContext) -> None:
    guest = gate.guest("Ann Lee")
    phone = phone_of(gate, new_context, locale="en")
    page = phone.new_page()
    page.goto(f"/v/{guest['link']}")
    page.get_by_label("Last four digits").fill(guest["phone"][-4:])
    page.get_by_role("button", name="Open the pass").click()
    expect(page.locator("[data-kept=true]")).to_be_visible()
    page.close()
    phone.set_offline(True)
    again = open_again(phone)
    expect(again.get_by_role("heading", name="Visitor pass")).to_be_visible()
    expect(again.get_by_role("status").filter(has_text="Last confirmed online")).to_be_visible()
    expect(again).to_have_title("Visitor pass")


@pytest.mark.req("BK-07", "EV-02")
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_grave_on_the_kept_pass(gate: Gate, new_context: NewContext, mode: str) -> None:
    phone = phone_of(gate, new_context, color_scheme=mode)
    open_pass(phone, gate.guest("邹易安")).close()
    phone.set_offline(True)
    page = open_again(phone)
    expect(page.get_by_role("status").filter(has_text="当前断网")).to_be_visible()
    assert not faults(page)
    assert not overflow(page)
