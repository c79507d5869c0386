"""These tests use the worker's server."""

from __future__ import annotations

import pytest

from tests.e2e import server


def pytest_configure(config: pytest.Config) -> None:
    """Have the server's fixtures at hand, once however many folders want them."""
    if not config.pluginmanager.has_plugin("gatehouse-server"):
        config.pluginmanager.register(server, "gatehouse-server")
