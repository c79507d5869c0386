"""The few PC/SC calls that readers need, as a contract that the real service and the emulated one both keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hardware.ports import HardwareError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Values of pcsc-lite (winscard, pcsclite.h); named here so that no vendor import is needed to compare them.
STATE_UNAWARE = 0x0000
STATE_CHANGED = 0x0002
STATE_UNKNOWN = 0x0004
STATE_UNAVAILABLE = 0x0008
STATE_EMPTY = 0x0010
STATE_PRESENT = 0x0020

CANCELLED = 0x80100002
UNKNOWN_READER = 0x80100009
TIMEOUT = 0x8010000A
SHARING_VIOLATION = 0x8010000B
NO_SMARTCARD = 0x8010000C
READER_UNAVAILABLE = 0x80100017
NO_SERVICE = 0x8010001D
SERVICE_STOPPED = 0x8010001E
NO_READERS = 0x8010002E
COMM_ERROR = 0x8010002F
UNRESPONSIVE_CARD = 0x80100066
UNPOWERED_CARD = 0x80100067
REMOVED_CARD = 0x80100069

PNP = "\\\\?PnP?\\Notification"


class CardError(HardwareError):
    """A PC/SC call failed; `number` is the PC/SC result."""

    def __init__(self, number: int) -> None:
        super().__init__(f"pcsc_{number:08x}")
        self.number = number


@dataclass(frozen=True, slots=True)
class CardHandle:
    """An open connection to a card."""

    handle: Any
    protocol: int


class CardTransport(Protocol):
    """PC/SC as used here; every method raises CardError."""

    def establish(self) -> Any:
        """Open a context; each thread uses its own."""

    def release(self, context: Any) -> None:
        """Close a context; never fails."""

    def cancel(self, context: Any) -> None:
        """End a waiting `get_status_change` of another thread."""

    def list_readers(self, context: Any) -> list[str]:
        """Name the readers that are plugged in."""

    def get_status_change(
        self, context: Any, timeout_ms: int, known: Sequence[tuple[str, int]]
    ) -> list[tuple[str, int, bytes]]:
        """Wait until a reader's state differs from the known one; returns name, state and ATR of each."""

    def connect(self, context: Any, reader: str) -> CardHandle:
        """Power the card, shared with other programs."""

    def transmit(self, card: CardHandle, command: bytes) -> bytes:
        """Exchange one command; the answer ends with the two status bytes."""

    def disconnect(self, card: CardHandle) -> None:
        """Leave the card as it is; never fails."""
