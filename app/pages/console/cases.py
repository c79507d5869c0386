"""The cases at ``/console/cases``: what did not fit, what was seen, and what became of it."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, icon_button, link_button
from components.console.frame import console_page, only
from components.console.listing import listing
from components.console.parts import facts, stacked
from components.data import timeline
from components.feedback import banner, chip, dialog, empty_state
from components.forms import form_error, select_field, textarea_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_cases import CasesState as State


def _filters() -> rx.Component:
    return rx.el.div(
        select_field(
            t("console.column.status"),
            State.statuses,
            id="case-status",
            empty=t("cases.every"),
            value=State.status,
            on_change=State.choose_status,
        ),
        class_name="filters",
    )


def _cells(row: rx.Var) -> list[Child]:
    return [
        stacked(rx.el.b(row["title"]), row["time"]),
        row["why"],
        row["lane"],
        chip(row["status"], row["tone"]),
        icon_button("chevron_right", t("cases.look"), small=True, on_click=State.open(row["id"])),
    ]


def _list() -> rx.Component:
    columns = [
        Column(t("cases.column.case")),
        Column(t("cases.column.why")),
        Column(t("cases.fact.lane")),
        Column(t("console.column.status")),
        Column(t("cases.look"), hidden_label=True),
    ]
    nothing = empty_state(t("cases.empty"), t("cases.empty_hint"), icon_name="folder_open")
    return listing(columns, State.rows, _cells, caption=t("cases.title"), empty=nothing, counted=State)


def _picture(source: rx.Var, words: rx.Var) -> rx.Component:
    return rx.el.figure(
        rx.el.img(src=source, alt=words, style={"width": "100%", "borderRadius": "var(--r-m)"}),
        rx.el.figcaption(words, class_name="small muted"),
        style={"margin": "0"},
    )


def _pictures() -> rx.Component:
    return rx.el.div(
        rx.cond(
            State.scene != "",
            _picture(State.scene, t("cases.scene")),
            banner("plain", State.scene_words, icon_name="camera_off"),
        ),
        rx.cond(
            State.document != "",
            rx.el.div(_picture(State.document, t("cases.document")), style={"maxWidth": "160px"}),
            rx.fragment(),
        ),
        class_name="col",
    )


def _finish() -> rx.Component:
    form = rx.el.form(
        rx.el.h3(t("cases.finish")),
        form_error(State.form_error),
        select_field(
            t("cases.fact.outcome"), State.outcomes, id="outcome", empty=t("cases.choose"), required=True
        ),
        textarea_field(
            t("cases.fact.note"), id="note", hint=t("cases.note_hint"), required=True, rows=2, max_length=500
        ),
        button(t("cases.submit"), kind="primary", icon_name="check", type="submit"),
        on_submit=State.finish,
        class_name="form",
    )
    return rx.cond(State.chosen_open, only(Right.DESK_REVIEW, form), rx.fragment())


def _detail() -> rx.Component:
    ledger = link_button(
        t("cases.ledger"),
        "/console/ledger?attempt=" + State.attempt_id,
        icon_name="book_open_text",
        small=True,
    )
    return dialog(
        rx.el.div(
            rx.el.div(
                facts(State.facts),
                rx.el.div(rx.el.h3(t("cases.course")), timeline(State.course, label=t("cases.course"))),
                only(Right.LEDGER_VIEW, rx.el.div(ledger)),
                class_name="col",
            ),
            rx.el.div(_pictures(), _finish(), class_name="col"),
            class_name="two even",
        ),
        id="case",
        open=State.chosen != "",
        title=tf("cases.detail", case=State.chosen_title),
        close_label=t("common.close"),
        on_close=State.close,
        close_on_backdrop=False,
        wide=True,
    )


def page() -> rx.Component:
    """Cases of the site, newest first."""
    return console_page(
        _filters(),
        _list(),
        title=t("cases.title"),
        subtitle=tf("cases.waiting", count=State.waiting),
        rights=(Right.CASE_VIEW,),
        loaded=State.loaded,
        ended=State.ended,
        extra=[_detail()],
    )
