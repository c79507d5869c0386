"""Which pages may open a socket or send a form: our own, under whatever address they were loaded from."""

from __future__ import annotations

import pytest

from app.core.origins import is_own
from app.core.settings import get_settings


@pytest.mark.req("EV-05")
@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:8020", "localhost:8020", True),
        ("https://localhost:8020", "localhost:8020", True),
        ("http://192.168.1.5:8020", "192.168.1.5:8020", True),
        ("https://gate.example", "gate.example", True),
        ("https://gate.example", "127.0.0.1:8020", True),
        ("http://[::1]:8020", "[::1]:8020", True),
        ("http://evil.example", "localhost:8020", False),
        ("http://localhost:8021", "localhost:8020", False),
        ("http://localhost:8020.evil.example", "localhost:8020", False),
        ("http://evil.example/localhost:8020", "localhost:8020", False),
        ("http://localhost:8020@evil.example", "localhost:8020", False),
        ("null", "localhost:8020", False),
        ("", "localhost:8020", False),
        ("", "", False),
        ("null", "", False),
    ],
)
def test_only_the_host_asked_or_the_public_address_is_own(
    monkeypatch: pytest.MonkeyPatch, origin: str, host: str, *, expected: bool
) -> None:
    monkeypatch.setenv("GATEHOUSE_PUBLIC_URL", "https://gate.example")
    get_settings.cache_clear()
    try:
        assert is_own(origin, host) is expected
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


@pytest.mark.req("EV-05")
def test_without_a_public_address_nothing_else_is_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEHOUSE_PUBLIC_URL", raising=False)
    get_settings.cache_clear()
    try:
        assert not is_own("null", "")
        assert not is_own("https://gate.example", "localhost:8020")
    finally:
        get_settings.cache_clear()
