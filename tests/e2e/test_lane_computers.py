"""A lane's computer from the console to the picture: made, enrolled by the real agent, given a camera, revoked (ID-01)."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.agent_rig import AgentProcess
from tests.e2e.conftest import Gate
from tests.e2e.pages import overflow, person

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
SOON = 30_000


@pytest.fixture
def console(gate: Gate) -> Page:
    """The devices page of the manager."""
    manager = gate.server.backstage.account(roles=["manager"], name="陈静")
    page = person(gate.new_context, gate.server, manager["cookie"]).new_page()
    page.goto("/console/devices/")
    expect(page.get_by_role("heading", name="车道电脑代理")).to_be_visible()
    return page


@pytest.fixture
def agent(gate: Gate) -> Iterator[AgentProcess]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-agent-", dir=MEMORY) as folder:
        made = AgentProcess(Path(folder) / "agent", gate.server.url)
        yield made
        made.stop()


@pytest.mark.req("ID-01", "DU-06", "AD-01")
def test_a_computer_is_added_enrolled_given_a_camera_and_revoked(
    gate: Gate, console: Page, agent: AgentProcess
) -> None:
    label = f"{gate.title} 工控机"[:40]
    console.get_by_role("button", name="添加车道电脑").click()
    form = console.get_by_role("dialog", name="添加车道电脑")
    form.get_by_label("名称").fill(label)
    form.get_by_role("button", name="生成登记码").click()
    expect(form.get_by_role("alert")).to_contain_text("至少选择一条车道")
    form.get_by_label(gate.title, exact=True).check()
    form.get_by_role("button", name="生成登记码").click()
    shown = console.get_by_role("dialog", name=label)
    code = shown.locator("#agent-code").inner_text()
    expect(shown.locator("pre").first).to_contain_text(f"enrol {gate.server.url} {code}")
    shown.get_by_role("button", name="关闭").click()
    row = console.locator("#lane-computers tr", has_text=label)
    expect(row).to_contain_text("等待登记")
    assert not overflow(console)

    done = agent.enrol(code)
    assert done.returncode == 0, done.stderr
    assert agent.enrol(code).returncode == 1, "the code worked twice"
    agent.start()
    expect(row).to_contain_text("在线", timeout=SOON)

    lane = console.locator("section.card", has=console.get_by_role("heading", name=gate.title, exact=True))
    lane.get_by_role("button", name="添加设备").click()
    form = console.get_by_role("dialog", name="添加设备")
    form.get_by_label("设备类型").select_option("camera")
    form.get_by_label("设备名称").fill("远端相机")
    form.get_by_label("运行位置").select_option(label=label)
    form.locator("#setting_source").fill("emulator")
    form.get_by_role("button", name="保存").click()
    device = lane.locator("tr", has_text="远端相机")
    expect(device).to_contain_text(f"在{label}")
    # Told over the link, started there, and its state told back.
    expect(device.locator(".chip")).to_have_text("正常", timeout=SOON)

    device.get_by_role("button", name="画面").click()
    picture = console.locator(".camera")
    expect(picture).to_have_attribute("data-state", "live", timeout=SOON)
    console.wait_for_function("() => document.querySelector('.camera img').naturalWidth >= 640")
    console.keyboard.press("Escape")

    row.get_by_role("button", name="撤销").click()
    sure = console.get_by_role("dialog", name="撤销")
    expect(sure).to_contain_text(label)
    sure.get_by_role("button", name="撤销").click()
    expect(console.locator("#lane-computers tr", has_text=label)).to_have_count(0)
    expect(device.locator(".chip")).to_have_class(re.compile(r"\bno\b"), timeout=SOON)
    expect(device).to_contain_text("车道电脑已撤销")

    # Another name does not move it to the server unasked; it says where it stands until it is given a place.
    device.get_by_role("button", name="修改设备").click()
    form = console.get_by_role("dialog", name="修改设备")
    expect(form.get_by_label("运行位置").locator("option:checked")).to_have_text(
        f"{label}（已撤销，设备停用）"
    )
    form.get_by_label("设备名称").fill("旧相机")
    form.get_by_role("button", name="保存").click()
    device = lane.locator("tr", has_text="旧相机")
    expect(device).to_contain_text("车道电脑已撤销")
    device.get_by_role("button", name="修改设备").click()
    form.get_by_label("运行位置").select_option(label="服务器")
    form.get_by_role("button", name="保存").click()
    expect(device.locator(".chip")).to_have_text("正常", timeout=SOON)
