"""Readers: from a card laid on an emulated line at 115200 baud to the committed verdict, and damaged input to each parser.

The line is as slow as a real one, where a card's text and photo take 0.11 s, and the driver looks for a card four times a
second: half of what is measured is waiting for the next look.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta

from sqlmodel import Session, select

from app.core import clock
from app.domain.access import invitations
from app.domain.admission import repository, service
from app.domain.admission.models import EvidenceRow
from app.domain.booking.service import Invitation
from app.domain.identity.mrz_lines import MrzError
from app.domain.identity.shown_document import of_zone
from app.domain.sites.models import Device
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.drivers.card_script import NotThisCard, parse
from hardware.drivers.id_card_text import TextError, decode, payload
from hardware.drivers.scanner_lines import LineReader, ZoneKeeper
from hardware.drivers.sdt_frame import FrameError, FrameParser, encode
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from hardware.simulators.id_cards import SPECIMEN, card_of
from tests.bench.community import Community, build
from tests.bench.tables import quantile, show

CARDS, BAUD, WANTED_MS = 60, 115_200, 1000
ROUNDS = 10_000
VISIT = timedelta(hours=4)
TODAY = date(2026, 3, 2)
PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


def names() -> list[str]:
    """As many people, told apart by two characters."""
    return [f"周{a}{b}" for a in "一二三四五六七八" for b in "甲乙丙丁戊己庚辛"][:CARDS]


async def cards(community: Community) -> list[float]:
    """Milliseconds from laying each guest's card down to the evidence in the database."""
    now = clock.now()
    lane = community.lanes[0]
    reader = IdCardReaderEmulator(baud=BAUD)
    reader.start()

    def prepare(session: Session) -> None:
        for name in names():
            invitations.invite(
                session, community.host, Invitation(community.unit.id, name, "13900139000", now, now + VISIT)
            )
        session.add(
            Device(
                id="bench-reader",
                site_id=lane.site_id,
                lane_id=lane.id,
                name="Reader",
                driver="id_card",
                settings={"port": reader.port},
            )
        )

    community.database.write_now(prepare)
    hub = Hub(community.database, Live())
    await hub.start()
    took = []
    try:
        await _until(
            lambda: community.database.read_now(lambda s: s.get(Device, "bench-reader").status) == "online"
        )
        for count, name in enumerate(names(), 1):
            begun = time.perf_counter()
            reader.lay(card_of(name))
            await _until(lambda count=count: _fits(community) >= count)
            took.append((time.perf_counter() - begun) * 1000)
            community.database.write_now(lambda session: _admit(session, community))
            reader.lift()
            seen = reader.answered
            # The next card comes at any moment between two looks of the driver.
            await _until(lambda seen=seen: reader.answered >= seen + 2)
            await asyncio.sleep(random.Random(count).random() * 0.25)
    finally:
        await hub.stop()
        reader.stop()
    return took


def _fits(community: Community) -> int:
    query = select(EvidenceRow.id).where(EvidenceRow.kind == "document", EvidenceRow.result == "ok")
    return community.database.read_now(lambda session: len(session.exec(query).all()))


def _admit(session: Session, community: Community) -> None:
    """The guard's key, so that the next card finds an empty lane."""
    for attempt in repository.open_attempts(session, community.lanes[0].id):
        service.admit(session, community.guard, attempt.id)


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.002)


def spoil(data: bytes, dice: random.Random) -> bytes:
    """Some wrong bytes, and the end missing now and then."""
    made = bytearray(data)
    for _ in range(dice.randrange(5)):
        made[dice.randrange(len(made))] = dice.randrange(256)
    return bytes(made[: dice.randrange(1, len(made) + 1)] if dice.random() < 0.3 else made)


def frames(dice: random.Random) -> None:
    """A damaged answer to the line's parser."""
    parser = FrameParser()
    parser.feed(spoil(encode(b"\x00\x00\x90" + SPECIMEN.text), dice))
    with suppress(FrameError):
        while parser.take() is not None:
            pass


def id_text(dice: random.Random) -> None:
    """A damaged text of a card."""
    with suppress(TextError):
        payload(decode(spoil(SPECIMEN.text, dice)))


def zones(dice: random.Random) -> None:
    """A damaged zone."""
    with suppress(MrzError):
        of_zone(spoil(PASSPORT.encode(), dice).decode("utf-8", "replace"), TODAY)


def lines(dice: random.Random) -> None:
    """A damaged burst of a scanner."""
    reader, keeper = LineReader(), ZoneKeeper()
    for item in [*reader.feed(spoil(PASSPORT.encode() + b"\r", dice), 0.0), *reader.look(9.0)]:
        list(keeper.take(item, 0.0))
    list(keeper.look(9.0))


def scripts(dice: random.Random) -> None:
    """A card that answers a script with anything."""
    script = parse({"script": "00A4000C023F05; 00B0000010"})
    assert script is not None
    with suppress(NotThisCard):
        script.run(lambda _: dice.randbytes(dice.randrange(20)) + dice.choice([b"\x90\x00", b""]))


def main() -> None:
    """Print both tables."""
    took = asyncio.run(cards(build()))
    p95 = quantile(took, 0.95)
    show(
        f"ID card at {BAUD} baud: laid down to verdict committed, {len(took)} cards (ms)",
        ("p50", "p95", "longest", f"wanted p95 {WANTED_MS}"),
        [
            (
                f"{quantile(took, 0.5):.0f}",
                f"{p95:.0f}",
                f"{max(took):.0f}",
                "met" if p95 <= WANTED_MS else "MISSED",
            )
        ],
    )
    rows = []
    for name, run in (
        ("SDT frames", frames),
        ("ID text", id_text),
        ("zones", zones),
        ("scanner lines", lines),
        ("card scripts", scripts),
    ):
        dice, begun = random.Random(name), time.perf_counter()
        for _ in range(ROUNDS):
            run(dice)
        rows.append((name, ROUNDS, 0, f"{(time.perf_counter() - begun) / ROUNDS * 1e6:.0f}"))
    show(
        "Damaged input: anything but a parser's own error would end this run",
        ("parser", "inputs", "escaped", "µs each"),
        rows,
    )


if __name__ == "__main__":
    main()
