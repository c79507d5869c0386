"""Stored faces: enrolled only with policy, permit and consent, recognised, and gone with any of them (ID-02, ID-06)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import Conflict, GateError, InvalidInput
from app.core.permissions import Role
from app.domain.access import permits
from app.domain.admission import presenting
from app.domain.admission.evidence import Presented
from app.domain.admission.rules import Outcome, Reason
from app.domain.identity import consents, face_policy, faces, repository, templates
from app.domain.identity.models import ConsentRecord
from app.domain.identity.rules import FILING_PEOPLE, Channel, Purpose
from app.domain.people.models import InboxMessage
from app.domain.records import retention
from tests.domain.faces_at_hand import (
    CHILD,
    PACK,
    agree,
    change,
    enrolled,
    face,
    heard,
    owner,
    recognised,
    stored,
    switch_on,
)
from tests.factories import World, make_account, make_world, nonce, present, standing
from tests.installation import FakeClock

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


@pytest.mark.req("RE-04")
def test_who_answered_for_a_child_is_forgotten_half_a_year_after_the_consent_ended(
    world: World, fake_clock: FakeClock
) -> None:
    consent = agree(world, world.resident.id, CHILD)
    fake_clock.move(days=400)
    assert world.do(retention.purge, world.site.id, clock.now()) == 0
    assert world.get(ConsentRecord, consent.id).guardian is not None  # it stands, and so does who answered
    world.do(consents.withdraw, world.manager, consent.id, Channel.CONSOLE)
    fake_clock.move(days=retention.NOTE_DAYS)
    assert world.do(retention.purge, world.site.id, clock.now()) == 0
    fake_clock.move(minutes=1)
    assert world.do(retention.purge, world.site.id, clock.now()) == 1
    kept = world.get(ConsentRecord, consent.id)
    assert (kept.guardian, kept.guardian_relation) == (None, "father")


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
