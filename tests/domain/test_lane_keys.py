"""Keys of a lane's computer: shown once, named, dated, revoked; and the lane named on the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.api import access as edge
from app.commands import lane_keys as command
from app.core import clock, crypto
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.core.permissions import RIGHTS, Right, Role
from app.domain.people import lane_keys
from app.domain.people import repository as people
from app.domain.people.models import ApiKey
from tests.factories import World, actor, make_world
from tests.installation import FakeClock


def make(world: World, label: str = "东门工控机") -> str:
    """A key of the first lane."""
    return world.do(lane_keys.create, world.manager, world.both.id, label)


@pytest.mark.req("RE-05")
def test_a_key_is_stored_as_a_hash_and_audited_without_it(world: World) -> None:
    secret = make(world)
    row = world.get(ApiKey, crypto.hash_secret(secret))
    assert (row.lane_id, row.label, row.used_at) == (world.both.id, "东门工控机", None)
    world.do(lane_keys.revoke, world.manager, row.id)
    world.do(lane_keys.revoke, world.manager, row.id)
    entries = world.ask(lambda s: s.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).all())
    keys = [e for e in entries if e.action.startswith("key.")]
    assert [e.action for e in keys] == ["key.create", "key.revoke"]
    assert secret not in str([e.model_dump() for e in entries])
    assert keys[0].details == keys[1].details == {"key": row.id.hex()[:12]}


def test_keys_in_use_are_listed_and_counted(world: World, fake_clock: FakeClock) -> None:
    first = make(world, "旧")
    fake_clock.move(minutes=1)
    make(world, "新")
    assert [key.label for key in world.ask(lane_keys.of_lane, world.both.id)] == ["新", "旧"]
    world.do(lane_keys.revoke, world.manager, crypto.hash_secret(first))
    assert [key.label for key in world.ask(lane_keys.of_lane, world.both.id)] == ["新"]
    assert world.ask(lane_keys.counts, world.site.id) == {world.both.id: 1}


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", list(Role))
def test_only_who_keeps_devices_makes_and_revokes_keys(world: World, role: Role) -> None:
    key = crypto.hash_secret(make(world))
    who = actor(world.site.id, role)
    if Right.DEVICE_EDIT in RIGHTS[role]:
        world.do(lane_keys.create, who, world.both.id, "x")
        world.do(lane_keys.revoke, who, key)
        return
    with pytest.raises(NotAllowed):
        world.do(lane_keys.create, who, world.both.id, "x")
    with pytest.raises(NotAllowed):
        world.do(lane_keys.revoke, who, key)


@pytest.mark.req("SI-04")
def test_another_sites_manager_reaches_no_key_here(world: World) -> None:
    key = crypto.hash_secret(make(world))
    stranger = make_world(world.database, name="翠湖苑").manager
    for act, given in ((lane_keys.create, (world.both.id, "x")), (lane_keys.revoke, (key,))):
        with pytest.raises(NotAllowed):
            world.do(act, stranger, *given)
    assert world.ask(people.api_key, key) is not None


@pytest.mark.parametrize("label", ["", "  ", "长" * 41])
def test_a_key_has_a_name(world: World, label: str) -> None:
    with pytest.raises(InvalidInput):
        make(world, label)


async def test_a_key_speaks_until_it_is_revoked_and_its_use_is_dated(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = crypto.hash_secret(make(world))
    monkeypatch.setattr(edge, "_keys", {})
    monkeypatch.setattr(edge.sessions, "MEMORY_SECONDS", 0.0)
    who = await edge._key_actor(key, "10.0.0.1")
    assert (who.lane_id, who.roles) == (world.both.id, frozenset({Role.LANE_AGENT}))
    first = clock.now()
    assert world.get(ApiKey, key).used_at == first
    fake_clock.move(minutes=14)
    await edge._key_actor(key, "10.0.0.1")
    assert world.get(ApiKey, key).used_at == first  # not a write for each answer
    fake_clock.move(minutes=1)
    await edge._key_actor(key, "10.0.0.1")
    assert world.get(ApiKey, key).used_at == first + timedelta(minutes=15)
    world.do(lane_keys.revoke, world.manager, key)
    with pytest.raises(NotSignedIn):
        await edge._key_actor(key, "10.0.0.1")


@pytest.mark.parametrize("words", ["", "1号道", "东门/1号道", " 东门 / 1号道 ", "锦绣花园/东门/1号道"])
def test_the_command_takes_a_lane_by_id_or_by_its_names(world: World, words: str) -> None:
    secret = world.do(command.make, words or world.both.id, "x")
    assert world.get(ApiKey, crypto.hash_secret(secret)).lane_id == world.both.id


@pytest.mark.parametrize("words", ["东门", "4号道", "西门/1号道", "", "/", "翠湖苑/东门/1号道"])
def test_the_command_knows_no_such_lane(world: World, words: str) -> None:
    with pytest.raises(NotFound):
        world.do(command.make, words, "x")


def test_a_name_that_two_lanes_bear_needs_more_words(world: World) -> None:
    make_world(world.database, name="翠湖苑")
    with pytest.raises(Conflict) as caught:
        world.do(command.make, "东门/1号道", "x")
    assert (caught.value.code, caught.value.params) == ("lane_ambiguous", {"lane": "东门/1号道"})
    assert isinstance(caught.value, GateError)
    world.do(command.make, "锦绣花园/东门/1号道", "x")


def test_the_command_lists_every_lane_with_its_names(world: World) -> None:
    found = world.ask(command.every)
    assert [(lane.site, lane.entrance, lane.lane) for lane in found] == [
        ("锦绣花园", "东门", f"{n}号道") for n in (1, 2, 3)
    ]
    assert found[0].id == world.both.id
