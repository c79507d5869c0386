"""The demo panel: what a newcomer holds before the emulated devices takes the same way as at a real gate (EV-08)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, crypto
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.permissions import Right
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.models import VisitorPass
from app.domain.access.rules import DYNAMIC, STEP_SECONDS, make, step_at
from app.domain.booking import repository as bookings
from app.domain.sites import repository as sites
from app.runtime import demo, demo_devices
from state.guard import action, me
from state.shell import notify

if TYPE_CHECKING:
    from sqlmodel import Session

Row = dict[str, str]
SHOW_SECONDS = 4.0
HORIZON = timedelta(hours=12)
MOST_GUESTS = 200
GUESTS_SHOWN = 50


class DemoState(rx.State):
    """The panel beside a desk."""

    allowed: bool = False
    lanes: list[list[str]] = []
    lane_id: str = ""
    guests: list[list[str]] = []
    booking_id: str = ""
    reader_in: bool = True
    camera_in: bool = True

    @action(Right.DESK_USE)
    async def enter(self) -> None:
        """Load of the panel; elsewhere than in the demonstration it does not open."""
        actor = me()
        self.allowed = await get_database().read(lambda s: demo.is_demo_site(s, actor.site_id))
        if self.allowed:
            await self._refresh(actor)

    @action(Right.DESK_USE)
    async def choose_lane(self, lane_id: str) -> None:
        """Which lane's devices are played."""
        self.lane_id = lane_id
        await self._lights()

    @action(Right.DESK_USE)
    async def choose_guest(self, booking_id: str) -> None:
        """Whose phone is held before the camera."""
        self.booking_id = booking_id

    @action(Right.DESK_USE)
    async def show_code(self) -> None:
        """The guest holds the phone with the live code before the camera."""
        issued = await self._pass()
        # Evaluated as it is drawn, so that the code rolls over as it does on the phone.
        await self._show(lambda: access_service.code_now(issued, clock.now()))
        await notify(self, "info", "demo.shown_code")

    @action(Right.DESK_USE)
    async def show_stale(self) -> None:
        """A screenshot of the code, taken two minutes ago."""
        issued = await self._pass()
        step = step_at(clock.now().timestamp()) - 120 // STEP_SECONDS
        await self._show(make(DYNAMIC, access_service.secret_of(issued), issued.kid, issued.code_id, step))
        await notify(self, "info", "demo.shown_stale")

    @action(Right.DESK_USE)
    async def show_forged(self) -> None:
        """A code that somebody made up for this pass."""
        issued = await self._pass()
        step = step_at(clock.now().timestamp())
        await self._show(make(DYNAMIC, secrets.token_bytes(32), issued.kid, issued.code_id, step))
        await notify(self, "info", "demo.shown_forged")

    @action(Right.DESK_USE)
    async def show_foreign(self) -> None:
        """A stranger with some other QR code."""
        await self._show("https://example.com/menu")
        await notify(self, "info", "demo.shown_foreign")

    @action(Right.DESK_USE)
    async def tap_card(self) -> None:
        """The partner's IC card on the reader."""
        await self._tap(demo.PARTNER_CARD)

    @action(Right.DESK_USE)
    async def tap_unknown(self) -> None:
        """A card nobody knows."""
        await self._tap(demo.UNKNOWN_CARD)

    @action(Right.DESK_USE)
    async def pull_card(self) -> None:
        """A card pulled away while it is being read."""
        await demo_devices.pull(me(), self.lane_id, demo.PARTNER_CARD)
        await notify(self, "info", "demo.pulled")

    @action(Right.DESK_USE)
    async def lay_own(self) -> None:
        """The guest lays the ID card on the reader."""
        booking_id, actor = self.booking_id, me()

        def load(session: Session) -> str:
            if not booking_id:
                raise InvalidInput("demo_no_guest", "guest")
            booking, visitor, _ = bookings.full(session, booking_id)
            return crypto.reveal(visitor, "name") if booking.site_id == actor.site_id else ""

        name = await get_database().read(load)
        if not name:
            raise InvalidInput("demo_no_guest", "guest")
        await demo_devices.lay(actor, self.lane_id, name)
        await notify(self, "info", "demo.laid")

    @action(Right.DESK_USE)
    async def lay_specimen(self) -> None:
        """Somebody else's card: the specimen's."""
        await demo_devices.lay(me(), self.lane_id)
        await notify(self, "info", "demo.laid")

    @action(Right.DESK_USE)
    async def tear_document(self) -> None:
        """An ID card pulled away while it is being read."""
        await demo_devices.tear(me(), self.lane_id)
        await notify(self, "info", "demo.pulled")

    @action(Right.DESK_USE)
    async def lift_document(self) -> None:
        """The ID card is taken back."""
        await demo_devices.lift(me(), self.lane_id)
        await notify(self, "info", "demo.lifted")

    @action(Right.DESK_USE)
    async def toggle_reader(self) -> None:
        """Pull the reader's plug, or put it back."""
        await demo_devices.plug_reader(me(), self.lane_id, into=not self.reader_in)
        self.reader_in = not self.reader_in

    @action(Right.DESK_USE)
    async def toggle_camera(self) -> None:
        """Pull the camera's plug, or put it back."""
        await demo_devices.plug_camera(me(), self.lane_id, into=not self.camera_in)
        self.camera_in = not self.camera_in

    @action(Right.DESK_USE)
    async def refresh_guests(self) -> None:
        """Read the guests again."""
        await self._refresh(me())

    async def _refresh(self, actor: Actor) -> None:
        def load(session: Session) -> tuple[list[list[str]], list[list[str]]]:
            lanes = [
                [lane.id, f"{door.name} · {lane.name}"] for lane, door in sites.lanes(session, actor.site_id)
            ]
            now = clock.now()
            found = bookings.expected(session, actor.site_id, now, now + HORIZON, MOST_GUESTS)
            found = sorted(
                found, key=lambda row: row[0].created_at, reverse=True
            )  # whoever was just invited first
            guests = [
                [booking.id, f"{crypto.reveal(visitor, 'name')} · {unit.label}"]
                for booking, visitor, unit in found[:GUESTS_SHOWN]
            ]
            return lanes, guests

        self.lanes, self.guests = await get_database().read(load)
        if self.lane_id not in {lane[0] for lane in self.lanes}:
            self.lane_id = self.lanes[0][0] if self.lanes else ""
        if self.booking_id not in {guest[0] for guest in self.guests}:
            self.booking_id = self.guests[0][0] if self.guests else ""
        await self._lights()

    async def _lights(self) -> None:
        self.camera_in, self.reader_in = await demo_devices.connected(me(), self.lane_id)

    async def _pass(self) -> VisitorPass:
        booking_id, actor = self.booking_id, me()

        def load(session: Session) -> VisitorPass | None:
            issued = access.of_booking(session, booking_id)
            return issued if issued is not None and issued.site_id == actor.site_id else None

        issued = await get_database().read(load)
        if issued is None:
            raise InvalidInput("demo_no_guest", "guest")
        return issued

    async def _show(self, text: Any) -> None:
        await demo_devices.show(me(), self.lane_id, text, SHOW_SECONDS)

    async def _tap(self, uid: str) -> None:
        await demo_devices.tap(me(), self.lane_id, uid)
        await notify(self, "info", "demo.tapped")
