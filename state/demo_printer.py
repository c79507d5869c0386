"""The demo panel's printer: the badge printed last, and what can go wrong with one (EV-08)."""

from __future__ import annotations

import base64

import reflex as rx

from app.core.permissions import Right
from app.runtime import demo_devices
from state.demo_panel import DemoState
from state.guard import action, me
from state.shell import notify


class DemoPrinterState(rx.State):
    """The emulated printer of the lane that is chosen in the panel; its badges name invented people."""

    badge: str = ""
    paper_in: bool = True
    cable_in: bool = True

    @action(Right.DESK_USE)
    async def look(self) -> None:
        """Show the badge printed last."""
        lane_id = (await self.get_state(DemoState)).lane_id
        picture = await demo_devices.printed(me(), lane_id)
        if picture is None:
            await notify(self, "info", "demo.no_badge")
            return
        self.badge = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"

    @action(Right.DESK_USE)
    async def toggle_paper(self) -> None:
        """Take the paper out, or load some."""
        actor, lane_id = me(), (await self.get_state(DemoState)).lane_id
        _, has_paper = await demo_devices.printer_state(actor, lane_id)
        await demo_devices.paper(actor, lane_id, load=not has_paper)
        self.cable_in, self.paper_in = await demo_devices.printer_state(actor, lane_id)

    @action(Right.DESK_USE)
    async def toggle_cable(self) -> None:
        """Pull the printer's plug, or put it back."""
        actor, lane_id = me(), (await self.get_state(DemoState)).lane_id
        plugged, _ = await demo_devices.printer_state(actor, lane_id)
        await demo_devices.plug_printer(actor, lane_id, into=not plugged)
        self.cable_in, self.paper_in = await demo_devices.printer_state(actor, lane_id)
