"""All readers of one lane at once: what belongs together joins, in any order; what does not is shown and never mixed (AD-02)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count, permutations

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.actor import SYSTEM
from app.core.database import Database
from app.domain.access import service as access
from app.domain.access.models import VisitorPass
from app.domain.admission import repository
from app.domain.admission.case_models import CaseFile
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.booking import service as bookings
from app.domain.booking.models import Booking
from app.domain.booking.rules import BookingSource
from app.domain.identity import faces
from app.domain.sites.rules import VisitorKind
from app.runtime.hub import Hub
from app.runtime.live import Live
from hardware.ports import DeviceEvent, EventKind
from hardware.simulators.id_cards import IdCard, card_of
from tests.domain.cards_at_hand import event as card_event
from tests.domain.faces_at_hand import agree, switch_on
from tests.domain.faces_at_hand import face as a_face
from tests.factories import GUEST, World, invitation, make_world
from tests.installation import FakeClock

OTHER, STRANGER = "阿卜杜拉·买买提", "路遥"
_numbers = count(1)
Show = Callable[[], tuple[EventKind, dict[str, str]]]


class Lane:
    """A lane whose readers all hand over to one hub."""

    def __init__(self, world: World, hub: Hub) -> None:
        self.world, self.hub = world, hub

    async def show(self, *items: tuple[EventKind, dict[str, str]]) -> None:
        """Things held before the readers, one after the other; returns when they are recorded."""
        for kind, payload in items:
            number = next(_numbers)
            self.hub.receive(
                DeviceEvent(self.world.both.id, f"reader-{kind}", kind, payload, clock.now(), number, "boot")
            )
        await self.hub._lanes[self.world.both.id].join()

    def open(self) -> list[tuple[str | None, str, list[tuple[str, str]]]]:
        """What waits at the lane: booking, verdict, evidence in order of its kinds."""

        def load(session: Session) -> list[tuple[str | None, str, list[tuple[str, str]]]]:
            return [
                (
                    row.booking_id,
                    row.outcome,
                    sorted((e.kind, e.result) for e in repository.evidence_of(session, row.id)),
                )
                for row in repository.open_attempts(session, self.world.both.id)
            ]

        return self.world.ask(load)


@pytest.fixture
async def lane(sqlite: Database) -> AsyncIterator[Lane]:
    world = make_world(sqlite)
    hub = Hub(sqlite, Live())
    await hub.start()
    yield Lane(world, hub)
    await hub.stop()


def guest(
    world: World, name: str = GUEST, uid: str = "04A1B2C3", phone: str = "13800138001"
) -> tuple[Booking, VisitorPass]:
    """A partner of the community who has a pass on the phone and an IC card."""

    def work(session: Session) -> tuple[Booking, VisitorPass]:
        form = invitation(world, name=name, phone=phone, visitor_type=VisitorKind.PARTNER)
        booking, _ = bookings.create(session, SYSTEM, form, BookingSource.STANDING, world.resident.id)
        access.issue_card(session, SYSTEM, world.site.id, booking.id, uid)
        return booking, access.issue_pass(
            session, world.site.id, booking.id, booking.starts_at, booking.ends_at
        )

    return world.do(work)


def code(issued: VisitorPass) -> tuple[EventKind, dict[str, str]]:
    return EventKind.CODE, {"text": access.code_now(issued, clock.now())}


def badge(issued: VisitorPass) -> tuple[EventKind, dict[str, str]]:
    return EventKind.CODE, {"text": access.badge_code(issued)}


def card(uid: str) -> tuple[EventKind, dict[str, str]]:
    return EventKind.CARD, {"uid": uid}


def document(name: str, made: IdCard | None = None) -> tuple[EventKind, dict[str, str]]:
    return EventKind.DOCUMENT, card_event(made or card_of(name))


def face(world: World, booking: Booking, number: int) -> tuple[EventKind, dict[str, str]]:
    """The face of somebody who agreed to be recognised, as a camera's finder reports it."""
    agree(world, booking.visitor_id)
    template = world.do(faces.enrol, world.manager, booking.visitor_id, a_face(number))
    return EventKind.FACE, {"template": template.id}


@pytest.mark.req("AD-02")
async def test_in_any_order_they_join_one_arrival_of_the_booking(lane: Lane, fake_clock: FakeClock) -> None:
    switch_on(lane.world)
    orders: Sequence[tuple[int, ...]] = list(permutations(range(4)))
    for number, order in enumerate(orders):
        name = f"{GUEST}{'甲乙丙丁戊己庚辛壬癸子丑'[number % 12]}{'一二'[number // 12]}"
        uid = f"04A1B2{number:02X}"
        booking, issued = guest(lane.world, name, uid, f"1380013{number:04}")
        shown = (code(issued), card(uid), document(name), face(lane.world, booking, number))
        await lane.show(*(shown[place] for place in order))
        ((booked, outcome, evidence),) = lane.open()
        assert (booked, outcome) == (booking.id, Outcome.ADMIT), order
        assert evidence == [
            (Kind.CARD, Result.OK),
            (Kind.CODE, Result.OK),
            (Kind.DOCUMENT, Result.OK),
            (Kind.FACE, Result.OK),
        ]
        attempt = lane.world.ask(lambda s: repository.open_attempts(s, lane.world.both.id)[0])
        lane.world.do(repository_close, attempt.id)
        fake_clock.move(minutes=1)


def repository_close(session: Session, attempt_id: str) -> None:
    attempt = repository.attempt(session, attempt_id)
    attempt.status = "set_aside"
    session.add(attempt)


async def test_another_persons_items_stand_beside_and_are_never_mixed_in(lane: Lane) -> None:
    first, first_pass = guest(lane.world)
    second, second_pass = guest(lane.world, OTHER, "04FFEE01", "13800138002")
    await lane.show(document(GUEST), code(second_pass))
    assert lane.open() == [
        (first.id, Outcome.ADMIT, [(Kind.DOCUMENT, Result.OK)]),
        (second.id, Outcome.ADMIT, [(Kind.CODE, Result.OK)]),
    ]
    # Each further item goes to the one it names.
    await lane.show(card("04FFEE01"), code(first_pass), document(OTHER))
    assert lane.open() == [
        (first.id, Outcome.ADMIT, [(Kind.CODE, Result.OK), (Kind.DOCUMENT, Result.OK)]),
        (
            second.id,
            Outcome.ADMIT,
            [(Kind.CARD, Result.OK), (Kind.CODE, Result.OK), (Kind.DOCUMENT, Result.OK)],
        ),
    ]


@pytest.mark.parametrize("booked", [True, False])
async def test_a_card_of_one_beside_the_code_of_another_is_a_review_with_a_case(
    lane: Lane, booked: bool
) -> None:
    _, issued = guest(lane.world)
    if booked:
        guest(lane.world, OTHER, "04FFEE01", "13800138002")
    await lane.show(code(issued), document(OTHER if booked else STRANGER))
    ((_, outcome, evidence),) = lane.open()
    assert outcome == Outcome.REVIEW
    assert (Kind.DOCUMENT, Result.OTHER_NAME) in evidence
    attempts = lane.world.ask(lambda s: s.exec(select(Attempt)).all())
    assert [row.reasons for row in attempts] == [[Reason.DOCUMENT_OTHER_NAME]]
    assert len(lane.world.ask(lambda s: s.exec(select(CaseFile)).all())) == 1


async def test_a_strangers_card_stays_on_the_desk_beside_the_code_of_another(
    lane: Lane, fake_clock: FakeClock
) -> None:
    booking, issued = guest(lane.world)
    await lane.show(document(STRANGER), code(issued))
    unknown = (None, Outcome.NEEDS, [(Kind.DOCUMENT, Result.OK)])
    assert lane.open() == [unknown, (booking.id, Outcome.ADMIT, [(Kind.CODE, Result.OK)])]
    # Another stranger's card takes its place, and after a while any item does.
    await lane.show(code(issued))
    assert lane.open()[0] == unknown
    fake_clock.move(seconds=31)
    await lane.show((EventKind.CODE, {"text": "https://example.com"}))
    assert [row[0] for row in lane.open()] == [booking.id, None]
    assert lane.open()[1][1] == Outcome.REFUSE


async def test_what_comes_at_the_same_moment_from_all_readers_is_one_arrival(lane: Lane) -> None:
    booking, issued = guest(lane.world)
    shown = (code(issued), card("04A1B2C3"), document(GUEST), badge(issued))
    await asyncio.gather(*(lane.show(item) for item in shown))
    ((booked, outcome, evidence),) = lane.open()
    assert (booked, outcome, len(evidence)) == (booking.id, Outcome.ADMIT, 4)
