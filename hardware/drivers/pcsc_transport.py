"""PC/SC through pyscard's thin `scard` layer; its high-level monitor dies for good when pcscd stops (issues #82, #128)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hardware.drivers.card_transport import NO_READERS, CardError, CardHandle

if TYPE_CHECKING:
    from collections.abc import Sequence

UNSIGNED = 0xFFFFFFFF


class PcscTransport:
    """The machine's PC/SC service; ImportError when pyscard or libpcsclite is missing."""

    def __init__(self) -> None:
        self._scard: Any = import_module("smartcard.scard")

    def establish(self) -> Any:
        """Open a context with pcscd."""
        result, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_SYSTEM)
        _check(result)
        return context

    def release(self, context: Any) -> None:
        """Close the context; a dead service is no reason to fail."""
        self._scard.SCardReleaseContext(context)

    def cancel(self, context: Any) -> None:
        """Wake the thread that waits on this context."""
        self._scard.SCardCancel(context)

    def list_readers(self, context: Any) -> list[str]:
        """Name the readers; none is an empty list."""
        result, names = self._scard.SCardListReaders(context, [])
        if result & UNSIGNED == NO_READERS:
            return []
        _check(result)
        return list(names)

    def get_status_change(
        self, context: Any, timeout_ms: int, known: Sequence[tuple[str, int]]
    ) -> list[tuple[str, int, bytes]]:
        """Wait for a change of reader or card."""
        result, states = self._scard.SCardGetStatusChange(context, timeout_ms, list(known))
        _check(result)
        return [(name, state, bytes(atr)) for name, state, atr in states]

    def connect(self, context: Any, reader: str) -> CardHandle:
        """Connect with whichever protocol the card speaks."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, handle, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, protocols)
        _check(result)
        return CardHandle(handle, protocol)

    def transmit(self, card: CardHandle, command: bytes) -> bytes:
        """Send a command to the card."""
        result, answer = self._scard.SCardTransmit(card.handle, card.protocol, list(command))
        _check(result)
        # pyscard hands bytes over as signed or unsigned numbers, depending on its build.
        return bytes(byte & 0xFF for byte in answer)

    def disconnect(self, card: CardHandle) -> None:
        """Let go of the card without resetting it."""
        self._scard.SCardDisconnect(card.handle, self._scard.SCARD_LEAVE_CARD)


def _check(result: int) -> None:
    if result:
        raise CardError(result & UNSIGNED)
