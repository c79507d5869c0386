"""Messages as people meet them: the manager's page, a choice on the own account, real servers at the other end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.adapters.http_stub import Stub, stub
from tests.adapters.mail_server import Handler, Running
from tests.adapters.mail_server import server as mail_server
from tests.e2e.pages import NewContext, overflow, person
from tests.e2e.server import Server, make_server, remove
from tests.e2e.test_accessibility import faults

GATEWAY = """
[send]
url = "{url}/send"
code = "code"
success = ["OK"]
json = {{ to = "{{phone}}", text = "{{text}}", id = "{{id}}", key = "{{secret}}" }}
"""
SECRET = "gateway-5ecret"


@dataclass
class Outside:
    """The server, and what it sends to."""

    server: Server
    sms: Stub
    mail: Running


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A server with a gateway and a mail server of its own."""
    with stub() as sms, mail_server(Handler()) as mail:
        described = tmp_path_factory.mktemp("messages") / "sms.toml"
        described.write_text(GATEWAY.format(url=sms.url), "utf-8")
        made = make_server(
            GATEHOUSE_SMS_GATEWAY=str(described),
            GATEHOUSE_SMS_SECRET=SECRET,
            GATEHOUSE_SMTP_HOST="127.0.0.1",
            GATEHOUSE_SMTP_PORT=str(mail.mail.port),
            GATEHOUSE_SMTP_SECURITY="none",
            GATEHOUSE_SMTP_FROM="gate@site.test",
        )
        try:
            made.start()
            yield Outside(made, sms, mail)
        finally:
            remove(made)


@pytest.fixture
def manager(outside: Outside, new_context: NewContext) -> Page:
    """The manager's page of messages."""
    account = outside.server.backstage.account(roles=["manager"], name="钱伟", phone="13700130099")
    page = person(new_context, outside.server, account["cookie"]).new_page()
    page.goto("/console/messages/")
    expect(page.get_by_role("heading", name="消息", exact=True)).to_be_visible()
    return page


def set_hours(page: Page, begin: str, end: str, reminder: str) -> None:
    page.get_by_label("免打扰开始").fill(begin)
    page.get_by_label("免打扰结束").fill(end)
    page.get_by_label("来访前提醒（分钟）").fill(reminder)
    page.get_by_role("button", name="保存免打扰与提醒").click()


@pytest.mark.req("EV-06")
def test_a_message_that_was_refused_is_seen_and_sent_again(outside: Outside, manager: Page) -> None:
    outside.sms.reply(body={"code": "BLOCKED"})
    channel = manager.locator("tbody tr", has_text="启动后未使用").filter(has_text="短信")
    channel.get_by_role("button", name="发送测试").click()
    row = manager.locator("tbody tr", has_text="测试消息")
    expect(row).to_contain_text("发送失败")
    expect(row).to_contain_text("短信网关应答 BLOCKED")
    expect(row).to_contain_text("137****0099")
    expect(manager.locator("tbody tr", has_text="重发失败消息")).to_contain_text("短信")

    outside.sms.reply(body={"code": "OK"})
    row.get_by_role("button", name="重发", exact=True).click()
    expect(row).to_contain_text("已发送")
    assert [asked.json()["to"] for asked in outside.sms.asked] == ["13700130099"] * 2
    assert len({asked.json()["id"] for asked in outside.sms.asked}) == 1
    # The secret went to the gateway, and nowhere else.
    assert outside.sms.asked[0].json()["key"] == SECRET
    assert SECRET not in manager.content()
    log = outside.server.log_text()
    assert "Traceback" not in log
    assert not [word for word in (SECRET, "13700130099") if word in log]


@pytest.mark.req("EV-06")
def test_the_filters_stand_in_the_address_and_a_message_can_be_given_up(
    outside: Outside, manager: Page
) -> None:
    outside.sms.reply(body={"code": "GONE"})
    manager.locator("tbody tr", has_text="短信").get_by_role("button", name="发送测试").first.click()
    manager.get_by_label("状态", exact=True).select_option(label="发送失败")
    expect(manager).to_have_url(f"{outside.server.url}/console/messages?state=dead")
    row = manager.locator("tbody tr", has_text="短信网关应答 GONE")
    row.get_by_role("button", name="放弃").click()
    dialog = manager.get_by_role("dialog")
    expect(dialog).to_contain_text("不再发送")
    dialog.get_by_role("button", name="放弃").click()
    expect(row).to_have_count(0)
    manager.get_by_label("状态", exact=True).select_option(label="已放弃")
    expect(row).to_contain_text("已放弃")


@pytest.mark.req("BK-08")
def test_a_text_is_shown_before_it_holds_and_a_wrong_one_is_refused(outside: Outside, manager: Page) -> None:
    line = manager.locator("tbody tr", has_text="来访提醒").filter(has_text="中文")
    line.get_by_role("button", name="来访提醒（中文）").click()
    dialog = manager.get_by_role("dialog")
    preview, text = dialog.locator("#message-preview"), dialog.get_by_label("内容")
    expect(preview).to_contain_text("今天 14:00 – 16:00")
    text.fill("{name}，{window}见，{phone}")
    expect(dialog.get_by_role("alert")).to_contain_text("{phone} 不能用在这里")
    text.fill("{name}，{window}见")
    expect(dialog.get_by_role("alert")).to_contain_text("必须有 {link}")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_be_visible()
    text.fill("{name}，{window}见：{link}")
    expect(preview).to_have_text("周*，今天 14:00 – 16:00见：https://gate.example/v/8f3kq2")
    expect(dialog).to_contain_text("按 1 条短信计费")
    assert not faults(manager)
    dialog.get_by_role("button", name="保存").click()
    expect(line).to_contain_text("已修改")
    line.get_by_role("button", name="来访提醒（中文）").click()
    dialog.get_by_role("button", name="恢复默认内容").click()
    expect(line).not_to_contain_text("已修改")


@pytest.mark.req("BK-08")
def test_hours_are_checked_and_kept(manager: Page) -> None:
    set_hours(manager, "22:00", "07:00", "99999")
    expect(manager.get_by_role("alert").filter(has_text="来访前提醒")).to_contain_text("2880")
    set_hours(manager, "23:30", "06:30", "60")
    expect(manager.get_by_text("已保存。")).to_be_visible()
    manager.reload()
    expect(manager.get_by_label("免打扰开始")).to_have_value("23:30")
    expect(manager.get_by_label("来访前提醒（分钟）")).to_have_value("60")


@pytest.mark.req("AD-08", "EV-06")
def test_a_host_chooses_mail_and_gets_it(outside: Outside, manager: Page, new_context: NewContext) -> None:
    set_hours(manager, "00:00", "00:00", "120")  # this test may run at night
    backstage = outside.server.backstage
    host = backstage.account(roles=["resident"], name="王建平", phone="13700130001", unit="9 栋 901")
    own = person(new_context, outside.server, host["cookie"], viewport=(360, 780)).new_page()
    own.goto("/account/")
    expect(own.get_by_label("发短信到 137****0001")).not_to_be_checked()
    own.get_by_label("发邮件").check()
    own.get_by_label("邮箱地址").fill("nowhere")
    own.get_by_role("button", name="保存", exact=True).click()
    own.get_by_label("邮箱地址").fill("host@home.test")
    own.get_by_role("button", name="保存", exact=True).click()
    expect(own.get_by_text("通知方式已保存。")).to_be_visible()
    assert not overflow(own)

    lane = backstage.lane()
    guest = backstage.guest(host=host["username"], name="周婷婷")
    arrive(outside.server, lane, backstage.code(booking=guest["booking"], kind="live"))
    row = manager.locator("tbody tr", has_text="访客到达").filter(has_text="邮件")
    expect(row).to_contain_text("已发送")
    expect(row).to_contain_text("h***@home.test")
    [(_, to, mail)] = outside.mail.handler.mails
    assert to == ["host@home.test"]
    body = mail.get_body().get_content()  # type: ignore[union-attr]
    assert "周**" in body
    assert "周婷婷" not in body


def arrive(server: Server, lane: dict[str, Any], code: str) -> None:
    """The guest's code is read and the gate opens."""
    with server.client(headers={"Authorization": f"Bearer {lane['key']}"}) as client:
        body = {"kind": "code", "text": code, "nonce": f"messages-{lane['lane']}", "admit": True}
        client.post(f"/api/v1/lanes/{lane['lane']}/present", json=body).raise_for_status()


def test_nobody_else_looks_after_messages(outside: Outside, new_context: NewContext) -> None:
    for role in ("guard", "supervisor", "resident", "admin", "auditor"):
        account = outside.server.backstage.account(
            roles=[role], unit="9 栋 902" if role == "resident" else ""
        )
        page = person(new_context, outside.server, account["cookie"]).new_page()
        page.goto("/console/messages/")
        expect(page.get_by_text("您的角色看不到这一页")).to_be_visible()
