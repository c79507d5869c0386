"""Visitors without a booking: no consent, no entry; what the policy switches off is not stored."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.core import crypto
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed
from app.core.permissions import Role
from app.domain.admission import presenting, walk_ins
from app.domain.admission import service as admission
from app.domain.admission.models import Attempt, HostConsent, Visit
from app.domain.admission.rules import Consent, Kind, Outcome, Reason, Result
from app.domain.admission.service import NotAdmissible
from app.domain.booking.models import Booking
from app.domain.people import service as people
from app.domain.people.models import Person
from app.domain.sites import service as sites
from app.domain.sites.rules import Rule, VisitorField, VisitorKind
from tests.factories import World, actor, admit, answer, make_world, nonce, see_document, show_code, walk_in
from tests.installation import FakeClock


@pytest.mark.req("AD-08")
def test_a_stranger_enters_with_consent_and_document(world: World) -> None:
    attempt = walk_in(world)
    assert attempt.reasons == [Reason.CONSENT_MISSING, Reason.DOCUMENT_MISSING]
    see_document(world, attempt)
    answer(world, attempt, agree=True)
    row = world.get(Attempt, attempt.id)
    assert (row.outcome, row.reasons) == (Outcome.ADMIT, [Reason.HOST_AGREED])
    visit = admit(world, attempt)
    assert (visit.pass_id is not None, visit.head_count) == (True, 1)


@pytest.mark.req("AD-08")
def test_without_consent_there_is_no_entry_for_guard_or_supervisor(world: World) -> None:
    attempt = see_document(world, walk_in(world))
    for who in (world.guard, world.supervisor):
        with pytest.raises(NotAdmissible) as caught:
            admit(world, attempt, who, "熟人")
        assert caught.value.reason == Reason.CONSENT_MISSING


@pytest.mark.req("AD-08")
def test_while_the_host_is_being_asked_the_visitor_waits(world: World) -> None:
    attempt = see_document(world, walk_in(world))
    world.do(walk_ins.ask_host, world.guard, attempt.id)
    assert world.get(Attempt, attempt.id).reasons == [Reason.CONSENT_PENDING]


@pytest.mark.req("AD-08")
def test_a_declined_stranger_is_refused_and_no_supervisor_changes_that(world: World) -> None:
    attempt = see_document(world, walk_in(world))
    answer(world, attempt, agree=False)
    assert world.get(Attempt, attempt.id).reasons == [Reason.HOST_DECLINED]
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.supervisor, "业主改口了")


@pytest.mark.req("AD-08", "AD-03")
def test_a_declined_stranger_does_not_enter_by_name(world: World) -> None:
    attempt = walk_in(world)
    answer(world, attempt, agree=False)
    world.do(admission.refuse, world.guard, attempt.id)
    named = world.do(presenting.find_by_name, world.guard, world.both.id, attempt.booking_id, nonce())
    see_document(world, named)
    assert world.get(Attempt, named.id).outcome == Outcome.NEEDS
    with pytest.raises(NotAdmissible):
        admit(world, named)


@pytest.mark.req("AD-08")
def test_the_first_answer_counts(world: World) -> None:
    attempt = walk_in(world)
    answer(world, attempt, agree=False)
    asked = world.do(walk_ins.ask_host, world.guard, attempt.id)
    with pytest.raises(Conflict) as caught:
        world.do(walk_ins.answer, world.host, asked.id, agree=True)
    assert caught.value.code == "consent_answered"
    assert world.get(HostConsent, asked.id).status == Consent.DECLINED


@pytest.mark.req("AD-08")
def test_asking_twice_is_asking_once(world: World) -> None:
    attempt = walk_in(world)
    first, second = (world.do(walk_ins.ask_host, world.guard, attempt.id) for _ in range(2))
    assert (first.id, first.asked_at) == (second.id, second.asked_at)


@pytest.mark.req("AD-08")
def test_an_unanswered_question_times_out_into_review(world: World, fake_clock: FakeClock) -> None:
    attempt = see_document(world, walk_in(world))
    asked = world.do(walk_ins.ask_host, world.guard, attempt.id)
    assert world.do(walk_ins.time_out, fake_clock.move(seconds=119)) == 0
    assert world.do(walk_ins.time_out, fake_clock.move(seconds=1)) == 1
    row = world.get(Attempt, attempt.id)
    assert (row.outcome, row.reasons) == (Outcome.REVIEW, [Reason.CONSENT_TIMEOUT])
    with pytest.raises(Conflict):
        world.do(walk_ins.answer, world.host, asked.id, agree=True)
    with pytest.raises(NotAdmissible):
        admit(world, attempt, world.supervisor, "业主不在")


@pytest.mark.req("AD-08")
def test_after_a_timeout_the_host_can_be_asked_again(world: World, fake_clock: FakeClock) -> None:
    attempt = see_document(world, walk_in(world))
    world.do(walk_ins.ask_host, world.guard, attempt.id)
    world.do(walk_ins.time_out, fake_clock.move(seconds=120))
    again = world.do(walk_ins.ask_host, world.guard, attempt.id)
    assert (again.status, again.answered_at, again.answered_by) == (Consent.ASKED, None, "")
    world.do(walk_ins.answer, world.host, again.id, agree=True)
    assert admit(world, attempt).visitor_id == attempt.visitor_id


@pytest.mark.req("AD-08")
def test_an_answer_by_phone_is_recorded_with_who_and_how(world: World) -> None:
    attempt = see_document(world, walk_in(world))
    world.do(
        walk_ins.record_call, world.guard, attempt.id, agree=True, who=world.resident.id, channel="intercom"
    )
    consent = world.ask(lambda session: walk_ins.repository.consent_of(session, attempt.id))
    assert (consent.answered_by, consent.channel) == (world.resident.id, "intercom")
    entry = world.ask(
        lambda session: session.exec(select(AuditEntry).where(AuditEntry.action == "consent.agreed")).one()
    )
    assert (entry.actor, entry.details) == (
        world.guard.account_id,
        {"by": world.resident.id, "channel": "intercom"},
    )
    admit(world, attempt)


@pytest.mark.req("AD-08")
def test_a_call_to_somebody_outside_the_household_is_no_consent(world: World) -> None:
    attempt = walk_in(world)
    neighbour = world.do(people.add_person, world.site.id, people.RESIDENT, "邻居")
    with pytest.raises(InvalidInput) as caught:
        world.do(walk_ins.record_call, world.guard, attempt.id, agree=True, who=neighbour.id, channel="phone")
    assert caught.value.code == "host_missing"


@pytest.mark.req("AD-08", "SI-04")
def test_a_neighbour_cannot_answer_for_the_household(world: World) -> None:
    asked = world.do(walk_ins.ask_host, world.guard, walk_in(world).id)
    neighbour = world.do(people.add_person, world.site.id, people.RESIDENT, "邻居")
    with pytest.raises(NotAllowed):
        world.do(
            walk_ins.answer, actor(world.site.id, Role.RESIDENT, person_id=neighbour.id), asked.id, agree=True
        )


@pytest.mark.req("SI-03")
def test_a_field_that_the_policy_switches_off_is_not_stored(installation) -> None:
    world = make_world(installation, "low")
    world.do(
        sites.set_field_rule,
        world.manager,
        world.site.id,
        VisitorKind.SHORT_TERM,
        VisitorField.PHONE,
        Rule.OFF,
    )
    attempt = walk_in(world, document_tail="123X", plate="京A8C56Z", company="丰巢")
    person = world.get(Person, attempt.visitor_id)
    assert (person.document_tail, person.phone, person.phone_index) == (None, None, None)
    assert crypto.reveal(person, "company") == "丰巢"


@pytest.mark.req("SI-03")
def test_a_required_field_is_asked_for(installation) -> None:
    world = make_world(installation, "high")
    with pytest.raises(InvalidInput) as caught:
        walk_in(world, document_tail="")
    assert (caught.value.code, caught.value.field) == ("field_missing", "document_tail")


@pytest.mark.req("SI-02")
def test_a_low_class_asks_a_stranger_for_no_document(installation) -> None:
    world = make_world(installation, "low")
    attempt = walk_in(world)
    answer(world, attempt, agree=True)
    assert world.get(Attempt, attempt.id).outcome == Outcome.ADMIT


@pytest.mark.req("SI-02")
def test_an_area_may_demand_more_than_its_site(installation) -> None:
    world = make_world(installation, "low")

    def vault(session) -> str:
        area = sites.add_area(session, world.site, "机房")
        area.risk_class = "high"
        return sites.add_unit(session, world.site.id, "机房101", area_id=area.id).id

    attempt = walk_in(world, unit_id=world.do(vault))
    assert attempt.reasons == [Reason.CONSENT_MISSING, Reason.DOCUMENT_MISSING]


@pytest.mark.req("SI-06")
def test_service_staff_show_their_work_permit(world: World) -> None:
    attempt = see_document(world, walk_in(world, visitor_type=VisitorKind.SERVICE))
    answer(world, attempt, agree=True)
    assert world.get(Attempt, attempt.id).reasons == [Reason.PERMIT_MISSING]
    world.do(presenting.see, world.guard, attempt.id, Kind.PERMIT, Result.OK, nonce())
    assert world.get(Attempt, attempt.id).outcome == Outcome.ADMIT


@pytest.mark.req("AD-15")
def test_a_strangers_pass_is_good_for_the_exit_and_no_second_entry(
    world: World, fake_clock: FakeClock
) -> None:
    attempt = see_document(world, walk_in(world))
    answer(world, attempt, agree=True)
    visit = admit(world, attempt)
    issued = world.ask(lambda session: walk_ins.repository.visitor_pass(session, visit.pass_id))
    fake_clock.move(minutes=5)
    again = show_code(world, issued, world.entry)
    assert again.reasons == [Reason.ALREADY_INSIDE]
    with pytest.raises(NotAdmissible):
        admit(world, again, world.supervisor, "又来一次")
    fake_clock.move(minutes=5)
    admit(world, show_code(world, issued, world.exit))
    assert world.get(Visit, visit.id).left_at == fake_clock.now()


@pytest.mark.req("AD-08")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "name_missing"),
        ({"name": "\u202e\u200b"}, "name_missing"),
        ({"name": "长" * 10_000}, "name_long"),
        ({"phone": "12345"}, "phone_wrong"),
        ({"phone": "13٠٠٠٠٠٠٠٠٠"}, "phone_wrong"),
        ({"plate": "?"}, "plate_wrong"),
        ({"document_tail": "12345"}, "document_tail_wrong"),
        ({"head_count": "0"}, "number_wrong"),
        ({"head_count": "many"}, "number_wrong"),
        ({"purpose": "sightseeing"}, "choice_wrong"),
        ({"unit_id": ""}, "unit_missing"),
        ({"visitor_type": "martian"}, "visitor_type_unknown"),
        ({"company": "公" * 201}, "text_long"),
    ],
)
def test_wrong_details_are_named_and_leave_nothing(world: World, changes: dict, code: str) -> None:
    with pytest.raises(GateError) as caught:
        walk_in(world, **changes)
    assert caught.value.code == code
    assert world.ask(lambda session: walk_ins.repository.open_attempts(session, world.both.id)) == []
    assert world.ask(lambda session: len(session.exec(select(Booking)).all())) == 0


@pytest.mark.req("EV-01")
@pytest.mark.parametrize(
    "name", ["𠮷", "张𡈽生", "买买提·吐尔逊", "Éva Nováková", "O'Brien-Łuk", "ä" * 50, "아이유", "👩‍🚀"]
)
def test_a_rare_name_survives(world: World, name: str) -> None:
    person = world.get(Person, walk_in(world, name=name).visitor_id)
    assert crypto.reveal(person, "name") == name.replace("\u200d", "")


@pytest.mark.req("EV-01")
def test_control_and_direction_characters_are_dropped_from_a_name(world: World) -> None:
    person = world.get(Person, walk_in(world, name="\u202e何\x00强\u200f\t \x1b[31m生\ufeff").visitor_id)
    assert crypto.reveal(person, "name") == "何强 [31m生"
