"""What no row names leaves the vault after a day; what any row names stays, however old."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel, insert

from app.core import vault
from app.core.errors import NotFound
from app.core.settings import get_settings
from app.core.types import VaultFile
from app.domain.admission.case_models import CaseFile
from app.domain.admission.models import Attempt
from app.domain.records import vault_sweep
from tests.factories import World, walk_in
from tests.installation import FakeClock

SOURCES = Path(__file__).parents[2]
OLD = timedelta(days=1, minutes=1)


def stored(fake_clock: FakeClock, age: timedelta) -> str:
    """A file of the vault that was written so long ago."""
    file_id = vault.put(b"\xff\xd8 somebody")
    written = (fake_clock.now() - age).timestamp()
    os.utime(vault._path(file_id), (written, written))
    return file_id


@pytest.mark.req("RE-04")
def test_a_file_that_no_row_names_goes_after_a_day_and_not_before(
    world: World, fake_clock: FakeClock
) -> None:
    old, fresh = stored(fake_clock, OLD), stored(fake_clock, timedelta(hours=23))
    assert world.ask(lambda session: vault_sweep.sweep(session, fake_clock.now())) == 1
    with pytest.raises(NotFound):
        vault.get(old)
    assert vault.get(fresh)


@pytest.mark.req("RE-04")
def test_a_half_written_file_of_a_crash_goes_too(world: World, fake_clock: FakeClock) -> None:
    folder = get_settings().data_dir / "vault" / "ab"
    folder.mkdir(parents=True)
    half = folder / ("0" * 30 + "ab.part")
    half.write_bytes(b"half")
    written = (fake_clock.now() - OLD).timestamp()
    os.utime(half, (written, written))
    assert world.ask(lambda session: vault_sweep.sweep(session, fake_clock.now())) == 1
    assert not half.exists()


def named() -> list[tuple[str, str]]:
    return sorted(
        (table.name, column.name)
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, VaultFile)
    )


@pytest.mark.req("RE-04")
def test_a_file_that_any_row_names_stays(world: World, fake_clock: FakeClock) -> None:
    attempt = walk_in(world)
    kept = {name: stored(fake_clock, timedelta(days=400)) for name in ("snapshot", "picture", "document")}
    case = {
        "id": "c" * 32,
        "site_id": attempt.site_id,
        "year": 2026,
        "number": 1,
        "attempt_id": attempt.id,
        "lane_id": attempt.lane_id,
        "kind": "document",
        "risk_class": "medium",
        "status": "open",
        "opened_at": fake_clock.now(),
        "picture_id": kept["picture"],
        "picture_state": "kept",
        "document_id": kept["document"],
    }

    def lay(session: object) -> None:
        session.get(Attempt, attempt.id).snapshot_id = kept["snapshot"]  # type: ignore[attr-defined]
        session.execute(insert(CaseFile).values(case))  # type: ignore[attr-defined]

    world.do(lay)
    assert world.ask(lambda session: vault_sweep.sweep(session, fake_clock.now())) == 0
    assert all(vault.get(file_id) for file_id in kept.values())


def test_whoever_stores_a_file_has_a_column_that_the_sweep_knows() -> None:
    """A new caller belongs into this list once its column is a ``VaultFile``: the sweep would delete its files."""
    callers = {
        str(path.relative_to(SOURCES))
        for folder in ("app", "state", "hardware")
        for path in (SOURCES / folder).rglob("*.py")
        if re.search(r"\bvault\.put\b", path.read_text("utf-8"))
    }
    assert callers == {"app/api/visitor_photo.py", "app/runtime/case_pictures.py", "state/desk_tasks.py"}
    assert named() == [
        ("attempt", "snapshot_id"),
        ("booking_photo", "file_id"),
        ("case_file", "document_id"),
        ("case_file", "picture_id"),
    ]
