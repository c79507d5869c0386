"""An IC card reader that is handled by buttons instead of cards."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hardware.simulators.card_transport import EmulatedTransport, VirtualCard

if TYPE_CHECKING:
    from collections.abc import Mapping

BRIEF_SECONDS = 0.6


class ReaderEmulator:
    """Lays cards on an emulated reader; the real PC/SC driver reads them."""

    def __init__(self, name: str = "Emulated Reader") -> None:
        self.transport = EmulatedTransport(f"{name} 00 00")
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Plug the reader in."""
        self.transport.set_plugged(plugged=True)

    def stop(self) -> None:
        """Take card and reader away and end the timer."""
        self._cancel_timer()
        self.transport.remove()

    def tap(self, uid_hex: str, files: Mapping[bytes, bytes] | None = None) -> None:
        """Lay a card, which may have files, on the reader and leave it there."""
        self._cancel_timer()
        self.transport.insert(VirtualCard(bytes.fromhex(uid_hex), files=files))

    def remove(self) -> None:
        """Take the card away."""
        self._cancel_timer()
        self.transport.remove()

    def present_briefly(self, uid_hex: str) -> None:
        """Hold a card to the reader as people do, and take it away by itself."""
        self.tap(uid_hex)
        timer = threading.Timer(BRIEF_SECONDS, self.transport.remove)
        timer.daemon = True
        timer.name = "card-emulator"
        with self._lock:
            self._timer = timer
        timer.start()

    def pull_while_reading(
        self, uid_hex: str, files: Mapping[bytes, bytes] | None = None, at_command: int = 1
    ) -> None:
        """Take the card away while it is read, at the first or a later command."""
        self._cancel_timer()
        card = VirtualCard(bytes.fromhex(uid_hex), files=files)
        self.transport.insert(card, pull_on_transmit=at_command)

    def unplug(self) -> None:
        """Pull the reader's cable."""
        self._cancel_timer()
        self.transport.remove()
        self.transport.set_plugged(plugged=False)

    def plug(self) -> None:
        """Plug the cable in again."""
        self.transport.set_plugged(plugged=True)

    @property
    def connected(self) -> bool:
        """Whether the cable is in."""
        return bool(self.transport.list_readers(0))

    def _cancel_timer(self) -> None:
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join(1.0)
