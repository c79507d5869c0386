"""A day of loose cables in minutes: emulated card reader, ID card reader and camera are unplugged, plugged in and used.

A device that loses its line every two minutes does so 720 times a day; here each does it as fast as it can, in all 2000
times and for three minutes at least (BENCH_CYCLES, BENCH_SECONDS). Made faster: a driver that ran a moment counts as
stable, so that the pause before it starts again stays at its shortest. All else is the product's own. What the process
holds is printed on the way; the difference is taken from a tenth of the way on, when all libraries are loaded.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from hardware import device
from hardware.ports import DeviceConfig, DeviceEvent, DeviceHealth, DeviceStatus
from hardware.simulators.camera import CameraEmulator
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import card_of
from hardware.simulators.reader import ReaderEmulator
from hardware.supervisor import HardwareService
from tests.bench.tables import show

CYCLES = int(os.environ.get("BENCH_CYCLES", "2000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "180"))
ROWS = 10
READER_PAUSE_SECONDS = 0.08
PATIENCE = 30.0
CONFIGS = (
    DeviceConfig("reader", "lane", "pcsc", "Reader", {"emulated": True}),
    DeviceConfig("id_card", "lane", "id_card", "ID", {"emulated": True}),
    DeviceConfig("camera", "lane", "camera", "Camera", {"source": "emulator", "width": 640, "height": 480}),
)


@dataclass
class Heard:
    """The last state of each device, and how many events it sent; nothing is kept that grows."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    status: dict[str, DeviceStatus] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)

    def on_event(self, event: DeviceEvent) -> None:
        """Count it."""
        with self.changed:
            self.events[event.device_id] = self.events.get(event.device_id, 0) + 1
            self.changed.notify_all()

    def on_health(self, health: DeviceHealth) -> None:
        """Keep it."""
        with self.changed:
            self.status[health.device_id] = health.status
            self.changed.notify_all()

    def until(self, device_id: str, *, online: bool) -> None:
        """Wait for a device to be there or gone."""
        with self.changed:
            done = self.changed.wait_for(
                lambda: (self.status.get(device_id) is DeviceStatus.ONLINE) is online, PATIENCE
            )
        if not done:
            raise RuntimeError(f"{device_id} stayed {self.status.get(device_id)}")

    def event_after(self, device_id: str, before: int) -> None:
        """Wait for an event of a device."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.events.get(device_id, 0) > before, PATIENCE):
                raise RuntimeError(f"{device_id} said nothing")


class Soak:
    """Runs the three devices round and round."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.service = HardwareService(self.heard.on_event, self.heard.on_health)
        self.cycles = dict.fromkeys((config.id for config in CONFIGS), 0)
        self.enough = threading.Event()
        self.faults: list[str] = []

    def run(self) -> list[list[str]]:
        """Go on until there were enough; a row for each look at what the process holds."""
        self.service.start()
        self.service.apply(CONFIGS)
        works = {"reader": self._reader, "id_card": self._id_card, "camera": self._camera}
        threads = [
            threading.Thread(target=self._repeat, args=(name, work), daemon=True)
            for name, work in works.items()
        ]
        for thread in threads:
            thread.start()
        started, rows = time.monotonic(), []
        for number in range(1, 10_000):
            self.enough.wait(max(0.0, started + number * SECONDS / ROWS - time.monotonic()))
            rows.append(self._look(time.monotonic() - started))
            if self.faults or (number >= ROWS and sum(self.cycles.values()) >= CYCLES):
                break
        self.enough.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.service.stop()
        if self.faults:
            raise RuntimeError("; ".join(self.faults))
        return rows

    def _repeat(self, name: str, work: Callable[[], None]) -> None:
        try:
            while not self.enough.is_set():
                work()
                self.cycles[name] += 1
        except Exception as error:
            self.faults.append(str(error))
            self.enough.set()

    def _reader(self) -> None:
        emulator = self.service.emulator("reader")
        assert isinstance(emulator, ReaderEmulator)
        self.heard.until("reader", online=True)
        before = self.heard.events.get("reader", 0)
        emulator.tap(f"04{self.cycles['reader']:012X}")
        self.heard.event_after("reader", before)
        emulator.unplug()
        self.heard.until("reader", online=False)
        emulator.plug()
        # It would do thousands a second, and leave the others no time.
        self.enough.wait(READER_PAUSE_SECONDS)

    def _id_card(self) -> None:
        emulator = self.service.emulator("id_card")
        assert isinstance(emulator, IdCardReaderEmulator)
        self.heard.until("id_card", online=True)
        before = self.heard.events.get("id_card", 0)
        emulator.lay(card_of("访客" + chr(0x4E00 + self.cycles["id_card"] % 5000)))
        self.heard.event_after("id_card", before)
        emulator.lift()
        emulator.unplug()
        self.heard.until("id_card", online=False)
        emulator.plug()

    def _camera(self) -> None:
        emulator, feed = self.service.emulator("camera"), self.service.camera("camera")
        assert isinstance(emulator, CameraEmulator)
        assert feed is not None
        self.heard.until("camera", online=True)
        leave = feed.attach(lambda: None)
        before = self.heard.events.get("camera", 0)
        emulator.show_code(f"VMS1.SOAK{self.cycles['camera']}", seconds=10)
        self.heard.event_after("camera", before)
        feed.jpeg()
        leave()
        emulator.unplug()
        self.heard.until("camera", online=False)
        emulator.plug()

    def _look(self, seconds: float) -> list[str]:
        gc.collect()
        process = psutil.Process()
        return [
            f"{seconds:.0f}",
            *(str(self.cycles[config.id]) for config in CONFIGS),
            f"{process.memory_info().rss / 1e6:.1f}",
            str(threading.active_count()),
            str(process.num_threads()),
            str(process.num_fds()),
        ]


def main() -> None:
    """Run and print, the difference last."""
    device.STABLE_SECONDS = 0.0
    rows = Soak().run()
    first, last = rows[max(0, len(rows) // 10 - 1) + 1], rows[-1]
    show(
        "Devices unplugged, plugged in and used again and again",
        (
            "s",
            *(f"{config.id} cycles" for config in CONFIGS),
            "RSS MB",
            "Python threads",
            "threads",
            "open files",
        ),
        rows,
    )
    names = ("RSS MB", "Python threads", "threads", "open files")
    differences = [float(b) - float(a) for a, b in zip(first[-4:], last[-4:], strict=True)]
    sys.stdout.write(
        f"from {first[0]} s to the end: "
        + ", ".join(f"{name} {value:+g}" for name, value in zip(names, differences, strict=True))
        + f"; {sum(int(cell) for cell in last[1:4])} cycles\n"
    )


if __name__ == "__main__":
    main()
