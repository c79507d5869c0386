"""Opening an installation for the first time, and the first account."""

from __future__ import annotations

import pytest

from app.core import clock
from app.core.database import Database
from app.core.errors import Conflict, GateError, NotAllowed
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.people import sessions
from app.runtime import installation as runtime
from tests.factories import PASSWORD


def first_run(database: Database, token: str, password: str = PASSWORD):
    return database.write_now(
        lambda s: runtime.first_run(s, token, "锦绣花园", "residential", "张经理", "manager", password)
    )


@pytest.mark.req("EV-05")
def test_the_first_run_makes_a_site_and_its_manager_once(sqlite: Database) -> None:
    folder = get_settings().data_dir
    assert sqlite.read_now(runtime.needs_setup)
    account = first_run(sqlite, runtime.setup_token(folder))
    assert account.roles == [Role.ADMIN]
    assert not (folder / runtime.SETUP_FILE).exists()
    assert sqlite.write_now(lambda s: sessions.sign_in(s, "manager", PASSWORD, "")) is not None
    with pytest.raises(Conflict):
        first_run(sqlite, runtime.setup_token(folder))


@pytest.mark.req("EV-05")
@pytest.mark.parametrize("token", ["", " ", "0000-0000-0000-0000", "错"])
def test_the_first_run_needs_the_printed_word(sqlite: Database, token: str) -> None:
    runtime.setup_token(get_settings().data_dir)
    with pytest.raises(NotAllowed):
        first_run(sqlite, token)
    assert sqlite.read_now(runtime.needs_setup)


@pytest.mark.req("EV-05")
def test_an_empty_token_file_opens_nothing(sqlite: Database) -> None:
    (get_settings().data_dir / runtime.SETUP_FILE).touch()
    with pytest.raises(NotAllowed):
        first_run(sqlite, "")


@pytest.mark.req("EV-05")
def test_the_first_manager_needs_a_strong_password_and_a_failed_run_leaves_nothing(sqlite: Database) -> None:
    token = runtime.setup_token(get_settings().data_dir)
    with pytest.raises(GateError):
        first_run(sqlite, token, "Abcd-1234")
    assert sqlite.read_now(runtime.needs_setup)
    assert first_run(sqlite, token).username == "manager"


@pytest.mark.req("EV-05")
def test_the_word_and_the_key_are_for_their_owner_only(sqlite: Database) -> None:
    folder = get_settings().data_dir
    runtime.setup_token(folder)
    assert (folder / runtime.SETUP_FILE).stat().st_mode & 0o077 == 0
    assert (folder / "keys" / "kek").stat().st_mode & 0o077 == 0
    assert runtime.is_open()
    assert clock.current().trusted()
