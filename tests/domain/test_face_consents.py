"""The ledger of consent, what hangs on it, and that nothing of a face outlives it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from app.core import clock, crypto
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed
from app.core.permissions import Role
from app.domain.access import permits
from app.domain.admission import presenting
from app.domain.admission.arrival import Arrival
from app.domain.admission.evidence import Presented
from app.domain.admission.rules import Outcome, Reason
from app.domain.booking.models import Booking
from app.domain.identity import consents, face_policy, faces, repository, templates
from app.domain.identity.consents import Declared
from app.domain.identity.face_policy import Assessment
from app.domain.identity.models import ConsentRecord, FacesChanged, FaceTemplate, ImpactAssessment
from app.domain.identity.rules import FILING_PEOPLE, TERMS, Age, Channel, Purpose
from app.domain.people.models import InboxMessage
from app.domain.records import retention
from tests.domain.faces_at_hand import (
    ASSESSMENT,
    CHILD,
    OLDER,
    PACK,
    agree,
    enrolled,
    face,
    owner,
    shown,
    switch_on,
)
from tests.factories import World, actor, make_account, make_world, nonce, present, standing
from tests.installation import FakeClock


def stored(world: World) -> list[FaceTemplate]:
    return list(world.ask(lambda s: s.exec(select(FaceTemplate)).all()))


def heard(world: World) -> list[FacesChanged]:
    """What is announced from now on."""
    said: list[FacesChanged] = []
    world.database.listen(lambda a: said.append(a) if isinstance(a, FacesChanged) else None)
    return said


def change(world: World, row: Booking | ConsentRecord, **values: object) -> None:
    """Set columns of a row behind the services' backs."""

    def work(session: Session) -> None:
        kept = session.get(type(row), row.id)
        for name, value in values.items():
            setattr(kept, name, value)
        session.add(kept)

    world.do(work)


def recognised(world: World, template: FaceTemplate) -> Arrival:
    """The face is seen at the lane."""
    item = Presented("face", template.id, nonce(), clock.now(), "camera")
    return world.do(presenting.present, world.both.id, item)


# --- the ledger -------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-06")
def test_a_consent_keeps_what_was_shown_to_whom_and_how(world: World) -> None:
    switch_on(world)
    row = agree(world, world.resident.id)
    text = shown(world).text
    assert row.notice_hash == hashlib.sha256(text.encode()).digest()
    assert (row.purpose, row.notice_version) == (
        Purpose.FACE_RECOGNISE,
        TERMS[Purpose.FACE_RECOGNISE].version,
    )
    assert (row.channel, row.given_by, row.given_at) == ("console", world.manager.account_id, clock.now())
    assert row.data_classes == ["face_template"]
    assert shown(world, "en").hash != row.notice_hash
    assert world.site.name in text
    assert "365" in text


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("declared", "field"),
    [
        (Declared(), "age"),
        (Declared(Age.UNDER_14), "guardian_relation"),
        (Declared(Age.UNDER_14, guardian_relation="mother"), "guardian"),
        (Declared(Age.UNDER_14, "  ", "mother"), "guardian"),
    ],
)
def test_without_an_age_or_a_guardian_there_is_no_consent(
    world: World, declared: Declared, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        agree(world, world.resident.id, declared)
    assert refused.value.field == field
    assert world.ask(lambda s: s.exec(select(ConsentRecord)).all()) == []


@pytest.mark.req("ID-06")
def test_for_a_child_the_guardian_is_kept_sealed(world: World) -> None:
    row = agree(world, world.resident.id, CHILD)
    assert row.guardian_relation == "father"
    assert row.guardian is not None
    assert "周建国".encode() not in row.guardian
    assert crypto.reveal(row, "guardian") == "周建国"


def test_asking_again_ends_the_older_consent(world: World) -> None:
    first, second = agree(world, world.resident.id), agree(world, world.resident.id)
    assert world.get(ConsentRecord, first.id).withdrawn_at is not None
    assert world.get(ConsentRecord, second.id).withdrawn_at is None


@pytest.mark.parametrize(
    "roles", [[Role.GUARD], [Role.SUPERVISOR], [Role.ADMIN], [Role.AUDITOR], [Role.RESIDENT]]
)
def test_only_who_enters_people_takes_consents_and_faces(world: World, roles: list[Role]) -> None:
    booking, _ = enrolled(world)
    consent = world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_RECOGNISE)
    assert consent is not None
    somebody = actor(world.site.id, *roles)
    for attempt in (
        lambda: world.do(consents.give, somebody, booking.visitor_id, shown(world), Channel.CONSOLE, OLDER),
        lambda: world.do(faces.enrol, somebody, booking.visitor_id, face()),
        lambda: world.do(consents.withdraw, somebody, consent.id, Channel.CONSOLE),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert len(stored(world)) == 1


def test_another_sites_manager_touches_nothing(world: World) -> None:
    booking, _ = enrolled(world)
    other = make_world(world.database, name="别处")
    consent = world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_RECOGNISE)
    assert consent is not None
    for attempt in (
        lambda: world.do(
            consents.give, other.manager, booking.visitor_id, shown(world), Channel.CONSOLE, OLDER
        ),
        lambda: world.do(faces.enrol, other.manager, booking.visitor_id, face()),
        lambda: world.do(consents.withdraw, other.manager, consent.id, Channel.CONSOLE),
        lambda: world.do(face_policy.save, other.manager, world.site.id, {"verify": False}),
    ):
        with pytest.raises(NotAllowed):
            attempt()


# --- the policy -------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-06")
def test_to_begin_with_faces_are_compared_and_nobody_is_recognised(world: World) -> None:
    policy = world.ask(face_policy.of_site, world.site.id)
    assert (policy.verify, policy.recognise) == (True, False)


@pytest.mark.req("ID-06")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"made_on": ""}, "made_on"),
        ({"made_on": "2026-03-03"}, "made_on"),
        ({"made_by": ""}, "made_by"),
        ({"reference": ""}, "reference"),
    ],
)
def test_recognising_needs_a_named_impact_assessment(
    world: World, changes: dict[str, str], field: str
) -> None:
    values = {name: getattr(ASSESSMENT, name) for name in ("title", "made_on", "made_by", "reference")}
    with pytest.raises(InvalidInput) as refused:
        world.do(
            face_policy.save,
            world.manager,
            world.site.id,
            {"recognise": True},
            Assessment(**values | changes),
        )
    assert refused.value.field == field
    assert not world.ask(face_policy.of_site, world.site.id).recognise
    assert world.ask(lambda s: s.exec(select(ImpactAssessment)).all()) == []


def test_switching_on_is_audited_with_the_assessment_and_by_managers_alone(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.do(face_policy.save, actor(world.site.id, Role.SERVICE), world.site.id, {"verify": False})
    switch_on(world)
    row = world.ask(lambda s: s.exec(select(ImpactAssessment)).one())
    assert (row.title, row.made_on.isoformat(), row.reference) == (
        ASSESSMENT.title,
        "2026-02-20",
        "PIA-2026-03",
    )
    assert crypto.reveal(row, "made_by") == "钱伟"
    entry = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "policy.faces")).one())
    assert entry.details == {"field": "recognise", "from": False, "to": True, "assessment": row.id}


def test_each_change_of_the_policy_is_an_entry_and_no_change_is_none(world: World) -> None:
    wanted = {"verify": False, "same": "50", "other": "20", "template_days": "90", "liveness": "passive"}
    first = world.do(face_policy.save, world.manager, world.site.id, wanted)
    assert world.do(face_policy.save, world.manager, world.site.id, wanted) == 0
    entries = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "policy.faces")).all())
    assert len(entries) == first
    policy = world.ask(face_policy.of_site, world.site.id)
    assert (policy.verify, policy.same, policy.other, policy.template_days) == (False, 50, 20, 90)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"same": "96"}, "same"),
        ({"same": "x"}, "same"),
        ({"other": "60"}, "other"),
        ({"recognise_same": "31"}, "recognise_same"),
        ({"template_days": "0"}, "template_days"),
        ({"liveness": "magic"}, "liveness"),
    ],
)
def test_a_policy_beyond_its_limits_changes_nothing(world: World, wanted: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.do(face_policy.save, world.manager, world.site.id, wanted)
    assert refused.value.field == field
    assert world.ask(repository.face_policy, world.site.id) is None


# --- enrolling --------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-06")
def test_a_face_is_stored_only_with_the_policy_a_permit_and_a_consent(world: World) -> None:
    booking, _ = standing(world)

    def refusal() -> str:
        with pytest.raises(Conflict) as refused:
            world.do(faces.enrol, world.manager, booking.visitor_id, face())
        return refused.value.code

    assert refusal() == "faces_off"
    switch_on(world)
    assert refusal() == "privacy_missing"
    agree(world, booking.visitor_id)
    world.do(permits.end, world.manager, booking.id)
    assert refusal() == "face_permit_needed"
    assert stored(world) == []


def test_a_stored_vector_opens_again_and_is_bound_to_pack_and_consent(world: World) -> None:
    booking, row = enrolled(world)
    consent = world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_RECOGNISE)
    assert consent is not None
    assert (row.consent_id, row.pack_id, row.dimension) == (consent.id, PACK, 128)
    assert row.expires_at == clock.now() + timedelta(days=365)
    assert templates.reveal(stored(world)[0]) == face()
    assert face().vector not in (stored(world)[0].vector or b"")
    assert "vector" not in repr(row)
    assert "vector" not in repr(face())


def test_capturing_again_replaces_the_face(world: World) -> None:
    booking, first = enrolled(world)
    said = heard(world)
    second = world.do(faces.enrol, world.manager, booking.visitor_id, face(7))
    assert [row.id for row in stored(world)] == [second.id]
    assert (first.id,) in [change.gone for change in said]


def test_a_consent_to_an_older_notice_serves_nothing_until_it_is_given_anew(world: World) -> None:
    booking, row = enrolled(world)
    consent = world.ask(repository.newest_consent, booking.visitor_id, Purpose.FACE_RECOGNISE)
    assert consent is not None

    change(world, consent, notice_version="2020-01")
    assert world.ask(faces.usable, world.site.id, PACK, clock.now()) == []
    assert world.ask(faces.permit_of, world.site.id, row.id, clock.now()) is None
    with pytest.raises(Conflict, match="privacy_missing"):
        world.do(faces.enrol, world.manager, booking.visitor_id, face())
    agree(world, booking.visitor_id)
    assert stored(world) == []
    world.do(faces.enrol, world.manager, booking.visitor_id, face())
    assert len(world.ask(faces.usable, world.site.id, PACK, clock.now())) == 1


def test_the_index_gets_only_vectors_of_the_running_pack(world: World) -> None:
    _, row = enrolled(world)
    assert world.ask(faces.usable, world.site.id, PACK, clock.now()) == [(row.id, face())]
    assert world.ask(faces.usable, world.site.id, "another", clock.now()) == []


# --- recognising ------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-02", "AD-02")
def test_a_recognised_regular_comes_in_on_the_own_permit(world: World) -> None:
    booking, row = enrolled(world)
    arrival = recognised(world, row)
    assert (arrival.booking_id, arrival.outcome) == (booking.id, Outcome.ADMIT)
    assert arrival.reasons == [Reason.STANDING]


def test_a_second_delivery_of_a_recognition_changes_nothing(world: World) -> None:
    _, row = enrolled(world)
    item = Presented("face", row.id, nonce(), clock.now(), "camera")
    first = world.do(presenting.present, world.both.id, item)
    assert world.do(presenting.present, world.both.id, item).id == first.id


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("end", ["withdrawn", "permit", "expired", "off", "elsewhere"])
def test_a_face_that_may_not_be_used_any_more_is_no_finding_against_anybody(
    world: World, fake_clock: FakeClock, end: str
) -> None:
    booking, row = enrolled(world)
    lane = world.both
    if end == "withdrawn":
        world.do(consents.withdraw, world.manager, row.consent_id, Channel.CONSOLE)
    elif end == "permit":
        fake_clock.move(days=31)
    elif end == "expired":
        change(world, booking, ends_at=clock.now() + timedelta(days=800))
        fake_clock.move(days=366)
    elif end == "off":
        world.do(face_policy.save, world.manager, world.site.id, {"recognise": False})
    else:
        lane = make_world(world.database, name="别处").both
    item = Presented("face", row.id, nonce(), clock.now(), "camera")
    arrival = world.do(presenting.present, lane.id, item)
    assert (arrival.booking_id, arrival.outcome, arrival.reasons) == (
        None,
        Outcome.NEEDS,
        [Reason.READ_AGAIN],
    )


# --- withdrawing and forgetting ---------------------------------------------------------------------------------------


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("who", ["manager", "person"])
def test_withdrawing_is_one_step_and_the_template_is_gone_with_it(world: World, who: str) -> None:
    booking, row = enrolled(world)
    said = heard(world)
    by = world.manager if who == "manager" else owner(world, booking.visitor_id)
    world.do(consents.withdraw, by, row.consent_id, Channel.PORTAL)
    assert stored(world) == []
    assert (row.id,) in [change.gone for change in said]
    consent = world.get(ConsentRecord, row.consent_id)
    assert (consent.withdrawn_at, consent.withdrawn_channel) == (clock.now(), "portal")
    world.do(consents.withdraw, by, row.consent_id, Channel.PORTAL)
    entries = world.ask(
        lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "privacy.withdraw")).all()
    )
    assert len(entries) == 1


def test_a_withdrawal_that_fails_is_not_announced(world: World) -> None:
    _, row = enrolled(world)
    said = heard(world)

    def fail(session: Session) -> None:
        consents.withdraw(session, world.manager, row.consent_id, Channel.CONSOLE)
        raise InvalidInput("input_wrong")

    with pytest.raises(GateError):
        world.do(fail)
    assert said == []
    assert len(stored(world)) == 1


@pytest.mark.req("ID-06")
def test_the_end_of_the_permit_is_the_end_of_the_face(world: World) -> None:
    booking, row = enrolled(world)
    said = heard(world)
    world.do(permits.end, world.manager, booking.id)
    assert stored(world) == []
    assert (row.id,) in [change.gone for change in said]


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("cause", ["expired", "ran out", "off", "none"])
def test_the_night_removes_what_has_no_reason_to_be_there(
    world: World, fake_clock: FakeClock, cause: str
) -> None:
    booking, _ = enrolled(world)
    if cause == "expired":
        change(world, booking, ends_at=clock.now() + timedelta(days=800))
        fake_clock.move(days=366)
    elif cause == "ran out":
        fake_clock.move(days=31)
    elif cause == "off":
        world.do(face_policy.save, world.manager, world.site.id, {"recognise": False})
    removed = 0 if cause == "none" else 1
    assert world.do(faces.sweep, world.site.id, clock.now()) == removed
    assert world.do(faces.sweep, world.site.id, clock.now()) == 0
    assert len(stored(world)) == 1 - removed


def test_forgetting_a_person_forgets_face_and_guardian(world: World, fake_clock: FakeClock) -> None:
    switch_on(world)
    booking, _ = standing(world)
    consent = agree(world, booking.visitor_id, CHILD)
    world.do(faces.enrol, world.manager, booking.visitor_id, face())
    change(world, booking, status="expired")
    world.do(retention.erase_person, booking.visitor_id, clock.now())
    assert stored(world) == []
    kept = world.get(ConsentRecord, consent.id)
    assert kept.guardian is None
    assert kept.withdrawn_at is not None


# --- the gauge --------------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-06")
def test_every_manager_hears_when_another_level_is_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.domain.identity import rules

    monkeypatch.setattr(rules, "FILING_PEOPLE", 3)  # 60 % is the second person, 100 % the third
    managers = [
        make_account(world, Role.MANAGER, username=f"manager.{n}", password="Lantern-42-river-x")
        for n in (1, 2)
    ]
    make_account(world, Role.GUARD)
    switch_on(world)
    levels: list[list[str]] = []
    for number in (1, 2, 3):
        booking, _ = standing(world, uid=f"04A1B2{number:02X}")
        agree(world, booking.visitor_id)
        world.do(faces.enrol, world.manager, booking.visitor_id, face(number))
        told = world.ask(lambda s: s.exec(select(InboxMessage).order_by(InboxMessage.id)).all())  # type: ignore[arg-type]
        assert {m.person_id for m in told} <= {account.person_id for account in managers}
        levels.append([m.payload["level"] for m in told if m.person_id == managers[0].person_id])
    assert levels == [[], ["60"], ["60", "100"]]
    assert FILING_PEOPLE == 100_000


# --- the stored bytes -------------------------------------------------------------------------------------------------


@pytest.mark.req("ID-06", "RE-05")
def test_no_file_of_the_installation_holds_a_face_and_after_withdrawal_not_even_the_sealed_one(
    sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    from app.core.settings import get_settings

    caplog.set_level("DEBUG")
    world = make_world(sqlite)
    _, row = enrolled(world)
    sealed = stored(world)[0].vector
    assert sealed is not None

    def holds(needle: bytes) -> bool:
        folder = get_settings().data_dir
        return any(needle in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert holds(sealed)
    clear = (face().vector, face().vector[:64].hex().encode())
    assert not any(holds(needle) for needle in clear)
    world.do(consents.withdraw, world.manager, row.consent_id, Channel.CONSOLE)
    with sqlite.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not holds(sealed)
    assert face().vector.hex() not in caplog.text


@pytest.mark.req("ID-06")
def test_with_faces_off_the_card_works_as_ever(world: World) -> None:
    booking, _ = standing(world, uid="04A1B2C3")
    world.do(face_policy.save, world.manager, world.site.id, {"verify": False})
    arrival = present(world, "04A1B2C3", "card")
    assert (arrival.outcome, arrival.booking_id) == (Outcome.ADMIT, booking.id)
