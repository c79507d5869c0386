"""Badges on the lane's printer: from the key to the paper, once, with faults in words and nothing late (AD-15)."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from sqlmodel import Session, select

from app.adapters import fonts
from app.core import clock
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import Conflict
from app.domain.access import service as access
from app.domain.access.models import VisitorPass
from app.domain.admission import exits
from app.domain.admission.badges import badge_of
from app.domain.admission.models import Attempt, Visit
from app.domain.sites import repository as site_rows
from app.domain.sites import service as sites
from app.domain.sites.badges import name_on_badge, set_printing
from app.domain.sites.models import Device
from app.domain.sites.rules import BadgeName
from app.runtime import hub as hub_module
from app.runtime import printing
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.ports import DeviceEvent, EventKind
from hardware.simulators.badge_printer import BadgePrinterEmulator
from state import desk_printing
from tests.factories import GUEST, World, admit, invite, let_in, make_world, show_code
from tests.installation import FakeClock

ZH = "zh-CN"


class Rig:
    """A lane with a running badge printer."""

    def __init__(self, world: World, hub: Hub, device: Device) -> None:
        self.world, self.hub, self._device = world, hub, device

    @property
    def printer(self) -> BadgePrinterEmulator:
        found = self.hub.hardware.emulator(self._device.id)
        assert isinstance(found, BadgePrinterEmulator)
        return found

    @property
    def lane(self) -> str:
        return self.world.both.id

    def press(self, visit: Visit) -> bool:
        return self.hub.printing.begin(self.world.guard, self.lane, visit.id, ZH)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what comes from the device's thread."""
        async with asyncio.timeout(15):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.01)

    async def until_phase(self, phase: str) -> printing.PrintStatus:
        await self.until(
            lambda: (found := self.hub.printing.at(self.lane)) is not None and found.phase == phase
        )
        found = self.hub.printing.at(self.lane)
        assert found is not None
        return found

    async def until_device(self, status: str, detail: str) -> None:
        def told() -> bool:
            row = self.world.get(Device, self._device.id)
            return (row.status, row.status_detail) == (status, detail)

        await self.until(told)

    def audited(self) -> list[tuple[str, str, str]]:
        def load(session: Session) -> list[tuple[str, str, str]]:
            query = select(AuditEntry).where(AuditEntry.action.startswith("badge."))  # type: ignore[attr-defined]
            return [
                (e.action, e.result, e.reason or str(e.details.get("code", "")))
                for e in session.exec(query.order_by(AuditEntry.seq)).all()  # type: ignore[arg-type]
            ]

        return self.world.ask(load)


@pytest.fixture
async def rig(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    world = make_world(sqlite)

    def configure(session: Session) -> Device:
        return sites.save_device(
            session, world.manager, world.both, "打印机", "printer", {"emulated": True, "paper": 58}
        )

    device = world.do(configure)
    hub = Hub(sqlite, Live())
    monkeypatch.setattr(hub_module, "_hub", hub)
    await hub.start()
    made = Rig(world, hub, device)
    await made.until_device("online", "")
    yield made
    await hub.stop()


@pytest.mark.req("AD-15")
async def test_the_key_prints_a_badge_whose_code_leads_out(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        _, issued, visit = let_in(rig.world)
        assert rig.press(visit)
        await rig.until_phase("printed")
    picture = Image.open(io.BytesIO(rig.printer.picture() or b""))
    assert picture.width == 384
    (code,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert code.text == access.badge_code(issued)
    assert rig.audited() == [("badge.print", "ok", ""), ("badge.printed", "ok", "printed")]
    assert desk_printing.view(rig.lane, visit.id, ZH).words == "访客证已打印"
    for said in (GUEST, code.text):
        assert said not in caplog.text
    # What was printed is what leads out.
    item = DeviceEvent(rig.lane, "camera", EventKind.CODE, {"text": code.text}, clock.now(), 1, "boot")
    rig.hub.receive(item)
    await rig.hub._lanes[rig.lane].join()


async def test_a_double_press_prints_once_and_a_later_one_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, visit = let_in(rig.world)
    for _ in range(3):
        assert rig.press(visit)
    await rig.until_phase("printed")
    assert rig.press(visit)  # still the same press, a moment later
    assert rig.hub.printing.at(rig.lane) is not None
    assert rig.printer.prints == 1
    monkeypatch.setattr(printing, "PRESS_SECONDS", 0.0)
    rig.hub.printing._presses[visit.id].ends_at = time.monotonic()
    rig.press(visit)
    await rig.until_phase("busy")
    await rig.until_phase("printed")
    assert rig.printer.prints == 2
    assert [entry for entry in rig.audited() if entry[0] == "badge.print"] == [
        ("badge.print", "ok", ""),
        ("badge.print", "ok", "reprint"),
    ]


async def test_a_lane_without_a_printer_leaves_it_to_the_browser(rig: Rig) -> None:
    _, _, visit = let_in(rig.world)
    assert not rig.hub.printing.begin(rig.world.guard, rig.world.entry.id, visit.id, ZH)


async def test_out_of_paper_is_said_in_words_and_the_next_press_prints(rig: Rig) -> None:
    _, _, visit = let_in(rig.world)
    rig.printer.take_paper()
    await rig.until_device("fault", "paper_out")
    rig.press(visit)
    assert (await rig.until_phase("failed")).code == "paper_out"
    shown = desk_printing.view(rig.lane, visit.id, ZH)
    assert (shown.words, shown.tone) == ("打印机缺纸，请用浏览器打印。", "no")
    assert desk_printing.view(rig.lane, "another", ZH).words == ""
    assert desk_printing.view(rig.lane, "another", ZH).fault == shown.words
    rig.printer.load_paper()
    await rig.until_device("online", "")
    rig.press(visit)
    await rig.until_phase("printed")
    assert rig.printer.prints == 1
    assert [entry[1:] for entry in rig.audited() if entry[0] == "badge.printed"] == [
        ("failed", "paper_out"),
        ("ok", "printed"),
    ]


async def test_a_printer_that_hangs_holds_nobody_up_and_prints_nothing_late(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "JOB_SECONDS", 1.0)
    _, _, visit = let_in(rig.world)
    rig.printer.hung = True
    rig.press(visit)
    await rig.until_phase("busy")
    # Meanwhile the lane goes on.
    _, issued, _ = invite(rig.world, phone="13800138002")
    text = access.code_now(issued, clock.now())
    rig.hub.receive(DeviceEvent(rig.lane, "camera", EventKind.CODE, {"text": text}, clock.now(), 1, "boot"))
    await rig.hub._lanes[rig.lane].join()
    found = rig.hub.printing.at(rig.lane)
    assert found is not None
    assert found.phase == "busy"
    assert (await rig.until_phase("failed")).code in {
        "printer_silent",
        "expired",
        "print_slow",
        "no_heartbeat",
    }
    rig.printer.hung = False
    await rig.until_device("online", "")
    assert rig.printer.prints == 0


async def test_printed_at_once_where_the_site_wants_it_and_only_there(rig: Rig) -> None:
    world = rig.world
    let_in(world)
    await asyncio.sleep(0)
    await rig.until(lambda: not rig.hub.printing._tasks)
    assert world.do(set_printing, world.manager, world.site.id, at_once=True, name="masked") == 1
    _, issued, _ = invite(world, phone="13800138002")
    arrival = show_code(world, issued)
    await asyncio.to_thread(admit, world, arrival)
    await rig.until(lambda: rig.printer.prints == 1)
    await rig.until_phase("printed")
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(rig.printer.picture() or b"")).convert("L"))
    assert code.text == access.badge_code(issued)
    # The first guest came in before, and somebody who leaves gets none.
    visit = world.ask(lambda s: s.exec(select(Visit).where(Visit.attempt_id == arrival.id)).one())
    world.do(exits.leave, world.guard, visit.id, rig.lane, "search")
    assert rig.printer.prints == 1


async def test_a_guard_of_another_site_prints_nothing(rig: Rig) -> None:
    _, _, visit = let_in(rig.world)
    stranger = make_world(rig.world.database, name="翠湖苑").guard
    rig.hub.printing.begin(stranger, rig.lane, visit.id, ZH)
    assert (await rig.until_phase("failed")).code == "refused"
    assert desk_printing.view(rig.lane, visit.id, ZH).words == "这次来访没有可打印的访客证"
    assert rig.printer.prints == 0
    assert rig.audited() == []


async def test_without_a_chinese_font_the_fault_is_clear(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, visit = let_in(rig.world)
    monkeypatch.setattr(fonts, "FOLDERS", (Path("/nonexistent"),))
    fonts._chinese.cache_clear()
    rig.press(visit)
    try:
        assert (await rig.until_phase("failed")).code == "font_missing"
    finally:
        fonts._chinese.cache_clear()
    assert "字体" in desk_printing.view(rig.lane, visit.id, ZH).words


def test_every_fault_of_a_printer_has_words() -> None:
    codes = (
        "unreachable", "printer_silent", "printer_absent", "port_denied", "port_busy", "not_a_device", "bad_address",
        "paper_out", "cover_open", "printer_error", "print_slow", "escpos_missing", "no_heartbeat", "font_missing",
    )  # fmt: skip
    for locale in (ZH, "en"):
        other = desk_printing._why("never heard of", locale)
        words = {code: desk_printing._why(code, locale) for code in codes}
        assert other not in words.values()
        assert all("_" not in text for text in (*words.values(), other))


def test_the_name_stands_as_the_site_wants_it(sqlite: Database) -> None:
    world = make_world(sqlite)
    _, _, visit = let_in(world)
    for rule, name in ((BadgeName.MASKED, "周**"), (BadgeName.FULL, GUEST), (BadgeName.NONE, "")):
        world.do(set_printing, world.manager, world.site.id, at_once=False, name=rule)
        made = world.ask(badge_of, world.guard, visit.id)
        assert made.name == name
        assert GUEST not in repr(made)
    assert name_on_badge("of another version", GUEST) == "周**"
    policy = world.ask(site_rows.policy, world.site.id)
    assert (policy.print_at_once, policy.badge_name) == (False, BadgeName.NONE)


def test_who_has_left_gets_no_badge(sqlite: Database, fake_clock: FakeClock) -> None:
    world = make_world(sqlite)
    _, issued, visit = let_in(world)
    made = world.ask(badge_of, world.guard, visit.id)
    assert (made.unit, made.heads, made.lane) == ("8栋1203", 1, "东门 · 1号道")
    assert made.window == "03-02 10:00 – 14:00"
    assert made.entered == "2026-03-02 10:00"
    assert world.get(VisitorPass, issued.id).status == "active"
    assert world.get(Attempt, visit.attempt_id).status == "admitted"
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    with pytest.raises(Conflict):
        world.ask(badge_of, world.guard, visit.id)
