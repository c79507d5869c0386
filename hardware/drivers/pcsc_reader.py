"""IC card reader over PC/SC: tells which card is presented. A UID can be cloned, so it names a card and proves nothing."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from hardware.drivers.card_script import CardScript, NotThisCard, ScriptError, parse
from hardware.drivers.card_transport import (
    COMM_ERROR,
    NO_SMARTCARD,
    READER_UNAVAILABLE,
    REMOVED_CARD,
    SHARING_VIOLATION,
    UNKNOWN_READER,
    UNPOWERED_CARD,
    UNRESPONSIVE_CARD,
    CardError,
    CardTransport,
)
from hardware.drivers.reader_claims import ReaderClaims, fits
from hardware.drivers.reader_monitor import Notice, ReaderMonitor, ReaderNotice, shared_monitor
from hardware.ports import DeviceError, DeviceStatus, DriverUnavailable, EventKind

if TYPE_CHECKING:
    from hardware.ports import DeviceConfig, DriverContext

GET_UID = bytes.fromhex("FFCA000000")
SUCCESS = b"\x90\x00"
NOT_SUPPORTED = frozenset({b"\x6a\x81", b"\x6a\x82", b"\x6d\x00", b"\x6e\x00"})
LEAVING = frozenset({b"\x63\x00", b"\x6f\x00"})
RANDOM_UID_LENGTH = 4
RANDOM_UID_PREFIX = 0x08
SAME_CARD_SECONDS = 1.0
# Longer than the 400 ms in which pcscd looks whether the card still lies there: until then an absent card is an error.
GIVE_UP_SECONDS = 0.8
RETRY_SECONDS = 0.05
POLL_SECONDS = 0.2

GONE = frozenset({NO_SMARTCARD, REMOVED_CARD, UNPOWERED_CARD})
READER_GONE = frozenset({READER_UNAVAILABLE, UNKNOWN_READER})

_claims = ReaderClaims()  # of the readers of this computer


class CardSource(Protocol):
    """A stand-in reader: a transport that behaves like a PC/SC service of its own."""

    @property
    def transport(self) -> CardTransport:
        """What to talk to."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a card said: its UID, the number that a script found, or why the script found none."""

    uid: str
    number: str = field(default="", repr=False)
    failure: str = ""


@dataclass(slots=True)
class _Presented:
    """The card that lies on a reader, or lay there last."""

    card: _Read
    at: float
    told: bool


class PcscReader:
    """Serves the readers whose name matches; its own thread reads the card, so the monitor never waits."""

    def __init__(self, config: DeviceConfig) -> None:
        self._emulated = bool(config.settings.get("emulated", False))
        # An emulated service has one reader only, whose name nobody chose.
        self._pattern = "*" if self._emulated else str(config.settings.get("reader", "*"))
        self._id = config.id
        self._claims = ReaderClaims() if self._emulated else _claims
        self._presented: dict[str, _Presented] = {}
        self._settings = config.settings
        self._script: CardScript | None = None
        self._uid_too = bool(config.settings.get("uid_too", True))

    def run(self, context: DriverContext) -> None:
        """Report readers and cards until told to stop."""
        try:
            self._script = parse(self._settings)
        except ScriptError as error:
            raise DeviceError(error.code) from None
        monitor, transport = self._connect(context)
        notices: queue.SimpleQueue[ReaderNotice] = queue.SimpleQueue()
        readers: set[str] = set()
        online = False
        self._claims.enter(self._id, self._pattern)
        leave = monitor.subscribe(notices.put)
        try:
            while not context.stop.is_set():
                try:
                    notice = notices.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    continue
                # The monitor's sign of life, not this loop's: a hung PC/SC service must show.
                context.beat()
                if notice.notice in {Notice.SERVICE_UP, Notice.SERVICE_DOWN}:
                    online = notice.notice is Notice.SERVICE_UP
                elif notice.reader and fits(self._pattern, notice.reader):
                    self._handle(context, transport, notice, readers)
                if notice.notice is not Notice.SERVICE_UP:
                    # The readers of a service that just came up are not listed yet: they are not absent.
                    self._report(context, readers, online=online)
        finally:
            leave()
            self._claims.leave(self._id)

    def _connect(self, context: DriverContext) -> tuple[ReaderMonitor, CardTransport]:
        if self._emulated:
            transport = cast("CardSource", context.emulator).transport
            return ReaderMonitor(transport), transport
        try:
            return shared_monitor()
        except ImportError:
            raise DriverUnavailable("pyscard_missing") from None

    def _serves(self, reader: str) -> bool:
        return self._claims.owner(reader) == self._id

    def _report(self, context: DriverContext, readers: set[str], *, online: bool) -> None:
        if not online:
            context.report(DeviceStatus.OFFLINE, "service_down")
        elif not readers:
            context.report(DeviceStatus.OFFLINE, "reader_absent")
        elif not any(map(self._serves, readers)):
            context.report(DeviceStatus.OFFLINE, "reader_taken")
        else:
            context.report(DeviceStatus.ONLINE)

    def _handle(
        self, context: DriverContext, transport: CardTransport, notice: ReaderNotice, readers: set[str]
    ) -> None:
        if notice.notice is Notice.READER_ADDED:
            readers.add(notice.reader)
        elif notice.notice is Notice.READER_REMOVED:
            readers.discard(notice.reader)
        elif not self._serves(notice.reader):
            return
        elif notice.notice is Notice.INSERTED:
            self._inserted(context, transport, notice)
        elif notice.notice is Notice.REMOVED:
            self._removed(context, notice.reader)
        elif notice.notice is Notice.GLIMPSED:
            context.emit(EventKind.UNREADABLE, {"reason": "card_too_short"})

    def _inserted(self, context: DriverContext, transport: CardTransport, notice: ReaderNotice) -> None:
        try:
            card = self._read(context, transport, notice.reader)
        except CardError as error:
            self._complain(context, _reason(error))
            return
        if card.failure and not self._uid_too:
            context.count(f"script_{card.failure}")
            self._complain(context, "card_other_kind")
            return
        if not card.number and not card.uid:
            self._complain(context, "no_uid")
            return
        now = time.monotonic()
        last = self._presented.get(notice.reader)
        again = last is not None and last.card == card and now - last.at < SAME_CARD_SECONDS
        self._presented[notice.reader] = _Presented(card, now, told=not again)
        if again:
            context.count("repeats")
            return
        payload = {"uid": card.uid, "atr": notice.atr.hex().upper(), "number": card.number}
        uid = bytes.fromhex(card.uid)
        if len(uid) == RANDOM_UID_LENGTH and uid[0] == RANDOM_UID_PREFIX:
            payload["random_uid"] = "1"
        context.emit(EventKind.CARD, {name: value for name, value in payload.items() if value})

    def _complain(self, context: DriverContext, reason: str) -> None:
        context.count("unreadable")
        context.emit(EventKind.UNREADABLE, {"reason": reason})

    def _removed(self, context: DriverContext, reader: str) -> None:
        presented = self._presented.get(reader)
        if presented is not None and presented.told:
            presented.told = False
            context.emit(EventKind.CARD_REMOVED, {"uid": presented.card.uid})

    def _read(self, context: DriverContext, transport: CardTransport, reader: str) -> _Read:
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return _ask(transport, reader, self._script)
            except CardError as error:
                if error.number in GONE | READER_GONE or time.monotonic() > give_up:
                    raise
                # Another program may hold or reset the card for a moment.
                if context.stop.wait(RETRY_SECONDS):
                    raise


def _ask(transport: CardTransport, reader: str, script: CardScript | None) -> _Read:
    # A context per read costs a millisecond and leaves nothing behind that could outlive a restart of the service.
    context = transport.establish()
    try:
        card = transport.connect(context, reader)
        try:
            uid = _uid(transport.transmit(card, GET_UID))
            if script is None:
                return _Read(uid)
            try:
                return _Read(uid, script.run(lambda command: _whole(transport.transmit(card, command))))
            except NotThisCard as error:
                return _Read(uid, failure=error.code)
        finally:
            transport.disconnect(card)
    finally:
        transport.release(context)


def _uid(answer: bytes) -> str:
    answer = _whole(answer)
    if answer[-2:] in NOT_SUPPORTED:
        return ""
    if answer[-2:] != SUCCESS:
        # Readers answer a card that is leaving with 63 00, 6F 00 or nothing at all.
        raise CardError(COMM_ERROR)
    return answer[:-2].hex().upper()


def _whole(answer: bytes) -> bytes:
    """An answer; nothing at all, or what readers say of a card that is leaving, is none."""
    if len(answer) < len(SUCCESS) or answer[-2:] in LEAVING:
        raise CardError(COMM_ERROR)
    return answer


def _reason(error: CardError) -> str:
    if error.number in GONE:
        return "card_pulled"
    if error.number in READER_GONE:
        return "reader_absent"
    return {UNRESPONSIVE_CARD: "card_mute", SHARING_VIOLATION: "card_busy"}.get(error.number, "card_error")
