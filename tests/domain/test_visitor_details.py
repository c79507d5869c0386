"""What a visitor completes on the own phone: what the policy asks and the host left out, and nothing else (BK-04, SI-03)."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.core import crypto, search
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.core.permissions import Role
from app.domain.booking.models import Booking, BookingCompletion
from app.domain.booking.rules import BookingStatus
from app.domain.identity import visitor_details
from app.domain.identity.visitor_details import Asked
from app.domain.people.models import Person
from app.domain.sites import service as sites
from app.domain.sites.rules import Rule, VisitorField
from state import completed, desk_view, portal
from tests.domain.faces_at_hand import change
from tests.domain.photos_at_hand import visitor
from tests.factories import GUEST_PLATE, World, actor, invite, make_world, show_code

NUMBER = "11010519491231002X"


def rule(world: World, field: VisitorField, value: Rule) -> None:
    world.do(sites.set_field_rule, world.manager, world.site.id, "guest", field, value)


def asked(world: World, booking: Booking) -> dict[str, Asked]:
    row = world.get(Booking, booking.id)
    return {one.field.value: one for one in world.ask(visitor_details.asked, row)}


def complete(world: World, booking: Booking, **form: str) -> BookingCompletion:
    return world.do(visitor_details.complete, visitor(booking), form)


def person(world: World, booking: Booking) -> dict[str, str]:
    row, about = world.get(Booking, booking.id), world.get(Person, booking.visitor_id)
    return {
        "heads": str(row.head_count),
        "plate": crypto.reveal(row, "plate"),
        "company": crypto.reveal(about, "company"),
        "tail": crypto.reveal(about, "document_tail"),
    }


@pytest.mark.req("BK-04", "SI-03")
def test_asked_is_what_the_policy_wants_and_the_host_left_out(world: World) -> None:
    bare, _, _ = invite(world, plate="")
    assert set(asked(world, bare)) == {"head_count", "plate", "document_tail"}
    assert not any(one.required for one in asked(world, bare).values())
    full, _, _ = invite(world, plate=GUEST_PLATE, head_count=3)
    assert set(asked(world, full)) == {"document_tail"}
    rule(world, VisitorField.COMPANY, Rule.REQUIRED)
    rule(world, VisitorField.DOCUMENT_TAIL, Rule.OFF)
    assert asked(world, full) == {"company": Asked(VisitorField.COMPANY, True)}


@pytest.mark.req("SI-03")
def test_a_low_risk_place_neither_asks_nor_keeps_a_document(installation: Database) -> None:
    world = make_world(installation, "low")
    booking, _, _ = invite(world, plate="")
    assert set(asked(world, booking)) == {"head_count", "plate"}
    complete(
        world,
        booking,
        head_count="2",
        document_number=NUMBER,
        document_kind="resident_id",
        document_tail="002X",
        company="x",
    )
    assert person(world, booking) == {"heads": "2", "plate": "", "company": "", "tail": ""}


@pytest.mark.req("BK-04")
def test_what_is_completed_reaches_desk_host_and_search(world: World) -> None:
    rule(world, VisitorField.COMPANY, Rule.OPTIONAL)
    booking, issued, _ = invite(world, plate="")
    complete(world, booking, head_count="2", company="云图科技", plate="京a·12345", document_tail="002x")
    assert person(world, booking) == {
        "heads": "2",
        "plate": "京A12345",
        "company": "云图科技",
        "tail": "002X",
    }
    assert booking.visitor_id in world.ask(search.find, world.site.id, "12345"[-4:])
    assert booking.visitor_id in world.ask(search.find, world.site.id, "周婷婷")
    show_code(world, issued)
    facts = {
        row["term"]: row["value"]
        for row in world.ask(desk_view.lane_view, world.both.id, "zh-CN", "").arrival.facts
    }
    assert facts["单位"] == "云图科技"
    assert facts["访客补充"] == "人数、单位、车牌、证件后四位（10:00）"
    (row,) = world.ask(portal._home, world.host, "en", "")[2]
    assert row["added"] == world.ask(completed.fields, booking.id, "en")
    assert row["added"].count(", ") == 3
    entry = world.ask(
        lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "booking.complete")).one()
    )
    assert entry.details == {"fields": ["head_count", "company", "plate", "document_tail"]}
    assert "云图" not in str(entry)


def test_what_the_host_gave_is_not_shown_and_not_touched(world: World) -> None:
    booking, _, _ = invite(world, plate=GUEST_PLATE, head_count=3)
    complete(world, booking, head_count="9", plate="京B00000", name="某人", phone="13900000000")
    found = person(world, booking)
    assert (found["heads"], found["plate"]) == ("3", GUEST_PLATE)
    assert "plate" not in asked(world, booking)


def test_the_own_words_may_be_corrected_and_taken_out_again(world: World) -> None:
    booking, _, _ = invite(world, plate="")
    complete(world, booking, head_count="2", plate="京A12345")
    assert asked(world, booking)["plate"].value == "京A12345"
    complete(world, booking, head_count="3", plate="")
    assert person(world, booking)["plate"] == ""
    assert asked(world, booking)["head_count"].value == "3"
    assert world.ask(completed.fields, booking.id, "zh-CN") == "人数"
    assert booking.visitor_id not in world.ask(search.find, world.site.id, "12345")


@pytest.mark.req("BK-04")
@pytest.mark.parametrize(
    ("form", "code", "field"),
    [
        ({"head_count": "0"}, "number_wrong", "head_count"),
        ({"head_count": "many"}, "number_wrong", "head_count"),
        ({"company": ""}, "field_missing", "company"),
        ({"company": "司" * 201}, "text_long", "company"),
        ({"plate": "no plate!"}, "plate_wrong", "plate"),
        ({"document_number": NUMBER}, "choice_wrong", "document_kind"),
        (
            {"document_kind": "resident_id", "document_number": "110105194912310021"},
            "document_number_check_character",
            "document_number",
        ),
        (
            {"document_kind": "resident_id", "document_number": "11010519490231002X"},
            "document_number_check_character",
            "document_number",
        ),
        (
            {"document_kind": "resident_id", "document_number": "123"},
            "document_number_shape",
            "document_number",
        ),
        (
            {"document_kind": "resident_id", "document_number": "110105491231002"},
            "document_number_legacy",
            "document_number",
        ),
    ],
)
def test_what_cannot_be_right_is_told_by_field_and_nothing_is_stored(
    world: World, form: dict[str, str], code: str, field: str
) -> None:
    rule(world, VisitorField.COMPANY, Rule.REQUIRED)
    rule(world, VisitorField.DOCUMENT_NUMBER, Rule.OPTIONAL)
    booking, _, _ = invite(world, plate="")
    with pytest.raises(InvalidInput) as refused:
        complete(world, booking, **{"head_count": "2", "company": "云图", **form})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert person(world, booking) == {"heads": "1", "plate": "", "company": "", "tail": ""}
    assert world.ask(completed.fields, booking.id, "zh-CN") == ""


@pytest.mark.req("BK-04")
def test_of_a_document_number_the_check_is_made_and_the_end_is_kept(world: World) -> None:
    rule(world, VisitorField.DOCUMENT_NUMBER, Rule.REQUIRED)
    booking, _, _ = invite(world)
    assert set(asked(world, booking)) == {"head_count", "document_number"}
    complete(
        world, booking, head_count="1", document_kind="resident_id", document_number="110105 19491231 002x"
    )
    assert person(world, booking)["tail"] == "002X"
    assert asked(world, booking)["document_number"].value == "002X"
    complete(world, booking, head_count="2")  # left empty it stays
    assert person(world, booking)["tail"] == "002X"
    raw = world.get(Person, booking.visitor_id).document_tail
    assert raw is not None
    assert b"1949" not in raw


@pytest.mark.parametrize("state", [s for s in BookingStatus if s != BookingStatus.APPROVED])
def test_once_come_or_over_nothing_is_asked_or_taken(world: World, state: BookingStatus) -> None:
    booking, _, _ = invite(world)
    change(world, booking, status=state)
    assert asked(world, booking) == {}
    with pytest.raises(Conflict, match="details_closed"):
        complete(world, booking, head_count="2")


def test_nobody_else_completes_a_booking(world: World) -> None:
    invite(world)
    for role in (Role.RESIDENT, Role.GUARD, Role.MANAGER):
        with pytest.raises(NotAllowed):
            world.do(visitor_details.complete, actor(world.site.id, role, person_id=world.resident.id), {})
