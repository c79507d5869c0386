"""IC cards: the same driver on the real PC/SC service and on the emulated one keeps the same contract."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol, cast

import pytest

from hardware.ports import DeviceConfig, DeviceStatus, EventKind
from hardware.simulators.card_transport import CONTACTLESS_ATR
from hardware.simulators.reader import ReaderEmulator
from hardware.supervisor import HardwareService
from tests.hardware.pcscd import READER, Pcscd, TcpCard
from tests.hardware.recorder import Recorder

pytestmark = [pytest.mark.xdist_group("pcscd"), pytest.mark.req("AD-02")]

UID = "04A1B2C3D4E5F6"
OTHER_UID = "04FFEEDDCCBBAA"
RANDOM_UID = "08112233"
FILE = bytes.fromhex("3F05")
NUMBER = {FILE: b"6222020001\0\0\0\0\0\0"}
SCRIPT = {"script": "00A4000C023F05; 00B0000010 = 9000"}
Files = dict[bytes, bytes] | None


class Rig(Protocol):
    """A reader that a test can lay cards on."""

    def tap(self, uid: str, files: Files = None) -> None: ...

    def remove(self) -> None: ...

    def pull_while_reading(self, uid: str, files: Files = None, at_command: int = 1) -> None: ...


class RealRig:
    """The virtual reader of the real daemon."""

    def __init__(self, daemon: Pcscd) -> None:
        self._daemon = daemon
        self._card: TcpCard | None = None

    def tap(self, uid: str, files: Files = None) -> None:
        self._card = TcpCard(self._daemon.port, uid, files=files)

    def pull_while_reading(self, uid: str, files: Files = None, at_command: int = 1) -> None:
        self._card = TcpCard(self._daemon.port, uid, files=files, pull_on_command=at_command)

    def remove(self) -> None:
        if self._card is not None:
            self._card.remove()
            self._card = None


@pytest.fixture
def settings() -> dict[str, Any]:
    """What the device is set to beyond its reader; a test of scripts has its own."""
    return {}


@pytest.fixture(params=["real", "emulated"])
def rig(
    request: pytest.FixtureRequest,
    run: Callable[..., HardwareService],
    recorder: Recorder,
    settings: dict[str, Any],
) -> Iterator[Rig]:
    if request.param == "emulated":
        service = run("pcsc", emulated=True, **settings)
        recorder.wait_status(DeviceStatus.ONLINE)
        yield cast("Rig", service.emulator("dev"))
        return
    daemon = request.getfixturevalue("pcscd")
    daemon.start()
    made = RealRig(daemon)
    service = run("pcsc", reader="gate a * 00", **settings)
    recorder.wait_status(DeviceStatus.ONLINE)
    yield made
    made.remove()
    # The daemon is stopped by an outer fixture; a driver that still runs would see it die.
    service.apply([])


@pytest.fixture
def emulated(run: Callable[..., HardwareService], recorder: Recorder) -> ReaderEmulator:
    service = run("pcsc", emulated=True)
    recorder.wait_status(DeviceStatus.ONLINE)
    return cast("ReaderEmulator", service.emulator("dev"))


def test_a_presented_card_is_one_event_with_uid_and_atr(rig: Rig, recorder: Recorder) -> None:
    rig.tap(UID)
    cards = recorder.wait_event(EventKind.CARD)
    assert cards == [{"uid": UID, "atr": CONTACTLESS_ATR.hex().upper()}]
    assert recorder.events[0].lane_id == "lane"
    assert recorder.events[0].at.tzinfo is not None
    rig.remove()
    assert recorder.wait_event(EventKind.CARD_REMOVED) == [{"uid": UID}]
    assert len(recorder.of(EventKind.CARD)) == 1


def test_one_card_after_another_are_two_events(rig: Rig, recorder: Recorder) -> None:
    rig.tap(UID)
    recorder.wait_event(EventKind.CARD)
    rig.remove()
    recorder.wait_event(EventKind.CARD_REMOVED)
    rig.tap(OTHER_UID)
    assert [card["uid"] for card in recorder.wait_event(EventKind.CARD, 2)] == [UID, OTHER_UID]
    assert [event.seq for event in recorder.events] == [1, 2, 3]


def test_a_phone_with_a_random_uid_is_marked(rig: Rig, recorder: Recorder) -> None:
    rig.tap(RANDOM_UID)
    assert recorder.wait_event(EventKind.CARD)[0]["random_uid"] == "1"


def test_a_card_pulled_while_being_read_is_unreadable(rig: Rig, recorder: Recorder) -> None:
    rig.pull_while_reading(UID)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "card_pulled"}]
    rig.remove()
    assert not recorder.of(EventKind.CARD)


@pytest.mark.parametrize("settings", [SCRIPT])
def test_a_script_reads_the_number_in_the_cards_file(rig: Rig, recorder: Recorder) -> None:
    rig.tap(UID, NUMBER)
    card = recorder.wait_event(EventKind.CARD)[0]
    assert card == {"uid": UID, "atr": CONTACTLESS_ATR.hex().upper(), "number": "6222020001"}
    rig.remove()
    assert recorder.wait_event(EventKind.CARD_REMOVED) == [{"uid": UID}]


@pytest.mark.parametrize("settings", [SCRIPT])
def test_a_card_without_the_file_is_known_by_its_uid(rig: Rig, recorder: Recorder) -> None:
    rig.tap(OTHER_UID)
    assert recorder.wait_event(EventKind.CARD)[0]["uid"] == OTHER_UID
    assert "number" not in recorder.of(EventKind.CARD)[0]
    rig.remove()
    recorder.wait_event(EventKind.CARD_REMOVED)
    rig.tap(RANDOM_UID)
    assert recorder.wait_event(EventKind.CARD, 2)[1]["random_uid"] == "1"


@pytest.mark.parametrize("settings", [SCRIPT | {"uid_too": False}])
def test_where_only_numbers_count_a_card_without_the_file_is_unreadable(rig: Rig, recorder: Recorder) -> None:
    rig.tap(OTHER_UID)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "card_other_kind"}]
    rig.remove()
    recorder.quiet(0.6, lambda: recorder.of(EventKind.CARD))


@pytest.mark.parametrize("settings", [SCRIPT])
@pytest.mark.parametrize("at_command", [2, 3])
def test_a_card_pulled_in_the_middle_of_the_script_gives_no_number_and_no_uid(
    at_command: int, rig: Rig, recorder: Recorder
) -> None:
    rig.pull_while_reading(UID, NUMBER, at_command)
    assert recorder.wait_event(EventKind.UNREADABLE) == [{"reason": "card_pulled"}]
    rig.remove()
    assert not recorder.of(EventKind.CARD)


def test_cards_on_two_readers_at_once_go_to_their_own_lanes(
    pcscd: Pcscd, service: HardwareService, recorder: Recorder
) -> None:
    pcscd.start()
    service.apply(
        [
            DeviceConfig("r0", "lane0", "pcsc", "Reader", {"reader": READER} | SCRIPT),
            DeviceConfig("r1", "lane1", "pcsc", "Reader", {"reader": "GATE A 00 01"}),
        ]
    )
    for device in ("r0", "r1"):
        recorder.wait_status(DeviceStatus.ONLINE, device_id=device)
    cards = [TcpCard(pcscd.port, UID, files=NUMBER), TcpCard(pcscd.port + 1, OTHER_UID)]
    recorder.wait_event(EventKind.CARD, 2)
    read = {event.lane_id: dict(event.payload) for event in recorder.events}
    assert (read["lane0"]["uid"], read["lane0"]["number"]) == (UID, "6222020001")
    assert (read["lane1"]["uid"], "number" in read["lane1"]) == (OTHER_UID, False)
    for card in cards:
        card.remove()
    recorder.wait_event(EventKind.CARD_REMOVED, 2)
    service.apply([])


@pytest.mark.req("DU-06")
def test_a_reader_that_the_service_has_or_has_not_is_found_and_missed(
    pcscd: Pcscd, run: Callable[..., HardwareService], recorder: Recorder
) -> None:
    pcscd.start()
    service = run("pcsc", reader="Gate B 00 00")
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    pcscd.kill()
    recorder.wait_status(DeviceStatus.OFFLINE, "service_down")
    port = pcscd.plug_in("Gate B")
    pcscd.start()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    card = laid(recorder, 1, port, UID)
    assert recorder.of(EventKind.CARD)[0]["uid"] == UID
    card.remove()
    pcscd.kill()
    recorder.wait_status(DeviceStatus.OFFLINE, "service_down")
    pcscd.unplug("Gate B")
    pcscd.start()
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent")
    service.apply([])


def laid(recorder: Recorder, count: int, port: int, uid: str, **options: Any) -> TcpCard:
    """A card laid on the reader until it is read, as a person would.

    The virtual reader of a daemon that has only just started takes a card now and then without noticing: the daemon
    itself tells every client that the reader is empty.
    """
    for _ in range(4):
        card = TcpCard(port, uid, **options)
        with suppress(AssertionError):
            recorder.wait_event(EventKind.CARD, count, timeout=3)
            return card
        card.remove()
    raise AssertionError("the daemon never noticed the card")


@pytest.mark.req("DU-06")
def test_a_card_that_lay_there_in_a_crash_is_gone_and_the_next_one_is_read(
    pcscd: Pcscd, run: Callable[..., HardwareService], recorder: Recorder
) -> None:
    pcscd.start()
    service = run("pcsc", reader=READER, **SCRIPT)
    recorder.wait_status(DeviceStatus.ONLINE)
    card = laid(recorder, 1, pcscd.port, UID, files=NUMBER)
    pcscd.kill()
    recorder.wait_status(DeviceStatus.OFFLINE, "service_down")
    # Whatever lay there is gone with the service.
    assert recorder.wait_event(EventKind.CARD_REMOVED) == [{"uid": UID}]
    card.remove()
    pcscd.start()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    card = laid(recorder, 2, pcscd.port, OTHER_UID, files=NUMBER)
    assert recorder.of(EventKind.CARD)[1]["uid"] == OTHER_UID
    card.remove()
    service.apply([])


@pytest.mark.req("DU-06")
def test_a_crash_of_the_service_shows_and_heals(
    pcscd: Pcscd, run: Callable[..., HardwareService], recorder: Recorder
) -> None:
    pcscd.start()
    service = run("pcsc", reader=READER)
    recorder.wait_status(DeviceStatus.ONLINE)
    pcscd.kill()
    assert recorder.wait_status(DeviceStatus.OFFLINE, "service_down") < 3
    pcscd.start()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    card = laid(recorder, 1, pcscd.port, UID)
    assert recorder.of(EventKind.CARD)[0]["uid"] == UID
    card.remove()
    service.apply([])


@pytest.mark.req("DU-06")
def test_a_service_that_starts_after_us_is_found(
    pcscd: Pcscd, run: Callable[..., HardwareService], recorder: Recorder
) -> None:
    service = run("pcsc")
    recorder.wait_status(DeviceStatus.OFFLINE, "service_down")
    pcscd.start()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 3
    service.apply([])


@pytest.mark.req("DU-06")
def test_a_service_that_hangs_shows_as_offline(
    pcscd: Pcscd, run: Callable[..., HardwareService], recorder: Recorder
) -> None:
    pcscd.start()
    service = run("pcsc", reader=READER)
    recorder.wait_status(DeviceStatus.ONLINE)
    pcscd.signal(signal.SIGSTOP)
    assert recorder.wait_status(DeviceStatus.OFFLINE, "no_heartbeat") < 4
    pcscd.signal(signal.SIGCONT)
    recorder.wait_status(DeviceStatus.ONLINE)
    service.apply([])


def test_all_devices_of_the_service_share_one_monitor(
    pcscd: Pcscd, service: HardwareService, recorder: Recorder
) -> None:
    pcscd.start()
    settings: list[dict[str, Any]] = [{"reader": READER}, {"reader": "GATE A*01"}, {"reader": "acr*"}]
    service.apply(
        [DeviceConfig(f"r{i}", f"lane{i}", "pcsc", "Reader", each) for i, each in enumerate(settings)]
    )
    recorder.wait_status(DeviceStatus.ONLINE, device_id="r0")
    recorder.wait_status(DeviceStatus.ONLINE, device_id="r1")
    recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent", device_id="r2")
    assert [thread.name for thread in threading.enumerate()].count("card-readers") == 1
    card = TcpCard(pcscd.port, UID)
    recorder.wait_event(EventKind.CARD)
    card.remove()
    recorder.wait_event(EventKind.CARD_REMOVED)
    assert {event.device_id for event in recorder.events} == {"r0"}
    service.apply([])


@pytest.mark.req("DU-06")
def test_an_unplugged_reader_shows_at_once_and_returns(emulated: ReaderEmulator, recorder: Recorder) -> None:
    emulated.tap(UID)
    recorder.wait_event(EventKind.CARD)
    emulated.unplug()
    assert recorder.wait_status(DeviceStatus.OFFLINE, "reader_absent") < 1.5
    assert recorder.wait_event(EventKind.CARD_REMOVED) == [{"uid": UID}]
    emulated.plug()
    assert recorder.wait_status(DeviceStatus.ONLINE) < 1.5
    emulated.tap(OTHER_UID)
    recorder.wait_event(EventKind.CARD, 2)
    assert not recorder.of(EventKind.UNREADABLE)


def test_the_same_card_within_a_second_is_one_event(emulated: ReaderEmulator, recorder: Recorder) -> None:
    emulated.tap(UID)
    recorder.wait_event(EventKind.CARD)
    emulated.remove()
    recorder.wait_event(EventKind.CARD_REMOVED)
    emulated.tap(UID)
    recorder.quiet(0.3, lambda: len(recorder.events) > 2)
    emulated.remove()
    recorder.quiet(1.0, lambda: len(recorder.events) > 2)
    emulated.tap(UID)
    recorder.wait_event(EventKind.CARD, 2)


def test_a_card_laid_over_another_is_a_swap(emulated: ReaderEmulator, recorder: Recorder) -> None:
    emulated.tap(UID)
    recorder.wait_event(EventKind.CARD)
    emulated.tap(OTHER_UID)
    recorder.wait_event(EventKind.CARD, 2)
    assert [event.kind for event in recorder.events] == [
        EventKind.CARD,
        EventKind.CARD_REMOVED,
        EventKind.CARD,
    ]


@pytest.mark.req("EV-08")
def test_a_card_held_briefly_is_taken_away_by_itself(emulated: ReaderEmulator, recorder: Recorder) -> None:
    emulated.present_briefly(UID)
    recorder.wait_event(EventKind.CARD)
    assert 0.3 < recorder.wait(lambda: recorder.of(EventKind.CARD_REMOVED), 3) < 1.5


@pytest.mark.req("EV-08")
def test_a_burst_of_cards_loses_none(emulated: ReaderEmulator, recorder: Recorder) -> None:
    uids = [f"04{number:012X}" for number in range(100)]
    for number, uid in enumerate(uids, 1):
        emulated.tap(uid)
        recorder.wait_event(EventKind.CARD, number)
    assert [card["uid"] for card in recorder.of(EventKind.CARD)] == uids
    assert len({event.nonce for event in recorder.events}) == len(recorder.events)
