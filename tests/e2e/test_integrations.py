"""The manager lets another system in, sees what it is told, and locks it out again (EV-06, BK-03)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from app.domain.integration.keys import Issued
from tests.e2e import server as servers
from tests.e2e.pages import NewContext, overflow, person
from tests.e2e.server import Server
from tests.e2e.test_accessibility import faults
from tests.oa import Oa
from tests.sink import Sink

SOON = 20_000


@pytest.fixture(scope="module")
def near() -> Iterator[Server]:
    """A server that may call this machine."""
    made = servers.make_server(GATEHOUSE_WEBHOOK_NETWORKS="127.0.0.0/8")
    try:
        made.start()
        yield made
    finally:
        servers.remove(made)


@pytest.fixture
def console(near: Server, new_context: NewContext) -> Page:
    """The integrations page of the manager."""
    page = person(new_context, near, near.cookie("manager")).new_page()
    page.goto("/console/integrations/")
    expect(page.get_by_role("heading", name="对接密钥")).to_be_visible()
    return page


def body(host: dict[str, str], unit: str) -> dict[str, object]:
    start = datetime.now(UTC) + timedelta(hours=1)
    return {
        "version": 1,
        "host": {"unit": unit, "name": host["name"]},
        "visitor": {"name": "梁雨晴", "phone": "13800138066"},
        "from": start.isoformat(),
        "to": (start + timedelta(hours=2)).isoformat(),
    }


@pytest.mark.req("EV-06", "BK-03")
def test_a_key_is_made_used_replaced_and_revoked(near: Server, console: Page) -> None:
    console.get_by_role("button", name="新建密钥").click()
    form = console.get_by_role("dialog", name="新建密钥")
    form.get_by_label("名称").fill("集团 OA")
    form.get_by_role("button", name="生成密钥").click()
    expect(form.get_by_role("alert")).to_contain_text("至少选择一项")
    for scope in ("读取预约", "办理预约", "维护被访人与公司"):
        form.get_by_label(scope).check()
    assert not faults(console)
    form.get_by_role("button", name="生成密钥").click()
    shown = console.get_by_role("dialog", name="集团 OA")
    secrets = [shown.locator(f"#integration-{name}").inner_text() for name in ("bearer", "signing")]
    assert not faults(console)
    shown.get_by_role("button", name="关闭").click()
    row = console.locator("#integration-keys tr", has_text="集团 OA")
    expect(row).to_contain_text("读取预约、办理预约、维护被访人与公司")
    assert secrets[0] not in console.content()

    with httpx.Client(base_url=near.url, trust_env=False, timeout=20) as client:
        oa = Oa(client, Issued("", *secrets))
        unit = "接口楼 1801"
        host = near.backstage.account(roles=["resident"], unit=unit, name="施明远")
        made = oa.book(body({**host, "name": "施明远"}, unit))
        assert made.status_code == 201, made.text
        link = made.json()["pass"]["link"]
        assert client.get(link, follow_redirects=False).status_code == 303
        expect(row.get_by_text("从未使用")).to_have_count(0)

        row.get_by_role("button", name="更换密钥").click()
        form = console.get_by_role("dialog", name="更换密钥")
        form.get_by_label("重叠期").fill("1")
        form.get_by_role("button", name="更换密钥").click()
        shown = console.get_by_role("dialog", name="集团 OA")
        renewed = [shown.locator(f"#integration-{name}").inner_text() for name in ("bearer", "signing")]
        shown.get_by_role("button", name="关闭").click()
        expect(row).to_contain_text("旧密钥有效至")
        new = Oa(client, Issued("", *renewed))
        assert {one.get("/bookings").status_code for one in (oa, new)} == {200}

        row.get_by_role("button", name="撤销").click()
        sure = console.get_by_role("dialog", name="撤销")
        expect(sure).to_contain_text("集团 OA")
        sure.get_by_role("button", name="撤销").click()
        expect(row).to_have_count(0)
        assert {one.get("/bookings").status_code for one in (oa, new)} == {401}


@pytest.mark.req("EV-06")
def test_an_address_is_added_tried_and_its_log_is_read(near: Server, console: Page) -> None:
    with Sink() as sink:
        console.get_by_role("button", name="添加通知地址").click()
        form = console.get_by_role("dialog", name="添加通知地址")
        form.get_by_label("名称").fill("集团总线")
        form.get_by_label("通知地址").fill("ftp://files.example/")
        form.get_by_label("访客已进入").check()
        form.get_by_role("button", name="添加", exact=True).click()
        expect(form.get_by_role("alert")).to_contain_text("http")
        form.get_by_label("通知地址").fill(sink.url)
        assert not faults(console)
        form.get_by_role("button", name="添加", exact=True).click()
        shown = console.get_by_role("dialog", name="集团总线")
        expect(shown.locator("#webhook-secret")).to_contain_text("whsec_")
        shown.get_by_role("button", name="关闭").click()
        row = console.locator("#webhooks tr", has_text="集团总线")
        expect(row).to_contain_text("已启用")

        row.get_by_role("button", name="发送记录").click()
        log = console.get_by_role("dialog", name="集团总线")
        log.get_by_role("button", name="发送测试通知").click()
        line = log.locator("tbody tr").first

        def reload() -> bool:
            log.get_by_role("button", name="刷新").click()
            return "已送达" in line.inner_text()

        assert servers_until(reload)
        expect(line).to_contain_text("HTTP 200")
        assert sink.got[0].headers["webhook-signature"].startswith("v1,")
        assert not faults(console)

        sink.answers = [(410, {})]
        log.get_by_role("button", name="发送测试通知").click()

        def gone() -> bool:
            log.get_by_role("button", name="刷新").click()
            return "已放弃" in line.inner_text()

        assert servers_until(gone)
        log.get_by_role("button", name="关闭").click()
        expect(row).to_contain_text("410", timeout=SOON)
        row.get_by_role("button", name="启用").click()
        expect(row).to_contain_text("已启用")
        sink.answers = [(200, {})]
        row.get_by_role("button", name="发送记录").click()
        line.get_by_role("button", name="重发").click()
        assert servers_until(reload)
        log.get_by_role("button", name="关闭").click()
        row.get_by_role("button", name="删除").click()
        console.get_by_role("dialog", name="删除").get_by_role("button", name="删除").click()
        expect(row).to_have_count(0)


def servers_until(condition: object) -> bool:
    """Ask again and again for what the server does on its own."""
    from tests.security.test_rights import until

    return until(condition)  # type: ignore[arg-type]


@pytest.mark.req("EV-02")
def test_nothing_sticks_out_of_the_page_or_the_description_on_a_phone(
    near: Server, new_context: NewContext
) -> None:
    page = person(new_context, near, near.cookie("manager"), viewport=(360, 780)).new_page()
    page.goto("/console/integrations/")
    expect(page.get_by_role("heading", name="对接密钥")).to_be_visible()
    assert not overflow(page)
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", name="Gatehouse API 1")).to_be_visible()
    assert not overflow(page)
    assert not faults(page)
