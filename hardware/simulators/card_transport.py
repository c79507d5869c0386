"""A PC/SC service in memory with one reader and a card that answers commands; the real driver runs on it unchanged."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from hardware.drivers.card_transport import (
    CANCELLED,
    NO_SMARTCARD,
    PNP,
    READER_UNAVAILABLE,
    REMOVED_CARD,
    STATE_CHANGED,
    STATE_EMPTY,
    STATE_PRESENT,
    STATE_UNKNOWN,
    TIMEOUT,
    UNKNOWN_READER,
    CardError,
    CardHandle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The ATR that PC/SC readers make up for a contactless memory card.
CONTACTLESS_ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
SELECT, READ_BINARY = b"\xa4", b"\xb0"
PROTOCOL_T1 = 2
COUNTER_SHIFT = 16


class VirtualCard:
    """A contactless card: gives its UID, lets its files be selected and read, and refuses what it does not know."""

    def __init__(
        self, uid: bytes, atr: bytes = CONTACTLESS_ATR, files: Mapping[bytes, bytes] | None = None
    ) -> None:
        self.uid = uid
        self.atr = atr
        self.files = dict(files or {})
        self._selected: bytes | None = None

    def answer(self, command: bytes) -> bytes:
        """Answer one command as the reader and card together would."""
        if command[:2] == b"\xff\xca":
            return self.uid + b"\x90\x00" if self.uid else b"\x6a\x81"
        if command[1:2] == SELECT and self.files:
            name = command[5 : 5 + command[4]]
            self._selected = self.files.get(name)
            return b"\x6a\x82" if self._selected is None else b"\x90\x00"
        if command[1:2] == READ_BINARY and self.files:
            if self._selected is None:
                return b"\x69\x86"
            start = int.from_bytes(command[2:4])
            return self._selected[start : start + (command[4] or 256)] + b"\x90\x00"
        return b"\x6d\x00"


class EmulatedTransport:
    """Keeps the contract of CardTransport, including its waiting, cancelling and its failures."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._changed = threading.Condition(threading.RLock())
        self._plugged = True
        self._card: VirtualCard | None = None
        self._steps = 0
        self._pull_on_transmit = 0
        self._numbers = itertools.count(1)
        self._cancelled: set[int] = set()
        self._connections: dict[int, VirtualCard] = {}

    def insert(self, card: VirtualCard, *, pull_on_transmit: int = 0) -> None:
        """Lay a card on the reader, in place of the one that lies there; it may be pulled away at the n-th command."""
        with self._changed:
            self._steps += 1 if self._card is None else 2
            self._card = card
            self._pull_on_transmit = pull_on_transmit
            self._changed.notify_all()

    def remove(self) -> None:
        """Take the card away."""
        with self._changed:
            if self._card is not None:
                self._card = None
                self._steps += 1
                self._changed.notify_all()

    def set_plugged(self, *, plugged: bool) -> None:
        """Plug or unplug the reader; a card that lies on it is gone for the system too."""
        with self._changed:
            self._plugged = plugged
            self._changed.notify_all()

    def establish(self) -> int:
        """Open a context."""
        return next(self._numbers)

    def release(self, context: int) -> None:
        """Close a context."""
        with self._changed:
            self._cancelled.discard(context)

    def cancel(self, context: int) -> None:
        """Wake the thread that waits on this context."""
        with self._changed:
            self._cancelled.add(context)
            self._changed.notify_all()

    def list_readers(self, context: int) -> list[str]:  # noqa: ARG002 - part of the contract
        """Name the reader while it is plugged in."""
        with self._changed:
            return [self._reader] if self._plugged else []

    def get_status_change(
        self, context: int, timeout_ms: int, known: Sequence[tuple[str, int]]
    ) -> list[tuple[str, int, bytes]]:
        """Wait until reader or card differ from what is known."""
        with self._changed:
            self._changed.wait_for(
                lambda: context in self._cancelled or self._differs(known), timeout_ms / 1000
            )
            if context in self._cancelled:
                self._cancelled.discard(context)
                raise CardError(CANCELLED)
            if not self._differs(known):
                raise CardError(TIMEOUT)
            return [self._status(name, state) for name, state in known]

    def connect(self, context: int, reader: str) -> CardHandle:  # noqa: ARG002 - part of the contract
        """Power the card."""
        with self._changed:
            if reader != self._reader or not self._plugged:
                raise CardError(UNKNOWN_READER)
            if self._card is None:
                raise CardError(NO_SMARTCARD)
            number = next(self._numbers)
            self._connections[number] = self._card
            return CardHandle(number, PROTOCOL_T1)

    def transmit(self, card: CardHandle, command: bytes) -> bytes:
        """Pass a command to the card that was connected, if it still lies there."""
        with self._changed:
            connected = self._connections.get(card.handle)
            if not self._plugged:
                raise CardError(READER_UNAVAILABLE)
            if self._pull_on_transmit:
                self._pull_on_transmit -= 1
                if not self._pull_on_transmit:
                    self.remove()
            if connected is None or connected is not self._card:
                raise CardError(REMOVED_CARD)
            return connected.answer(command)

    def disconnect(self, card: CardHandle) -> None:
        """Let go of the card."""
        with self._changed:
            self._connections.pop(card.handle, None)

    def _differs(self, known: Sequence[tuple[str, int]]) -> bool:
        return any(self._status(name, state)[1] & STATE_CHANGED for name, state in known)

    def _status(self, name: str, known: int) -> tuple[str, int, bytes]:
        if name == PNP:
            count = int(self._plugged) << COUNTER_SHIFT
            return name, count | (STATE_CHANGED if count != known else 0), b""
        atr = b""
        if name != self._reader or not self._plugged:
            state = STATE_UNKNOWN
        else:
            state = (self._steps << COUNTER_SHIFT) | (STATE_EMPTY if self._card is None else STATE_PRESENT)
            atr = self._card.atr if self._card is not None else b""
        return name, state | (STATE_CHANGED if state != known else 0), atr
