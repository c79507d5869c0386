"""What a visitor's phone shows of the own registration: how far it is, and a pass that it can really open (AD-06, S-19)."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from app.core.ids import new_id
from app.domain.admission import self_registration as registering
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.sites import service as sites
from app.domain.sites.rules import Rule, VisitorField
from state import self_registration as phone
from tests.factories import STRANGER_PHONE, World, admit, answer, see_document, walk_in

FORM = {"visitor_type": "short_term", "name": "周岚", "unit": "8 栋 1203", "purpose": "meeting"}


@pytest.mark.req("AD-06")
@pytest.mark.parametrize("number", ["", STRANGER_PHONE])
def test_who_is_inside_gets_a_link_and_what_opens_it(world: World, number: str) -> None:
    world.do(
        sites.set_field_rule,
        world.manager,
        world.site.id,
        "short_term",
        VisitorField.PHONE,
        Rule.OPTIONAL,
    )
    code = world.ask(registering.code_of, world.guard, world.both.id)
    made = world.do(registering.submit, code, FORM | {"phone": number}, new_id(), "zh-CN", agreed=True)

    def shown() -> dict[str, str]:
        return world.ask(lambda s: phone._shown(s, made.secret, "zh-CN"))

    assert (shown()["step"], shown()["link"]) == ("waiting", "")
    attempt = walk_in(world, phone=number)
    world.do(registering.take, world.guard, world.both.id, made.row.id, attempt.id)
    assert shown()["step"] == "asked"
    answer(world, attempt, agree=True)
    assert shown()["step"] == "agreed"
    see_document(world, attempt)
    admit(world, attempt)
    seen = shown()
    assert seen["step"] == "admitted"
    factor = seen["open_code"] or number[-4:]

    def opens(session: Session) -> bool:
        return links.open_link(session, seen["link"].removeprefix("/v/"), factor) is not None

    assert world.do(opens)
    assert bool(seen["open_code"]) is not bool(number)
    booking = world.ask(bookings.booking, attempt.booking_id)
    assert STRANGER_PHONE not in str(seen)
    assert booking.link_hash is not None
