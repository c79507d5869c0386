"""A document that the guard types or scans at the desk: whose arrival it joins, and that it proves no more than a look."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import select

from app.core import clock
from app.core.audit import AuditEntry
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.domain.admission import entering, presenting, walk_ins
from app.domain.admission.arrival import Arrival
from app.domain.admission.evidence import TYPED, ZONE, Presented
from app.domain.admission.models import Attempt, EvidenceRow
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible
from app.domain.identity import typed
from app.domain.identity.numbers import DocumentKind
from app.domain.identity.read_document import ReadDocument
from app.domain.identity.shown_document import from_typed, of_zone
from tests.domain.cards_at_hand import document as card
from tests.domain.test_typed_documents import zone
from tests.factories import (
    GUEST,
    STRANGER,
    World,
    actor,
    admit,
    invite,
    make_world,
    nonce,
    see_document,
    show_code,
)

pytestmark = pytest.mark.req("ID-05")

NUMBER = "11010519491231002X"


def written(name: str = GUEST, number: str = NUMBER, valid_to: str = "20300101") -> ReadDocument:
    today = clock.now().date()
    return from_typed(typed.read(DocumentKind.RESIDENT_ID, name, number, valid_to, today))


def enter(
    world: World,
    document: ReadDocument | None = None,
    attempt: Attempt | Arrival | None = None,
    source: str = TYPED,
    nonce_: str = "",
) -> Arrival:
    item = Presented(
        "document", "", nonce_ or nonce(), clock.now(), document=document or written(), source=source
    )
    return world.do(entering.enter, world.guard, world.both.id, item, attempt.id if attempt else "")


def lay(world: World, document: ReadDocument) -> Attempt:
    item = Presented("document", "", nonce(), clock.now(), "reader", document)
    return world.do(presenting.present, world.both.id, item)


def rows(world: World, attempt: Attempt | Arrival) -> list[tuple[str, str, str]]:
    def load(session) -> list[tuple[str, str, str]]:
        query = select(EvidenceRow).where(EvidenceRow.attempt_id == attempt.id).order_by(EvidenceRow.id)
        return [(row.kind, row.result, row.source) for row in session.exec(query).all()]

    return world.ask(load)


def test_a_typed_document_that_fits_is_a_seen_document(installation) -> None:
    world = make_world(installation, "high")
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    assert arrival.reasons == [Reason.DOCUMENT_MISSING]
    entered = enter(world, attempt=arrival)
    assert (entered.id, entered.outcome) == (arrival.id, Outcome.ADMIT)
    assert rows(world, arrival)[1:] == [(Kind.DOCUMENT, Result.OK, TYPED)]


@pytest.mark.parametrize(
    ("changes", "result", "reason"),
    [
        ({"name": "周婷"}, Result.OTHER_NAME, Reason.DOCUMENT_OTHER_NAME),
        ({"valid_to": "20200101"}, Result.EXPIRED, Reason.DOCUMENT_EXPIRED),
        ({"number": "110105194912310021"}, Result.ABNORMAL, Reason.DOCUMENT_ABNORMAL),
        ({"valid_to": "20010229"}, Result.ABNORMAL, Reason.DOCUMENT_ABNORMAL),
    ],
)
def test_what_does_not_fit_is_a_review_that_the_guard_cannot_look_away(
    world: World, changes: dict[str, str], result: Result, reason: Reason
) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    entered = enter(world, written(**changes), arrival)
    assert (entered.outcome, entered.reasons) == (Outcome.REVIEW, [reason])
    assert rows(world, arrival)[-1] == (Kind.DOCUMENT, result, TYPED)
    with pytest.raises(Conflict, match="document_doubted"):
        see_document(world, world.get(Attempt, arrival.id))
    with pytest.raises(NotAdmissible):
        admit(world, world.get(Attempt, arrival.id))
    # A slip of the finger is corrected by typing it again.
    assert enter(world, attempt=arrival).outcome == Outcome.ADMIT


def test_typing_cannot_undo_what_a_reader_found(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    lay(world, card(name="何强生"))
    before = rows(world, arrival)
    for attempt in (arrival, None):
        for source in (TYPED, ZONE):
            with pytest.raises(Conflict, match="document_doubted"):
                enter(world, written(), attempt, source)
    assert rows(world, arrival) == before
    assert world.get(Attempt, arrival.id).outcome == Outcome.REVIEW
    # Another finding may be added, and the person's own card still settles it.
    enter(world, written("周婷"), arrival)
    lay(world, card())
    assert world.get(Attempt, arrival.id).outcome == Outcome.ADMIT


def test_without_an_arrival_the_document_finds_the_booking(world: World) -> None:
    booking, _, _ = invite(world)
    arrival = enter(world)
    assert arrival.booking_id == booking.id
    assert rows(world, arrival) == [(Kind.DOCUMENT, Result.OK, TYPED)]


def test_a_zone_finds_the_booking_by_the_pinyin_of_its_name(world: World) -> None:
    booking, _, _ = invite(world)
    arrival = enter(world, of_zone(zone("ZHOU", "TINGTING"), date(2026, 3, 2)), source=ZONE)
    assert arrival.booking_id == booking.id
    assert rows(world, arrival) == [(Kind.DOCUMENT, Result.OK, ZONE)]


def test_a_foreigner_is_found_in_whatever_order_the_name_is_written(world: World) -> None:
    booking, _, _ = invite(world, name="Anna Maria Eriksson")
    assert enter(world, written("ERIKSSON, ANNA MARIA")).booking_id == booking.id


def test_a_strangers_document_serves_the_registration_and_is_recorded_as_typed(world: World) -> None:
    stranger = written(STRANGER, valid_to="长期")
    arrival = enter(world, stranger)
    assert arrival.booking_id is None
    laid = Presented("document", "", nonce(), clock.now(), document=stranger, source=TYPED)
    form = walk_ins.WalkInForm(world.unit.id, STRANGER, "13911112222", document_tail="002X")
    made = world.do(walk_ins.register, world.guard, world.both.id, form, laid=laid)
    assert rows(world, made) == [(Kind.DOCUMENT, Result.OK, TYPED)]


def test_two_deliveries_are_one(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    for _ in range(2):
        enter(world, attempt=arrival, nonce_="once")
    assert len(rows(world, arrival)) == 2


def test_nothing_of_the_document_is_kept_but_the_finding(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    enter(world, attempt=arrival)

    def everything(session) -> str:
        found = [*session.exec(select(EvidenceRow)).all(), *session.exec(select(AuditEntry)).all()]
        return repr([row.model_dump() for row in found])

    said = world.ask(everything)
    assert "evidence.document" in said
    for secret in (NUMBER, "002X", GUEST):
        assert secret not in said


def test_only_whoever_serves_the_desk_may_enter_and_only_what_was_not_read_by_a_device(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    item = Presented("document", "", nonce(), clock.now(), document=written(), source=TYPED)
    for who in (world.host, actor("another site")):
        with pytest.raises(NotAllowed):
            world.do(entering.enter, who, world.both.id, item, arrival.id)
    for wrong in (
        Presented("document", "", nonce(), clock.now(), "reader", written(), TYPED),
        Presented("document", "", nonce(), clock.now(), document=written()),
        Presented("document", "", nonce(), clock.now(), source=TYPED),
    ):
        with pytest.raises(InvalidInput):
            world.do(entering.enter, world.guard, world.both.id, wrong, arrival.id)


def test_an_arrival_that_is_over_takes_no_document(world: World) -> None:
    _, issued, _ = invite(world)
    arrival = show_code(world, issued)
    admit(world, arrival)
    with pytest.raises(Conflict, match="attempt_closed"):
        enter(world, attempt=arrival)
