"""What of a document goes into the walk-in form, and into whose."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from app.core import clock
from app.core.actor import Actor
from app.core.permissions import Role
from app.domain.admission.evidence import Presented
from app.domain.duty import service as duty
from app.runtime import hub
from app.runtime.hub import Hub
from app.runtime.live import Live
from state import prefill
from tests.domain.cards_at_hand import document, document_of
from tests.factories import World, actor, make_account, nonce


@pytest.fixture
def center(world: World) -> Iterator[Hub]:
    made = Hub(world.database, Live())
    hub.use(made)
    yield made
    hub.use(None)


def guard_at(world: World, lane_id: str, *roles: Role) -> Actor:
    """Somebody with an account, signed on to a lane."""
    account = make_account(world, *roles, username=f"guard.{nonce()}")
    made = Actor(
        kind="account",
        account_id=account.id,
        session_id="0" * 64,
        site_id=world.site.id,
        roles=frozenset(roles),
    )
    if lane_id:
        world.do(duty.sign_on, made, lane_id)
    return made


async def test_the_document_is_for_the_guard_who_is_signed_on_at_its_lane(world: World, center: Hub) -> None:
    item = Presented("document", "", nonce(), clock.now(), "reader", document())
    center.laid.keep(world.both.id, item)
    here = guard_at(world, world.both.id, Role.GUARD)
    elsewhere = guard_at(world, world.entry.id, Role.GUARD)
    nowhere = guard_at(world, "", Role.GUARD)
    host = actor(world.site.id, Role.RESIDENT)

    def seen_by(who: Actor, lane_id: str) -> Presented | None:
        return world.ask(prefill.laid_for, who, lane_id)

    assert seen_by(here, world.both.id) is item
    assert seen_by(here, world.entry.id) is None
    assert [seen_by(who, world.both.id) for who in (elsewhere, nowhere, host)] == [None, None, None]
    assert seen_by(here, "") is None
    prefill.used(world.both.id, "")
    assert seen_by(here, world.both.id) is None


@pytest.mark.req("SI-03")
@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("off", {"name": "周婷婷"}),
        ("optional", {"name": "周婷婷", "document_tail": "002X"}),
        ("required", {"name": "周婷婷", "document_tail": "002X"}),
    ],
)
def test_the_tail_goes_into_the_form_only_where_the_policy_asks_for_it(
    rule: str, wanted: dict[str, str]
) -> None:
    item = Presented("document", "", "n", clock.now(), "reader", document())
    assert prefill.values_of(item, {"document_tail": rule}) == wanted


def test_without_a_document_or_a_name_nothing_is_filled_in() -> None:
    assert prefill.values_of(None, {}) == {}
    nameless = Presented("document", "", "n", clock.now(), "reader", document(name=""))
    assert prefill.values_of(nameless, {}) == {}


@pytest.mark.parametrize("name", ["阿卜杜拉·买买提", "𠮷田𡈽", "O'Brien", '");alert(1)//', "</script>", "%s"])
def test_a_name_is_data_in_the_script_whatever_it_holds(name: str) -> None:
    made = prefill.script({"name": name})
    head, tail = prefill.FILL.split("%s")
    assert made.startswith(head)
    assert made.endswith(tail)
    assert json.loads(made[len(head) : -len(tail)]) == {"name": name}


def test_a_latin_name_is_filled_in_as_it_stands_on_the_card() -> None:
    item = Presented("document", "", "n", clock.now(), "reader", document_of("Anna Lindqvist"))
    assert prefill.values_of(item, {})["name"] == "LINDQVIST, ANNA"
