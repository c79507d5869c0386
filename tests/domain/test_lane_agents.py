"""Lane computers: a code that works once, a secret kept as a hash, lanes of one site, an end (ID-01, SI-04)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from app.commands import lane_agents as command
from app.core import crypto
from app.core.actor import SYSTEM, Actor
from app.core.audit import AuditEntry
from app.core.errors import Conflict, GateError, InvalidInput, NotAllowed, NotSignedIn, TooMany
from app.core.permissions import RIGHTS, Right, Role
from app.domain.sites import agents
from app.domain.sites import service as sites
from app.domain.sites.models import AgentStream, Device, LaneAgent
from app.domain.sites.streams import Progress
from tests.factories import World, actor, make_world
from tests.installation import FakeClock


def make(world: World, label: str = "东门工控机") -> tuple[LaneAgent, str]:
    return world.do(agents.create, world.manager, label, [world.both.id, world.entry.id])


def enrolled(world: World) -> tuple[LaneAgent, Actor, str]:
    _, code = make(world)
    made = world.do(agents.enrol, code, "0.1.0", "10.0.0.9")
    assert made is not None
    return made.agent, world.ask(agents.resolve, made.secret), made.secret


def entries(world: World, prefix: str = "agent.") -> list[AuditEntry]:
    found = world.ask(lambda s: s.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).all())
    return [entry for entry in found if entry.action.startswith(prefix)]


@pytest.mark.req("RE-05")
def test_code_and_secret_are_kept_as_hashes_and_audited_without_them(world: World) -> None:
    agent, code = make(world)
    made = world.do(agents.enrol, code, "0.1.0", "10.0.0.9")
    assert made is not None
    world.do(agents.revoke, world.manager, agent.id)
    world.do(agents.revoke, world.manager, agent.id)
    found = entries(world)
    assert [entry.action for entry in found] == ["agent.create", "agent.enrol", "agent.revoke"]
    assert (found[1].actor, found[1].ip) == (f"agent:{agent.id}", "10.0.0.9")
    stored = str([entry.model_dump() for entry in found]) + repr(world.get(LaneAgent, agent.id).model_dump())
    for secret in (code, code.replace("-", ""), made.secret, made.spool_key):
        assert secret not in stored


@pytest.mark.req("SI-04")
def test_a_code_works_once(world: World) -> None:
    _, code = make(world)
    assert world.do(agents.enrol, code, "1", "") is not None
    assert world.do(agents.enrol, code, "1", "") is None
    assert [e.result for e in entries(world, "agent.enrol")] == ["ok", "refused"]


@pytest.mark.req("SI-04")
def test_a_code_expires(world: World, fake_clock: FakeClock) -> None:
    _, code = make(world)
    fake_clock.move(hours=agents.CODE_HOURS)
    assert world.do(agents.enrol, code, "1", "") is None


@pytest.mark.req("SI-04")
def test_a_code_is_read_as_people_type_it(world: World) -> None:
    _, code = make(world)
    assert world.do(agents.enrol, f"  {code.lower().replace('-', ' ')} ", "1", "") is not None


@pytest.mark.req("SI-04")
@pytest.mark.parametrize(
    "code", ["", "-----", "ABCDE-FGHJK-LMNPQ-RSTUV", "😀" * 8, "'; DROP TABLE lane_agent; --"]
)
def test_a_wrong_code_enrols_nobody(world: World, code: str) -> None:
    make(world)
    assert world.do(agents.enrol, code, "1", "") is None
    assert entries(world)[-1].result == "refused"


@pytest.mark.usefixtures("fake_clock")
def test_an_address_may_try_ten_codes_in_ten_minutes(fake_clock: FakeClock) -> None:
    for _ in range(10):
        agents.enrol_limit.hit("10.9.8.7")
    with pytest.raises(TooMany):
        agents.enrol_limit.hit("10.9.8.7")
    agents.enrol_limit.hit("10.9.8.6")
    fake_clock.move(minutes=11)
    agents.enrol_limit.hit("10.9.8.7")


def test_another_machine_in_its_place_ends_the_old_one_when_it_is_enrolled(world: World) -> None:
    agent, _, old = enrolled(world)
    code = world.do(agents.renew, world.manager, agent.id)
    assert world.ask(agents.resolve, old).agent_id == agent.id
    made = world.do(agents.enrol, code, "2", "")
    assert made is not None
    assert made.agent.id == agent.id
    assert world.ask(agents.resolve, made.secret).agent_id == agent.id
    with pytest.raises(NotSignedIn):
        world.ask(agents.resolve, old)


@pytest.mark.req("SI-04")
def test_a_revoked_computer_is_nobody_even_for_who_resolved_it_before(world: World) -> None:
    agent, who, secret = enrolled(world)
    world.do(agents.revoke, world.manager, agent.id)
    with pytest.raises(NotSignedIn):
        world.ask(agents.resolve, secret)
    with pytest.raises(NotSignedIn):
        world.ask(agents.own, who)
    with pytest.raises(Conflict):
        world.do(agents.renew, world.manager, agent.id)
    assert world.ask(agents.in_use) == frozenset()
    assert world.ask(agents.of_site, world.site.id) == []


@pytest.mark.req("SI-04")
def test_a_code_of_a_revoked_computer_is_worth_nothing(world: World) -> None:
    agent, code = make(world)
    world.do(agents.revoke, world.manager, agent.id)
    assert world.do(agents.enrol, code, "1", "") is None


@pytest.mark.req("SI-04")
@pytest.mark.parametrize("role", list(Role))
def test_only_who_keeps_devices_makes_and_revokes_computers(world: World, role: Role) -> None:
    agent, _ = make(world)
    who = actor(world.site.id, role)
    if Right.DEVICE_EDIT in RIGHTS[role]:
        world.do(agents.renew, who, agent.id)
        world.do(agents.revoke, who, agent.id)
        return
    for act, given in (
        (agents.create, ("x", [world.both.id])),
        (agents.renew, (agent.id,)),
        (agents.revoke, (agent.id,)),
    ):
        with pytest.raises(NotAllowed):
            world.do(act, who, *given)


@pytest.mark.req("SI-04")
def test_another_sites_manager_reaches_no_computer_here(world: World) -> None:
    agent, _ = make(world)
    other = make_world(world.database, name="翠湖苑")
    for act, given in (
        (agents.create, ("x", [world.both.id])),
        (agents.renew, (agent.id,)),
        (agents.revoke, (agent.id,)),
    ):
        with pytest.raises(NotAllowed):
            world.do(act, other.manager, *given)
    with pytest.raises(InvalidInput):
        world.do(agents.create, SYSTEM, "x", [world.both.id, other.both.id])


@pytest.mark.parametrize("label", ["", "  ", "长" * 41])
def test_a_computer_has_a_name_and_a_lane(world: World, label: str) -> None:
    with pytest.raises(InvalidInput):
        make(world, label)
    with pytest.raises(InvalidInput):
        world.do(agents.create, world.manager, "x", [])


def device_of(session: Session, world: World, lane_id: str) -> Device:
    lane = next(lane for lane in (world.both, world.entry, world.exit) if lane.id == lane_id)
    return sites.save_device(session, SYSTEM, lane, "读卡器", "pcsc", {})


def test_a_device_is_placed_at_a_computer_of_its_lane_only(world: World) -> None:
    agent, _ = make(world)

    def place(lane_id: str, agent_id: str) -> str:
        def work(session: Session) -> str:
            device = device_of(session, world, lane_id)
            agents.place(session, device, agent_id)
            return device.id

        return world.do(work)

    placed = place(world.both.id, agent.id)
    assert [device.id for device in world.ask(agents.devices, agent.id)] == [placed]
    with pytest.raises(InvalidInput):
        place(world.exit.id, agent.id)
    world.do(agents.revoke, world.manager, agent.id)
    with pytest.raises(InvalidInput):
        place(world.entry.id, agent.id)
    place(world.both.id, "")
    assert world.ask(agents.devices, agent.id) == []


def test_a_device_stays_at_a_revoked_computer_until_it_is_given_another_place(world: World) -> None:
    agent, _, _ = enrolled(world)
    other, _ = make(world, "岗亭电脑")
    device_id = world.do(lambda session: device_of(session, world, world.both.id).id)

    def place(agent_id: str) -> str | None:
        def work(session: Session) -> str | None:
            device = session.get_one(Device, device_id)
            agents.place(session, device, agent_id)
            return device.agent_id

        return world.do(work)

    place(agent.id)
    world.do(agents.revoke, world.manager, agent.id)
    assert place(agent.id) == agent.id
    assert place(other.id) == other.id
    with pytest.raises(InvalidInput):
        place(agent.id)
    assert place("") is None


def test_a_steady_computer_is_written_down_now_and_then_a_changed_one_at_once(
    world: World, fake_clock: FakeClock
) -> None:
    agent, who, _ = enrolled(world)

    def say(waiting: int) -> tuple[int, int | None]:
        world.do(agents.note_health, who, "0.1.0", waiting, "", waiting)
        row = world.get(LaneAgent, agent.id)
        return row.waiting, row.clock_offset_ms

    assert say(7) == (7, 7)
    seen = world.get(LaneAgent, agent.id).seen_at
    fake_clock.move(seconds=4)
    assert say(7) == (7, 7)
    assert world.get(LaneAgent, agent.id).seen_at == seen
    assert say(0) == (0, 0)
    fake_clock.move(seconds=15)
    say(0)
    assert world.get(LaneAgent, agent.id).seen_at == fake_clock.now()


def test_a_new_configuration_is_audited_once(world: World) -> None:
    _, who, _ = enrolled(world)
    for revision in ("a", "a", "b"):
        world.do(agents.note_config, who, revision)
    assert [e.details["revision"] for e in entries(world, "agent.config")] == ["a", "b"]


@pytest.mark.req("AD-22")
def test_how_far_a_stream_is_recorded_is_kept_and_old_streams_are_forgotten(
    world: World, fake_clock: FakeClock
) -> None:
    agent, _, _ = enrolled(world)
    for number in range(agents.STREAMS_KEPT + 3):
        fake_clock.move(seconds=1)
        world.do(agents.advance, agent.id, f"{number:016x}", Progress(number + 1, ("d",)))
    kept = world.ask(lambda s: s.exec(select(AgentStream.stream).order_by(AgentStream.stream)).all())
    assert kept == [f"{number:016x}" for number in range(3, agents.STREAMS_KEPT + 3)]
    assert world.ask(agents.progress, agent.id, kept[-1]) == Progress(agents.STREAMS_KEPT + 3, ("d",))
    assert world.ask(agents.progress, agent.id, "0" * 16) == Progress()


def test_the_command_names_lanes_as_for_a_key_and_lists_computers(world: World) -> None:
    code = world.do(command.make, "东门工控机", ["东门/1号道", world.entry.id])
    made = world.do(agents.enrol, code, "0.1.0", "")
    assert made is not None
    assert made.agent.lane_ids == [world.both.id, world.entry.id]
    assert [(found.id, found.site, found.label) for found in world.ask(command.every)] == [
        (made.agent.id, "锦绣花园", "东门工控机")
    ]
    for words in (["4号道"], [""], []):
        with pytest.raises(GateError):
            world.do(command.make, "x", words)
    assert agents.command("http://gate.test:8020", code).endswith(f"{code} --plain-http")
    assert agents.command("https://gate.test", code).endswith(code)


def test_a_secret_of_a_computer_does_not_look_like_a_lanes_key(world: World) -> None:
    _, _, secret = enrolled(world)
    assert secret.startswith(agents.PREFIX)
    assert len(crypto.hash_secret(secret)) == 32
    assert timedelta(hours=agents.CODE_HOURS) <= timedelta(days=1)
