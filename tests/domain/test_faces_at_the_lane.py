"""A face held against a picture: evidence like every other, and never more than that (ID-02, ID-06, AD-18)."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.core import clock
from app.core.audit import AuditEntry
from app.core.errors import Conflict, NotAllowed
from app.domain.admission import faces, repository
from app.domain.admission.face_evidence import is_comparison
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Outcome, Reason, Result
from app.domain.identity import face_policy
from tests.domain.faces_at_hand import enrolled, recognised
from tests.factories import World, admit, invite, make_world, nonce, see_document, show_code, walk_in


def compared(world: World, attempt: Attempt, outcome: str, key: str = "") -> bool:
    """What the engine says of the live picture."""
    return world.do(faces.record_comparison, attempt.id, outcome, key or nonce(), "camera", clock.now())


def looked(world: World, attempt: Attempt, *, same: bool, key: str = "") -> Attempt:
    """What the guard presses."""
    return world.do(faces.look, world.guard, attempt.id, same=same, nonce=key or nonce())


def waiting(world: World) -> Attempt:
    """A guest with a good code, before the guard."""
    _, issued, _ = invite(world)
    return show_code(world, issued)


def now(world: World, attempt: Attempt) -> Attempt:
    return world.get(Attempt, attempt.id)


def results(world: World, attempt: Attempt) -> list[str]:
    rows = world.ask(repository.evidence_of, attempt.id)
    return [row.result for row in rows if row.kind == Kind.FACE]


@pytest.mark.req("ID-02", "ID-06")
@pytest.mark.parametrize(
    ("outcome", "result", "verdict", "reasons"),
    [
        ("same", Result.OK, Outcome.ADMIT, [Reason.BOOKED]),
        ("unsure", Result.UNSURE, Outcome.ADMIT, [Reason.BOOKED]),
        ("unreadable", Result.UNREADABLE, Outcome.ADMIT, [Reason.BOOKED]),
        ("something else", Result.UNREADABLE, Outcome.ADMIT, [Reason.BOOKED]),
        ("other", Result.OTHER_FACE, Outcome.REVIEW, [Reason.FACE_OTHER]),
        ("spoofed", Result.SPOOFED, Outcome.REVIEW, [Reason.FACE_SPOOFED]),
    ],
)
def test_only_another_face_or_no_living_one_is_a_doubt(
    world: World, outcome: str, result: Result, verdict: Outcome, reasons: list[Reason]
) -> None:
    attempt = waiting(world)
    assert compared(world, attempt, outcome)
    assert results(world, attempt) == [result]
    assert (now(world, attempt).outcome, now(world, attempt).reasons) == (verdict, reasons)


def test_a_comparison_is_written_once(world: World) -> None:
    attempt = waiting(world)
    assert compared(world, attempt, "same", "a")
    assert not compared(world, attempt, "other", "a")
    assert results(world, attempt) == [Result.OK]


def test_what_comes_too_late_changes_nothing(world: World) -> None:
    attempt = waiting(world)
    admit(world, attempt)
    assert not compared(world, attempt, "other")
    assert results(world, attempt) == []
    with pytest.raises(Conflict, match="attempt_closed"):
        looked(world, attempt, same=True)


@pytest.mark.req("ID-06")
def test_where_comparing_is_off_no_machine_says_anything(world: World) -> None:
    world.do(face_policy.save, world.manager, world.site.id, {"verify": False})
    attempt = waiting(world)
    assert not compared(world, attempt, "other")
    assert now(world, attempt).outcome == Outcome.ADMIT


@pytest.mark.parametrize(
    ("same", "verdict", "said"), [(True, Outcome.ADMIT, "ok"), (False, Outcome.REVIEW, "abnormal")]
)
def test_the_guards_look_is_evidence_and_audited_once(
    world: World, same: bool, verdict: Outcome, said: str
) -> None:
    attempt = waiting(world)
    looked(world, attempt, same=same, key="k")
    looked(world, attempt, same=same, key="k")
    assert len(results(world, attempt)) == 1
    assert now(world, attempt).outcome == verdict
    entry = world.ask(lambda s: s.exec(select(AuditEntry).where(AuditEntry.action == "evidence.face")).one())
    assert (entry.actor, entry.object_id, entry.result) == (world.guard.account_id, attempt.id, said)


@pytest.mark.req("AD-18")
@pytest.mark.parametrize("doubt", ["other", "spoofed"])
def test_a_look_does_not_undo_what_a_comparison_found(world: World, doubt: str) -> None:
    attempt = waiting(world)
    compared(world, attempt, doubt)
    compared(world, attempt, "unreadable")
    with pytest.raises(Conflict, match="face_doubted"):
        looked(world, attempt, same=True)
    assert now(world, attempt).outcome == Outcome.REVIEW
    # A better comparison does, and so does a supervisor.
    compared(world, attempt, "same")
    assert now(world, attempt).outcome == Outcome.ADMIT
    compared(world, attempt, doubt)
    assert admit(world, attempt, world.supervisor, "本人证件已当面核对").id


@pytest.mark.req("AD-10", "AD-18")
@pytest.mark.parametrize("doubt", ["other", "spoofed"])
def test_whoever_is_recognised_beside_it_does_not_undo_what_a_comparison_found(
    world: World, doubt: str
) -> None:
    _, template = enrolled(world)
    attempt = recognised(world, template)
    assert attempt.outcome == Outcome.ADMIT
    assert compared(world, attempt, doubt)
    again = recognised(world, template)
    assert (again.id, again.outcome) == (attempt.id, Outcome.REVIEW)
    assert results(world, attempt)[-1] == Result.UNSURE
    assert compared(world, attempt, "same")
    assert now(world, attempt).outcome == Outcome.ADMIT


def test_a_guard_may_correct_the_own_look(world: World) -> None:
    attempt = waiting(world)
    looked(world, attempt, same=False)
    looked(world, attempt, same=True)
    assert now(world, attempt).outcome == Outcome.ADMIT


def test_only_a_guard_of_the_site_looks(world: World) -> None:
    attempt = waiting(world)
    other = make_world(world.database, name="别处")
    for actor in (other.guard, world.host, world.manager):
        with pytest.raises(NotAllowed):
            world.do(faces.look, actor, attempt.id, same=True, nonce=nonce())


@pytest.mark.req("ID-06")
def test_a_face_is_never_asked_for(world: World) -> None:
    """A walk-in with a document needs the host's word and nothing of a face; an unclear one takes nothing away."""
    attempt = walk_in(world)
    before = see_document(world, attempt)
    compared(world, attempt, "unsure")
    assert now(world, attempt).reasons == before.reasons
    assert not any("face" in reason for reason in before.reasons)


def test_a_comparison_is_told_from_a_recognition_and_a_look(world: World) -> None:
    attempt = waiting(world)
    compared(world, attempt, "same")
    looked(world, attempt, same=True)
    rows = [row for row in world.ask(repository.evidence_of, attempt.id) if row.kind == Kind.FACE]
    assert [is_comparison(row) for row in rows] == [True, False]
