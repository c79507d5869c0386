"""The audit log: whatever is done to it afterwards is found, and an act that cannot be logged does not happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, select

from app.core import audit
from app.core.actor import SYSTEM
from app.core.audit import AuditEntry, Fault
from app.core.database import Database
from app.core.settings import get_settings
from app.domain.admission import service as admission
from app.domain.admission.models import Attempt
from app.domain.booking.models import Booking
from app.domain.people import service as people
from app.domain.people.models import Person
from tests.factories import World, admit, invitation, invite, let_in, show_code


@pytest.fixture
def log(installation: Database) -> Database:
    """A log of five entries, its head shipped."""

    def work(session: Session) -> None:
        for number in range(1, 6):
            audit.record(session, SYSTEM, "test.act", "thing", str(number), details={"名": "值", "n": number})

    installation.write_now(work)
    installation.read_now(lambda session: audit.ship_head(session, folder()))
    return installation


def folder() -> Path:
    return get_settings().data_dir


def faults(log: Database) -> list[Fault]:
    return log.read_now(lambda session: list(audit.verify(session, folder())))


def tamper(log: Database, *statements: str) -> None:
    with log.engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


@pytest.mark.req("RE-07")
def test_an_untouched_log_has_no_fault(log: Database) -> None:
    assert faults(log) == []


@pytest.mark.req("RE-07")
def test_a_whole_visit_leaves_a_sound_log(world: World) -> None:
    let_in(world)
    assert list(world.ask(lambda session: list(audit.verify(session)))) == []
    actions = world.ask(
        lambda session: list(session.exec(select(AuditEntry.action).order_by(AuditEntry.seq)).all())
    )
    assert actions[-2:] == ["booking.create", "visit.admit"]


@pytest.mark.req("RE-07")
@pytest.mark.parametrize(
    "change",
    [
        "actor = 'systen'",
        "role = 'x'",
        "site_id = 'x'",
        "action = 'test.acu'",
        "object_kind = 'thinh'",
        "object_id = '4'",
        "result = 'ol'",
        "reason = ' '",
        """details = '{"n": 4, "名": "值"}'""",
        "ip = '1'",
        "at = '2026-03-02 02:00:00.000001'",
    ],
)
def test_one_changed_byte_is_found(log: Database, change: str) -> None:
    tamper(log, f"UPDATE audit_entry SET {change} WHERE seq = 3")
    assert faults(log) == [Fault(3, "altered")]


@pytest.mark.req("RE-07")
def test_a_change_whose_hash_was_made_to_fit_is_found_at_the_next_entry(log: Database) -> None:
    def forge(session: Session) -> None:
        entry = session.get(AuditEntry, 3)
        assert entry is not None
        entry.actor = "nobody"
        entry.hash = audit._digest(entry.model_dump(), entry.prev_hash)
        session.add(entry)

    log.write_now(forge)
    assert faults(log) == [Fault(4, "chain")]


@pytest.mark.req("RE-07")
def test_a_deleted_row_is_found(log: Database) -> None:
    tamper(log, "DELETE FROM audit_entry WHERE seq = 3")
    assert Fault(3, "missing") in faults(log)


@pytest.mark.req("RE-07")
def test_two_exchanged_rows_are_found(log: Database) -> None:
    tamper(
        log,
        "UPDATE audit_entry SET seq = 99 WHERE seq = 2",
        "UPDATE audit_entry SET seq = 2 WHERE seq = 3",
        "UPDATE audit_entry SET seq = 3 WHERE seq = 99",
    )
    assert {fault.seq for fault in faults(log)} >= {2, 3}


@pytest.mark.req("RE-07")
def test_a_cut_tail_is_found_by_the_shipped_head(log: Database) -> None:
    tamper(log, "DELETE FROM audit_entry WHERE seq > 3")
    assert faults(log) == [Fault(5, "tail")]


@pytest.mark.req("RE-07")
def test_an_emptied_log_is_found_by_the_shipped_head(log: Database) -> None:
    tamper(log, "DELETE FROM audit_entry")
    assert faults(log) == [Fault(5, "tail")]


@pytest.mark.req("RE-07")
@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"seq": 3, "hash": "00", "mac": "00"}', "\ufffd"]
)
def test_a_forged_head_is_found(log: Database, content: str) -> None:
    (folder() / audit.HEAD_FILE).write_text(content, "utf-8")
    assert [fault.kind for fault in faults(log)] == ["tail"]


@pytest.mark.req("RE-07")
def test_what_comes_after_the_shipped_head_is_no_fault(log: Database) -> None:
    log.write_now(lambda session: audit.record(session, SYSTEM, "test.act", "thing", "6"))
    assert faults(log) == []


@pytest.mark.req("RE-07")
def test_an_act_that_cannot_be_logged_does_not_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    booking, issued, _ = invite(world)
    attempt = show_code(world, issued)

    def broken(*_args: object) -> bytes:
        raise OSError("no log")

    monkeypatch.setattr(audit, "_digest", broken)
    with pytest.raises(OSError, match="no log"):
        admit(world, attempt)
    with pytest.raises(OSError, match="no log"):
        world.do(admission.refuse, world.guard, attempt.id)
    assert world.get(Attempt, attempt.id).status == "open"
    assert world.get(Booking, booking.id).status == "approved"


@pytest.mark.req("RE-07", "RE-05")
def test_the_log_names_nobody(world: World) -> None:
    form = invitation(world)
    let_in(world)
    person = world.do(people.add_person, world.site.id, people.VISITOR, form.name, form.phone)
    assert isinstance(person, Person)
    text = world.ask(lambda session: "".join(e.model_dump_json() for e in _without_hashes(session)))
    assert form.name not in text
    assert form.phone not in text


def _without_hashes(session: Session) -> list[AuditEntry]:
    entries = list(session.exec(select(AuditEntry)).all())
    for entry in entries:
        entry.hash = entry.prev_hash = b""
    return entries


@pytest.mark.req("RE-07")
def test_entries_written_at_the_same_moment_make_one_chain(installation: Database) -> None:
    def work(number: int) -> None:
        installation.write_now(
            lambda session: audit.record(session, SYSTEM, "test.act", "thing", str(number))
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
    assert faults(installation) == []
    assert installation.read_now(audit.head)[0] == 20
