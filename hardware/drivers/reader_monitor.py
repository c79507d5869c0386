"""Watches all readers of one PC/SC service in one thread and survives the death and return of the service."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from hardware.drivers.card_transport import (
    PNP,
    STATE_CHANGED,
    STATE_PRESENT,
    STATE_UNAVAILABLE,
    STATE_UNAWARE,
    STATE_UNKNOWN,
    TIMEOUT,
    CardError,
)
from hardware.drivers.pcsc_transport import PcscTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware.drivers.card_transport import CardTransport

logger = logging.getLogger(__name__)

WAIT_MS = 500
RETRY_SECONDS = 0.5
JOIN_SECONDS = 3.0
COUNTER_SHIFT = 16
COUNTER_MASK = 0xFFFF
SWAP_STEPS = 2
GONE_STATES = STATE_UNKNOWN | STATE_UNAVAILABLE


class Notice(Enum):
    """What the monitor tells its listeners."""

    SERVICE_UP = auto()
    SERVICE_DOWN = auto()
    READER_ADDED = auto()
    READER_REMOVED = auto()
    INSERTED = auto()
    REMOVED = auto()
    GLIMPSED = auto()
    ALIVE = auto()


@dataclass(frozen=True, slots=True)
class ReaderNotice:
    """One notice; reader and ATR are empty where they mean nothing."""

    notice: Notice
    reader: str = ""
    atr: bytes = b""


class ReaderMonitor:
    """Runs while somebody listens; listeners must return at once, so they put the notice on a queue."""

    def __init__(self, transport: CardTransport) -> None:
        self._transport = transport
        self._lifecycle = threading.Lock()
        self._lock = threading.Lock()
        self._listeners: dict[object, Callable[[ReaderNotice], None]] = {}
        self._known: dict[str, int] = {}
        self._atrs: dict[str, bytes] = {}
        self._online = False
        self._context: Any = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, listener: Callable[[ReaderNotice], None]) -> Callable[[], None]:
        """Tell the listener how things are and then what changes; returns how to leave."""
        key = object()
        with self._lifecycle:
            with self._lock:
                self._listeners[key] = listener
                self._replay(listener)
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stop,), name="card-readers", daemon=True
                )
                self._thread.start()

        def unsubscribe() -> None:
            with self._lifecycle:
                with self._lock:
                    self._listeners.pop(key, None)
                    last = not self._listeners
                if last:
                    self._halt()

        return unsubscribe

    def _replay(self, listener: Callable[[ReaderNotice], None]) -> None:
        if self._thread is None:
            return
        listener(ReaderNotice(Notice.SERVICE_UP if self._online else Notice.SERVICE_DOWN))
        for reader, state in self._known.items():
            listener(ReaderNotice(Notice.READER_ADDED, reader))
            if state & STATE_PRESENT:
                listener(ReaderNotice(Notice.INSERTED, reader, self._atrs.get(reader, b"")))

    def _halt(self) -> None:
        thread, self._thread = self._thread, None
        self._stop.set()
        context = self._context
        if context is not None:
            self._transport.cancel(context)
        if thread is not None:
            thread.join(JOIN_SECONDS)

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                context = self._transport.establish()
            except CardError:
                self._set_online(online=False)
                self._tell(Notice.ALIVE)
                stop.wait(RETRY_SECONDS)
                continue
            self._context = context
            try:
                self._set_online(online=True)
                self._watch(context, stop)
            except CardError as error:
                if not stop.is_set():
                    logger.info("PC/SC service lost (%s)", error.code)
            except Exception:
                logger.exception("Card reader monitor failed")
                stop.wait(RETRY_SECONDS)
            finally:
                self._context = None
                self._set_online(online=False)
                self._transport.release(context)

    def _watch(self, context: Any, stop: threading.Event) -> None:
        while not stop.is_set():
            names = self._transport.list_readers(context)
            self._compare(names)
            self._tell(Notice.ALIVE)
            waiting = [(PNP, len(names) << COUNTER_SHIFT), *self._known.items()]
            try:
                states = self._transport.get_status_change(context, WAIT_MS, waiting)
            except CardError as error:
                if error.number == TIMEOUT:
                    continue
                raise
            for reader, state, atr in states:
                if reader != PNP and state & STATE_CHANGED and reader in self._known:
                    self._changed(reader, state, atr)

    def _compare(self, names: list[str]) -> None:
        for reader in set(self._known) - set(names):
            self._drop(reader)
        for reader in names:
            if reader not in self._known:
                with self._lock:
                    self._known[reader] = STATE_UNAWARE
                    self._send(ReaderNotice(Notice.READER_ADDED, reader))

    def _drop(self, reader: str) -> None:
        with self._lock:
            state = self._known.pop(reader)
            self._atrs.pop(reader, None)
            if state & STATE_PRESENT:
                self._send(ReaderNotice(Notice.REMOVED, reader))
            self._send(ReaderNotice(Notice.READER_REMOVED, reader))

    def _changed(self, reader: str, state: int, atr: bytes) -> None:
        before = self._known[reader]
        was, now = bool(before & STATE_PRESENT), bool(state & STATE_PRESENT)
        # The upper half of the state counts insertions and removals, also those between two looks.
        steps = ((state >> COUNTER_SHIFT) - (before >> COUNTER_SHIFT)) & COUNTER_MASK
        # A reader on its way out has no counter; neither has one that nobody looked at yet.
        counted = before != STATE_UNAWARE and not (before | state) & GONE_STATES
        missed = counted and steps >= SWAP_STEPS
        with self._lock:
            self._known[reader] = state & ~STATE_CHANGED
            self._atrs[reader] = atr
            if was and (not now or missed):
                self._send(ReaderNotice(Notice.REMOVED, reader))
            if now and (not was or missed):
                self._send(ReaderNotice(Notice.INSERTED, reader, atr))
            if missed and not was and not now:
                self._send(ReaderNotice(Notice.GLIMPSED, reader))

    def _set_online(self, *, online: bool) -> None:
        with self._lock:
            self._online = online
            self._send(ReaderNotice(Notice.SERVICE_UP if online else Notice.SERVICE_DOWN))
        if not online:
            for reader in list(self._known):
                self._drop(reader)

    def _tell(self, notice: Notice) -> None:
        with self._lock:
            self._send(ReaderNotice(notice))

    def _send(self, notice: ReaderNotice) -> None:
        for listener in self._listeners.values():
            listener(notice)


_shared_lock = threading.Lock()
_shared: dict[str, ReaderMonitor] = {}


def shared_monitor() -> tuple[ReaderMonitor, CardTransport]:
    """Return the one monitor of this machine's PC/SC service; ImportError without pyscard."""
    with _shared_lock:
        transport = PcscTransport()
        monitor = _shared.setdefault("pcsc", ReaderMonitor(transport))
        return monitor, transport
