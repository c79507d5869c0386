"""Faces in words: what a change of the policy does, chips at the desk, one's own face, and every code in both languages."""

from __future__ import annotations

import re

import pytest

from app.core import clock
from app.core.i18n import LOCALES, catalogue
from app.domain.admission import faces as at_lane
from app.domain.identity import face_policy, visitor_details
from app.domain.identity.numbers import NumberFault
from app.domain.identity.rules import FILING_PEOPLE, LIMITS, Liveness
from app.domain.people import service as people
from app.runtime.faces import OF_THE_PERSON
from hardware.face_ports import FaceFault, FaceOutcome, Prompt, ServiceCode
from state import console_faces_view as view
from state import desk_faces, desk_view, own_face, portal
from tests.architecture.sources import ROOT
from tests.domain.faces_at_hand import enrolled, owner
from tests.factories import World, invite, nonce, show_code

DOES_NOT = ("off", "no_models", "no_camera", "bad_photo", "running")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_code_of_the_hardware_has_words(locale: str) -> None:
    keys = {f"face_fault.{fault}" for fault in FaceFault}
    keys |= {f"face_prompt.{prompt}" for prompt in Prompt}
    keys |= {f"faces.models.{code}" for code in ServiceCode}
    keys |= {f"face_desk.{state}" for state in (*FaceOutcome, *DOES_NOT)}
    keys |= {f"face_read.{result}" for result in at_lane.RESULTS.values()}
    keys |= {f"face_read_booking.{result}" for result in at_lane.RESULTS.values()}
    keys |= {f"face_desk_booking.{state}" for state in desk_faces.OF_BOOKING}
    keys |= {f"error.photo_{fault}" for fault in OF_THE_PERSON}
    keys |= {f"error.document_number_{fault}" for fault in NumberFault}
    keys |= {f"console.field.{field}" for field in visitor_details.FIELDS}
    keys |= {f"faces.liveness.{level}" for level in Liveness}
    source = (ROOT / "hardware" / "face_packs.py").read_text("utf-8")
    codes = set(re.findall(r'PackError\("(\w+)"', source))
    assert len(codes) > 5
    # The two that only the import command can meet have their words there.
    keys |= {f"faces.pack.{code}" for code in codes - {"name_taken", "source_absent"}}
    assert sorted(keys - catalogue(locale).keys()) == []


def test_a_change_is_told_with_its_effect_before_it_is_made(world: World) -> None:
    policy = world.ask(face_policy.of_site, world.site.id)
    form = {"verify": "on", "recognise": "on", "liveness": "passive", "same": "50"}
    rows = view.changes(policy, face_policy.checked(policy, view.wanted(form)), "zh-CN")
    assert [(row["id"], row["before"], row["after"]) for row in rows] == [
        ("recognise", "关", "开"),
        ("same", "0.45", "0.50"),
        ("liveness", "不检测", "由模型判断（不用动作）"),
    ]
    assert all(row["effect"] for row in rows)
    off = view.changes(policy, face_policy.checked(policy, view.wanted({})), "en")
    assert [(row["id"], row["after"]) for row in off] == [("verify", "Off")]
    assert "guard does" in off[0]["effect"]
    untouched = view.wanted({"verify": "on", **{name: str(limit.default) for name, limit in LIMITS.items()}})
    assert view.changes(policy, face_policy.checked(policy, untouched), "en") == []


@pytest.mark.parametrize(
    ("people_", "words"),
    [(0, ""), (59_999, ""), (60_000, "60%"), (95_000, "95%"), (FILING_PEOPLE, "30 个工作日")],
)
def test_the_gauge_says_what_there_is_to_do(people_: int, words: str) -> None:
    said = view.gauge_warning(people_, "zh-CN")
    assert words in said
    assert bool(said) is bool(words)


@pytest.mark.req("ID-02")
def test_the_desk_tells_comparison_look_and_failure_apart(world: World) -> None:
    _, issued, _ = invite(world)
    attempt = show_code(world, issued)

    def compared(outcome: str) -> None:
        world.do(at_lane.record_comparison, attempt.id, outcome, nonce(), "camera", clock.now())

    def chips(locale: str = "zh-CN") -> list[tuple[str, str]]:
        shown = world.ask(desk_view.lane_view, world.both.id, locale, "").arrival
        return [(chip["text"], chip["tone"]) for chip in shown.chips[1:]]

    compared("unsure")
    assert chips() == [("面部无法确定", "wait")]
    compared("same")
    assert chips() == [("面部与证件一致 ✓", "ok")]
    assert chips("en") == [("Face fits the document ✓", "ok")]
    compared("unreadable")
    assert chips() == [("面部与证件一致 ✓", "ok"), ("面部没能比对", "wait")]
    world.do(at_lane.look, world.guard, attempt.id, same=False, nonce=nonce())
    assert ("人工比对面部：不一致", "no") in chips()


@pytest.mark.req("ID-06")
def test_ones_own_face_is_on_the_own_phone_until_it_is_taken_back(world: World) -> None:
    booking, _ = enrolled(world)
    person = owner(world, booking.visitor_id)
    card = world.ask(own_face.shown, person, "zh-CN")
    assert "有效至" in card["line"]
    assert world.ask(own_face.shown, world.host, "zh-CN") == {}
    world.do(own_face.withdraw, person)
    assert world.ask(own_face.shown, person, "zh-CN") == {}
    world.do(own_face.withdraw, person)
    world.do(own_face.withdraw, world.host)


def test_a_message_about_the_gauge_does_not_break_the_phone_of_a_manager_who_lives_here(world: World) -> None:
    world.do(people.notify, world.resident.id, "face_gauge", {"level": "60", "people": "60000"})
    assert world.ask(portal._home, world.host, "zh-CN", "")[3] == []


def test_the_list_masks_names_and_says_where_each_face_stands(world: World) -> None:
    enrolled(world)
    made = world.ask(view.page, world.site.id, 1, "zh-CN")
    (row,) = made["rows"]
    assert row["name"] == "周**"
    assert row["phone"].endswith("8001")
    assert "****" in row["phone"]
    assert (row["tone"], row["ask"]) == ("ok", "")
    assert row["status"].startswith("有效至 2027-")
    assert made["gauge"]["value"] == "1"
    assert made["assessment"]["line"].endswith("PIA-2026-03")
    assert "vector" not in repr(made)
