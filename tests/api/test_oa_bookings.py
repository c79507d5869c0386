"""Bookings over HTTP as an OA system makes them: signed, once, in order (BK-03, EV-06)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, func, select

from app.core import webhook_signing
from app.core.audit import AuditEntry
from app.domain.access import repository as access
from app.domain.booking.models import Booking
from app.domain.integration import keys
from app.domain.integration.models import IntegrationRequest
from tests.api.gate import Gate
from tests.factories import GUEST, GUEST_PHONE, make_world
from tests.oa import Oa, issue, visit


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(gate: Gate) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gate.url, trust_env=False, timeout=30) as made:
        yield made


@pytest.fixture
def oa(gate: Gate, client: httpx.Client) -> Oa:
    return Oa(client, issue(gate.world))


def bookings(gate: Gate) -> int:
    return int(gate.world.ask(lambda s: s.exec(select(func.count()).select_from(Booking)).one()))


@pytest.mark.req("BK-03")
def test_a_booking_carries_pass_masked_visitor_time_host_and_area(gate: Gate, oa: Oa) -> None:
    body = visit(gate.world, visitor={"name": GUEST, "phone": GUEST_PHONE, "document": "11010519491231002X"})
    answer = oa.book(body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["state"] == "approved"
    assert made["visitor"] == {"name": "周**", "phone": "138****8001", "company": "", "document": "****002X"}
    assert made["host"] == {"ext_id": "", "name": "欧阳**", "unit": "8栋1203"}
    assert datetime.fromisoformat(made["from"]) == datetime.fromisoformat(body["from"])
    assert made["from"].endswith("+08:00")
    assert made["pass"]["state"] == "active"
    assert "11010519491231002X" not in answer.text
    assert GUEST not in answer.text
    assert oa.get(f"/bookings/{made['id']}").json()["id"] == made["id"]


@pytest.mark.req("BK-03")
@pytest.mark.parametrize("by", ["message", "idempotency_key", "field"])
def test_the_same_request_ten_times_at_once_makes_one_booking(gate: Gate, oa: Oa, by: str) -> None:
    before, name = bookings(gate), f"ten-{by}"
    body = visit(gate.world, **({"idempotency_key": name} if by == "field" else {}))
    options: dict[str, Any] = {
        "message": {"message_id": name},
        "idempotency_key": {"idempotency_key": name},
    }.get(by, {})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: oa.book(body, **options), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 9
    assert bookings(gate) == before + 1


@pytest.mark.req("BK-03")
def test_versions_in_any_order_and_at_once_end_at_the_newest(gate: Gate, oa: Oa) -> None:
    before = bookings(gate)
    bodies = [
        visit(gate.world, ref="HR-2026-118", version=version, head_count=version) for version in range(1, 11)
    ]
    shuffled = bodies * 2
    random.Random(7).shuffle(shuffled)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(oa.book, shuffled))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    now = oa.get("/bookings", params={"ref": "HR-2026-118"}).json()["items"]
    assert [(item["version"], item["head_count"]) for item in now] == [(10, 10)]
    assert bookings(gate) == before + 1


@pytest.mark.req("BK-03")
def test_an_older_version_after_a_newer_one_changes_nothing_and_says_so(gate: Gate, oa: Oa) -> None:
    made = oa.book(visit(gate.world, version=5)).json()
    newer = oa.send("PUT", f"/bookings/{made['id']}", visit(gate.world, version=7, head_count=3)).json()
    assert (newer["stale"], newer["head_count"]) == (False, 3)
    for version, stale in ((6, True), (5, True), (7, False)):
        late = oa.send("PUT", f"/bookings/{made['id']}", visit(gate.world, version=version, head_count=9))
        assert late.status_code == 200
        assert (late.json()["stale"], late.json()["head_count"], late.json()["version"]) == (stale, 3, 7)
    called_off = oa.send("POST", f"/bookings/{made['id']}/cancel", {"version": 6}).json()
    assert (called_off["stale"], called_off["state"]) == (True, "approved")


@pytest.mark.req("BK-03")
def test_a_cancelled_booking_has_no_pass_and_no_link(gate: Gate, oa: Oa) -> None:
    made = oa.book(visit(gate.world)).json()
    done = oa.send("POST", f"/bookings/{made['id']}/cancel", {"version": 2})
    assert done.status_code == 200
    assert (done.json()["state"], done.json()["pass"]["state"], done.json()["pass"]["link"]) == (
        "cancelled",
        "revoked",
        None,
    )
    again = oa.send("POST", f"/bookings/{made['id']}/cancel", {"version": 3})
    assert (again.status_code, again.json()["state"]) == (200, "cancelled")
    revived = oa.send("PUT", f"/bookings/{made['id']}", visit(gate.world, version=4))
    assert (revived.status_code, revived.json()["error"]) == (409, "booking_over")
    issued = gate.world.ask(access.of_booking, made["id"])
    assert issued is not None
    assert issued.status == "revoked"


@pytest.mark.req("BK-03", "EV-06")
def test_a_wrong_or_old_signature_is_refused_and_changes_nothing(gate: Gate, oa: Oa) -> None:
    before, body = bookings(gate), visit(gate.world)
    other = webhook_signing.new_secret()
    now = datetime.now(UTC)
    tries = {
        "signature_wrong": [
            {"sign_with": other},
            {"more": {"webhook-id": "another"}},
            {"more": {"webhook-timestamp": str(int(now.timestamp()) - 1)}},
            {"more": {"webhook-signature": "v1,AAAA"}},
            {"more": {"webhook-signature": "v2,AAAA v1,é"}},
        ],
        "signature_old": [{"at": now - timedelta(minutes=6)}, {"at": now + timedelta(minutes=6)}],
        "signature_missing": [
            {"more": {"webhook-id": ""}},
            {"more": {"webhook-timestamp": ""}},
            {"more": {"webhook-timestamp": "soon"}},
            {"more": {"webhook-signature": ""}},
            {"more": {"webhook-id": "x" * 101}},
        ],
    }
    for code, changes in tries.items():
        for change in changes:
            if any("é" in value for value in change.get("more", {}).values()):
                change["more"]["webhook-signature"] = change["more"]["webhook-signature"].encode("latin-1")
            answer = oa.book(body, **change)
            assert (answer.status_code, answer.json()["error"]) == (401, code), change
    assert bookings(gate) == before


@pytest.mark.req("BK-03", "EV-06")
def test_a_body_changed_on_the_way_is_refused(gate: Gate, oa: Oa) -> None:
    body = b'{"version": 1}'
    signed = oa.headers(body)
    for sent in (b'{"version": 2}', b'{"version": 1} ', b""):
        answer = oa.client.post("/api/v1/bookings", content=sent, headers=signed)
        assert (answer.status_code, answer.json()["error"]) in {
            (401, "signature_wrong"),
            (422, "field_missing"),
        }
        assert answer.status_code == 401


@pytest.mark.req("BK-03", "EV-06")
def test_a_replay_is_answered_from_the_record_without_effect(gate: Gate, oa: Oa) -> None:
    body = visit(gate.world)
    first = oa.book(body, message_id="caught-on-the-wire")
    before = bookings(gate)
    oa.send("POST", f"/bookings/{first.json()['id']}/cancel", {"version": 2})
    again = oa.book(body, message_id="caught-on-the-wire")
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert bookings(gate) == before
    assert oa.get(f"/bookings/{first.json()['id']}").json()["state"] == "cancelled"
    other = oa.book(visit(gate.world, head_count=2), message_id="caught-on-the-wire")
    assert (other.status_code, other.json()["error"]) == (422, "webhook_id_reused")


@pytest.mark.req("BK-03", "EV-06")
def test_an_idempotency_key_with_another_body_is_refused(gate: Gate, oa: Oa) -> None:
    body = visit(gate.world)
    assert oa.book(body, idempotency_key="once").status_code == 201
    # However it is written down, it is the same request.
    turned = dict(reversed(body.items()))
    assert oa.book(turned, idempotency_key="once").headers["idempotent-replayed"] == "true"
    other = oa.book({**body, "head_count": 2}, idempotency_key="once")
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_reused")
    twice = oa.book({**body, "idempotency_key": "a"}, idempotency_key="b")
    assert (twice.status_code, twice.json()["error"]) == (422, "idempotency_twice")


def test_a_refused_request_may_be_sent_again_when_its_cause_is_gone(gate: Gate, oa: Oa) -> None:
    body = visit(gate.world, host={"ext_id": "u-late"})
    assert oa.book(body, message_id="early", idempotency_key="early").json()["error"] == "host_unknown"
    oa.send("PUT", "/hosts/u-late", {"version": 1, "name": "迟到者", "unit": gate.world.unit.label})
    assert oa.book(body, message_id="early", idempotency_key="early").status_code == 201


@pytest.mark.req("EV-06")
def test_records_of_answers_hold_no_link_and_no_name_in_the_clear(gate: Gate, oa: Oa) -> None:
    made = oa.book(visit(gate.world), message_id="sealed").json()
    row = gate.world.ask(
        lambda s: s.exec(select(IntegrationRequest).where(IntegrationRequest.webhook_id == "sealed")).one()
    )
    assert row.answer is not None
    assert made["pass"]["link"].encode() not in row.answer


@pytest.mark.req("EV-06", "SI-04")
def test_a_key_works_for_its_site_and_its_scopes_only(gate: Gate, oa: Oa, client: httpx.Client) -> None:
    elsewhere = make_world(gate.world.database, name="翠湖苑")
    stranger = Oa(client, issue(elsewhere))
    made = oa.book(visit(gate.world)).json()
    body = visit(gate.world)
    assert stranger.get(f"/bookings/{made['id']}").status_code == 404
    assert stranger.send("PUT", f"/bookings/{made['id']}", visit(elsewhere, version=9)).status_code == 404
    assert stranger.send("POST", f"/bookings/{made['id']}/cancel", {"version": 9}).status_code == 404
    assert made["id"] not in stranger.get("/bookings").text
    assert stranger.book({**body, "site": gate.world.site.id}).json()["error"] == "site_other"
    reader = Oa(client, issue(gate.world, "booking.read"))
    assert reader.get(f"/bookings/{made['id']}").status_code == 200
    refused = [
        reader.book(body),
        reader.send("PUT", f"/bookings/{made['id']}", body),
        reader.send("POST", f"/bookings/{made['id']}/cancel", {"version": 9}),
        reader.send("PUT", "/hosts/u1", {"version": 1, "name": "甲", "unit": "x"}),
        reader.send("DELETE", "/hosts/u1"),
        reader.get("/hosts/u1"),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(403, "not_allowed")}
    writer = Oa(client, issue(gate.world, "booking.write"))
    assert writer.get("/bookings").status_code == 403
    # A key of another system opens nothing else.
    assert oa.get(f"/lanes/{gate.world.both.id}/present").status_code in {403, 405}
    assert oa.client.get(f"/api/cameras/{gate.camera}", headers={"Authorization": f"Bearer {oa.issued.bearer}"}).status_code in {403, 404}  # fmt: skip


@pytest.mark.req("EV-06")
def test_a_revoked_key_is_a_stranger_at_its_next_word(gate: Gate, client: httpx.Client) -> None:
    made = Oa(client, issue(gate.world))
    assert made.get("/bookings").status_code == 200
    gate.world.do(keys.revoke, gate.world.manager, made.issued.key_id)
    # A write asks the row itself; what only reads may be remembered for seconds by this other process.
    refused = made.book(visit(gate.world))
    assert (refused.status_code, refused.json()["error"]) == (401, "key_unknown")


@pytest.mark.req("EV-06")
def test_during_a_rotation_both_pairs_of_secrets_work(gate: Gate, oa: Oa, client: httpx.Client) -> None:
    renewed = gate.world.do(keys.rotate, gate.world.manager, oa.issued.key_id, 1)
    new = Oa(client, renewed)
    assert new.book(visit(gate.world)).status_code == 201
    assert oa.book(visit(gate.world)).status_code == 201
    # The new bearer with the old signing secret: a system changes one after the other.
    assert new.book(visit(gate.world), sign_with=oa.issued.signing).status_code == 201


@pytest.mark.parametrize("name", ["𠮷" * 50, "鸟" * 50, "𪚥𠮷", "O’Neil ☕"])
def test_long_and_rare_names_survive(gate: Gate, oa: Oa, name: str) -> None:
    answer = oa.book(visit(gate.world, visitor={"name": name, "phone": GUEST_PHONE}))
    assert answer.status_code == 201
    assert answer.json()["visitor"]["name"].startswith(name[0])


def test_wrong_fields_are_named_in_the_askers_language(gate: Gate, oa: Oa) -> None:
    long = oa.book(visit(gate.world, visitor={"name": "𠮷" * 10_000, "phone": GUEST_PHONE}))
    assert (long.status_code, long.json()["error"], long.json()["field"]) == (
        422,
        "name_long",
        "visitor.name",
    )
    bad = visit(gate.world, version="1", host=None)
    bad["from"] = "2026-11-23T09:00:00"
    found = oa.book(bad, more={"Accept-Language": "en"}).json()
    assert {item["field"]: item["error"] for item in found["errors"]} == {
        "version": "type_wrong",
        "host": "type_wrong",
        "from": "time_naive",
    }
    assert found["message"] == found["errors"][0]["message"] == "The type is wrong."
    chinese = oa.book(bad, more={"Accept-Language": "zh-CN"}).json()
    assert chinese["message"] == "类型不正确。"
    cases = {
        "phone_wrong": ("visitor.phone", {"visitor": {"name": GUEST, "phone": "123"}}),
        "document_number_wrong": (
            "visitor.document",
            {"visitor": {"name": GUEST, "phone": GUEST_PHONE, "document": "110105194912310021"}},
        ),
        "window_order": ("from", {"to": "2020-01-01T00:00:00Z"}),
        "host_unknown": ("host.name", {"host": {"unit": gate.world.unit.label, "name": "无此人"}}),
        "host_unnamed": ("host", {"host": {}}),
        "unit_missing": ("host.unit", {"host": {"unit": "没有这间", "name": "x"}}),
        "choice_wrong": ("visitor_type", {"visitor_type": "spy"}),
        "schema_unknown": ("", {"schema": "visit.request.v2"}),
        "version_missing": ("", {"version": None}),
        "time_format": ("", {"from": "0001-01-01T00:00:00+14:00"}),
    }
    for code, (field, change) in cases.items():
        answer = oa.book(visit(gate.world, **change))
        assert (answer.status_code, answer.json()["error"], answer.json().get("field", "")) == (
            422,
            code,
            field,
        )
    broken = oa.client.post("/api/v1/bookings", content=b"{", headers=oa.headers(b"{"))
    assert (broken.status_code, broken.json()["error"]) == (422, "json_wrong")


@pytest.mark.req("EV-06")
def test_unknown_fields_are_ignored_and_unknown_purposes_are_other(gate: Gate, oa: Oa) -> None:
    body = visit(
        gate.world, purpose="interview", colour="blue", zones=["12F-A"], plate=None, consent_ref=None
    )
    made = oa.book(body).json()
    assert made["purpose"] == "other"
    assert made["warnings"] == [
        {"code": "purpose_unknown", "field": "purpose"},
        {"code": "field_unused", "field": "zones"},
    ]


def test_the_list_is_turned_page_by_page(gate: Gate, oa: Oa) -> None:
    made = {oa.book(visit(gate.world)).json()["id"] for _ in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        answer = oa.get("/bookings", params={"limit": 3, "cursor": cursor}).json()
        assert len(answer["items"]) <= 3
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert made <= set(seen)
    assert oa.get("/bookings", params={"limit": 101}).status_code == 422
    called_off = oa.book(visit(gate.world)).json()["id"]
    oa.send("POST", f"/bookings/{called_off}/cancel", {"version": 2})
    listed = oa.get("/bookings", params={"state": "cancelled", "limit": 100, "cursor": seen[-1]}).json()
    assert [item["id"] for item in listed["items"]] == [called_off]


def test_what_a_system_did_is_in_the_log_under_its_key(gate: Gate, oa: Oa) -> None:
    made = oa.book(visit(gate.world)).json()
    entry = gate.world.ask(
        lambda s: s.exec(
            select(AuditEntry).where(AuditEntry.object_id == made["id"]).order_by(col(AuditEntry.seq))
        ).first()
    )
    assert (entry.action, entry.actor, entry.role) == (
        "booking.create",
        f"integration:{oa.issued.key_id}",
        "integration",
    )
