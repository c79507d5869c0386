"""Signing in: locked after five wrong passwords, ended when idle, disabled or replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from app.core import passwords
from app.core.actor import ANONYMOUS, SYSTEM, Actor
from app.core.audit import AuditEntry
from app.core.errors import GateError, InvalidInput, NotAllowed, TooMany
from app.core.permissions import Role, may_hold_together
from app.domain.people import service as people
from app.domain.people import sessions
from app.domain.people.models import Account, WebSession
from app.domain.people.sessions import SignedIn
from tests.factories import PASSWORD, World, actor, make_account, make_world
from tests.installation import FakeClock

WRONG = "Wrong-password-1"


def sign_in(world: World, password: str = PASSWORD, username: str = "guard.li") -> SignedIn | None:
    return world.do(sessions.sign_in, username, password, "10.0.0.1")


def resolve(world: World, signed: SignedIn | None) -> Actor:
    assert signed is not None
    return world.ask(sessions.resolve, signed.secret)


@pytest.mark.req("EV-05")
def test_the_right_password_opens_a_session(world: World) -> None:
    account = make_account(world)
    who = resolve(world, sign_in(world, username=" Guard.Li "))
    assert (who.account_id, who.site_id, who.roles) == (account.id, world.site.id, frozenset({Role.GUARD}))


@pytest.mark.req("EV-05")
def test_the_cookie_is_not_stored(world: World) -> None:
    make_account(world)
    signed = sign_in(world)
    assert signed is not None
    (row,) = world.ask(lambda session: list(session.exec(select(WebSession)).all()))
    assert signed.secret.encode() not in row.id


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("username", "password"),
    [("guard.li", WRONG), ("nobody", PASSWORD), ("guard.li", "x" * 10_000), ("", "")],
)
def test_a_wrong_name_or_password_opens_none_and_is_logged(
    world: World, username: str, password: str
) -> None:
    make_account(world)
    assert sign_in(world, password, username) is None
    entries = world.ask(
        lambda session: list(
            session.exec(select(AuditEntry).where(AuditEntry.action == "session.fail")).all()
        )
    )
    assert [entry.result for entry in entries] == ["refused"]


@pytest.mark.req("EV-05")
def test_five_wrong_passwords_lock_the_account_for_half_an_hour(world: World, fake_clock: FakeClock) -> None:
    make_account(world)
    for _ in range(4):
        assert sign_in(world, WRONG) is None
    assert world.ask(sessions.locked_minutes, "guard.li") == 0
    assert sign_in(world, WRONG) is None
    assert sign_in(world) is None
    assert world.ask(sessions.locked_minutes, "guard.li") > 0
    fake_clock.move(minutes=29, seconds=59)
    assert sign_in(world) is None
    fake_clock.move(seconds=1)
    assert sign_in(world) is not None


@pytest.mark.req("EV-05")
def test_a_success_forgets_the_failures_before(world: World) -> None:
    make_account(world)
    for _ in range(3):
        for _ in range(4):
            sign_in(world, WRONG)
        assert sign_in(world) is not None


@pytest.mark.req("EV-05")
def test_wrong_passwords_given_at_the_same_moment_are_all_counted(world: World) -> None:
    account = make_account(world)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: sign_in(world, WRONG), range(4)))
    assert world.get(Account, account.id).failures == 4


@pytest.mark.req("EV-05")
def test_one_address_cannot_try_for_ever(world: World) -> None:
    for _ in range(30):
        sessions.check_address("10.0.0.9")
    with pytest.raises(TooMany):
        sessions.check_address("10.0.0.9")
    sessions.check_address("10.0.0.10")


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("role", "minutes"), [(Role.GUARD, 30), (Role.MANAGER, 15), (Role.AUDITOR, 15), (Role.RESIDENT, 43200)]
)
def test_an_idle_session_ends_by_role(world: World, fake_clock: FakeClock, role: Role, minutes: int) -> None:
    make_account(world, role)
    signed = sign_in(world)
    if minutes < 43200:
        fake_clock.move(minutes=minutes, seconds=-1)
        world.do(sessions.touch, resolve(world, signed).session_id)
        fake_clock.move(minutes=minutes, seconds=-1)
        assert resolve(world, signed) != ANONYMOUS
        fake_clock.move(seconds=1)
    else:
        fake_clock.move(minutes=minutes)
    assert resolve(world, signed) == ANONYMOUS


@pytest.mark.req("EV-05")
def test_a_session_of_a_disabled_account_is_nobody(world: World) -> None:
    account = make_account(world)
    signed = sign_in(world)
    world.do(people.set_disabled, actor(world.site.id, Role.ADMIN), account.id, True)
    assert resolve(world, signed) == ANONYMOUS
    assert sign_in(world) is None
    world.do(people.set_disabled, actor(world.site.id, Role.ADMIN), account.id, False)
    assert resolve(world, signed) == ANONYMOUS
    assert sign_in(world) is not None


@pytest.mark.req("EV-05")
def test_an_account_disabled_in_the_database_alone_is_nobody_too(world: World) -> None:
    account = make_account(world)
    signed = sign_in(world)

    def disable(session) -> None:
        row = session.get(Account, account.id)
        row.disabled = True
        session.add(row)

    world.do(disable)
    assert resolve(world, signed) == ANONYMOUS


@pytest.mark.req("EV-05")
def test_signing_out_ends_the_session(world: World) -> None:
    make_account(world)
    signed = sign_in(world)
    world.do(sessions.sign_out, resolve(world, signed))
    assert resolve(world, signed) == ANONYMOUS


@pytest.mark.req("EV-05")
def test_a_password_change_ends_the_other_sessions(world: World) -> None:
    account = make_account(world)
    here, there = sign_in(world), sign_in(world)
    world.do(people.change_password, resolve(world, here), account.id, PASSWORD, "Another-77-harbour")
    assert resolve(world, here) != ANONYMOUS
    assert resolve(world, there) == ANONYMOUS
    assert sign_in(world) is None
    assert sign_in(world, "Another-77-harbour") is not None


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (WRONG, "Another-77-harbour", "password_not_right"),
        (PASSWORD, PASSWORD, "password_same"),
        (PASSWORD, "short", "password_short"),
    ],
)
def test_a_password_change_needs_the_old_one_and_a_good_new_one(
    world: World, old: str, new: str, code: str
) -> None:
    account = make_account(world)
    who = resolve(world, sign_in(world))
    with pytest.raises(InvalidInput) as caught:
        world.do(people.change_password, who, account.id, old, new)
    assert caught.value.code == code


@pytest.mark.req("EV-05")
def test_nobody_changes_the_password_of_another(world: World) -> None:
    account = make_account(world)
    with pytest.raises(NotAllowed):
        world.do(
            people.change_password,
            actor(world.site.id, Role.ADMIN),
            account.id,
            PASSWORD,
            "Another-77-harbour",
        )


@pytest.mark.req("EV-05")
def test_a_manager_has_one_session_at_a_time(world: World) -> None:
    make_account(world, Role.MANAGER)
    first, second = sign_in(world), sign_in(world)
    assert resolve(world, first) == ANONYMOUS
    assert resolve(world, second) != ANONYMOUS


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    "password",
    ["Short-1", "password1", "alllowercase1", "12345678", "Guard.Li-2026", "Ab1-" * 33, "abcdefgh"],
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        passwords.check_strength(password, "guard.li")


@pytest.mark.req("EV-05")
@pytest.mark.parametrize("password", ["Abcd-1234", "correct horse battery staple", "门岗-Aa1-安全通道"])
def test_a_strong_password_is_taken(password: str) -> None:
    passwords.check_strength(password, "guard.li")


@pytest.mark.req("EV-05")
def test_a_manager_needs_a_longer_password(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_account(world, Role.MANAGER, password="Abcd-1234")
    assert caught.value.code == "password_short"


@pytest.mark.req("EV-05")
def test_a_composed_and_a_decomposed_password_are_one() -> None:
    stored = passwords.hash_password("Caf\u00e9-1234")
    assert passwords.verify_password("Cafe\u0301-1234", stored)[0]
    assert stored.startswith("$argon2id$")


@pytest.mark.req("EV-05", "SI-04")
@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ({Role.ADMIN, Role.AUDITOR}, False),
        ({Role.ADMIN, Role.MANAGER}, False),
        ({Role.MANAGER, Role.AUDITOR}, False),
        ({Role.GUARD, Role.SUPERVISOR}, True),
        ({Role.MANAGER, Role.SUPERVISOR}, True),
    ],
)
def test_the_three_administrators_exclude_each_other(world: World, roles: set[Role], allowed: bool) -> None:
    assert may_hold_together(frozenset(roles)) is allowed
    if allowed:
        make_account(world, *roles)
    else:
        with pytest.raises(InvalidInput) as caught:
            make_account(world, *roles)
        assert caught.value.code == "roles_exclude"


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("ab", "username_wrong"),
        ("a b c", "username_wrong"),
        ("x" * 41, "username_wrong"),
        ("GUARD.LI", "username_taken"),
    ],
)
def test_a_user_name_is_short_single_and_not_taken(world: World, username: str, code: str) -> None:
    make_account(world)
    with pytest.raises(InvalidInput) as caught:
        make_account(world, username=username)
    assert caught.value.code == code


@pytest.mark.req("EV-05")
def test_an_account_is_not_made_for_a_person_of_another_site(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    with pytest.raises(GateError):
        world.do(
            people.create_account,
            SYSTEM,
            world.site.id,
            elsewhere.resident,
            "wang",
            PASSWORD,
            [Role.RESIDENT],
        )
