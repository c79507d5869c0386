"""The visitor's picture as the reference at the lane: evidence with a source of its own, and gone with the consent (ID-02, ID-06)."""

from __future__ import annotations

import pytest

from app.core.errors import Conflict
from app.domain.admission import cases, faces, judging, presenting, repository
from app.domain.admission.face_evidence import BOOKING_PHOTO
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible
from app.domain.booking.models import Booking
from app.domain.identity import face_policy
from app.runtime.booking_photos import Reference, reference_of
from state import desk_view
from tests.domain.photos_at_hand import add, compared, withdraw
from tests.factories import World, admit, invite, let_in, nonce, present, show_code
from tests.installation import FakeClock


def at_lane(world: World, name: str = "周婷婷") -> tuple[Booking, Attempt]:
    """A guest who added a picture and now shows the code."""
    booking, issued, _ = invite(world, name=name)
    add(world, booking)
    return booking, show_code(world, issued)


def now(world: World, attempt: Attempt) -> Attempt:
    return world.get(Attempt, attempt.id)


def rows(world: World, attempt: Attempt) -> list[tuple[str, str]]:
    found = world.ask(repository.evidence_of, attempt.id)
    return [(row.result, row.source) for row in found if row.kind == Kind.FACE]


def chips(world: World, locale: str = "zh-CN") -> list[str]:
    shown = world.ask(desk_view.lane_view, world.both.id, locale, "").arrival
    return [chip["text"] for chip in shown.chips[1:]]


def reference(world: World) -> Reference:
    return world.ask(reference_of, world.both.id)


# --- evidence ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-02", "ID-06")
@pytest.mark.parametrize(
    ("outcome", "result", "verdict", "reasons", "chip"),
    [
        ("same", Result.OK, Outcome.ADMIT, [Reason.BOOKED], "面部与预约照片一致 ✓"),
        ("unsure", Result.UNSURE, Outcome.ADMIT, [Reason.BOOKED], "面部与预约照片无法确定"),
        ("unreadable", Result.UNREADABLE, Outcome.ADMIT, [Reason.BOOKED], "面部没能与预约照片比对"),
        ("other", Result.OTHER_FACE, Outcome.REVIEW, [Reason.FACE_OTHER], "面部与预约照片不是同一人"),
        ("spoofed", Result.SPOOFED, Outcome.REVIEW, [Reason.FACE_SPOOFED], "未通过真人检测"),
    ],
)
def test_a_comparison_is_evidence_that_says_what_it_was_held_against(
    world: World, outcome: str, result: Result, verdict: Outcome, reasons: list[Reason], chip: str
) -> None:
    _, attempt = at_lane(world)
    assert compared(world, attempt, outcome)
    assert rows(world, attempt) == [(result, BOOKING_PHOTO)]
    assert (now(world, attempt).outcome, now(world, attempt).reasons) == (verdict, reasons)
    assert now(world, attempt).status == "open"
    assert chips(world) == [chip]


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("outcome", ["other", "spoofed", "same"])
def test_what_came_of_a_picture_counts_no_more_once_the_consent_is_taken_back(
    world: World, outcome: str
) -> None:
    booking, attempt = at_lane(world)
    compared(world, attempt, outcome)
    withdraw(world, booking)
    world.do(judging.rejudge_booking, booking.id)  # the hub has it done as the withdrawal is committed
    assert now(world, attempt).outcome == Outcome.ADMIT
    assert now(world, attempt).reasons == [Reason.BOOKED]
    assert chips(world) == []
    # It stays on record that there was a comparison, and a later one is not written any more.
    assert len(rows(world, attempt)) == 1
    assert not compared(world, attempt, "other")
    assert admit(world, attempt).id


@pytest.mark.req("ID-06")
def test_admitting_asks_anew_whether_the_consent_stands(world: World) -> None:
    """By name and face in a place that wants more than a name: without the face the name alone does not do."""
    booking, _, _ = invite(world)
    add(world, booking)
    arrival = world.do(presenting.find_by_name, world.guard, world.both.id, booking.id, nonce())
    attempt = now(world, arrival)  # type: ignore[arg-type]
    assert attempt.outcome == Outcome.NEEDS
    compared(world, attempt, "same")
    assert now(world, attempt).outcome == Outcome.ADMIT
    withdraw(world, booking)
    with pytest.raises(NotAdmissible):
        admit(world, attempt)


@pytest.mark.req("ID-06")
def test_a_picture_added_after_a_withdrawal_does_not_bring_the_old_finding_back(
    world: World, fake_clock: FakeClock
) -> None:
    booking, attempt = at_lane(world)
    compared(world, attempt, "other")
    withdraw(world, booking)
    fake_clock.move(seconds=5)
    add(world, booking, b"\xff\xd8 another " * 40)
    world.do(judging.rejudge_booking, booking.id)
    assert now(world, attempt).outcome == Outcome.ADMIT
    assert compared(world, attempt, "other")
    assert now(world, attempt).outcome == Outcome.REVIEW


@pytest.mark.req("AD-18")
def test_a_picture_that_somebody_sent_does_not_undo_what_a_document_said(world: World) -> None:
    _, attempt = at_lane(world)
    compared(world, attempt, "other", "")
    assert compared(world, attempt, "same")
    assert rows(world, attempt)[-1] == (Result.UNSURE, BOOKING_PHOTO)
    assert now(world, attempt).outcome == Outcome.REVIEW
    # The document's own photo does, and it undoes what the picture said.
    compared(world, attempt, "same", "")
    assert now(world, attempt).outcome == Outcome.ADMIT


def test_a_document_says_more_than_the_picture(world: World) -> None:
    _, attempt = at_lane(world)
    compared(world, attempt, "other")
    compared(world, attempt, "same", "")
    assert now(world, attempt).outcome == Outcome.ADMIT


@pytest.mark.req("ID-06")
def test_the_guards_look_at_the_picture_goes_with_the_consent_too(world: World) -> None:
    booking, attempt = at_lane(world)
    world.do(faces.look, world.guard, attempt.id, same=False, nonce=nonce(), source=BOOKING_PHOTO)
    assert now(world, attempt).outcome == Outcome.REVIEW
    withdraw(world, booking)
    world.do(judging.rejudge_booking, booking.id)
    assert now(world, attempt).outcome == Outcome.ADMIT


def test_a_doubt_that_counts_no_more_does_not_stop_the_guards_look(world: World) -> None:
    booking, attempt = at_lane(world)
    compared(world, attempt, "other")
    with pytest.raises(Conflict, match="face_doubted"):
        world.do(faces.look, world.guard, attempt.id, same=True, nonce=nonce())
    withdraw(world, booking)
    world.do(faces.look, world.guard, attempt.id, same=True, nonce=nonce())
    assert now(world, attempt).outcome == Outcome.ADMIT


def test_the_case_of_a_doubt_stays_for_the_supervisor(world: World) -> None:
    booking, attempt = at_lane(world)
    compared(world, attempt, "other")
    withdraw(world, booking)
    case = world.ask(cases.of_attempt, attempt.id)
    assert case is not None
    assert case.status == "open"


# --- the reference of an arrival --------------------------------------------------------------------------------------


@pytest.mark.req("ID-02")
def test_the_picture_belongs_to_the_arrival_that_is_served(world: World) -> None:
    assert reference(world) == Reference()
    _, first = at_lane(world)
    _, second = at_lane(world, "陈静")
    found = reference(world)
    assert (found.attempt_id, found.open_ids) == (first.id, {first.id, second.id})
    assert found.photo_id
    admit(world, first)
    assert reference(world).attempt_id == second.id
    assert reference(world).photo_id not in {"", found.photo_id}


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("why", ["withdrawn", "off", "none", "document", "leaving", "stranger"])
def test_there_is_no_picture_to_hold_anybody_against(world: World, why: str) -> None:
    if why == "none":
        _, issued, _ = invite(world)
        show_code(world, issued)
    elif why == "leaving":
        _, issued, _ = let_in(world)
        show_code(world, issued, world.exit)
    elif why == "stranger":
        present(world, "04FFFFFF", "card")
    else:
        booking, attempt = at_lane(world)
        assert reference(world).photo_id
        if why == "withdrawn":
            withdraw(world, booking)
        elif why == "off":
            world.do(face_policy.save, world.manager, world.site.id, {"verify": False})
        else:
            compared(world, attempt, "unsure", "")
            assert reference(world).photo_id  # said nothing
            compared(world, attempt, "same", "")
    lane = world.exit if why == "leaving" else world.both
    assert world.ask(reference_of, lane.id).photo_id == ""
