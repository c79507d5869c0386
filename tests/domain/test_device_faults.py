"""Fault tickets: one for each time a device does not work, whatever its plug does meanwhile (DU-06)."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.core.errors import Conflict, NotFound
from app.core.permissions import Role
from app.domain.sites import faults
from app.domain.sites import service as sites_service
from app.domain.sites.models import Device, DeviceFault, Lane
from tests.factories import World, actor
from tests.installation import FakeClock

pytestmark = pytest.mark.req("DU-06")


@pytest.fixture
def device(world: World) -> str:
    def make(session: Session) -> str:
        lane = session.get(Lane, world.both.id)
        assert lane is not None
        return sites_service.save_device(session, world.manager, lane, "IC 读卡器", "pcsc", {}).id

    return str(world.do(make))


def turns(world: World, device_id: str, status: str, detail: str = "") -> None:
    def work(session: Session) -> None:
        device = session.get(Device, device_id)
        assert device is not None
        device.status, device.status_detail = status, detail
        session.add(device)
        faults.note(session, device, clock.now())

    world.do(work)


def tickets(world: World) -> list[DeviceFault]:
    return list(world.ask(lambda s: s.exec(select(DeviceFault).order_by(DeviceFault.began_at)).all()))


def test_a_fault_is_one_ticket_from_its_first_sign_to_its_end(
    world: World, device: str, fake_clock: FakeClock
) -> None:
    turns(world, device, "online")
    assert tickets(world) == []
    began = clock.now()
    turns(world, device, "offline", "reader_absent")
    fake_clock.move(seconds=20)
    turns(world, device, "starting")
    turns(world, device, "offline", "service_down")
    (ticket,) = tickets(world)
    assert (ticket.began_at, ticket.ended_at, ticket.detail) == (began, None, "reader_absent")
    fake_clock.move(minutes=5)
    turns(world, device, "online")
    (ticket,) = tickets(world)
    assert ticket.ended_at == clock.now()


@pytest.mark.parametrize(("minutes", "expected"), [(1, [2]), (3, [1, 1])])
def test_a_loose_plug_makes_one_ticket_with_a_count(
    world: World, device: str, fake_clock: FakeClock, minutes: int, expected: list[int]
) -> None:
    turns(world, device, "fault", "frozen_picture")
    fake_clock.move(seconds=5)
    turns(world, device, "online")
    fake_clock.move(minutes=minutes)
    turns(world, device, "fault", "frozen_picture")
    assert [row.times for row in tickets(world)] == expected
    assert tickets(world)[-1].ended_at is None


@pytest.mark.parametrize("status", ["unknown", "starting"])
def test_what_is_not_known_opens_and_ends_nothing(world: World, device: str, status: str) -> None:
    turns(world, device, status)
    assert tickets(world) == []
    turns(world, device, "unavailable", "pyscard_missing")
    turns(world, device, status)
    assert tickets(world)[0].ended_at is None


def test_switching_off_or_taking_out_ends_what_is_open(world: World, device: str) -> None:
    turns(world, device, "offline", "reader_absent")
    world.do(sites_service.delete_device, world.manager, device)
    (ticket,) = tickets(world)
    assert ticket.ended_at is not None
    assert ticket.device_name == "IC 读卡器"


def test_one_takes_it_and_a_second_is_told(world: World, device: str) -> None:
    turns(world, device, "offline", "reader_absent")
    ticket = tickets(world)[0].id
    world.do(faults.take, world.guard, ticket)
    assert tickets(world)[0].taken_by == world.guard.account_id
    with pytest.raises(Conflict):
        world.do(faults.take, world.manager, ticket)


def test_nobody_of_another_site_takes_it(world: World, device: str) -> None:
    turns(world, device, "offline", "reader_absent")
    stranger = actor("another-site", Role.MANAGER)
    with pytest.raises(NotFound):
        world.do(faults.take, stranger, tickets(world)[0].id)


def test_old_tickets_are_forgotten_and_open_ones_never(
    world: World, device: str, fake_clock: FakeClock
) -> None:
    turns(world, device, "offline", "reader_absent")
    turns(world, device, "online")
    fake_clock.move(hours=24)
    turns(world, device, "offline", "reader_absent")
    fake_clock.move(hours=24 * 400)
    world.do(faults.forget_old, world.site.id, clock.now())
    assert [row.ended_at for row in tickets(world)] == [None]
