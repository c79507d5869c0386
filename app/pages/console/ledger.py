"""The ledger of a day at ``/console/ledger``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from app.domain.records.rules import RevealReason
from app.pages.console.today import columns, recent_cells
from components.actions import button, icon_button
from components.console.frame import console_page, only
from components.console.parts import counted_pager, facts
from components.data import card, timeline
from components.feedback import banner, dialog, empty_state
from components.forms import date_field, form_error, select_field, text_field
from components.kit import Child
from components.tables import Column, table
from components.text import t
from state.console_ledger import LedgerState as State


def _filters() -> rx.Component:
    return rx.el.div(
        date_field(
            t("console.ledger.day"),
            id="ledger-day",
            key=State.day,
            default_value=State.day,
            max=State.today,
            on_change=State.choose_day,
        ),
        select_field(
            t("console.column.status"),
            State.statuses,
            id="ledger-status",
            empty=t("console.ledger.every"),
            value=State.status,
            on_change=State.choose_status,
        ),
        class_name="filters",
    )


def _cells(row: rx.Var) -> list[Child]:
    look = icon_button("chevron_right", t("console.ledger.open"), small=True, on_click=State.open(row["id"]))
    return [*recent_cells(row), look]


def _list() -> rx.Component:
    nothing = empty_state(t("console.ledger.empty"), t("console.ledger.empty_hint"), icon_name="book_open")
    grid = table(
        [*columns(), Column(t("console.ledger.open"), hidden_label=True)],
        State.rows,
        _cells,
        caption=t("console.ledger.title"),
        row_key=lambda row: row["id"],
        empty=nothing,
    )
    return card(grid, counted_pager(State), pad=False)


def _reveal() -> rx.Component:
    form = rx.el.form(
        form_error(State.reason_error),
        select_field(
            t("console.reveal.reason"),
            State.reasons,
            id="reason",
            hint=State.reason_hint,
            required=True,
            empty=t("console.reveal.choose"),
            value=State.reason,
            on_change=State.choose_reason,
        ),
        text_field(
            rx.cond(
                State.reason == RevealReason.OTHER.value,
                t("console.reveal.note_needed"),
                t("console.reveal.note"),
            ),
            id="note",
            hint=t("console.reveal.note_hint"),
            required=State.reason == RevealReason.OTHER.value,
            max_length=200,
        ),
        button(t("console.reveal.show"), icon_name="eye", type="submit"),
        on_submit=State.reveal,
        class_name="form",
    )
    shown = rx.el.div(
        banner("eye", t("console.reveal.shown")),
        rx.el.dl(
            rx.el.dt(t("console.ledger.name")),
            rx.el.dd(State.name),
            rx.el.dt(t("console.ledger.phone")),
            rx.el.dd(State.phone),
            class_name="dl",
        ),
        button(t("console.reveal.hide"), icon_name="eye_off", small=True, on_click=State.hide),
        class_name="col",
    )
    return rx.cond(State.known, only(Right.REVEAL, rx.cond(State.name, shown, form)), rx.fragment())


def _detail() -> rx.Component:
    return dialog(
        rx.el.div(
            facts(State.facts),
            rx.el.div(
                rx.el.h3(t("console.ledger.evidence")),
                rx.cond(
                    State.evidence.length() > 0,
                    timeline(State.evidence, label=t("console.ledger.evidence")),
                    rx.el.p(t("console.ledger.no_evidence"), class_name="muted"),
                ),
                _reveal(),
                class_name="col",
            ),
            class_name="two even",
        ),
        id="attempt",
        open=State.chosen != "",
        title=t("console.ledger.detail"),
        close_label=t("common.close"),
        on_close=State.close,
        wide=True,
    )


def page() -> rx.Component:
    """One day's attempts, newest first."""
    return console_page(
        _filters(),
        _list(),
        title=t("console.ledger.title"),
        subtitle=State.title + " · " + State.exits,
        rights=(Right.LEDGER_VIEW,),
        loaded=State.loaded,
        extra=[_detail()],
    )
