"""Cases: opened with the finding, once per arrival, told to the supervisors, closed by one, and forgotten in time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from app.adapters.channels import CHANNELS
from app.core import clock, crypto, outbox, vault
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.permissions import RIGHTS, Right, Role
from app.domain.admission import cases, exits, presenting, walk_ins
from app.domain.admission.case_models import CaseFile, CaseItem, CaseOpened
from app.domain.admission.case_rules import CaseStatus, PictureState, alarm_of, title_of
from app.domain.admission.evidence import Presented
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.people import repository as people
from app.domain.people.models import InboxMessage, Person
from app.domain.people.service import mark_read
from app.domain.records import retention
from tests.domain.cards_at_hand import document
from tests.domain.test_documents_at_the_lane import lay
from tests.factories import (
    World,
    admit,
    invite,
    let_in,
    make_account,
    make_world,
    nonce,
    see_document,
    show_code,
)
from tests.installation import FakeClock

OTHER = {"name": "周婷"}


def files(world: World) -> list[CaseFile]:
    return world.ask(lambda s: list(s.exec(select(CaseFile).order_by(CaseFile.number)).all()))  # type: ignore[arg-type]


def reasons(world: World, case: CaseFile) -> list[str]:
    return [item.reason for item in world.ask(cases.items_of, case.id)]


def mismatch(world: World) -> tuple[Attempt, CaseFile]:
    """A guest whose code is good and whose card the guard finds to be somebody else's."""
    _, issued, _ = invite(world)
    arrival = see_document(world, show_code(world, issued), Result.ABNORMAL)
    return arrival, files(world)[-1]


def test_every_alarm_makes_a_case_and_nothing_else_does() -> None:
    found = {(kind, result): alarm_of(kind, result) for kind in Kind for result in Result}
    assert {pair for pair, reason in found.items() if reason} == {
        (Kind.DOCUMENT, Result.OTHER_NAME),
        (Kind.DOCUMENT, Result.OTHER_NUMBER),
        (Kind.DOCUMENT, Result.EXPIRED),
        (Kind.DOCUMENT, Result.ABNORMAL),
        (Kind.FACE, Result.OTHER_FACE),
        (Kind.FACE, Result.SPOOFED),
    }
    assert title_of(2026, 7) == "2026-0007"


@pytest.mark.req("AD-18")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (OTHER, Reason.DOCUMENT_OTHER_NAME),
        ({"valid_to": "20260301"}, Reason.DOCUMENT_EXPIRED),
        ({"number": "110105194912310021"}, Reason.DOCUMENT_ABNORMAL),
    ],
)
def test_a_document_that_does_not_fit_opens_a_case_in_the_same_transaction(
    world: World, changes: dict[str, str], reason: Reason
) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    assert files(world) == []
    heard: list[object] = []
    world.database.listen(heard.append)
    arrival = lay(world, document(**changes))
    assert (arrival.outcome, arrival.reasons) == (Outcome.REVIEW, [reason])
    (case,) = files(world)
    assert (case.attempt_id, case.site_id, case.lane_id) == (arrival.id, world.site.id, world.both.id)
    assert (case.kind, case.status, case.number) == (Kind.DOCUMENT, CaseStatus.OPEN, 1)
    assert case.year == clock.now().year
    assert case.picture_state == PictureState.PENDING
    assert reasons(world, case) == [reason]
    assert [said.case_id for said in heard if isinstance(said, CaseOpened)] == [case.id]
    entry = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "case.open")).one())
    assert (entry.object_id, entry.reason) == (case.id, reason)


@pytest.mark.req("AD-18")
def test_the_guards_own_look_opens_one_too(world: World) -> None:
    _, issued, _ = invite(world)
    see_document(world, show_code(world, issued), Result.ABNORMAL)
    (case,) = files(world)
    (item,) = world.ask(cases.items_of, case.id)
    assert (item.reason, item.device_id) == (Reason.DOCUMENT_ABNORMAL, "")


def test_what_is_found_later_is_added_and_nothing_twice(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    arrival = lay(world, document(**OTHER))
    (case,) = files(world)
    same = nonce()
    lay(world, document(valid_to="20260301"), nonce_=same)
    lay(world, document(valid_to="20260301"), nonce_=same)
    see_document(world, arrival, Result.ABNORMAL)
    assert len(files(world)) == 1
    assert reasons(world, case) == [
        Reason.DOCUMENT_OTHER_NAME,
        Reason.DOCUMENT_EXPIRED,
        Reason.DOCUMENT_ABNORMAL,
    ]


def test_what_fits_cannot_be_read_or_is_no_document_opens_none(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)
    lay(world)
    world.do(
        presenting.present,
        world.both.id,
        Presented("unreadable", "document_pulled", nonce(), clock.now(), "reader"),
    )
    world.do(
        presenting.present, world.both.id, Presented("code", "https://example.com", nonce(), clock.now())
    )
    assert files(world) == []


def test_nothing_at_the_way_out_makes_a_case(world: World, fake_clock: FakeClock) -> None:
    let_in(world)
    fake_clock.move(hours=1)
    left = lay(world, document(valid_to="20260301"), lane=world.exit)
    assert left.leaving
    assert files(world) == []


def test_a_finding_that_is_rolled_back_leaves_no_case_and_no_number(world: World) -> None:
    _, issued, _ = invite(world)
    show_code(world, issued)

    def broken(session) -> None:
        item = Presented("document", "", nonce(), clock.now(), "reader", document(**OTHER))
        presenting.present(session, world.both.id, item)
        raise ValueError

    with pytest.raises(ValueError):
        world.do(broken)
    assert files(world) == []
    assert lay(world, document(**OTHER)).outcome == Outcome.REVIEW
    assert files(world)[0].number == 1


def test_cases_are_numbered_by_site_and_year(world: World, fake_clock: FakeClock) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    for place in (world, world, elsewhere):
        _, issued, _ = invite(place)
        arrival = show_code(place, issued)
        see_document(place, arrival, Result.ABNORMAL)
    numbers = {(case.site_id, case.number) for case in files(world)}
    assert numbers == {(world.site.id, 1), (world.site.id, 2), (elsewhere.site.id, 1)}
    # On the site's own clock: in Shanghai the new year begins eight hours before Greenwich.
    now = clock.now()
    eve = now.replace(month=12, day=31, hour=16, minute=1)
    fake_clock.move(seconds=(eve - now).total_seconds())
    _, issued, _ = invite(world)
    see_document(world, show_code(world, issued), Result.ABNORMAL)
    newest = world.ask(cases.page, world.site.id, "", 1, 0)[0]
    assert (newest.year, newest.number) == (now.year + 1, 1)


def test_two_lanes_at_the_same_moment_get_two_numbers(world: World) -> None:
    arrivals = []
    for lane in (world.both, world.entry):
        _, issued, _ = invite(world)
        arrivals.append(show_code(world, issued, lane))
    together = threading.Barrier(len(arrivals))

    def doubt(arrival: Attempt) -> None:
        together.wait()
        see_document(world, arrival, Result.ABNORMAL)

    with ThreadPoolExecutor() as pool:
        list(pool.map(doubt, arrivals))
    assert [case.number for case in files(world)] == [1, 2]


def test_the_case_of_a_stranger_goes_on_with_the_registered_arrival(world: World) -> None:
    item = Presented("document", "", nonce(), clock.now(), "reader", document(valid_to="20260301"))
    unknown = world.do(presenting.present, world.both.id, item)
    (case,) = files(world)
    assert case.attempt_id == unknown.id
    name = item.document.names[0].text if item.document else ""
    form = walk_ins.WalkInForm(world.unit.id, name, "13911112222", document_tail="")
    arrival = world.do(walk_ins.register, world.guard, world.both.id, form, laid=item)
    (kept,) = files(world)
    assert (kept.id, kept.attempt_id) == (case.id, arrival.id)
    assert reasons(world, kept) == [Reason.DOCUMENT_EXPIRED]


@pytest.mark.req("AD-18")
def test_the_sites_supervisors_are_told_and_nobody_else(world: World) -> None:
    lead = make_account(world, Role.SUPERVISOR, username="lead")
    gone = make_account(world, Role.SUPERVISOR, username="gone")
    make_account(world, Role.GUARD, username="guard")
    elsewhere = make_account(make_world(world.database, name="翠湖苑"), Role.SUPERVISOR, username="far")

    def disable(session) -> None:
        row = session.get(type(gone), gone.id)
        row.disabled = True
        session.add(row)

    world.do(disable)
    _, case = mismatch(world)
    while world.do(outbox.deliver_due, clock.now(), CHANNELS):
        pass
    told = world.ask(
        lambda s: [
            (m.person_id, m.payload)
            for m in s.exec(select(InboxMessage).where(InboxMessage.topic == "case_opened")).all()
        ]
    )
    assert told == [(lead.person_id, {"case": case.id})]
    assert elsewhere.person_id not in {person for person, _ in told}
    assert len(world.ask(people.unread, lead.person_id, "case_opened")) == 1
    reader = world.supervisor.__class__(kind="account", person_id=lead.person_id)
    world.do(mark_read, reader, "case_opened")
    assert world.ask(people.unread, lead.person_id, "case_opened") == []


def test_a_supervisor_closes_it_once_with_outcome_and_sealed_note(world: World) -> None:
    _, case = mismatch(world)
    for outcome, note, error in (
        ("eaten", "核对过", InvalidInput),
        ("released", " ", InvalidInput),
    ):
        with pytest.raises(error):
            world.do(cases.close, world.supervisor, case.id, outcome, note)
    world.do(cases.close, world.supervisor, case.id, "released", "核对过户口本")
    closed = world.get(CaseFile, case.id)
    assert (closed.status, closed.outcome, closed.closed_by) == (
        CaseStatus.CLOSED,
        "released",
        world.supervisor.account_id,
    )
    assert "核对".encode() not in (closed.note or b"")
    assert crypto.reveal(closed, "note") == "核对过户口本"
    with pytest.raises(Conflict):
        world.do(cases.close, world.supervisor, case.id, "police", "再看")


def test_who_may_not_look_sees_nothing_and_each_look_is_on_record(world: World) -> None:
    _, case = mismatch(world)
    file_id = vault.put(b"\xff\xd8\xffpicture")
    assert world.do(cases.keep_picture, case.id, PictureState.KEPT, file_id)
    holders = {role for role in Role if Right.CASE_VIEW in RIGHTS[role]}
    assert holders == {Role.SUPERVISOR, Role.MANAGER}
    for call in (cases.look, lambda s, a, c: cases.picture(s, a, c, "scene")):
        with pytest.raises(NotAllowed):
            world.do(call, world.guard, case.id)
    with pytest.raises(NotAllowed):
        world.do(cases.close, world.manager, case.id, "released", "看过")
    stranger = make_world(world.database, name="翠湖苑").supervisor
    with pytest.raises(NotFound):
        world.do(cases.look, stranger, case.id)
    with pytest.raises(NotFound):
        world.do(cases.picture, world.supervisor, case.id, "document")
    world.do(cases.look, world.manager, case.id)
    assert world.do(cases.picture, world.supervisor, case.id, "scene") == file_id
    acts = world.ask(
        lambda s: [e.action for e in s.exec(select(AuditEntry).order_by(AuditEntry.seq)).all()]  # type: ignore[arg-type]
    )
    assert acts[-2:] == ["case.view", "case.picture"]


def test_the_first_word_on_a_picture_counts_and_what_was_missed_is_said(world: World) -> None:
    _, case = mismatch(world)
    assert world.do(cases.keep_picture, case.id, PictureState.NO_CAMERA)
    assert not world.do(cases.keep_picture, case.id, PictureState.KEPT, "0" * 32)
    assert world.get(CaseFile, case.id).picture_state == PictureState.NO_CAMERA
    mismatch(world)
    assert world.do(cases.miss_pictures) == 1
    assert [file.picture_state for file in files(world)] == [PictureState.NO_CAMERA, PictureState.MISSED]


@pytest.mark.req("RE-04")
def test_pictures_and_words_of_a_closed_case_go_in_time_and_those_of_an_open_one_stay(
    installation: Database, fake_clock: FakeClock
) -> None:
    world = make_world(installation, "high")
    kept = [mismatch(world) for _ in range(2)]
    (_, closed), (arrival, still) = kept
    assert closed.id != still.id
    for _, case in kept:
        world.do(cases.keep_picture, case.id, PictureState.KEPT, vault.put(b"scene"))
        world.do(cases.keep_document, case.attempt_id, vault.put(b"photo"))
    visit = admit(world, arrival, world.supervisor, "核对过户口本")
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    world.do(cases.close, world.supervisor, closed.id, "refused", "已劝离")
    pictures = world.get(CaseFile, closed.id)

    def sweep() -> None:
        while world.do(retention.purge, world.site.id, fake_clock.now()):
            pass

    fake_clock.move(days=7)
    sweep()
    assert vault.get(pictures.picture_id) == b"scene"
    fake_clock.move(seconds=1)
    sweep()
    for file_id in (pictures.picture_id, pictures.document_id):
        with pytest.raises(NotFound):
            vault.get(file_id)
    row = world.get(CaseFile, closed.id)
    assert (row.picture_id, row.document_id, row.picture_state) == ("", "", PictureState.EXPIRED)
    assert row.note is not None
    fake_clock.move(days=173)
    sweep()
    row = world.get(CaseFile, closed.id)
    assert (row.note, row.purged_at) == (None, fake_clock.now())
    # Of the open one nothing went, neither its pictures nor the name that it is about.
    fake_clock.move(days=200)
    sweep()
    opened = world.get(CaseFile, still.id)
    assert vault.get(opened.picture_id) == b"scene"
    visitor = world.get(Attempt, still.attempt_id).visitor_id
    assert visitor is not None
    assert world.get(Person, visitor).name is not None
    world.do(cases.close, world.supervisor, still.id, "false_alarm", "误报")
    assert vault.get(opened.picture_id) == b"scene"
    fake_clock.move(days=181)
    sweep()
    with pytest.raises(NotFound):
        vault.get(opened.picture_id)
    assert world.get(Person, visitor).name is None
    assert world.ask(lambda s: s.exec(select(CaseItem)).all()) != []


def test_nothing_of_a_person_is_in_a_case_but_the_sealed_note(world: World) -> None:
    mismatch(world)
    rows = world.ask(
        lambda s: repr(
            [row.model_dump() for table in (CaseFile, CaseItem) for row in s.exec(select(table)).all()]
        )
    )
    for said in ("周婷", "周婷婷", "13800138001", "002X"):
        assert said not in rows
