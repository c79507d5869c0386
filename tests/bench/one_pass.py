"""The one-pass flow (AD-04): ID card laid, booking found, admitted by one key, badge printed; the machine's share of it.

The reader is the emulated one at the pace of its real line (115200 baud), the printer a TCP port that decodes the badge.
The second table is the whole flow in a browser with the keyboard, from the card to the badge, the guard's hand included.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlmodel import Session

from tests.bench.tables import quantile, show

PASSES = int(os.environ.get("BENCH_PASSES", "40"))
BAUD = 115_200
PATIENCE = 20.0


async def until(condition: Any) -> float:
    """Wait for what comes from a device's thread; returns when it was seen."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)
    return time.perf_counter()


async def measure(folder: Path) -> list[tuple[float, float]]:
    """So many passes through reader, hub, database, key and printer; seconds to the verdict and to the badge."""
    os.environ["GATEHOUSE_DATA_DIR"] = str(folder)
    os.environ.pop("GATEHOUSE_DATABASE_URL", None)
    from app.core.settings import get_settings

    get_settings.cache_clear()
    from app.domain.admission import service
    from app.domain.admission.models import LaneChanged
    from app.domain.sites import service as sites
    from app.runtime.hub import Hub
    from app.runtime.installation import open_installation
    from app.runtime.live import Live
    from hardware.ports import DeviceStatus
    from hardware.simulators.badge_printer import BadgePrinterEmulator
    from hardware.simulators.id_card_reader import IdCardReaderEmulator
    from hardware.simulators.id_cards import card_of
    from tests.factories import invite, make_world

    database = open_installation(migrate=True)
    world = make_world(database)
    reader, printer = IdCardReaderEmulator(baud=BAUD), BadgePrinterEmulator()
    reader.start()
    printer.start()

    def configure(session: Session) -> None:
        for name, driver, settings in (
            ("reader", "id_card", {"port": reader.port, "baud": BAUD}),
            ("printer", "printer", {"address": printer.address}),
        ):
            sites.save_device(session, world.manager, world.both, name, driver, settings)

    world.do(configure)
    verdicts: list[str] = []
    database.listen(lambda said: verdicts.append(said.attempt_id) if isinstance(said, LaneChanged) else None)
    hub = Hub(database, Live())
    await hub.start()
    found = []
    try:
        await until(
            lambda: (
                len(hub.hardware.health()) == 2
                and all(health.status is DeviceStatus.ONLINE for health in hub.hardware.health().values())
            )
        )
        for number in range(PASSES):
            name = f"周{'甲乙丙丁戊己庚辛壬癸'[number % 10]}{'东南西北'[number // 10 % 4]}"
            await asyncio.to_thread(invite, world, name=name, phone=f"1380013{number:04}")
            verdicts.clear()
            laid = time.perf_counter()
            reader.lay(card_of(name))
            told = await until(lambda: bool(verdicts)) - laid
            reader.lift()
            attempt_id, prints = verdicts[0], printer.prints
            pressed = time.perf_counter()
            visit = await database.write(lambda s, a=attempt_id: service.admit(s, world.guard, a))  # type: ignore[misc]
            hub.printing.begin(world.guard, world.both.id, visit.id, "zh-CN")
            found.append((told, await until(lambda p=prints: printer.prints > p) - pressed))  # type: ignore[misc]
            await asyncio.sleep(0.6)  # the reader sees the empty field, as between two visitors
    finally:
        await hub.stop()
        reader.stop()
        printer.stop()
        database.close()
    return found


def in_a_browser() -> list[tuple[str, float]]:
    """The guard's script with the keyboard in Chromium, on a real server with the demonstration's devices."""
    from playwright.sync_api import expect, sync_playwright

    from tests.e2e import server as servers
    from tests.e2e.pages import Demo, Desk, person
    from tests.plugins.browser import FLAGS, chromium_path

    running = servers.make_server()
    try:
        running.start()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            lane = running.backstage.lanes()[0]["lane"]
            running.backstage.on_duty(username="guard", lane=lane)
            running.backstage.guest(host="resident", name="阿丽娅")

            def context(**options: Any) -> Any:
                made = browser.new_context(locale="zh-CN", **options)
                made.set_default_timeout(30_000)
                return made

            guard = person(context, running, running.cookie("guard"))
            desk, panel = Desk.open(guard), Demo.open(guard)
            expect(desk.lamp("打印机")).to_have_class("lamp ok", timeout=15_000)
            panel.choose_guest("阿丽娅")
            steps = [("", time.perf_counter())]
            panel.press("放上所选访客的身份证")
            desk.expect_verdict("可以放行")
            steps.append(("card laid, verdict shown", time.perf_counter()))
            desk.page.keyboard.press("Enter")
            desk.expect_verdict("已放行：阿丽娅")
            steps.append(("Enter, admitted", time.perf_counter()))
            desk.page.keyboard.press("F8")
            expect(desk.page.locator(".arrival-acts")).to_contain_text("访客证已打印")
            steps.append(("F8, badge printed", time.perf_counter()))
            browser.close()
    finally:
        servers.remove(running)
    rows = [(name, end - begun) for (_, begun), (name, end) in pairwise(steps)]
    return [*rows, ("whole flow", steps[-1][1] - steps[0][1])]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        found = asyncio.run(measure(Path(folder)))
    parts = {
        "card laid to verdict": [told for told, _ in found],
        "key to badge complete": [printed for _, printed in found],
        "machine share together": [told + printed for told, printed in found],
    }
    rows = [
        (
            name,
            len(times),
            *(
                f"{value * 1000:.0f}"
                for value in (statistics.median(times), quantile(times, 0.95), max(times))
            ),
        )
        for name, times in parts.items()
    ]
    show(
        "One pass: the machine's share (wanted: p95 of 1000 ms)",
        ("part", "passes", "p50 ms", "p95 ms", "worst ms"),
        rows,
    )
    from app.commands import frontend
    from tests.plugins.browser import chromium_path

    if not frontend.is_built() or chromium_path() is None:
        sys.stdout.write("\nno pages or no Chromium: no browser run\n")
        return
    show(
        "One pass in Chromium with the keyboard (wanted: whole flow within 30 s)",
        ("step", "s"),
        [(name, f"{seconds:.2f}") for name, seconds in in_a_browser()],
    )


if __name__ == "__main__":
    main()
