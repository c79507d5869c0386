"""Keys of other systems: scoped, hashed and sealed, two pairs at most during a rotation, dead when revoked (EV-06)."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.core import crypto
from app.core.audit import AuditEntry
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.core.permissions import RIGHTS, SCOPES, Right, Role
from app.domain.integration import keys
from app.domain.integration.models import IntegrationSecret
from tests.factories import World, actor, make_world
from tests.installation import FakeClock
from tests.oa import issue


@pytest.mark.req("EV-06", "RE-05")
def test_secrets_are_hashed_and_sealed_and_stand_in_no_log(world: World) -> None:
    made = issue(world, "booking.read")
    row = world.ask(lambda s: s.exec(select(IntegrationSecret)).one())
    assert row.token_hash == crypto.hash_secret(made.bearer)
    assert made.signing.encode() not in (row.signing or b"")
    assert crypto.reveal(row, "signing") == made.signing
    entries = world.ask(lambda s: [entry.model_dump() for entry in s.exec(select(AuditEntry)).all()])
    assert made.bearer not in str(entries) + repr(made)
    assert made.signing not in str(entries) + repr(made)
    assert [e["details"] for e in entries if e["action"] == "integration.issue"] == [
        {"scopes": "booking.read"}
    ]


@pytest.mark.req("EV-06", "SI-04")
def test_a_key_has_its_scopes_and_nothing_else(world: World) -> None:
    holder = world.ask(keys.resolve, issue(world, "booking.read").bearer).actor
    assert {right for right in SCOPES if holder.has(right)} == {Right.BOOKING_READ}
    everything = world.ask(keys.resolve, issue(world).bearer).actor
    assert {right for right in Right if everything.has(right)} == {*SCOPES, Right.PUBLIC, Right.SIGNED_IN}
    for wrong in ([], ["desk.use"], ["booking.read", "nothing"]):
        with pytest.raises(InvalidInput):
            world.do(keys.issue, world.manager, "OA", wrong)


@pytest.mark.req("EV-06")
def test_during_a_rotation_two_pairs_live_and_then_one(world: World, fake_clock: FakeClock) -> None:
    first = issue(world)
    second = world.do(keys.rotate, world.manager, first.key_id, 2)
    assert set(world.ask(keys.resolve, first.bearer).signing) == {first.signing, second.signing}
    fake_clock.move(hours=1)
    third = world.do(keys.rotate, world.manager, first.key_id, 2)
    with pytest.raises(NotSignedIn):  # never more than two: the oldest ends with the next one
        world.ask(keys.resolve, first.bearer)
    assert set(world.ask(keys.resolve, third.bearer).signing) == {second.signing, third.signing}
    fake_clock.move(hours=2)
    with pytest.raises(NotSignedIn):
        world.ask(keys.resolve, second.bearer)
    assert world.ask(keys.resolve, third.bearer).signing == (third.signing,)
    fourth = world.do(keys.rotate, world.manager, first.key_id, 0)
    with pytest.raises(NotSignedIn):
        world.ask(keys.resolve, third.bearer)
    assert world.ask(keys.resolve, fourth.bearer).expires_at is None


@pytest.mark.req("EV-06")
def test_a_revoked_key_is_dead_with_all_its_secrets(world: World) -> None:
    first = issue(world)
    second = world.do(keys.rotate, world.manager, first.key_id, 24)
    for _ in range(2):
        world.do(keys.revoke, world.manager, first.key_id)
    for made in (first, second):
        with pytest.raises(NotSignedIn):
            world.ask(keys.resolve, made.bearer)
    assert world.ask(keys.of_site, world.site.id) == []
    rows = world.ask(lambda s: s.exec(select(IntegrationSecret)).all())
    assert {row.signing for row in rows} == {None}
    with pytest.raises(Conflict):
        world.do(keys.rotate, world.manager, first.key_id, 1)


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", [role for role in Role if Right.INTEGRATION_EDIT not in RIGHTS[role]])
def test_only_managers_of_the_site_keep_keys(world: World, role: Role) -> None:
    made = issue(world)
    other = actor(world.site.id, role)
    with pytest.raises(NotAllowed):
        world.do(keys.issue, other, "OA", ["booking.read"])
    for work, more in ((keys.rotate, (1,)), (keys.revoke, ())):
        with pytest.raises(NotAllowed):
            world.do(work, other, made.key_id, *more)
        with pytest.raises(NotFound):
            world.do(
                work,
                actor(make_world(world.database, name="翠湖苑").site.id, Role.MANAGER),
                made.key_id,
                *more,
            )
    assert world.ask(keys.resolve, made.bearer).actor.site_id == world.site.id


@pytest.mark.parametrize("hours", ["-1", "169", "x", ""])
def test_an_overlap_beyond_its_limits_is_refused(world: World, hours: str) -> None:
    made = issue(world)
    with pytest.raises(InvalidInput):
        world.do(keys.rotate, world.manager, made.key_id, hours)
