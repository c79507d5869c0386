"""A gate with a lane's computer: the real server, the real agent as a process of its own, and a line that can be cut.

with Rig() as rig:
    rig.agent.enrol(rig.code), rig.agent.start(), rig.line.cut()
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
from sqlmodel import Session, col, select

from app.core.actor import SYSTEM
from app.core.ids import new_id
from app.domain.admission.models import Attempt, EvidenceRow
from app.domain.sites import agents
from app.domain.sites.models import Device, LaneAgent
from hardware.agent import files
from hardware.simulators.id_card_reader import IdCardReaderEmulator
from tests.api.gate import ROOT, Gate
from tests.e2e.server import MEMORY

STOP_SECONDS = 20.0


class Line:
    """A TCP relay between agent and server: cut it, and every connection breaks in the middle of whatever it carries."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._up, self._flows = threading.Event(), threading.Event()
        self._up.set()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.accepted = 0
        self.cut_after: int | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Break what is open and refuse what comes."""
        self._up.clear()
        self._break()

    def mend(self) -> None:
        """Let connections through again."""
        self.cut_after = None
        self._up.set()

    def hold(self) -> None:
        """Keep what is on its way, as a bad line does: it arrives later, all of it."""
        self._flows.clear()

    def release(self) -> None:
        """Let it arrive."""
        self._flows.set()

    def swallow_answers(self, after: int) -> None:
        """From now on break each connection once so many bytes of an answer came back."""
        self.cut_after = after
        self._break()

    def close(self) -> None:
        self._listener.close()
        self._flows.set()
        self._break()

    def _break(self) -> None:
        with self._lock:
            for open_ in self._open:
                with contextlib.suppress(OSError):
                    open_.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if not self._up.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._carry, args=(source, sink, answers), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                passed += len(data)
                if answers and self.cut_after is not None and passed > self.cut_after:
                    break
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with self._lock:
            self._open -= {source, sink}


class AgentProcess:
    """The agent as its installer runs it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._url = url
        self._log = folder.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hardware.agent", *words, "--data", str(self.folder)],
            cwd=ROOT,
            env={**os.environ, "LANG": "en_US.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def enrol(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.command("enrol", self._url, code)

    def start(self, limit_kb: int = 0, options: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "hardware.agent", "run", "--data", str(self.folder), *options]
        if limit_kb:
            command = ["prlimit", f"--fsize={limit_kb * 1024}", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """Take it away as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def stop(self) -> int:
        """Ask it to stop; returns the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    @property
    def status(self) -> dict[str, Any]:
        return files.load_status(self.folder) or {}

    def log_text(self) -> str:
        return self._log.read_text("utf-8", errors="replace") if self._log.exists() else ""


class RemoteGate(Gate):
    """A gate where a reader and a camera of the first lane are run by its computer."""

    def _add_camera(self) -> str:
        self.port = self._folder / "reader"
        lane = self.world.both
        self.agent, self.code = self.world.do(agents.create, SYSTEM, "东门工控机", [lane.id])
        self.reader = self._add("id_card", "证件阅读器", {"port": str(self.port)})
        return self._add("camera", "车道相机", {"source": self._picture.url, "read_codes": False})

    def _add(self, driver: str, name: str, settings: dict[str, Any]) -> str:
        lane = self.world.both
        device = Device(
            id=new_id(), site_id=lane.site_id, lane_id=lane.id, driver=driver, name=name, settings=settings
        )
        device.agent_id = self.agent.id
        self.world.do(lambda session: session.add(device))
        return device.id

    def restart(self) -> None:
        """Start the server again on the same data and the same port."""
        self._process = self._start()

    def halt(self) -> None:
        """Take the server away at once, its worker too: Granian's own end would leave that running."""
        processes = [*psutil.Process(self._process.pid).children(recursive=True), self._process]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes[:-1], STOP_SECONDS)
        self._process.wait()


class Rig:
    """Server, line, agent and the reader on its port."""

    def __init__(self) -> None:
        self.gate = RemoteGate()
        self.world = self.gate.world
        self.line = Line(int(self.gate.url.rpartition(":")[2]))
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-agent-", dir=MEMORY))
        self.agent = AgentProcess(self._folder / "agent", self.line.url)
        self.card: IdCardReaderEmulator | None = None

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.agent.stop()
        finally:
            self.unplug()
            self.line.close()
            self.gate.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def plug(self) -> IdCardReaderEmulator:
        """Plug the reader into the agent's computer, under its lasting name."""
        self.card = IdCardReaderEmulator()
        self.card.start()
        self.gate.port.symlink_to(os.path.realpath(self.card.port))
        return self.card

    def unplug(self) -> None:
        """Pull its cable."""
        if self.card is not None:
            self.gate.port.unlink(missing_ok=True)
            self.card.stop()
            self.card = None

    @property
    def row(self) -> LaneAgent:
        return self.world.get(LaneAgent, self.gate.agent.id)

    def device(self, device_id: str) -> tuple[str, str]:
        found = self.world.get(Device, device_id)
        return found.status, found.status_detail

    def recorded(self) -> list[str]:
        """The nonces of all evidence without their lane, in the order in which the server recorded it."""

        def ask(session: Session) -> list[str]:
            query = select(EvidenceRow.nonce).order_by(col(EvidenceRow.id))
            return [nonce.partition(":")[2] for nonce in session.exec(query)]

        return self.world.ask(ask)

    def attempts(self) -> list[Attempt]:
        return list(self.world.ask(lambda s: s.exec(select(Attempt).order_by(col(Attempt.id))).all()))

    def enrolment(self) -> files.Enrolment:
        return files.load_enrolment(self.agent.folder)

    def client(self, secret: str = "") -> httpx.Client:
        """The routes as the enrolled computer calls them, past the line."""
        headers = {"Authorization": f"Bearer {secret or self.enrolment().secret}"}
        return httpx.Client(base_url=self.gate.url, headers=headers, trust_env=False, timeout=20)


def dump(value: Any) -> str:
    """For messages of assertions."""
    return json.dumps(value, ensure_ascii=False, default=str)
