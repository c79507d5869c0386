"""The limits an operator sets for the installation: read within bounds, and obeyed."""

from __future__ import annotations

import pytest

from app.core.errors import TooMany
from app.core.settings import SettingError, Settings, get_settings
from app.domain.people import sessions
from app.domain.records import service as records
from tests.factories import PASSWORD, World, let_in, make_account
from tests.installation import FakeClock


def use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"GATEHOUSE_{name}", value)
    get_settings.cache_clear()


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SIGN_IN_FAILURES", "2"),
        ("SIGN_IN_FAILURES", "11"),
        ("SIGN_IN_LOCK_MINUTES", "9"),
        ("SIGN_IN_LOCK_MINUTES", ""),
        ("SIGN_IN_ADDRESS_ATTEMPTS", "4"),
        ("REVEALS_PER_HOUR", "0"),
        ("REVEALS_PER_HOUR", "many"),
        ("IDLE_MINUTES_MANAGER", "61"),
        ("IDLE_MINUTES_STAFF", "0"),
        ("PORT", "65536"),
        ("LOST_PASS_FEE_FEN", "-1"),
    ],
)
def test_a_setting_beyond_its_bounds_is_named_and_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    monkeypatch.setenv(f"GATEHOUSE_{name}", wrong)
    with pytest.raises(SettingError, match=f"GATEHOUSE_{name}"):
        Settings()


@pytest.mark.req("EV-05")
def test_the_lock_after_wrong_passwords_is_the_operator_s(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, SIGN_IN_FAILURES="3", SIGN_IN_LOCK_MINUTES="60")
    make_account(world)
    for _ in range(3):
        assert world.do(sessions.sign_in, "guard.li", "Wrong-password-1", "10.0.0.1") is None
    fake_clock.move(minutes=59, seconds=59)
    assert world.do(sessions.sign_in, "guard.li", PASSWORD, "10.0.0.1") is None
    fake_clock.move(seconds=1)
    assert world.do(sessions.sign_in, "guard.li", PASSWORD, "10.0.0.1") is not None


@pytest.mark.req("EV-05")
def test_the_patience_with_one_address_is_the_operator_s(
    world: World, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, SIGN_IN_ADDRESS_ATTEMPTS="5", SIGN_IN_LOCK_MINUTES="10")
    for _ in range(5):
        sessions.check_address("10.0.0.9")
    with pytest.raises(TooMany) as caught:
        sessions.check_address("10.0.0.9")
    assert caught.value.params == {"minutes": 10}
    fake_clock.move(minutes=10, seconds=1)
    sessions.check_address("10.0.0.9")


@pytest.mark.req("RE-05")
def test_how_many_may_be_unmasked_an_hour_is_the_operator_s(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, REVEALS_PER_HOUR="1")
    _, _, visit = let_in(world)
    world.do(records.reveal, world.manager, visit.attempt_id, "contact")
    with pytest.raises(TooMany):
        world.do(records.reveal, world.manager, visit.attempt_id, "contact")
