"""These tests use the worker's server and browsers on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e import server
from tests.e2e.pages import NewContext, person
from tests.e2e.server import Server

_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Have the server's fixtures at hand, once however many folders want them."""
    if not config.pluginmanager.has_plugin("gatehouse-server"):
        config.pluginmanager.register(server, "gatehouse-server")


@dataclass
class Gate:
    """A lane, its guard and a household of this test alone."""

    server: Server
    new_context: NewContext
    lane: str
    title: str
    key: str
    guard: dict[str, str]
    host: dict[str, str]
    unit: str

    def desk(self, **options: Any) -> BrowserContext:
        """The guard's browser."""
        return person(self.new_context, self.server, self.guard["cookie"], **options)

    def home(self, **options: Any) -> BrowserContext:
        """The resident's phone."""
        return person(self.new_context, self.server, self.host["cookie"], viewport=(360, 780), **options)

    def second_guard(self) -> BrowserContext:
        """Another guard at the same lane."""
        other = self.server.backstage.account(roles=["guard"], name="周海")
        self.server.backstage.on_duty(username=other["username"], lane=self.lane)
        return person(self.new_context, self.server, other["cookie"])

    def guest(self, name: str, **options: Any) -> dict[str, str]:
        """A guest whom the household expects."""
        made: dict[str, str] = self.server.backstage.guest(host=self.host["username"], name=name, **options)
        return made

    def present(self, text: str, kind: str = "code", *, admit: bool = False) -> dict[str, Any]:
        """What the lane's computer hands over when it has read something."""
        with self.server.client(headers={"Authorization": f"Bearer {self.key}"}) as client:
            body = {"kind": kind, "text": text, "nonce": f"present-{next(_numbers):06}", "admit": admit}
            answer = client.post(f"/api/v1/lanes/{self.lane}/present", json=body)
            answer.raise_for_status()
            made: dict[str, Any] = answer.json()
            return made

    def show_phone(self, guest: dict[str, str], kind: str = "live") -> dict[str, Any]:
        """The guest's code is read at the lane."""
        return self.present(self.server.backstage.code(booking=guest["booking"], kind=kind))


@pytest.fixture
def gate(server: Server, new_context: NewContext) -> Gate:
    """A lane of this test's own, with its guard on duty."""
    backstage, number = server.backstage, next(_numbers)
    unit = f"{number} 号楼 {number}01"
    lane = backstage.lane()
    guard = backstage.account(roles=["guard"], name="李建国")
    backstage.on_duty(username=guard["username"], lane=lane["lane"])
    host = backstage.account(roles=["resident"], name="王建平", phone=f"1370013{number:04}", unit=unit)
    return Gate(server, new_context, lane["lane"], lane["title"], lane["key"], guard, host, unit)
