"""The routes and the devices without the pages, under the real server, for what needs no browser.

with Gate() as gate:
    gate.world, gate.camera, gate.client(gate.sign_in(Role.GUARD))
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api import main
from app.core import database
from app.core.actor import SYSTEM
from app.core.ids import new_id
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.people import service as people
from app.domain.people import sessions
from app.domain.people.models import Account
from app.domain.sites.models import Device
from app.runtime import lifespan
from app.runtime.installation import open_installation
from tests.e2e.server import MEMORY, START_SECONDS, STOP_SECONDS, free_port
from tests.factories import PASSWORD, World, make_world
from tests.hardware.mjpeg import MjpegServer

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)


def create() -> FastAPI:
    """What the server runs: all routes, with the product's own start and stop."""
    api = main.create()

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        async with lifespan.run():
            yield

    api.router.lifespan_context = run
    return api


class Gate:
    """A running gate with one camera; its database is open in this process as well, as a command's would be."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-gate-", dir=MEMORY))
        self._picture = MjpegServer()
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv("GATEHOUSE_DATA_DIR", str(self._folder / "data"))
        self._patch.setenv("GATEHOUSE_DATABASE_URL", "")
        get_settings.cache_clear()
        self.world: World = make_world(open_installation(migrate=True))
        self.camera = self._add_camera()
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = self._folder / "server.log"
        self._process = self._start()

    def sign_in(self, *roles: Role) -> tuple[Account, str]:
        """Somebody new with these roles, and the session's secret."""
        username = f"user.{next(_numbers)}"

        def work(session):
            person = people.add_person(session, self.world.site.id, people.STAFF, "李建国")
            made = people.create_account(
                session, SYSTEM, self.world.site.id, person, username, PASSWORD, roles, must_change=False
            )
            signed_in = sessions.sign_in(session, username, PASSWORD, "127.0.0.1")
            assert signed_in is not None
            return made, signed_in.secret

        return self.world.do(work)

    def client(self, secret: str) -> httpx.Client:
        """A browser with that session."""
        return httpx.Client(
            base_url=self.url,
            cookies={"gatehouse": secret},
            headers={"Origin": self.url},
            trust_env=False,
            timeout=20,
        )

    def close(self) -> None:
        """Stop everything and remove the folder."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._picture.close()
        self.world.database.close()
        database._database = None
        self._patch.undo()
        get_settings.cache_clear()
        shutil.rmtree(self._folder)

    def _add_camera(self) -> str:
        settings = {"source": self._picture.url, "read_codes": False}
        lane = self.world.both
        device = Device(
            id=new_id(),
            site_id=lane.site_id,
            lane_id=lane.id,
            driver="camera",
            name="门前",
            settings=settings,
        )
        self.world.do(lambda session: session.add(device))
        return device.id

    def _start(self) -> subprocess.Popen[bytes]:
        port = self.url.rpartition(":")[2]
        command = ["-m", "granian", "--interface", "asgi", "--factory", "tests.api.gate:create"]
        options = ["--host", "127.0.0.1", "--port", port, "--workers-kill-timeout", "2"]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command, *options],
                cwd=ROOT,
                env={**os.environ, "GATEHOUSE_HOST": "127.0.0.1"},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).is_success:
                    return process
            except httpx.TransportError:
                time.sleep(0.1)
        process.kill()
        raise RuntimeError(f"the gate did not start:\n{self._log.read_text('utf-8', errors='replace')}")
