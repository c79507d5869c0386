"""One real server for each worker: the operator's own commands, on a free port and a folder of its own.

A folder whose tests want it names this plugin in its ``conftest.py``; see ``tests/e2e/conftest.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.commands import frontend
from tests.e2e.backstage import ROOT, Backstage

START_SECONDS = 120.0  # a shared machine may be slow at any moment
STOP_SECONDS = 15.0
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running installation with the demonstration community."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port()
        self.uses_tls = "GATEHOUSE_TLS_CERTIFICATE" in environment
        self.url = f"{'https' if self.uses_tls else 'http'}://127.0.0.1:{self.port}"
        self.environment = {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("GATEHOUSE_", "PYTEST_"))
            },
            "GATEHOUSE_DATA_DIR": str(self.data),
            "GATEHOUSE_PORT": str(self.port),
            "GATEHOUSE_HOST": "127.0.0.1",
            "GATEHOUSE_PUBLIC_URL": self.url,
            "GATEHOUSE_DEMO": "1",
            "LANG": "C.UTF-8",
            "PYTHONPATH": "",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._backstage: Backstage | None = None

    def prepare(self) -> None:
        """Make the demonstration community."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "demo"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the demonstration could not be made:\n{done.stdout}{done.stderr}")

    def start(self, wrapper: tuple[str, ...] = ()) -> None:
        """Start and wait for the first answer."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "app.cli", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(
                    f"{self.url}/healthz", timeout=2, trust_env=False, verify=not self.uses_tls
                ).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{self.log_text()[-4000:]}")

    def kill(self) -> None:
        """Take it away at once, all processes of it (kill -9)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        if self._backstage is not None:
            self._backstage.close()
            self._backstage = None
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        group = os.getpgid(process.pid)
        os.killpg(group, sign)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            process.wait(STOP_SECONDS)

    @property
    def backstage(self) -> Any:
        """Prepares people, lanes and bookings."""
        if self._backstage is None:
            self._backstage = Backstage(self.environment)
        return self._backstage

    def log_text(self) -> str:
        """Everything that the server has printed."""
        return self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""

    def sign_in_lines(self) -> list[tuple[str, str, str, str]]:
        """Role, name, user name and password of the demonstration's accounts."""
        return [tuple(line) for line in json.loads((self.data / "demo-sign-in.json").read_text("utf-8"))]

    def password(self, username: str) -> str:
        """The password of an account of the demonstration."""
        return next(line[3] for line in self.sign_in_lines() if line[2] == username)

    def cookie(self, username: str) -> str:
        """A new session of an account of the demonstration; an older one may have ended since, idle or signed out."""
        return str(self.backstage.cookie(username=username))

    def client(self, cookie: str = "", **options: Any) -> httpx.Client:
        """A client of the routes; like a browser it names its origin."""
        headers = {"Origin": self.url, **options.pop("headers", {})}
        cookies = {"gatehouse": cookie} if cookie else {}
        return httpx.Client(
            base_url=self.url, headers=headers, cookies=cookies, trust_env=False, timeout=20, **options
        )


def make_server(**environment: str) -> Server:
    """A server in a folder of its own, prepared but not started."""
    if not frontend.is_built():
        pytest.fail(
            "The pages are not built, or not from these sources: run `python -m app.cli build` first."
        )
    server = Server(Path(tempfile.mkdtemp(prefix="gatehouse-e2e-", dir=MEMORY)), **environment)
    server.prepare()
    return server


def remove(server: Server) -> None:
    """Stop a server and remove its folder."""
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The worker's server."""
    running = make_server()
    try:
        running.start()
        yield running
    finally:
        remove(running)


@pytest.fixture
def backstage(server: Server) -> Any:
    """What prepares people, lanes and bookings in the worker's server."""
    return server.backstage
