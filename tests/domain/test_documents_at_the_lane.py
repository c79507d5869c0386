"""A document that a reader has read, at the lane: whose arrival it joins, what it begins, and what stays of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.core import clock, crypto
from app.core.audit import AuditEntry
from app.core.errors import Conflict
from app.domain.admission import presenting, walk_ins
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt, EvidenceRow, LaneChanged
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible
from app.domain.booking import repository as bookings
from app.domain.identity.read_document import ReadDocument
from app.domain.people.models import Person
from app.domain.sites.models import Lane
from tests.domain.cards_at_hand import CITIZEN, document, document_of
from tests.factories import (
    GUEST,
    STRANGER,
    World,
    admit,
    answer,
    invite,
    let_in,
    make_world,
    nonce,
    present,
    see_document,
    show_code,
    standing,
    walk_in,
)
from tests.installation import FakeClock
from tests.tracing import statements_of


def lay(
    world: World, read: ReadDocument | None = None, lane: Lane | None = None, nonce_: str = ""
) -> Attempt:
    """A card laid on the lane's reader."""
    item = Presented("document", "", nonce_ or nonce(), clock.now(), "reader", read or document())
    return world.do(presenting.present, (lane or world.both).id, item)


def tear(world: World) -> Attempt:
    """A card that could not be read."""
    item = Presented("unreadable", "document_card_pulled", nonce(), clock.now(), "reader")
    return world.do(presenting.present, world.both.id, item)


def results(world: World, attempt: Attempt) -> list[tuple[str, str]]:
    def load(session) -> list[tuple[str, str]]:
        query = select(EvidenceRow).where(EvidenceRow.attempt_id == attempt.id).order_by(EvidenceRow.id)
        return [(row.kind, row.result) for row in session.exec(query).all()]

    return world.ask(load)


def give_tail(world: World, person_id: str, tail: str) -> None:
    """Somebody has told the last four characters of the document."""

    def work(session) -> None:
        person = session.get(Person, person_id)
        crypto.seal(person, "document_tail", tail)
        session.add(person)

    world.do(work)


# --- with somebody waiting -------------------------------------------------------------------------------------------


def test_a_fitting_card_joins_the_open_arrival_as_evidence(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    joined = lay(world)
    assert joined.id == arrival.id
    assert (joined.outcome, joined.reasons) == (Outcome.ADMIT, [Reason.BOOKED])
    assert results(world, arrival) == [(Kind.CODE, Result.OK), (Kind.DOCUMENT, Result.OK)]
    assert admit(world, joined).visitor_id == joined.visitor_id


def test_in_the_high_class_the_card_is_the_document_that_was_missing(installation) -> None:
    world = make_world(installation, "high")
    _, issued, _ = invite(world)
    assert show_code(world, issued).reasons == [Reason.DOCUMENT_MISSING]
    assert lay(world).outcome == Outcome.ADMIT


@pytest.mark.parametrize(
    ("changes", "tail", "reason"),
    [
        ({"name": "周婷"}, "", Reason.DOCUMENT_OTHER_NAME),
        ({}, "1234", Reason.DOCUMENT_OTHER_NUMBER),
        ({"valid_to": "20260301"}, "", Reason.DOCUMENT_EXPIRED),
        ({"number": "110105194912310021"}, "", Reason.DOCUMENT_ABNORMAL),
    ],
)
def test_a_card_that_does_not_fit_needs_a_supervisor_with_a_note(
    world: World, changes: dict[str, str], tail: str, reason: Reason
) -> None:
    booking, issued, _ = invite(world)
    give_tail(world, booking.visitor_id, tail)
    show_code(world, issued)
    heard: list[object] = []
    world.database.listen(heard.append)
    arrival = lay(world, document(**changes))
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [reason])
    assert [said.cue for said in heard if isinstance(said, LaneChanged)] == ["alarm"]
    for who, note in ((world.guard, "认识的"), (world.supervisor, "")):
        with pytest.raises(NotAdmissible):
            admit(world, arrival, who, note)
    assert admit(world, arrival, world.supervisor, "核对过户口本").admitted_by == world.supervisor.account_id


def test_a_look_of_the_guards_does_not_undo_what_the_reader_found(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    arrival = lay(world, document(name="周婷"))
    see_document(world, arrival, Result.ABNORMAL)
    with pytest.raises(Conflict) as caught:
        see_document(world, arrival)
    assert caught.value.code == "document_doubted"
    assert world.get(Attempt, arrival.id).outcome == Outcome.REVIEW


def test_the_right_card_after_a_wrong_one_is_good(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    lay(world, document(name="周婷"))
    assert lay(world).outcome == Outcome.ADMIT


def test_a_card_pulled_away_takes_back_nothing_neither_good_nor_bad(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    assert tear(world).id == arrival.id
    assert lay(world, document(name="周婷")).outcome == Outcome.REVIEW
    assert tear(world).reasons == [Reason.DOCUMENT_OTHER_NAME]
    assert lay(world).outcome == Outcome.ADMIT
    assert tear(world).outcome == Outcome.ADMIT


def test_an_unreadable_card_with_nobody_waiting_asks_to_be_laid_again(world: World) -> None:
    arrival = tear(world)
    assert (arrival.outcome, arrival.reasons) == (Outcome.NEEDS, [Reason.READ_AGAIN])
    assert results(world, arrival) == [(Kind.DOCUMENT, Result.UNREADABLE)]


def test_with_two_waiting_the_card_goes_to_the_one_it_names(world: World) -> None:
    _, first, _ = invite(world)
    _, second, _ = invite(world, name="阿卜杜拉·买买提", phone="13800138002")
    waits, named = show_code(world, first), show_code(world, second)
    assert lay(world, document(name="阿卜杜拉·买买提")).id == named.id
    assert lay(world, document(name="路人")).id == waits.id
    assert world.get(Attempt, named.id).outcome == Outcome.ADMIT
    assert world.get(Attempt, waits.id).reasons == [Reason.DOCUMENT_OTHER_NAME]


def test_a_walk_in_is_held_against_name_and_tail_as_registered(world: World) -> None:
    arrival = walk_in(world, name=GUEST, document_tail="002x")
    answer(world, arrival, agree=True)
    assert lay(world).outcome == Outcome.ADMIT
    assert lay(world, document(name=STRANGER)).outcome == Outcome.REVIEW


@pytest.mark.req("AD-22")
def test_a_card_delivered_twice_changes_nothing(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    same = nonce()
    lay(world, nonce_=same)
    lay(world, document(name="周婷"), nonce_=same)
    assert results(world, arrival) == [(Kind.CODE, Result.OK), (Kind.DOCUMENT, Result.OK)]


# --- with nobody waiting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (GUEST, GUEST),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("欧阳 静", "欧阳静"),
        ("𠮷田𡈽", "𠮷田𡈽"),
        ("Anna Lindqvist", "Anna Lindqvist"),
        ("Anna Müller", "Anna Muller"),
        ("Anna Müller", "Anna Mueller"),
    ],
)
def test_a_card_alone_finds_todays_booking_and_begins_its_arrival(
    world: World, name: str, shown: str
) -> None:
    booking, issued, _ = invite(world, name=name)
    invite(world, name=f"{name}丰", phone="13800138002")
    arrival = lay(world, document_of(shown))
    assert (arrival.booking_id, arrival.pass_id) == (booking.id, issued.id)
    assert (arrival.outcome, arrival.reasons) == (Outcome.ADMIT, [Reason.BOOKED])
    assert results(world, arrival) == [(Kind.DOCUMENT, Result.OK)]
    assert admit(world, arrival).booking_id == booking.id


def test_the_code_after_the_card_joins_the_same_arrival(world: World) -> None:
    _, issued, _ = invite(world)
    assert lay(world).id == show_code(world, issued).id


def test_an_expired_card_finds_the_booking_and_is_looked_at(world: World) -> None:
    booking, _, _ = invite(world)
    arrival = lay(world, document(valid_to="20260301"))
    assert (arrival.booking_id, arrival.reasons) == (booking.id, [Reason.DOCUMENT_EXPIRED])


def test_two_of_one_name_today_are_left_to_the_guard(world: World) -> None:
    invite(world)
    invite(world, phone="13800138002")
    arrival = lay(world)
    assert (arrival.booking_id, arrival.outcome) == (None, Outcome.NEEDS)
    assert arrival.reasons[0] == Reason.DETAILS_MISSING


def test_a_known_tail_tells_two_of_one_name_apart(world: World) -> None:
    other, _, _ = invite(world)
    booking, _, _ = invite(world, phone="13800138002")
    give_tail(world, other.visitor_id, "1234")
    give_tail(world, booking.visitor_id, "002X")
    assert lay(world).booking_id == booking.id


@pytest.mark.parametrize(
    ("starts", "ends", "found", "outcome"),
    [
        (timedelta(hours=3), timedelta(hours=5), True, Outcome.REFUSE),  # later today: too early
        (timedelta(hours=20), timedelta(hours=22), False, Outcome.NEEDS),  # tomorrow at six
    ],
)
def test_only_todays_bookings_count(
    world: World, starts: timedelta, ends: timedelta, found: bool, outcome: Outcome
) -> None:
    booking, _, _ = invite(world, starts_at=clock.now() + starts, ends_at=clock.now() + ends)
    arrival = lay(world)
    assert (arrival.booking_id == booking.id, arrival.outcome) == (found, outcome)


def test_a_booking_of_another_site_is_not_found(world: World) -> None:
    other = make_world(world.database, name="另一个小区")
    invite(other)
    assert lay(world).booking_id is None


def test_a_partner_without_the_ic_card_is_found_by_the_id_card(world: World) -> None:
    booking, _ = standing(world)
    assert lay(world).booking_id == booking.id


def test_who_is_inside_leaves_with_the_card(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world)
    fake_clock.move(hours=1)
    arrival = lay(world, lane=world.exit)
    assert (arrival.leaving, arrival.outcome) == (True, Outcome.ADMIT)
    assert admit(world, arrival).id == visit.id


def test_a_card_left_on_the_reader_after_the_entry_begins_no_new_arrival(
    world: World, fake_clock: FakeClock
) -> None:
    invite(world)
    arrival = lay(world)
    admit(world, arrival)
    fake_clock.move(seconds=5)
    assert lay(world).id == arrival.id


# --- a stranger ------------------------------------------------------------------------------------------------------


def laid(read: ReadDocument | None = None) -> Presented:
    return Presented("document", "", nonce(), clock.now(), "reader", read or document())


def register(world: World, item: Presented, **form: str) -> Attempt:
    filled = walk_ins.WalkInForm(
        world.unit.id, form.get("name", GUEST), "13911112222", document_tail=form.get("tail", "002X")
    )
    return world.do(walk_ins.register, world.guard, world.both.id, filled, laid=item)


def test_a_strangers_card_is_a_row_and_registers_with_the_walk_in(world: World) -> None:
    item = laid()
    stray = world.do(presenting.present, world.both.id, item)
    assert (stray.booking_id, stray.outcome) == (None, Outcome.NEEDS)
    arrival = register(world, item)
    assert results(world, arrival) == [(Kind.DOCUMENT, Result.OK)]
    assert arrival.reasons == [Reason.CONSENT_MISSING]
    assert world.get(Attempt, stray.id).status == "set_aside"
    answer(world, arrival, agree=True)
    assert world.get(Attempt, arrival.id).outcome == Outcome.ADMIT


def test_the_card_of_somebody_who_went_away_says_nothing_of_the_next(world: World) -> None:
    assert results(world, register(world, laid(), name=STRANGER)) == []


@pytest.mark.parametrize(
    ("changes", "tail", "result"),
    [({"valid_to": "20260301"}, "002X", Result.EXPIRED), ({}, "1234", Result.OTHER_NUMBER)],
)
def test_a_walk_ins_card_is_judged_like_any_other(
    world: World, changes: dict[str, str], tail: str, result: Result
) -> None:
    arrival = register(world, laid(document(**changes)), tail=tail)
    assert results(world, arrival) == [(Kind.DOCUMENT, result)]
    assert arrival.outcome == Outcome.REVIEW


# --- what stays ------------------------------------------------------------------------------------------------------


@pytest.mark.req("SI-03")
def test_nothing_of_a_card_is_stored_in_the_clear_and_its_number_not_at_all(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    lay(world)
    lay(world, document(name="何强生"), world.entry)
    register(world, laid(document(name="何强生")), name="何强生")
    sealed: list[str] = []

    def everything(session) -> str:
        tables = [table.name for table in Person.metadata.sorted_tables]
        rows = [session.connection().execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
        for person in session.exec(select(Person)).all():
            sealed.extend(
                crypto.reveal(person, column) for column in ("name", "phone", "company", "document_tail")
            )
        return repr(rows)

    stored = world.ask(everything)
    for secret in (CITIZEN["number"], CITIZEN["number"][6:14], CITIZEN["address"], "何强生", GUEST):
        assert secret not in stored
    assert "002X" in sealed
    assert not any(CITIZEN["number"][:17] in value for value in sealed)
    details = world.ask(lambda s: repr([row.model_dump() for row in s.exec(select(AuditEntry)).all()]))
    assert "何强生" not in details
    assert "002X" not in details


def test_a_code_asks_nothing_of_names_or_people(world: World) -> None:
    booking, issued, _ = invite(world)
    with statements_of(world.database.engine) as seen:
        arrival = show_code(world, issued)
    assert seen
    assert world.ask(bookings.booking, booking.id).visitor_id == arrival.visitor_id
    assert not any("search_token" in statement or "person" in statement for statement in seen)


def test_an_item_of_another_kind_is_no_document(world: World) -> None:
    assert results(world, present(world, "card_pulled", "unreadable")) == [(Kind.CARD, Result.UNREADABLE)]
