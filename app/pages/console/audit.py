"""The audit log at ``/console/audit``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, icon_button
from components.console.frame import console_page
from components.console.parts import open_pager, stacked
from components.data import card
from components.feedback import banner, chip, dialog, empty_state
from components.kit import Child
from components.tables import Column, table
from components.text import t, tf
from state.console_audit import AuditState as State


def _cells(row: rx.Var) -> list[Child]:
    return [
        row["seq"],
        row["time"],
        stacked(row["who"], row["role"]),
        rx.el.div(
            stacked(row["action"], row["reason"]),
            rx.cond(
                row["noted"],
                icon_button(
                    "eye", t("console.audit.read_note"), small=True, on_click=State.read_note(row["seq"])
                ),
                rx.fragment(),
            ),
            class_name="row",
        ),
        row["object"],
        chip(row["result"], row["tone"]),
        row["ip"],
    ]


def _list() -> rx.Component:
    columns = [
        Column(t("console.audit.seq"), numeric=True),
        Column(t("console.column.time")),
        Column(t("console.audit.who")),
        Column(t("console.audit.action")),
        Column(t("console.audit.object")),
        Column(t("console.audit.result")),
        Column(t("console.audit.ip")),
    ]
    grid = table(
        columns,
        State.rows,
        _cells,
        caption=t("console.audit.title"),
        row_key=lambda row: row["seq"],
        empty=empty_state(t("console.audit.empty"), icon_name="scroll_text"),
    )
    return card(grid, open_pager(State), pad=False)


def _verdict() -> rx.Component:
    faults = rx.el.ul(
        rx.foreach(
            State.faults,
            lambda fault: rx.el.li(
                rx.el.b(tf("console.audit.at", seq=fault["seq"])), fault["text"], key=fault["id"]
            ),
        ),
        class_name="rows",
    )
    told = card(
        rx.el.div(chip(State.result, State.result_tone)),
        rx.cond(State.faults.length() > 0, faults, rx.fragment()),
    )
    return rx.el.div(rx.cond(State.result, told, rx.fragment()), role="status")


def _note() -> rx.Component:
    return dialog(
        banner("eye", t("console.audit.note_hint")),
        rx.el.p(State.note),
        id="note-read",
        open=State.note != "",
        title=t("console.audit.note"),
        close_label=t("common.close"),
        on_close=State.hide_note,
    )


def page() -> rx.Component:
    """Who did what, and whether the log is whole."""
    return console_page(
        _verdict(),
        _list(),
        title=t("console.audit.title"),
        subtitle=t("console.audit.hint"),
        actions=[
            button(
                t("console.audit.verify"),
                icon_name="shield_check",
                busy=State.checking,
                on_click=State.verify,
            )
        ],
        rights=(Right.AUDIT_VIEW,),
        loaded=State.loaded,
        extra=[_note()],
    )
