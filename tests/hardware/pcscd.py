"""The machine's real PC/SC daemon with a private configuration, and a card that reaches it over TCP."""

from __future__ import annotations

import contextlib
import fcntl
import random
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hardware.simulators.card_transport import VirtualCard

DAEMON = Path("/usr/sbin/pcscd")
VPCD = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SOCKET = "/run/pcscd/pcscd.comm"
READER = "Gate A 00 00"
POWER_AND_ATR = 1
GET_ATR = 4


def missing_for_pcscd() -> str:
    """Name what is not installed, or that the one place for a daemon is taken."""
    if running():
        return "the place of another pcscd that runs on this machine"
    return next((str(path) for path in (DAEMON, VPCD) if not path.exists()), "")


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the machine's one place for a daemon, against other test processes too."""
    with (Path(tempfile.gettempdir()) / "gatehouse-pcscd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Pcscd:
    """The daemon with one reader of two slots."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_ports()
        self._folder = folder / "reader.conf.d"
        self._folder.mkdir()
        (self._folder / "gate").write_text(_entry("Gate A", self.port))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        Path(SOCKET).parent.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [DAEMON, "--foreground", "--config", self._folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 5
        pause = threading.Event()
        while not running():
            assert time.monotonic() < deadline, "pcscd does not answer"
            pause.wait(0.01)

    def plug_in(self, name: str) -> int:
        """Have one more reader from the next start on; returns its port. (This daemon reads serial readers only then.)"""
        port = _free_ports()
        (self._folder / name).write_text(_entry(name, port))
        return port

    def unplug(self, name: str) -> None:
        """Be without that reader from the next start on."""
        (self._folder / name).unlink()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does, without goodbye to its clients."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(5)


def _entry(name: str, port: int) -> str:
    """A reader as the daemon's configuration has it."""
    return f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:{port:#x}\nLIBPATH {VPCD}\nCHANNELID {port:#x}\n'


def running() -> bool:
    """Whether a daemon answers."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(SOCKET) == 0


def _free_ports() -> int:
    """Find a port whose successor is free too: vpcd opens one for each of its two slots.

    Below those that the system gives out by itself: the daemon opens it later, and nobody may take it meanwhile.
    """
    for port in random.sample(range(20_000, 30_000, 2), 500):
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("", port))
            second.bind(("", port + 1))
            return port
    raise OSError("no two free ports")


class TcpCard:
    """A card on the virtual reader: connecting is laying it down, closing is taking it away."""

    def __init__(
        self, port: int, uid: str, *, pull_on_command: int = 0, files: dict[bytes, bytes] | None = None
    ) -> None:
        self._card = VirtualCard(bytes.fromhex(uid), files=files)
        self._pull = int(pull_on_command)
        self._link = socket.create_connection(("127.0.0.1", port), 5)
        self._link.settimeout(None)
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._serve, name="card-tcp", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                message = self._receive(struct.unpack(">H", self._receive(2))[0])
                if len(message) == POWER_AND_ATR:
                    if message[0] != GET_ATR:
                        continue
                    answer = self._card.atr
                elif self._pull == 1:
                    self._link.shutdown(socket.SHUT_RDWR)
                    return
                else:
                    self._pull -= self._pull > 0
                    answer = self._card.answer(message)
                self._link.sendall(struct.pack(">H", len(answer)) + answer)

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            # vpcd sends length and body apart; without this each command waits 40 ms for a delayed acknowledgement.
            self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._link.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data
