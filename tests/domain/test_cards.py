"""IC cards and those who come every day."""

from __future__ import annotations

import pytest

from app.core.errors import Conflict, GateError, InvalidInput
from app.domain.access import service as access
from app.domain.access.rules import CardStatus
from app.domain.admission.rules import Outcome, Reason
from app.domain.admission.service import NotAdmissible
from app.domain.booking import service as bookings
from app.domain.sites.rules import VisitorKind
from tests.factories import World, admit, make_world, present, standing
from tests.installation import FakeClock


@pytest.mark.req("AD-02", "SI-06")
def test_an_active_card_admits_its_partner_day_after_day(world: World, fake_clock: FakeClock) -> None:
    booking, _ = standing(world)
    for _ in range(3):
        attempt = present(world, "04A1B2C3", "card")
        assert (attempt.outcome, attempt.reasons) == (Outcome.ADMIT, [Reason.STANDING])
        visit = admit(world, attempt)
        assert visit.booking_id == booking.id
        fake_clock.move(hours=8)
        admit(world, present(world, "04A1B2C3", "card"))
        fake_clock.move(hours=16)


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (CardStatus.BLOCKED, Reason.CARD_BLOCKED),
        (CardStatus.LOST, Reason.PASS_LOST),
        (CardStatus.RETURNED, Reason.PASS_ENDED),
    ],
)
def test_a_card_out_of_use_is_refused(world: World, status: CardStatus, reason: Reason) -> None:
    _, card = standing(world)
    world.do(lambda session: access.set_card_status(session, world.manager, session.merge(card), status))
    attempt = present(world, "04A1B2C3", "card")
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [reason])


@pytest.mark.req("AD-02")
def test_a_blocked_card_cannot_be_overruled(world: World) -> None:
    _, card = standing(world)
    world.do(
        lambda session: access.set_card_status(
            session, world.manager, session.merge(card), CardStatus.BLOCKED
        )
    )
    with pytest.raises(GateError):
        admit(world, present(world, "04A1B2C3", "card"), world.supervisor, "认识他")


@pytest.mark.req("AD-02", "AD-03")
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (CardStatus.BLOCKED, Reason.CARD_BLOCKED),
        (CardStatus.LOST, Reason.PASS_LOST),
        (CardStatus.RETURNED, Reason.PASS_ENDED),
    ],
)
def test_a_card_taken_back_between_reader_and_key_opens_nothing(
    world: World, status: CardStatus, reason: Reason
) -> None:
    _, card = standing(world)
    attempt = present(world, "04A1B2C3", "card")
    assert attempt.outcome == Outcome.ADMIT
    world.do(lambda session: access.set_card_status(session, world.manager, session.merge(card), status))
    with pytest.raises(NotAdmissible) as caught:
        admit(world, attempt)
    assert caught.value.reason == reason


@pytest.mark.req("AD-02", "AD-22")
def test_an_unknown_card_is_refused_and_recorded(world: World) -> None:
    attempt = present(world, "DEADBEEF", "card")
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [Reason.UNKNOWN_CARD])


@pytest.mark.req("AD-02")
@pytest.mark.parametrize(
    ("uid", "code"),
    [
        ("08 a1 b2 c3", "card_random"),
        ("XYZ", "card_uid_wrong"),
        ("", "card_uid_wrong"),
        ("04A1B2", "card_uid_wrong"),
    ],
)
def test_a_card_that_cannot_be_told_apart_is_not_issued(world: World, uid: str, code: str) -> None:
    booking, _ = standing(world)
    with pytest.raises(InvalidInput) as caught:
        world.do(access.issue_card, world.manager, world.site.id, booking.id, uid)
    assert caught.value.code == code


@pytest.mark.req("AD-02")
def test_a_card_is_issued_as_typed_and_read_as_the_reader_writes_it(world: World) -> None:
    booking, _ = standing(world)
    world.do(access.issue_card, world.manager, world.site.id, booking.id, "04 aa bb cc dd ee 80")
    assert present(world, "04AABBCCDDEE80", "card").outcome == Outcome.ADMIT


@pytest.mark.req("AD-02")
def test_a_card_in_use_is_not_issued_twice(world: World) -> None:
    booking, _ = standing(world)
    with pytest.raises(Conflict):
        world.do(access.issue_card, world.manager, world.site.id, booking.id, "04A1B2C3")


@pytest.mark.req("AD-02")
def test_a_returned_card_may_be_issued_again(world: World) -> None:
    booking, card = standing(world)
    world.do(
        lambda session: access.set_card_status(
            session, world.manager, session.merge(card), CardStatus.RETURNED
        )
    )
    assert world.do(access.issue_card, world.manager, world.site.id, booking.id, "04A1B2C3").id == card.id
    assert present(world, "04A1B2C3", "card").outcome == Outcome.ADMIT


@pytest.mark.req("AD-02", "SI-04")
def test_a_card_is_not_bound_to_a_booking_of_another_site(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    booking, _ = standing(elsewhere)
    with pytest.raises(GateError) as caught:
        world.do(access.issue_card, world.manager, world.site.id, booking.id, "04AABBCC")
    assert caught.value.code == "booking_unknown"


@pytest.mark.req("AD-02")
def test_a_card_of_another_site_is_unknown_here(world: World) -> None:
    standing(make_world(world.database, name="翠湖苑"))
    assert present(world, "04A1B2C3", "card").reasons == [Reason.UNKNOWN_CARD]


@pytest.mark.req("SI-06")
def test_an_unrenewed_temporary_worker_is_stopped_next_morning(world: World, fake_clock: FakeClock) -> None:
    booking, _ = standing(world, VisitorKind.TEMPORARY_WORKER)
    assert present(world, "04A1B2C3", "card").reasons == [Reason.NOT_RENEWED]
    world.do(bookings.renew, world.manager, booking.id, fake_clock.now().date())
    admit(world, present(world, "04A1B2C3", "card"))
    fake_clock.move(hours=8)
    admit(world, present(world, "04A1B2C3", "card"))
    fake_clock.move(hours=16)
    attempt = present(world, "04A1B2C3", "card")
    assert (attempt.outcome, attempt.reasons) == (Outcome.REFUSE, [Reason.NOT_RENEWED])


@pytest.mark.req("SI-06")
def test_a_workers_day_ends_at_midnight_on_the_sites_clock(world: World, fake_clock: FakeClock) -> None:
    booking, _ = standing(world, VisitorKind.TEMPORARY_WORKER)
    world.do(bookings.renew, world.manager, booking.id, fake_clock.now().date())
    fake_clock.move(hours=13, minutes=59, seconds=59)  # 23:59:59 in Shanghai
    assert present(world, "04A1B2C3", "card").outcome == Outcome.ADMIT
    fake_clock.move(seconds=1)
    assert present(world, "04A1B2C3", "card", lane=world.entry).reasons == [Reason.NOT_RENEWED]


def SYSTEM_AT(world: World):
    return world.manager
