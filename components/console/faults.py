"""The fault tickets of a site's devices, below its lanes."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.console.listing import listing
from components.console.parts import stacked
from components.feedback import chip
from components.kit import Child
from components.tables import Column
from components.text import t
from state.console_faults import FaultsState as State


def _cells(row: rx.Var) -> list[Child]:
    mine = rx.cond(
        row["by"] != "",
        row["by"],
        rx.cond(
            row["open"] != "",
            button(t("faults.take"), small=True, on_click=State.take(row["id"])),
            rx.fragment(),
        ),
    )
    return [
        stacked(rx.el.b(row["device"]), row["lane"]),
        stacked(row["what"], row["times"]),
        chip(row["status"], row["tone"]),
        row["since"],
        row["lasted"],
        mine,
    ]


def faults_list() -> rx.Component:
    """Make the list of what did not work lately, and of who sees to what does not work now."""
    columns = [
        Column(t("console.devices.device")),
        Column(t("faults.what")),
        Column(t("console.column.status")),
        Column(t("console.devices.since")),
        Column(t("faults.lasted")),
        Column(t("faults.by")),
    ]
    none = rx.el.p(t("faults.none"), class_name="muted card-body")
    return listing(
        columns, State.rows, _cells, caption=t("faults.title"), empty=none, title=t("faults.title")
    )
