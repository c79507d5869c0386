"""The one socket outward: the server says and asks over it, answers go up, and pictures while somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from hardware.agent import wire
from hardware.agent.asked import uptime
from hardware.agent.client import OWN, Pause, trust
from hardware.agent.wire import Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

    from hardware.agent.asked import Asked
    from hardware.agent.files import Enrolment
    from hardware.camera_feed import CameraFeed
    from hardware.supervisor import HardwareService

logger = logging.getLogger(__name__)

PING_SECONDS = 5.0
OPEN_SECONDS = 10.0
# Ten pictures a second are enough for a guard and kind to the line.
BETWEEN_PICTURES_SECONDS = 0.1
LOOK_FOR_CAMERA_SECONDS = 0.5
# How often the server is told what this computer can do and what its clock says; it counts deadlines on that clock.
HELLO_SECONDS = 2.0
BOOT = secrets.token_hex(8)


class Link:
    """Keeps the socket open, and a sender for each camera that somebody watches."""

    def __init__(
        self,
        enrolment: Enrolment,
        hardware: HardwareService,
        asked: Asked,
        on_config: Callable[[], None],
        on_open: Callable[[], None],
    ) -> None:
        self._url = enrolment.url.replace("http", "ws", 1).rstrip("/") + f"{OWN}/link"
        self._headers = {"Authorization": f"Bearer {enrolment.secret}"}
        self._trust = trust(enrolment.url, enrolment.ca)
        self._hardware = hardware
        self._asked = asked
        self._on_config = on_config
        self._on_open = on_open
        self._senders: dict[str, asyncio.Task[None]] = {}
        self.connected = False
        self.sent = 0

    async def run(self) -> None:
        """Be connected, for ever."""
        pause = Pause()
        while True:
            try:
                await self._serve(pause)
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake) as error:
                refused = isinstance(error, InvalidStatus)
                logger.debug("The link is %s", "refused" if refused else "down", exc_info=True)
            except (
                Exception
            ):  # a proxy between may answer whatever it likes; the readers must not stop for it
                logger.exception("The link to the server failed")
            await asyncio.sleep(pause.seconds())

    async def _serve(self, pause: Pause) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers,
            ssl=self._trust,
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=wire.MAX_QUESTION,
        ) as socket:
            pause.reset()
            self.connected = True
            self._on_open()
            hello = asyncio.create_task(self._say_hello(socket))
            try:
                await self._listen(socket)
            finally:
                self.connected = False
                hello.cancel()
                self._asked.line_is_down()
                self._watch(socket, set())

    async def _listen(self, socket: ClientConnection) -> None:
        config: int | None = None
        async for message in socket:
            if isinstance(message, bytes):
                self._asked.begin(message, socket.send)
                continue
            orders = _orders(message)
            if orders is None:
                continue
            if config is not None and orders["config"] != config:
                self._on_config()
            config = orders["config"]
            self._watch(socket, set(orders["watch"]))
            self._asked.only(frozenset(orders["asking"]))

    async def _say_hello(self, socket: ClientConnection) -> None:
        can = [str(verb) for verb in Verb]
        with contextlib.suppress(ConnectionClosed):
            while True:
                said = {"can": can, "boot": BOOT, "uptime": uptime(), "faces": self._asked.faces_now()}
                await socket.send(json.dumps({"hello": said}))
                await asyncio.sleep(HELLO_SECONDS)

    def _watch(self, socket: ClientConnection, wanted: set[str]) -> None:
        for device_id in set(self._senders) - wanted:
            self._senders.pop(device_id).cancel()
        for device_id in wanted:
            task = self._senders.get(device_id)
            if task is None or task.done():
                self._senders[device_id] = asyncio.create_task(self._show(socket, device_id))

    async def _show(self, socket: ClientConnection, device_id: str) -> None:
        # Its configuration may still be on the way, which nobody announces here.
        while (feed := self._hardware.camera(device_id)) is None:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_FOR_CAMERA_SECONDS)
        loop, fresh, last = asyncio.get_running_loop(), asyncio.Event(), -1
        detach = feed.attach(lambda: _wake(loop, fresh))
        try:
            while True:
                await fresh.wait()
                fresh.clear()
                picture = await asyncio.to_thread(feed.jpeg)
                if picture is None or picture[0] == last:
                    continue
                last = picture[0]
                # Waits for the line; what the camera sees meanwhile is replaced, never queued.
                await socket.send(_message(device_id, feed, picture[1]))
                self.sent += 1
                await asyncio.sleep(BETWEEN_PICTURES_SECONDS)
        except ConnectionClosed:
            logger.debug("The link closed while a camera was watched")
        finally:
            detach()


def _wake(loop: asyncio.AbstractEventLoop, fresh: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended while the camera goes on
        loop.call_soon_threadsafe(fresh.set)


def _message(device_id: str, feed: CameraFeed, picture: bytes) -> bytes:
    head = {"device": device_id, "marks": [asdict(mark) for mark in feed.marks]}
    return wire.pack(head, picture)


def _orders(message: str) -> dict[str, Any] | None:
    try:
        found = wire.table(message) or {}
        lists = {name: [str(item) for item in found.get(name, [])] for name in ("watch", "asking")}
        return {"config": int(found["config"]), **lists}
    except (ValueError, KeyError, TypeError):
        logger.warning("The server said something that this version does not understand")
        return None
