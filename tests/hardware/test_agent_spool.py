"""The agent's spool: in order, once, sealed, through power cuts and full disks (AD-22)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.sites.streams import OutOfOrder, Progress, fresh_from
from hardware.agent import spool as module
from hardware.agent.spool import Batch, Spool
from hardware.ports import EventKind
from tests.hardware.agent_events import code

# Each event waits for the disk; a disk in memory never keeps it waiting.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is tried again at each event."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-spool-", dir=MEMORY) as folder:
        yield Path(folder) / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    made = Spool(path, KEY)
    yield made
    made.close()


def numbers(batch: Batch | None) -> list[int]:
    return [event["number"] for event in batch.events] if batch else []


def all_of(spool: Spool) -> list[int]:
    """Everything that waits, taken as the server would take it."""
    found: list[int] = []
    while (batch := spool.batch()) is not None:
        found += numbers(batch)
        spool.acknowledge(batch.stream, batch.events[-1]["seq"])
    return found


@pytest.mark.req("AD-22")
def test_events_leave_in_order_and_only_acknowledged_ones_are_forgotten(spool: Spool) -> None:
    for number in range(1, 201):
        spool.put(code(number=number))
    batch = spool.batch()
    assert batch is not None
    assert [event["seq"] for event in batch.events] == list(range(1, module.BATCH + 1))
    assert numbers(spool.batch()) == numbers(batch), "taking is not forgetting"
    spool.acknowledge(batch.stream, 10)
    assert numbers(spool.batch())[0] == 11
    assert spool.waiting == 190
    assert all_of(spool) == list(range(11, 201))
    assert (spool.waiting, spool.batch()) == (0, None)


@pytest.mark.req("AD-22")
def test_what_was_put_is_there_after_kill_9(path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from hardware.agent.spool import Spool\n"
        "from tests.hardware.agent_events import code\n"
        "spool = Spool(Path(sys.argv[1]), bytes(range(32)))\n"
        "for number in range(1, 31): spool.put(code(number=number))\n"
        "spool.acknowledge(spool.stream, 5)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    spool = Spool(path, KEY)
    spool.put(code(number=31))
    first = spool.batch()
    assert first is not None
    assert (numbers(first), first.first) == (list(range(6, 31)), 6)
    spool.acknowledge(first.stream, 30)
    second = spool.batch()
    assert second is not None
    assert (numbers(second), second.first) == ([31], 1), "a new start is a new stream"
    assert second.stream != first.stream
    spool.close()


@pytest.mark.req("RE-05")
def test_nothing_lies_on_the_disk_in_clear(path: Path, spool: Spool) -> None:
    spool.put(code(text="雷鸣 110105194912310020"))
    found = b"".join(item.read_bytes() for item in path.parent.iterdir())
    assert len(found) > 1000
    for secret in ("雷鸣", "110105194912310020", "HELLO", "payload"):
        assert secret.encode() not in found
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.req("AD-22")
def test_a_full_disk_loses_nothing_and_keeps_the_order(path: Path, spool: Spool) -> None:
    spool.put(code(number=1))
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(2, 301):
        spool.put(code(number=number, text="x" * 200))
    assert spool.trouble == "disk_full"
    assert spool.waiting == 300
    # It goes on: what is on the disk is delivered first, then what is held in memory.
    batch = spool.batch()
    assert batch is not None
    spool.acknowledge(batch.stream, batch.events[-1]["seq"])
    delivered = numbers(batch)
    assert delivered[0] == 1
    spool._database.execute("PRAGMA max_page_count = 1000000")
    spool.put(code(number=301))
    assert spool.trouble == ""
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM event").fetchone()[0] == spool.waiting
    other.close()
    assert delivered + all_of(spool) == list(range(1, 302))


@pytest.mark.req("AD-22")
def test_a_disk_that_takes_no_deletion_does_not_send_again_what_is_acknowledged(spool: Spool) -> None:
    for number in range(1, 6):
        spool.put(code(number=number))
    spool._database.execute("PRAGMA query_only = ON")  # as a file system that became read-only
    spool.acknowledge(spool.stream, 3)
    spool.put(code(number=6))
    assert spool.trouble == "disk_full"
    assert numbers(spool.batch()) == [4, 5]
    spool.acknowledge(spool.stream, 5)
    assert numbers(spool.batch()) == [6]
    assert spool.waiting == 1
    spool._database.execute("PRAGMA query_only = OFF")
    assert all_of(spool) == [6]
    assert spool.trouble == ""


def test_a_spool_that_is_no_database_any_more_is_kept_and_begun_anew(path: Path) -> None:
    path.write_bytes(b"\x07" * 8192)
    spool = Spool(path, KEY)
    spool.put(code(number=1))
    assert all_of(spool) == [1]
    spool.close()
    damaged = [item for item in path.parent.iterdir() if ".damaged-" in item.name]
    assert [item.read_bytes()[:1] for item in damaged] == [b"\x07"]


def test_a_row_that_does_not_open_holds_up_nothing_and_is_kept(spool: Spool) -> None:
    for number in range(1, 5):
        spool.put(code(number=number))
    spool._database.execute("UPDATE event SET body = zeroblob(64) WHERE seq = 2")
    batch = spool.batch()
    assert batch is not None
    assert (numbers(batch), [event["seq"] for event in batch.events]) == ([1, 3, 4], [1, 2, 3])
    assert (spool.set_aside, spool.waiting) == (1, 3)


def test_what_the_server_refuses_is_set_aside_and_tried_again_after_the_next_start(path: Path) -> None:
    spool = Spool(path, KEY)
    for number in range(1, 4):
        spool.put(code(number=number))
    spool.restart_stream([2])
    assert (all_of(spool), spool.set_aside) == ([1, 3], 1)
    spool.close()
    again = Spool(path, KEY)
    assert (all_of(again), again.set_aside) == ([2], 0)
    again.close()


def test_what_nobody_presented_is_dropped_when_very_much_waits(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WITH_NOISE", 3)
    for number in range(1, 4):
        spool.put(replace(code(number=number), kind=EventKind.UNREADABLE))
    spool.put(replace(code(number=4), kind=EventKind.CARD_REMOVED))
    spool.put(replace(code(number=5), kind=EventKind.CARD))
    spool.put(replace(code(number=6), kind=EventKind.DOCUMENT))
    assert (all_of(spool), spool.dropped) == ([1, 2, 3, 5, 6], 1)


def test_how_long_ago_it_was_does_not_hang_on_the_clock(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = code()
    spool.put(replace(event, at=event.at.replace(year=1970)))
    batch = spool.batch()
    assert batch is not None
    assert 0 <= batch.events[0]["age"] < 600, (
        "the clock was wrong when it was read, the machine has run since"
    )
    monkeypatch.setattr(module, "_machine_start", lambda: "another start")
    batch = spool.batch()
    assert batch is not None
    assert batch.events[0]["age"] > 10**9, "after a new start of the machine only the clock is left"


def test_a_full_disk_is_not_tried_at_each_event(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 3600.0)
    spool._database.execute("PRAGMA query_only = ON")
    spool.put(code(number=1))
    spool._database.execute("PRAGMA query_only = OFF")
    spool.put(code(number=2))
    assert (spool.trouble, spool.waiting) == ("disk_full", 2)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    spool.put(code(number=3))
    assert (spool.trouble, all_of(spool)) == ("", [1, 2, 3])


class Delivery(RuleBasedStateMachine):
    """The spool and the server's rule, with a line that loses requests and answers and programs that die."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="gatehouse-spool-", dir=MEMORY)
        self.spool = Spool(Path(self.folder.name) / "spool.db", KEY)
        self.streams: dict[str, Progress] = {}
        self.known: set[int] = set()
        self.log: list[int] = []
        self.lost: set[int] = set()
        self.read = 0

    @rule(count=st.integers(1, 5))
    def reads(self, count: int) -> None:
        for _ in range(count):
            self.read += 1
            self.spool.put(code(number=self.read))

    @rule(most=st.integers(1, 4), heard=st.booleans(), stops_after=st.integers(0, 4))
    def delivers(self, most: int, heard: bool, stops_after: int) -> None:
        """A batch arrives, whole or as far as the server's database went; its answer may be lost."""
        batch = self.spool.batch(most)
        if batch is None:
            return
        done = self.streams.get(batch.stream, Progress())
        pairs = [(event["seq"], str(event["number"])) for event in batch.events]
        try:
            start = fresh_from(done, pairs)
        except OutOfOrder as error:
            if error.expected > batch.first:
                self.spool.acknowledge(batch.stream, error.expected - 1)
            else:
                self.spool.restart_stream()
            return
        fresh = pairs[start:][:stops_after]
        for _, text in fresh:
            if int(text) not in self.known:  # the event's own nonce
                self.known.add(int(text))
                self.log.append(int(text))
        self.streams[batch.stream] = done = done.advanced([text for _, text in fresh])
        if heard and (stops_after >= len(pairs[start:])):
            self.spool.acknowledge(batch.stream, done.last_seq)

    @rule()
    def agent_dies(self) -> None:
        """What a full disk did not take is in memory alone: only that can be lost, and only if it was not delivered."""
        self.lost |= {entry.body["number"] for entry in self.spool._held} - self.known
        self.spool._database.close()
        self.spool = Spool(Path(self.folder.name) / "spool.db", KEY)

    @rule()
    def server_is_restored_from_a_backup(self) -> None:
        self.streams = {}

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        pages = self.spool._database.execute("PRAGMA page_count").fetchone()[0]
        self.spool._database.execute(f"PRAGMA max_page_count = {pages if full else 1_000_000}")

    @invariant()
    def the_log_is_in_order_without_repeats(self) -> None:
        if hasattr(self, "log"):
            assert self.log == sorted(set(self.log))

    def teardown(self) -> None:
        if not hasattr(self, "log"):
            return
        self.disk(full=False)
        for _ in range(2 * self.read + 10):
            self.delivers(4, True, 4)
        kept = [number for number in range(1, self.read + 1) if number not in self.lost]
        assert self.log == kept, "the server's log is what was read"
        assert self.spool.waiting == 0
        self.spool.close()
        self.folder.cleanup()


TestDelivery = pytest.mark.req("AD-22")(Delivery.TestCase)
TestDelivery.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
