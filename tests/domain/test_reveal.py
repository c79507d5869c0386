"""Looking behind a mask: for a reason from a list, seldom, and with nothing personal in the log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel, func, select

from app.core import audit, crypto
from app.core.actor import Actor
from app.core.audit import AuditEntry
from app.core.database import Database
from app.core.errors import InvalidInput, NotAllowed, NotFound, TooMany
from app.core.i18n import text
from app.core.permissions import RIGHTS, Right, Role
from app.core.settings import get_settings
from app.domain.admission import exits, walk_ins
from app.domain.admission import service as admission
from app.domain.admission.models import Visit
from app.domain.people import sessions
from app.domain.records import retention
from app.domain.records import service as records
from app.domain.records.models import RevealNote
from app.domain.records.rules import RevealReason, note_fault
from app.domain.sites.times import set_times
from state.console_audit import _row
from tests.factories import (
    GUEST,
    GUEST_PHONE,
    World,
    actor,
    let_in,
    make_account,
    make_world,
    see_document,
    walk_in,
)
from tests.installation import FakeClock

NOTE = "派出所陈警官来电，案号 京公〔2026〕17 号，问 13800138001"


def reveal(
    world: World, reason: str = "police", note: str = NOTE, by: Actor | None = None
) -> records.Revealed:
    _, _, visit = let_in(world)
    return world.do(records.reveal, by or world.supervisor, visit.attempt_id, reason, note)


def entries(world: World, action: str) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
    return world.ask(lambda session: list(session.exec(query).all()))


def count_notes(world: World) -> int:
    return world.ask(lambda session: session.exec(select(func.count()).select_from(RevealNote)).one())


def auditor(world: World) -> Actor:
    return actor(world.site.id, Role.AUDITOR)


@pytest.mark.parametrize(
    ("reason", "note", "fault"),
    [
        *((reason.value, "", "") for reason in RevealReason if reason is not RevealReason.OTHER),
        *((reason.value, "说明情况", "") for reason in RevealReason),
        ("other", "", "note_missing"),
        ("other", "。。。", "note_missing"),
        ("", "说明情况", "choice_wrong"),
        ("张三丰", "说明情况", "choice_wrong"),
        ("OTHER", "说明情况", "choice_wrong"),
    ],
)
def test_a_reason_is_one_of_the_list_and_other_is_explained(reason: str, note: str, fault: str) -> None:
    assert note_fault(reason, note) == fault


@pytest.mark.req("RE-05")
def test_a_guest_is_shown_for_a_reason_and_that_is_on_record(world: World) -> None:
    assert reveal(world) == records.Revealed(GUEST, GUEST_PHONE)
    (entry,) = entries(world, "person.reveal")
    assert (entry.reason, entry.details["note"]) == ("police", True)
    assert (entry.actor, entry.object_kind) == (world.supervisor.account_id, "person")


@pytest.mark.req("RE-05")
@pytest.mark.parametrize("reason", [NOTE, "", "admin", "police "])
def test_a_reason_of_one_s_own_shows_nothing_and_is_nowhere(world: World, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        reveal(world, reason)
    assert (caught.value.code, caught.value.field) == ("choice_wrong", "reason")
    assert (entries(world, "person.reveal"), count_notes(world)) == ([], 0)


@pytest.mark.req("RE-05")
def test_other_without_a_note_shows_nothing(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        reveal(world, "other", " \u200b ")
    assert (caught.value.code, caught.value.field) == ("note_missing", "note")
    assert entries(world, "person.reveal") == []


@pytest.mark.req("RE-05", "RE-07")
def test_the_note_is_sealed_beside_the_entry_and_in_clear_nowhere(world: World) -> None:
    reveal(world)
    (entry,) = entries(world, "person.reveal")
    (row,) = world.ask(lambda session: list(session.exec(select(RevealNote)).all()))
    assert (row.audit_seq, row.person_id) == (entry.seq, entry.object_id)
    assert crypto.reveal(row, "note") == NOTE
    with world.database.engine.connect() as connection:
        cells = [
            str(cell)
            for table in SQLModel.metadata.sorted_tables
            for line in connection.execute(table.select())
            for cell in line
        ]
    assert not [cell for cell in cells if "陈警官" in cell or "13800138001" in cell]
    assert list(world.ask(lambda session: list(audit.verify(session)))) == []


@pytest.mark.req("RE-05")
def test_without_a_note_there_is_no_row(world: World) -> None:
    reveal(world, "emergency", "")
    assert count_notes(world) == 0
    assert entries(world, "person.reveal")[0].details["note"] is False


@pytest.mark.req("RE-05")
def test_twenty_an_hour_and_no_more(world: World, fake_clock: FakeClock) -> None:
    _, _, visit = let_in(world)
    for _ in range(20):
        world.do(records.reveal, world.supervisor, visit.attempt_id, "emergency")
    with pytest.raises(TooMany):
        world.do(records.reveal, world.supervisor, visit.attempt_id, "emergency")
    world.do(records.reveal, world.manager, visit.attempt_id, "emergency")
    assert len(entries(world, "person.reveal")) == 21
    fake_clock.move(hours=1, seconds=1)
    world.do(records.reveal, world.supervisor, visit.attempt_id, "emergency")


@pytest.mark.req("RE-05", "SI-04")
@pytest.mark.parametrize("role", [role for role in Role if Right.REVEAL not in RIGHTS[role]])
def test_nobody_else_looks_behind_a_mask(world: World, role: Role) -> None:
    with pytest.raises(NotAllowed):
        reveal(world, by=actor(world.site.id, role))


@pytest.mark.req("RE-05")
def test_a_guest_of_another_site_is_not_shown(world: World) -> None:
    elsewhere = make_world(world.database, name="翠湖苑")
    _, _, visit = let_in(elsewhere)
    with pytest.raises(NotFound):
        world.do(records.reveal, world.supervisor, visit.attempt_id, "police")


@pytest.mark.req("RE-05", "RE-07")
def test_the_auditor_reads_the_note_and_that_is_on_record_too(world: World) -> None:
    reveal(world)
    (entry,) = entries(world, "person.reveal")
    reader = auditor(world)
    assert world.ask(records.notes_beside, reader, [entry.seq, entry.seq + 1]) == {entry.seq}
    assert world.do(records.read_note, reader, entry.seq) == NOTE
    (read,) = entries(world, "note.read")
    assert (read.actor, read.object_id) == (reader.account_id, str(entry.seq))


@pytest.mark.req("RE-05", "SI-04")
@pytest.mark.parametrize("role", [role for role in Role if Right.AUDIT_VIEW not in RIGHTS[role]])
def test_nobody_else_reads_a_note(world: World, role: Role) -> None:
    reveal(world)
    (entry,) = entries(world, "person.reveal")
    with pytest.raises(NotAllowed):
        world.do(records.read_note, actor(world.site.id, role), entry.seq)


@pytest.mark.req("RE-05")
def test_an_auditor_reads_no_note_of_another_site(world: World) -> None:
    reveal(world)
    (entry,) = entries(world, "person.reveal")
    elsewhere = make_world(world.database, name="翠湖苑")
    assert world.ask(records.notes_beside, auditor(elsewhere), [entry.seq]) == set()
    with pytest.raises(NotFound):
        world.do(records.read_note, auditor(elsewhere), entry.seq)


@pytest.mark.req("RE-04", "RE-05")
def test_the_note_goes_with_the_name_and_the_entry_stays(world: World, fake_clock: FakeClock) -> None:
    reveal(world)
    (entry,) = entries(world, "person.reveal")
    for row in world.ask(lambda session: list(session.exec(select(Visit)).all())):
        world.do(exits.leave, world.guard, row.id, world.both.id, "search")
    fake_clock.move(days=30, seconds=1)
    world.do(retention.purge, world.site.id, fake_clock.now())
    assert count_notes(world) == 0
    assert entries(world, "person.reveal")[0].seq == entry.seq
    with pytest.raises(NotFound):
        world.do(records.read_note, auditor(world), entry.seq)
    assert list(world.ask(lambda session: list(audit.verify(session)))) == []


@pytest.mark.req("RE-04", "RE-05")
def test_a_note_about_somebody_who_stays_goes_after_two_hundred_days(
    world: World, fake_clock: FakeClock
) -> None:
    reveal(world)  # the guest is never let out, so the name stays
    fake_clock.move(days=200)
    world.do(retention.purge, world.site.id, fake_clock.now())
    assert count_notes(world) == 1
    fake_clock.move(seconds=1)
    assert world.do(retention.purge, world.site.id, fake_clock.now()) == 1
    assert count_notes(world) == 0


@pytest.mark.req("RE-04", "RE-05")
def test_nothing_of_the_note_stays_in_the_stored_bytes(sqlite: Database, fake_clock: FakeClock) -> None:
    world = make_world(sqlite)
    reveal(world)
    (row,) = world.ask(lambda session: list(session.exec(select(RevealNote)).all()))
    sealed = row.note
    (visit,) = world.ask(lambda session: list(session.exec(select(Visit)).all()))
    world.do(exits.leave, world.guard, visit.id, world.both.id, "search")
    sqlite.engine.dispose()
    path = get_settings().data_dir / "gatehouse.db"
    assert sealed is not None
    assert sealed in stored(path)
    assert "陈警官".encode() not in stored(path)
    fake_clock.move(days=31)
    world.do(retention.purge, world.site.id, fake_clock.now())
    sqlite.engine.dispose()
    assert sealed not in stored(path)


def stored(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob("gatehouse.db*"))


CODE = re.compile(r"[a-z][a-z0-9_.]*")
ID = re.compile(r"[0-9a-f]{32}|account-\d+")


def values(details: object) -> Iterator[object]:
    if isinstance(details, dict):
        for value in details.values():
            yield from values(value)
    elif isinstance(details, list):
        for value in details:
            yield from values(value)
    else:
        yield details


@pytest.mark.req("RE-05", "RE-07")
def test_the_log_holds_codes_ids_and_numbers_whatever_people_write(world: World) -> None:
    reveal(world, "other")
    _, _, visit = let_in(world)
    world.do(exits.lose_pass, world.guard, visit.id, world.both.id, NOTE, identity_seen=True, paid=False)
    stranger = see_document(world, walk_in(world, plate="京A8C56Z", company=NOTE[:20]))
    asked = world.do(walk_ins.ask_host, world.guard, stranger.id)
    world.do(walk_ins.answer, world.host, asked.id, agree=False, note=NOTE)
    world.do(admission.refuse, world.guard, stranger.id, NOTE)
    make_account(world)
    world.do(sessions.sign_in, "guard.li", "Wrong-password-1", "10.0.0.1")
    world.do(sessions.sign_in, NOTE, NOTE, "10.0.0.1")
    world.do(set_times, world.manager, world.site.id, "nightly", {"picture_days": 3})
    log = world.ask(lambda session: list(session.exec(select(AuditEntry)).all()))
    assert len({entry.action for entry in log}) >= 12
    written = [entry.reason for entry in log if entry.reason]
    written += [value for entry in log for value in values(entry.details) if isinstance(value, str)]
    assert [word for word in written if not (CODE.fullmatch(word) or ID.fullmatch(word))] == []
    assert all(not entry.object_id or ID.fullmatch(entry.object_id) for entry in log)


@pytest.mark.req("RE-07", "EV-01")
@pytest.mark.parametrize(
    ("locale", "action", "reason", "words"),
    [
        ("zh-CN", "person.reveal", "police", "公安机关要求"),
        ("en", "person.reveal", "police", "Request of the police"),
        ("zh-CN", "visit.admit", "booked", "已预约，凭证有效"),
        ("zh-CN", "visit.close", "grace", "超时后自动结束"),
        ("en", "session.fail", "locked", "The account is locked"),
        ("en", "session.fail", "", ""),
        ("en", "person.reveal", "of_older_times", "of_older_times"),
    ],
)
def test_the_audit_page_gives_the_reason_in_words(
    world: World, locale: str, action: str, reason: str, words: str
) -> None:
    world.do(audit.record, world.manager, action, "thing", "", reason=reason)
    (entry,) = entries(world, action)
    assert _row(entry, {}, "Asia/Shanghai", locale)["reason"] == words


@pytest.mark.req("EV-01")
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_reason_has_words(locale: str) -> None:
    assert all(text(locale, f"reveal_reason.{code}") != f"reveal_reason.{code}" for code in RevealReason)
