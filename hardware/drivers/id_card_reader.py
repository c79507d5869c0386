"""Resident ID card reader on a serial port: tells what stands on the card that is laid on it.

The reader's security module has checked the card before it gives the text. Nothing of the card is logged, counted or kept
beyond the event; to know the same card again the driver holds a keyed hash of its text.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hardware.drivers.id_card_text import TextError, decode, decode_address, payload
from hardware.drivers.id_photo import PhotoError, configured_decoder
from hardware.drivers.sdt_module import CardContent, LineError, Refused, SdtModule, Status
from hardware.drivers.serial_port import open_port
from hardware.ports import DeviceError, DeviceStatus, EventKind

if TYPE_CHECKING:
    from hardware.drivers.id_photo import PhotoDecoder
    from hardware.drivers.serial_port import PortSource
    from hardware.ports import DeviceConfig, DriverContext

DEFAULT_PORT = "/dev/ttyUSB0"
DEFAULT_BAUD = 115_200
POLL_SECONDS = 0.25
RETRY_SECONDS = 0.05
# Some readers find a card that still lies there, others only after it was lifted: the first kind is asked for a swap.
RECHECK_SECONDS = 1.0
SAME_CARD_SECONDS = 1.0
ATTEMPTS = 3
READ_CHUNK_SECONDS = 0.05

MODULE_FAULTS = frozenset({Status.SELF_TEST_FAILED, Status.NOT_AUTHORISED})
REASONS = {
    # Two cards at once, or one at the field's edge: the module cannot tell which.
    Status.SELECT_FAILED: "card_not_selected",
    Status.CARD_REFUSED_READER: "card_refused",
    Status.READER_REFUSED_CARD: "card_refused",
    Status.DATA_CHECK_FAILED: "card_damaged",
    Status.WRONG_CARD_TYPE: "card_type",
    Status.READ_FAILED: "card_not_read",
    Status.RANDOM_FAILED: "card_not_read",
    Status.NO_CARD: "card_pulled",
}


class _Unreadable(Exception):
    """A card lies there and cannot be read; the argument is the reason for the desk."""


@dataclass(slots=True)
class _Presence:
    """The card that lies on the reader or lay there last, as far as must be known not to tell it twice."""

    lifted: bool = True
    looked_at: float = 0.0
    complained: bool = False
    shown: bytes = b""
    shown_at: float = 0.0

    def lift(self) -> None:
        """The field was seen empty."""
        self.lifted, self.complained = True, False

    def due(self, now: float) -> bool:
        """Whether the card that was found shall be read."""
        return self.lifted or now - self.looked_at >= RECHECK_SECONDS

    def is_news(self, digest: bytes, now: float) -> bool:
        """Note the card that was read; whether it is to be told."""
        again = digest == self.shown and (not self.lifted or now - self.shown_at < SAME_CARD_SECONDS)
        self.shown, self.shown_at, self.complained = digest, now, False
        return not again


class IdCardReader:
    """Finds, selects and reads cards until told to stop; a reader that falls silent is given up and opened anew."""

    def __init__(self, config: DeviceConfig) -> None:
        self._emulated = bool(config.settings.get("emulated", False))
        self._port = str(config.settings.get("port", DEFAULT_PORT))
        self._baud = int(config.settings.get("baud", DEFAULT_BAUD))
        self._newest_address = bool(config.settings.get("newest_address", False))
        self._key = secrets.token_bytes(16)
        self._presence = _Presence()

    def run(self, context: DriverContext) -> None:
        """Report documents until told to stop."""
        port = self._open(context)
        decoder = configured_decoder()
        try:
            module = SdtModule(port, context.stop)
            self._presence.lift()
            self._check(context, module)
            self._serve(context, module, decoder)
        except OSError:
            raise DeviceError("reader_absent", DeviceStatus.OFFLINE) from None
        finally:
            port.close()

    def _open(self, context: DriverContext) -> Any:
        name = cast("PortSource", context.emulator).port if self._emulated else self._port
        return open_port(name, self._baud, READ_CHUNK_SECONDS)

    def _check(self, context: DriverContext, module: SdtModule) -> None:
        """Make sure that a working module answers on this port."""
        for attempt in range(ATTEMPTS):
            context.beat()
            try:
                module.check()
            except LineError:
                context.count("line_errors")
                if attempt == ATTEMPTS - 1 and not context.stop.is_set():
                    raise DeviceError("no_answer", DeviceStatus.OFFLINE) from None
            except Refused:
                raise DeviceError("module_fault") from None
            else:
                return

    def _serve(self, context: DriverContext, module: SdtModule, decoder: PhotoDecoder | None) -> None:
        misses = 0
        while not context.stop.is_set():
            pause = POLL_SECONDS
            try:
                found = module.find()
            except LineError:
                context.count("line_errors")
                misses, pause = misses + 1, RETRY_SECONDS
                if misses == ATTEMPTS and not context.stop.is_set():
                    raise DeviceError("no_answer", DeviceStatus.OFFLINE) from None
            except Refused:
                raise DeviceError("module_fault") from None
            else:
                misses = 0
                context.beat()
                context.report(DeviceStatus.ONLINE)
                if not found:
                    self._presence.lift()
                elif self._presence.due(time.monotonic()):
                    self._look(context, module, decoder)
            context.stop.wait(pause)

    def _look(self, context: DriverContext, module: SdtModule, decoder: PhotoDecoder | None) -> None:
        try:
            content = self._read(context, module)
            address = self._address(context, module) if self._newest_address else ""
            self._tell(context, content, decoder, address)
        except _Unreadable as failure:
            self._complain(context, str(failure))
        finally:
            self._presence.lifted = False
            self._presence.looked_at = time.monotonic()

    def _read(self, context: DriverContext, module: SdtModule) -> CardContent:
        """Select and read, and again from the start if the line or the card failed."""
        reason = ""
        for attempt in range(ATTEMPTS):
            context.beat()
            try:
                if attempt and not module.find():
                    # After a broken line the reader may hold the card for read, and find it again when it was lifted.
                    raise _Unreadable(reason if reason == "card_line_error" else "card_pulled")
                module.select()
                context.beat()
                return module.read()
            except LineError:
                context.count("line_errors")
                reason = "card_line_error"
            except Refused as refused:
                if refused.status in MODULE_FAULTS:
                    raise DeviceError("module_fault") from None
                reason = REASONS.get(refused.status, "card_error")
        raise _Unreadable(reason)

    def _address(self, context: DriverContext, module: SdtModule) -> str:
        """What was added to the card; that it cannot be read keeps nobody's card from being told."""
        context.beat()
        try:
            return decode_address(module.newest_address())
        except (LineError, Refused):
            context.count("line_errors")
            return ""

    def _tell(
        self, context: DriverContext, content: CardContent, decoder: PhotoDecoder | None, address: str
    ) -> None:
        try:
            card = decode(content.text)
        except TextError as error:
            raise _Unreadable("card_type" if error.code == "text_type" else "card_damaged") from None
        digest = hashlib.blake2b(content.text, key=self._key).digest()
        if not self._presence.is_news(digest, time.monotonic()):
            context.count("repeats")
            return
        context.beat()
        told = payload(card) | ({"newest_address": address} if address else {})
        context.emit(EventKind.DOCUMENT, told | _photo(content.photo, decoder))

    def _complain(self, context: DriverContext, reason: str) -> None:
        """Say once for each time a card is laid down that it cannot be read."""
        if self._presence.complained or context.stop.is_set():
            return
        self._presence.complained = True
        context.count("unreadable")
        context.emit(EventKind.UNREADABLE, {"reason": reason, "source": str(EventKind.DOCUMENT)})


def _photo(block: bytes, decoder: PhotoDecoder | None) -> dict[str, str]:
    """The picture in base64 where there is one, and `photo_state` saying why where there is none."""
    if not block:
        return {"photo_state": "no_photo"}
    if decoder is None:
        return {"photo_state": "no_decoder"}
    try:
        media_type, picture = decoder.decode(block)
    except PhotoError as error:
        return {"photo_state": error.code}
    return {
        "photo_state": "decoded",
        "photo_type": media_type,
        "photo": base64.b64encode(picture).decode("ascii"),
    }
