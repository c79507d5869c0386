"""Pictures of cases over the routes: for those who may, never cached, each look on record (AD-18); and the badge's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select

from app.core import vault
from app.core.audit import AuditEntry
from app.core.permissions import Role
from app.domain.admission import cases
from app.domain.admission.case_rules import PictureState
from app.domain.admission.rules import Result
from app.domain.sites.badges import set_printing
from tests.api.gate import Gate
from tests.factories import invite, let_in, see_document, show_code

JPEG, PNG = b"\xff\xd8\xff\xe0scene", b"\x89PNG\r\n\x1a\ncard"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


def open_case(gate: Gate) -> str:
    """A case with both pictures; the server hears nothing of it, as this process is another."""
    world = gate.world
    _, issued, _ = invite(world)
    arrival = see_document(world, show_code(world, issued), Result.ABNORMAL)
    case = world.ask(cases.of_attempt, arrival.id)
    assert case is not None
    world.do(cases.keep_picture, case.id, PictureState.KEPT, vault.put(JPEG))
    world.do(cases.keep_document, arrival.id, vault.put(PNG))
    return case.id


def test_pictures_go_to_supervisor_and_manager_alone_and_are_never_kept_by_the_browser(gate: Gate) -> None:
    case_id = open_case(gate)
    for role in (Role.SUPERVISOR, Role.MANAGER):
        account, secret = gate.sign_in(role)
        with gate.client(secret) as client:
            for which, kind, body in (("scene", "image/jpeg", JPEG), ("document", "image/png", PNG)):
                answer = client.get(f"/api/cases/{case_id}/{which}")
                assert (answer.status_code, answer.headers["content-type"], answer.content) == (
                    200,
                    kind,
                    body,
                )
                assert "no-store" in answer.headers["cache-control"]
            assert client.get(f"/api/cases/{case_id}/note").status_code == 404
            assert client.get("/api/cases/unknown/scene").status_code == 404

        def looks(session, account_id=account.id):
            query = select(AuditEntry).where(
                AuditEntry.action == "case.picture", AuditEntry.actor == account_id
            )
            return [(entry.object_id, entry.details["which"]) for entry in session.exec(query).all()]

        assert gate.world.ask(looks) == [(case_id, "scene"), (case_id, "document")]
    for role in (Role.GUARD, Role.AUDITOR, Role.ADMIN, Role.SERVICE, Role.RESIDENT):
        with gate.client(gate.sign_in(role)[1]) as client:
            assert client.get(f"/api/cases/{case_id}/scene").status_code == 403
    with gate.client("") as client:
        assert client.get(f"/api/cases/{case_id}/scene").status_code == 401


@pytest.mark.req("AD-15")
def test_the_badges_page_says_what_the_site_wants_and_no_more(gate: Gate) -> None:
    world = gate.world
    _, _, visit = let_in(world, name="<b>周婷婷", phone="13800138009")
    with gate.client(gate.sign_in(Role.GUARD)[1]) as client:
        masked = client.get(f"/badge/{visit.id}").text
        world.do(set_printing, world.manager, world.site.id, at_once=False, name="full")
        full = client.get(f"/badge/{visit.id}").text
    assert "周婷婷" not in masked
    assert "&lt;b&gt;周婷婷" in full
    for page in (masked, full):
        assert "东门 · 1号道" in page
        assert "8栋1203" in page
        assert "13800138009" not in page
        assert "演示" not in page
