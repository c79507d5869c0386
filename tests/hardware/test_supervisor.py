"""The supervisor: devices fail, fall silent and come back, and nobody else notices."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.ports import DeviceConfig, DeviceEvent, DeviceHealth, DeviceStatus
from hardware.registry import DRIVERS, DriverType, Setting
from hardware.supervisor import HardwareService
from tests.hardware.recorder import Recorder, eventually

pytestmark = pytest.mark.req("DU-06")

Run = Callable[..., HardwareService]
ROOT = Path(__file__).resolve().parents[2]

BLOCKED = """
import sys, threading
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocker())
from hardware.ports import DeviceConfig
from hardware.supervisor import HardwareService
told = threading.Event(); states = {{}}
def on_health(health):
    states[health.device_id] = f"{{health.status}} {{health.detail}}"
    if all(state.startswith(("unavailable", "fault")) for state in states.values()) and len(states) == 2:
        told.set()
service = HardwareService(lambda event: None, on_health)
service.start()
service.apply([
    DeviceConfig("card", "lane", "pcsc", "Card", {{}}),
    DeviceConfig("camera", "lane", "camera", "Camera", {{"source": "emulator"}}),
])
told.wait(20)
service.stop()
print(states["card"], states["camera"], sep="\\n")
"""


def device(key: str, driver: str, **settings: Any) -> DeviceConfig:
    return DeviceConfig(key, "lane", driver, key, settings)


@pytest.fixture(autouse=True)
def test_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"failing": (Setting("failures", ("int",)),), "silent": (Setting("seconds", ("float",)),)}
    for name in ("failing", "broken", "missing", "silent"):
        kind = DriverType(
            key=name,
            kind="reader",
            driver=f"tests.hardware.drivers:{name.title()}",
            emulator="",
            settings=fields.get(name, ()),
            heartbeat_seconds=0.3,
            max_backoff_seconds=0.5,
        )
        monkeypatch.setitem(DRIVERS, name, kind)


def test_a_device_that_fails_is_started_again_with_growing_pauses(run: Run, recorder: Recorder) -> None:
    service = run("failing", failures=3)
    assert recorder.wait_status(DeviceStatus.ONLINE) >= 0.25 + 0.5 + 0.5 - 0.05
    assert recorder.said() == [("starting", ""), ("offline", "cable_loose"), ("online", "")]
    assert service.health()["dev"].counters["restarts"] == 3


def test_events_of_different_starts_never_share_a_nonce(run: Run, recorder: Recorder) -> None:
    run("failing", failures=2)
    recorder.wait_status(DeviceStatus.ONLINE)
    assert [event.seq for event in recorder.events] == [1, 1, 1]
    assert len({event.nonce for event in recorder.events}) == 3
    event = recorder.events[0]
    assert event.nonce == f"dev:{event.boot}:1"


def test_a_mistake_in_a_driver_is_a_fault_of_that_device_only(
    service: HardwareService, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    service.apply([device("bad", "broken"), device("good", "failing")])
    recorder.wait_status(DeviceStatus.FAULT, "driver_failed", device_id="bad")
    recorder.wait_status(DeviceStatus.ONLINE, device_id="good")
    assert "ZeroDivisionError" in caplog.text


def test_a_missing_library_is_told_and_not_tried_again(run: Run, recorder: Recorder) -> None:
    service = run("missing")
    recorder.wait_status(DeviceStatus.UNAVAILABLE, "library_missing")
    recorder.quiet(0.6, lambda: service.health()["dev"].counters["restarts"])


def test_a_silent_device_goes_offline_and_comes_back_by_itself(run: Run, recorder: Recorder) -> None:
    run("silent", seconds=1.0)
    assert recorder.wait_status(DeviceStatus.OFFLINE, "no_heartbeat") < 1.5
    recorder.wait_status(DeviceStatus.ONLINE)


def test_only_what_changed_is_restarted(service: HardwareService, recorder: Recorder) -> None:
    kept, changed, gone = (device(key, "failing") for key in ("kept", "changed", "gone"))
    service.apply([kept, changed, gone])
    for key in ("kept", "changed", "gone"):
        recorder.wait_status(DeviceStatus.ONLINE, device_id=key)
    service.apply([kept, device("changed", "failing", failures=0), device("new", "failing")])
    recorder.wait_status(DeviceStatus.ONLINE, device_id="new")
    eventually(lambda: len(recorder.said("changed")) == 4)
    assert recorder.said("kept") == [("starting", ""), ("online", "")]
    assert set(service.health()) == {"kept", "changed", "new"}
    eventually(lambda: sum(thread.name.startswith("device-") for thread in threading.enumerate()) == 3)


@pytest.mark.parametrize(
    ("config", "status", "detail"),
    [
        (DeviceConfig("dev", "lane", "failing", "", {}, enabled=False), DeviceStatus.DISABLED, ""),
        (device("dev", "teleporter"), DeviceStatus.FAULT, "unknown_driver"),
        (device("dev", "camera"), DeviceStatus.FAULT, "missing_setting"),
        (device("dev", "pcsc", reader=5), DeviceStatus.FAULT, "bad_type"),
        (device("dev", "pcsc", colour="red"), DeviceStatus.FAULT, "unknown_setting"),
    ],
)
def test_what_cannot_run_is_shown_and_not_run(
    config: DeviceConfig, status: DeviceStatus, detail: str, service: HardwareService, recorder: Recorder
) -> None:
    service.apply([config])
    recorder.wait_status(status, detail)
    assert service.health()["dev"].status is status
    assert not [thread for thread in threading.enumerate() if thread.name == "device-dev"]


@pytest.fixture
def deaf(caplog: pytest.LogCaptureFixture) -> Iterator[tuple[HardwareService, list[DeviceHealth]]]:
    """A service whose application fails at everything it is told."""
    caplog.set_level(logging.ERROR)
    heard: list[DeviceHealth] = []

    def on_event(event: DeviceEvent) -> None:
        raise RuntimeError("no database")

    def on_health(health: DeviceHealth) -> None:
        heard.append(health)
        raise RuntimeError("no hub")

    service = HardwareService(on_event, on_health)
    service.start()
    yield service, heard
    service.stop()


def test_a_failing_application_stops_no_device_and_fills_no_log(
    deaf: tuple[HardwareService, list[DeviceHealth]], caplog: pytest.LogCaptureFixture
) -> None:
    service, heard = deaf
    service.apply([device("dev", "failing", failures=2)])
    eventually(lambda: heard and heard[-1].status is DeviceStatus.ONLINE)
    assert service.health()["dev"].counters["events"] == 3
    assert len([record for record in caplog.records if "Receiver" in record.message]) == 2


def test_health_is_told_on_change_only(run: Run, recorder: Recorder) -> None:
    run("failing")
    recorder.wait_status(DeviceStatus.ONLINE)
    recorder.quiet(1.0, lambda: len(recorder.states) > 2)


def test_a_stopped_service_leaves_nothing_and_starts_again(recorder: Recorder) -> None:
    before = set(threading.enumerate())
    service = HardwareService(recorder.on_event, recorder.on_health)
    service.apply([device("dev", "failing"), device("card", "pcsc", emulated=True)])
    assert set(threading.enumerate()) == before
    for _ in range(2):
        service.start()
        service.start()
        recorder.wait_status(DeviceStatus.ONLINE)
        recorder.wait_status(DeviceStatus.ONLINE, device_id="card")
        service.stop()
        service.stop()
        assert set(threading.enumerate()) == before
        assert {health.detail for health in service.health().values()} == {"stopped"}
        recorder.states.clear()
    assert service.emulator("card") is None
    assert service.camera("dev") is None


def test_a_sink_may_ask_the_service_while_it_stops_the_device() -> None:
    asked = threading.Event()
    answers: list[Any] = []

    def on_event(event: DeviceEvent) -> None:
        asked.set()
        stopping.wait(5)
        answers.append((service.health(), service.camera("dev"), service.emulator("dev")))

    stopping = threading.Event()
    service = HardwareService(on_event, lambda health: None)
    service.start()
    service.apply([device("dev", "failing")])
    assert asked.wait(5)
    threading.Timer(0.2, stopping.set).start()
    service.stop()
    assert len(answers) == 1


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_importing_starts_nothing_and_loads_no_vendor_library() -> None:
    code = (
        "import sys, threading, hardware.supervisor, hardware.drivers.camera, hardware.drivers.pcsc_reader,"
        " hardware.simulators.camera, hardware.simulators.reader\n"
        "print(threading.active_count(), [m for m in ('cv2', 'numpy', 'pyzbar', 'zxingcpp', 'smartcard') if m in sys.modules])"
    )
    assert python(code).split() == ["1", "[]"]


def test_without_any_vendor_library_the_devices_say_so() -> None:
    states = python(BLOCKED.format(blocked={"cv2", "smartcard"})).splitlines()
    assert states == ["unavailable pyscard_missing", "unavailable emulator_missing"]


def test_without_decoders_a_camera_is_a_fault_and_not_fine() -> None:
    states = python(BLOCKED.format(blocked={"pyzbar", "zxingcpp", "smartcard"})).splitlines()
    assert states == ["unavailable pyscard_missing", "fault code_reader_missing"]
