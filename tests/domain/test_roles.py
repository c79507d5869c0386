"""Every service refuses the wrong roles, and the right roles of another site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.core.actor import ANONYMOUS, SYSTEM, Actor
from app.core.errors import GateError, NotAllowed
from app.core.permissions import RIGHTS, Right, Role
from app.domain.access import invitations
from app.domain.access import service as access
from app.domain.admission import cases, exits, presenting, walk_ins
from app.domain.admission import service as admission
from app.domain.admission.badges import badge_of
from app.domain.admission.case_rules import PictureState
from app.domain.admission.rules import Kind, Result
from app.domain.booking import service as bookings
from app.domain.booking.rules import BookingSource
from app.domain.duty import service as duty
from app.domain.people import importing
from app.domain.people import service as people
from app.domain.sites import service as sites
from app.domain.sites.badges import set_printing
from tests.factories import (
    World,
    actor,
    invitation,
    invite,
    let_in,
    make_account,
    make_world,
    see_document,
    show_code,
    standing,
    walk_in,
)


@dataclass
class Scene:
    """What the calls below act upon, made once per test."""

    world: World
    booking: str = ""
    standing: str = ""
    card: object = None
    attempt: str = ""
    consent: str = ""
    visit: str = ""
    account: str = ""
    device: str = ""
    case: str = ""


def make_scene(world: World) -> Scene:
    scene = Scene(world)
    scene.visit = let_in(world)[2].id
    scene.booking = invite(world)[0].id
    booking, scene.card = standing(world)
    scene.standing = booking.id
    scene.attempt = walk_in(world).id
    scene.consent = world.do(walk_ins.ask_host, world.guard, scene.attempt).id
    presenting_case(scene)
    scene.account = make_account(world, Role.RESIDENT).id
    scene.device = world.do(sites.save_device, SYSTEM, world.both, "camera", "camera", {}).id
    return scene


def presenting_case(scene: Scene) -> None:
    """A case with a picture, of a guest whose document the guard doubts."""
    world = scene.world
    doubted = see_document(world, show_code(world, invite(world)[1]), Result.ABNORMAL)
    found = world.ask(cases.of_attempt, doubted.id)
    assert found is not None
    world.do(cases.keep_picture, found.id, PictureState.KEPT, "0" * 32)
    scene.case = found.id


Call = Callable[[Scene, Actor], object]
# Each service that takes an actor, the right it needs, and how it is called.
CALLS: dict[str, tuple[Right, Call]] = {
    "find_by_name": (Right.DESK_USE, lambda s, a: s.world.do(presenting.find_by_name, a, s.world.both.id, s.booking, "n")),
    "see": (Right.DESK_USE, lambda s, a: s.world.do(presenting.see, a, s.attempt, Kind.DOCUMENT, Result.OK, "n")),
    "admit": (Right.DESK_USE, lambda s, a: s.world.do(admission.admit, a, s.attempt)),
    "refuse": (Right.DESK_USE, lambda s, a: s.world.do(admission.refuse, a, s.attempt)),
    "set_aside": (Right.DESK_USE, lambda s, a: s.world.do(admission.set_aside, a, s.attempt)),
    "register": (Right.DESK_USE, lambda s, a: s.world.do(
        walk_ins.register, a, s.world.both.id, walk_ins.WalkInForm(s.world.unit.id, "何强", "13911112222"))),
    "ask_host": (Right.DESK_USE, lambda s, a: s.world.do(walk_ins.ask_host, a, s.attempt)),
    "record_call": (Right.DESK_USE, lambda s, a: s.world.do(
        walk_ins.record_call, a, s.attempt, agree=True, who=s.world.resident.id, channel="phone")),
    "answer": (Right.CONSENT_ANSWER, lambda s, a: s.world.do(walk_ins.answer, a, s.consent, agree=True)),
    "leave": (Right.DESK_USE, lambda s, a: s.world.do(exits.leave, a, s.visit, s.world.both.id, "search")),
    "lose_pass": (Right.DESK_USE, lambda s, a: s.world.do(
        exits.lose_pass, a, s.visit, s.world.both.id, "丢", identity_seen=True, paid=True)),
    "sign_on": (Right.DESK_USE, lambda s, a: s.world.do(duty.sign_on, a, s.world.both.id)),
    "invite": (Right.BOOK, lambda s, a: s.world.do(invitations.invite, a, invitation(s.world))),
    "cancel": (Right.BOOK, lambda s, a: s.world.do(invitations.cancel, a, s.booking)),
    "send_link": (Right.BOOK, lambda s, a: s.world.do(bookings.send_link, a, s.booking)),
    "standing": (Right.PEOPLE_EDIT, lambda s, a: s.world.do(
        bookings.create, a, invitation(s.world, visitor_type="partner"), BookingSource.STANDING)),
    "issue_card": (Right.PEOPLE_EDIT, lambda s, a: s.world.do(access.issue_card, a, s.world.site.id, s.standing, "04AABBCC")),
    "set_card_status": (Right.PEOPLE_EDIT, lambda s, a: s.world.do(
        lambda session: access.set_card_status(session, a, session.merge(s.card), access.CardStatus.BLOCKED))),
    "import_residents": (Right.PEOPLE_EDIT, lambda s, a: s.world.do(
        importing.import_residents, a, s.world.site.id, "房号,姓名,手机\n1-1,王五,13700137000\n".encode(), "a.csv")),
    "create_account": (Right.PEOPLE_EDIT, lambda s, a: s.world.do(
        people.create_account, a, s.world.site.id, s.world.resident, "wang.jian", "Abcd-1234", [Role.RESIDENT])),
    "create_staff_account": (Right.ACCOUNT_EDIT, lambda s, a: s.world.do(
        people.create_account, a, s.world.site.id, s.world.resident, "wang.jian", "Abcd-1234", [Role.GUARD])),
    "set_disabled": (Right.ACCOUNT_EDIT, lambda s, a: s.world.do(people.set_disabled, a, s.account, True)),
    "add_lane": (Right.SITE_EDIT, lambda s, a: s.world.do(
        sites.add_lane, a, s.world.site, "西门", "1号道", "gate_post", "in")),
    "save_device": (Right.DEVICE_EDIT, lambda s, a: s.world.do(sites.save_device, a, s.world.both, "reader", "pcsc", {})),
    "delete_device": (Right.DEVICE_EDIT, lambda s, a: s.world.do(sites.delete_device, a, s.device)),
    "look_at_case": (Right.CASE_VIEW, lambda s, a: s.world.do(cases.look, a, s.case)),
    "case_picture": (Right.CASE_VIEW, lambda s, a: s.world.do(cases.picture, a, s.case, "scene")),
    "close_case": (Right.DESK_REVIEW, lambda s, a: s.world.do(cases.close, a, s.case, "released", "核对过")),
    "badge_of": (Right.DESK_USE, lambda s, a: s.world.do(badge_of, a, s.visit)),
    "set_printing": (Right.POLICY_EDIT, lambda s, a: s.world.do(
        set_printing, a, s.world.site.id, at_once=True, name="full")),
    "set_risk_class": (Right.POLICY_EDIT, lambda s, a: s.world.do(sites.set_risk_class, a, s.world.site.id, "high")),
    "set_field_rule": (Right.POLICY_EDIT, lambda s, a: s.world.do(
        sites.set_field_rule, a, s.world.site.id, "guest", "plate", "off")),
}  # fmt: skip


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)  # no query decides here
@pytest.mark.parametrize("name", CALLS)
def test_a_service_refuses_every_role_without_its_right(world: World, name: str) -> None:
    right, call = CALLS[name]
    scene = make_scene(world)
    wrong = [role for role in Role if right not in RIGHTS[role]]
    assert wrong
    for role in wrong:
        with pytest.raises(NotAllowed):
            call(scene, actor(world.site.id, role, person_id=world.resident.id))
    with pytest.raises(NotAllowed):
        call(scene, ANONYMOUS)


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", CALLS)
def test_a_service_refuses_the_right_role_of_another_site(world: World, name: str) -> None:
    right, call = CALLS[name]
    scene = make_scene(world)
    elsewhere = make_world(world.database, name="翠湖苑")
    for role in (role for role in Role if right in RIGHTS[role]):
        with pytest.raises(GateError) as caught:
            call(scene, actor(elsewhere.site.id, role, person_id=elsewhere.resident.id))
        assert caught.value.status in {403, 404}


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("name", sorted(set(CALLS) - {"admit", "sign_on"}))
def test_a_service_serves_the_role_that_has_its_right(world: World, name: str) -> None:
    right, call = CALLS[name]
    role = next(role for role in Role if right in RIGHTS[role])
    call(make_scene(world), actor(world.site.id, role, person_id=world.resident.id))


@pytest.mark.req("SI-04")
def test_a_guard_finds_no_booking_of_another_site(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    foreign = invite(elsewhere)[0]
    with pytest.raises(NotAllowed):
        world.do(presenting.find_by_name, world.guard, world.both.id, foreign.id, "n")


@pytest.mark.req("SI-04")
def test_a_guard_registers_nobody_for_a_unit_of_another_site(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    with pytest.raises(GateError) as caught:
        walk_in(world, unit_id=elsewhere.unit.id)
    assert caught.value.code == "unit_missing"


@pytest.mark.req("SI-04")
def test_no_administrator_sees_a_visitor_and_no_auditor_operates() -> None:
    assert not RIGHTS[Role.ADMIN] & {Right.REVEAL, Right.VISITOR_FIND, Right.LEDGER_VIEW, Right.CAMERA_VIEW}
    assert RIGHTS[Role.AUDITOR] == {Right.AUDIT_VIEW}
    assert not any(Right.AUDIT_VIEW in RIGHTS[role] for role in Role if role is not Role.AUDITOR)
