"""The rules of the site at ``/console/policy``: risk class, what is asked of whom, and who changed what."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from app.pages.console.policy_printing import printing
from app.pages.console.policy_times import times
from components.actions import button
from components.console.frame import console_page
from components.data import card
from components.feedback import chip, empty_state
from components.forms import select_field
from components.kit import Child
from components.tables import Column, table
from components.text import t, tf
from state.console_policy import PolicyState as State


def _class_cells(row: rx.Var) -> list[Child]:
    present = row["id"] == State.risk
    pick = button(t("console.policy.consider"), small=True, on_click=State.consider(row["id"]))
    return [
        rx.el.b(row["word"]),
        row["needs"],
        row["days"],
        rx.cond(present, chip(t("console.policy.present"), "info"), pick),
    ]


def _classes() -> rx.Component:
    columns = [
        Column(t("console.policy.class")),
        Column(t("console.policy.identification")),
        Column(t("console.policy.retention")),
        Column(t("console.policy.choice"), hidden_label=True),
    ]
    grid = table(
        columns, State.classes, _class_cells, caption=t("console.policy.class"), row_key=lambda row: row["id"]
    )
    return card(grid, _change(), title=t("console.policy.class"), pad=False)


def _change() -> rx.Component:
    columns = [
        Column(t("console.policy.what")),
        Column(t("console.policy.before")),
        Column(t("console.policy.after")),
    ]
    grid = table(
        columns,
        State.changes,
        lambda row: [rx.el.b(row["what"]), row["before"], row["after"]],
        caption=t("console.policy.will_change"),
        row_key=lambda row: row["what"],
    )
    shown = rx.el.section(
        rx.el.div(
            rx.el.h3(tf("console.policy.will", before=State.risk_word, after=State.wanted_word)),
            rx.el.p(t("console.policy.will_hint"), class_name="muted small"),
            class_name="card-body",
        ),
        grid,
        rx.el.div(
            button(t("console.policy.stay"), on_click=State.stay),
            button(t("console.policy.apply"), kind="primary", icon_name="check", on_click=State.set_risk),
            class_name="modal-acts",
        ),
        role="status",
    )
    return rx.cond(State.wanted, shown, rx.fragment())


def _field_cells(row: rx.Var) -> list[Child]:
    choice = rx.el.select(
        rx.foreach(State.rules, lambda rule: rx.el.option(rule[1], value=rule[0])),
        id=row["id"],
        name=row["id"],
        key=row["key"],
        default_value=row["rule"],
        class_name="input",
        style={"width": "max-content"},
        custom_attrs={"aria-label": row["label"]},
    )
    return [
        rx.el.b(row["label"]),
        rx.el.div(row["reason"], rx.el.div(row["usual"], class_name="small muted")),
        rx.cond(row["fixed"], chip(row["word"], "plain", icon_name="lock"), choice),
    ]


def _fields() -> rx.Component:
    columns = [
        Column(t("console.policy.field")),
        Column(t("console.policy.reason")),
        Column(t("console.policy.rule")),
    ]
    grid = table(
        columns, State.fields, _field_cells, caption=t("console.policy.fields"), row_key=lambda row: row["id"]
    )
    pick = select_field(
        t("console.policy.kind"),
        State.kinds,
        id="visitor-kind",
        value=State.kind,
        on_change=State.choose_kind,
    )
    return card(
        rx.el.div(
            rx.el.p(t("console.policy.fields_hint"), class_name="muted"), pick, class_name="card-body col"
        ),
        rx.el.form(
            grid,
            rx.el.div(
                button(t("console.policy.save_fields"), kind="primary", icon_name="check", type="submit"),
                class_name="modal-acts",
            ),
            on_submit=State.save_fields,
            key=State.kind,
        ),
        title=t("console.policy.fields"),
        pad=False,
    )


def _history() -> rx.Component:
    nothing = empty_state(t("console.policy.no_history"), icon_name="history")
    rows = rx.el.ul(
        rx.foreach(
            State.history,
            lambda row: rx.el.li(
                rx.el.div(
                    rx.el.div(row["text"]),
                    rx.el.div(row["time"], " · ", row["who"], class_name="small muted"),
                    class_name="grow",
                ),
                key=row["id"],
            ),
        ),
        class_name="rows",
    )
    return card(rx.cond(State.history.length() > 0, rows, nothing), title=t("console.policy.history"))


def page() -> rx.Component:
    """What the site demands, why, and since when."""
    return console_page(
        _classes(),
        rx.el.div(_fields(), rx.el.div(times(), printing(), _history(), class_name="col"), class_name="two"),
        title=t("console.policy.title"),
        rights=(Right.POLICY_EDIT,),
        loaded=State.loaded,
    )
