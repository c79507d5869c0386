"""What was presented while a lane was cut off: in the ledger as it was, and nobody's business at the lane now (AD-22)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.core import clock
from app.domain.access import service as access
from app.domain.access.models import VisitorPass
from app.domain.admission import presenting
from app.domain.admission.arrival import Arrival
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, EvidenceRow
from tests.factories import World, invite, nonce, present, show_code, standing
from tests.installation import FakeClock

pytestmark = pytest.mark.req("AD-22")


def late(world: World, text: str, kind: str = "code", nonce_: str = "", minutes: float = 10) -> Arrival:
    at = clock.now() - timedelta(minutes=minutes)
    return world.do(presenting.present_late, world.both.id, Presented(kind, text, nonce_ or nonce(), at))


def attempts(world: World) -> list[Attempt]:
    return list(world.ask(lambda s: s.exec(select(Attempt).order_by(col(Attempt.id))).all()))


def test_a_code_that_was_good_then_is_recorded_so_and_lets_nobody_in(
    world: World, fake_clock: FakeClock
) -> None:
    _, issued, _ = invite(world)
    then = clock.now()
    code = access.code_now(issued, then)
    fake_clock.move(minutes=10)
    arrival = late(world, code)
    assert (arrival.outcome, arrival.status) == ("admit", "set_aside")
    assert (arrival.occurred_at, arrival.recorded_at) == (then, clock.now())
    assert arrival.closed_at == clock.now()
    # The step was not used up: the guest can still come in now.
    assert world.get(VisitorPass, issued.id).last_step_in == 0
    assert show_code(world, issued).outcome == "admit"


def test_it_joins_no_arrival_that_is_open_and_closes_none(world: World) -> None:
    booking, card = standing(world)
    stranger = present(world, "HELLO")
    waiting = present(world, "04A1B2C3", "card")
    stranger_now = world.get(Attempt, stranger.id)
    arrival = late(world, "04A1B2C3", "card")
    assert (arrival.booking_id, arrival.card_id) == (booking.id, card.id)
    assert arrival.id not in {waiting.id, stranger.id}
    assert world.get(Attempt, waiting.id).status == "open"
    assert world.get(Attempt, stranger.id) == stranger_now
    evidence = world.ask(lambda s: s.exec(select(EvidenceRow.attempt_id)).all())
    assert evidence.count(waiting.id) == 1, "nothing presented earlier counts for who stands there now"


def test_a_stranger_is_recorded_and_refused(world: World) -> None:
    arrival = late(world, "HELLO")
    assert (arrival.outcome, arrival.status) == ("refuse", "refused")


def test_a_repeat_changes_nothing_whichever_way_it_came_first(world: World) -> None:
    first = present(world, "HELLO", nonce_="reader:boot:1")
    assert late(world, "HELLO", nonce_="reader:boot:1").id == first.id
    second = late(world, "HELLO", nonce_="reader:boot:2")
    assert present(world, "HELLO", nonce_="reader:boot:2").id == second.id
    assert len(attempts(world)) == 2


def test_an_unread_document_is_recorded_too(world: World) -> None:
    arrival = late(world, "document_removed", "unreadable")
    assert arrival.status in {"set_aside", "refused"}
    assert [a.id for a in attempts(world)] == [arrival.id]
