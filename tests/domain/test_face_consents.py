"""The ledger of consent and the policy of faces: who agreed to what, shown what, and what a site may do."""

from __future__ import annotations

import hashlib

import pytest
from sqlmodel import select

from app.core import clock, crypto
from app.core.audit import AuditEntry
from app.core.errors import InvalidInput, NotAllowed
from app.core.permissions import Role
from app.domain.identity import consents, face_policy, faces, repository
from app.domain.identity.consents import Declared
from app.domain.identity.face_policy import Assessment
from app.domain.identity.models import ConsentRecord, ImpactAssessment
from app.domain.identity.rules import TERMS, Age, Channel, Purpose
from tests.domain.faces_at_hand import (
    ASSESSMENT,
    CHILD,
    OLDER,
    agree,
    enrolled,
    face,
    shown,
    stored,
    switch_on,
)
from tests.factories import World, actor, make_world

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
