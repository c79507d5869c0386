"""A lane's computer with the real agent, the real server and a line that breaks (ID-01, AD-22, DU-06)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from hardware.agent.files import load_config
from hardware.agent.service import SPOOL_FILE
from hardware.agent.spool import Spool
from hardware.simulators.id_cards import card_of
from tests.api.agent_rig import Rig, dump
from tests.hardware.agent_events import code
from tests.hardware.recorder import eventually

SOON = 30.0  # a shared machine may be slow at any moment


# One server serves them all, so one worker runs them all.
pytestmark = pytest.mark.xdist_group("lane-agent")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig() as made:
        done = made.agent.enrol(made.gate.code)
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture
def running(rig: Rig) -> Iterator[Rig]:
    """The agent runs, its reader is plugged in, the server hears it."""
    rig.line.mend()
    rig.plug()
    rig.agent.start()
    eventually(lambda: rig.device(rig.gate.reader) == ("online", ""), SOON)
    yield rig
    assert rig.agent.stop() == 0
    rig.unplug()


@pytest.mark.req("ID-01")
def test_a_document_read_at_the_lanes_computer_is_an_arrival_at_the_lane(running: Rig) -> None:
    assert running.card is not None
    before = len(running.attempts())
    running.card.lay(card_of("resident"))
    eventually(lambda: len(running.attempts()) == before + 1, SOON)
    made = running.attempts()[-1]
    assert (made.lane_id, made.status) == (running.world.both.id, "open")
    eventually(lambda: running.agent.status.get("waiting") == 0, SOON)
    running.card.lift()


@pytest.mark.req("DU-06")
def test_a_reader_unplugged_there_shows_here_and_its_return_too(running: Rig) -> None:
    running.unplug()
    eventually(lambda: running.device(running.gate.reader)[0] == "offline", SOON)
    assert running.device(running.gate.reader)[1] == "reader_absent"
    running.plug()
    eventually(lambda: running.device(running.gate.reader) == ("online", ""), SOON)


@pytest.mark.req("DU-06")
def test_a_silent_computer_takes_its_devices_offline_until_it_speaks_again(running: Rig) -> None:
    running.line.cut()
    for device in (running.gate.reader, running.gate.camera):
        eventually(lambda device=device: running.device(device) == ("offline", "agent_silent"), SOON)
    running.line.mend()
    eventually(lambda: running.device(running.gate.reader) == ("online", ""), SOON)


@pytest.mark.req("AD-22")
def test_what_was_read_during_a_cut_arrives_afterwards_once_and_in_order(rig: Rig) -> None:
    before = rig.recorded()
    spool = Spool(rig.agent.folder / SPOOL_FILE, rig.enrolment().key)
    events = [code(rig.world.both.id, rig.gate.reader, number) for number in range(1, 2001)]
    spool.put(events[0])
    spool.close()
    rig.line.swallow_answers(300)
    rig.agent.start()
    # Its answers never arrive whole: the server has the event, the agent cannot know, and sends it again and again.
    eventually(lambda: len(rig.recorded()) == len(before) + 1, SOON)
    tries = rig.line.accepted
    eventually(lambda: rig.line.accepted >= tries + 6, SOON)
    rig.agent.kill()
    spool = Spool(rig.agent.folder / SPOOL_FILE, rig.enrolment().key)
    assert spool.waiting == 1, "only what is acknowledged is forgotten"
    for event in events[1:]:
        spool.put(event)
    spool.close()
    rig.line.cut()
    rig.agent.start()
    rig.line.mend()
    eventually(lambda: len(rig.recorded()) > len(before) + 100, SOON)
    rig.gate.halt()  # the server dies in the middle of it
    assert len(rig.recorded()) < len(before) + len(events)
    rig.gate.restart()
    eventually(lambda: len(rig.recorded()) >= len(before) + len(events), 90)
    assert rig.recorded()[len(before) :] == [event.nonce for event in events]
    assert rig.agent.stop() == 0


def test_the_configuration_is_kept_and_runs_without_the_server(rig: Rig) -> None:
    rig.line.mend()
    rig.plug()
    rig.agent.start()
    eventually(lambda: rig.device(rig.gate.reader) == ("online", ""), SOON)
    assert rig.agent.stop() == 0
    rig.unplug()
    kept = load_config(rig.agent.folder, rig.enrolment().key)
    assert kept is not None
    assert {device["id"] for device in kept["devices"]} == {rig.gate.reader, rig.gate.camera}
    rig.line.cut()
    rig.plug()
    rig.agent.start()

    def states() -> set[tuple[str, str]]:
        return {(device["id"], device["status"]) for device in rig.agent.status.get("devices", [])}

    wanted = {(rig.gate.reader, "online"), (rig.gate.camera, "online")}
    eventually(lambda: states() == wanted and rig.agent.status["server"] == "away", SOON)
    assert rig.card is not None
    before = rig.recorded()
    rig.card.lay(card_of("resident"))
    eventually(lambda: rig.agent.status["waiting"] == 1, SOON)
    rig.agent.kill()  # the power goes between the reader and the server
    rig.unplug()
    rig.line.mend()
    rig.agent.start()
    eventually(lambda: len(rig.recorded()) == len(before) + 1, SOON)
    assert rig.agent.stop() == 0
    assert all(earlier < later for earlier, later in pairwise(a.id for a in rig.attempts())), dump(before)


def test_nothing_that_was_read_lies_in_clear_on_the_disk(rig: Rig) -> None:
    rig.line.cut()
    spool = Spool(rig.agent.folder / SPOOL_FILE, rig.enrolment().key)
    spool.put(code(rig.world.both.id, rig.gate.reader, 9001, "雷鸣 110105194912310020"))
    contents = b"".join(path.read_bytes() for path in rig.agent.folder.iterdir() if path.is_file())
    spool.close()
    assert "雷鸣".encode() not in contents
    assert b"110105194912310020" not in contents
    assert rig.gate._picture.url.encode() not in contents, "the camera's address may hold a password"
    rig.line.mend()
