"""Fixtures and order for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = [
    "pytester",
    "tests.plugins.requirements",
    "tests.plugins.sockets",
    "tests.plugins.browser",
    "tests.plugins.postgres",
]

ROOT = Path(__file__).resolve().parent.parent
# A mistake shows soonest where it is cheapest to find. Folders not named here run between the two ends.
FIRST = ("architecture", "core", "domain", "hardware", "adapters", "runtime", "state", "api", "components")
LAST = ("e2e",)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


def _rank(item: pytest.Item) -> int:
    path = Path(item.path)
    folder = path.relative_to(ROOT / "tests").parts[0] if path.is_relative_to(ROOT / "tests") else ""
    # Playwright keeps an event loop in the main thread, beside which no async test can run: browsers come last.
    if "browser" in getattr(item, "fixturenames", ()):
        return len(FIRST) + 2
    if folder in LAST:
        return len(FIRST) + 1
    return FIRST.index(folder) if folder in FIRST else len(FIRST)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first, browser tests last."""
    items.sort(key=_rank)
