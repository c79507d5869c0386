"""A browser without a page: speaks to the event socket directly, as an attacker would."""

from __future__ import annotations

import json
import secrets
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.e2e.server import Server

SPACE = "/_event"


class RawSocket:
    """One tab. ``cookie`` is the session's; ``token`` names the tab's state and is the client's own choice."""

    def __init__(
        self,
        server: Server,
        cookie: str = "",
        *,
        token: str = "",
        origin: str | None = "",
        name: str = "gatehouse",
    ) -> None:
        self.token = token or secrets.token_hex(16)
        headers = {"Cookie": f"{name}={cookie}"} if cookie else {}
        address = f"ws://127.0.0.1:{server.port}/_event/?EIO=4&transport=websocket&token={self.token}"
        self._socket: ClientConnection = connect(
            address,
            additional_headers=headers,
            origin=(server.url if origin == "" else origin),  # type: ignore[arg-type]
            open_timeout=10,
            proxy=None,
            legacy=True,
        )
        self._receive("0")
        self._socket.send(f"40{SPACE},")
        self._receive(f"40{SPACE}")

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _receive(self, start: str, timeout: float = 10) -> str:
        while True:
            text = self._socket.recv(timeout=timeout)
            text = text.decode() if isinstance(text, bytes) else text
            if text == "2":
                self._socket.send("3")
            elif text.startswith(start):
                return text

    def send(self, name: str, payload: dict[str, Any] | None = None, *, path: str = "/desk") -> None:
        """Call an event handler by its full name."""
        event = {
            "token": self.token,
            "name": name,
            "payload": payload or {},
            "router_data": {"pathname": path, "query": {}, "asPath": path},
        }
        self._socket.send(f"42{SPACE},{json.dumps(['event', event])}")

    def answer(self, timeout: float = 10) -> dict[str, Any]:
        """The next update of the tab's state."""
        text = self._receive(f"42{SPACE}", timeout)
        found = json.loads(text.split(",", 1)[1])
        update = found[1]
        made: dict[str, Any] = json.loads(update) if isinstance(update, str) else update
        return made

    def call(
        self, name: str, payload: dict[str, Any] | None = None, *, path: str = "/desk"
    ) -> dict[str, Any]:
        """Call a handler and wait for the first thing that comes of it."""
        self.send(name, payload, path=path)
        return self.answer()
