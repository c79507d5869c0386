"""One permit: its facts, today's renewal, its cards, and the form that issues another."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button
from components.console.frame import only
from components.console.listing import state_dialog
from components.console.parts import facts, stacked
from components.feedback import banner, chip
from components.forms import date_field, form_error, segmented, text_field
from components.kit import Child
from components.tables import Column, table
from components.text import t
from state.console_permits import PermitsState as State

# What may be done with a card, in the order of how often it is.
MOVES = ("blocked", "lost", "returned", "active")


def _card(row: rx.Var) -> list[Child]:
    acts = [
        rx.cond(
            row[status],
            button(
                t(f"permits.card_{status}"),
                kind="quiet",
                small=True,
                on_click=State.change_card(row["id"], status),
            ),
            rx.fragment(),
        )
        for status in MOVES
    ]
    return [
        stacked(rx.el.b(row["tail"], class_name="mono"), row["label"]),
        stacked(chip(row["status"], row["tone"]), row["since"]),
        only(
            Right.PEOPLE_EDIT,
            rx.el.div(*acts, class_name="row tight wrap", style={"justifyContent": "flex-end"}),
        ),
    ]


def _cards() -> rx.Component:
    columns = [
        Column(t("permits.card")),
        Column(t("console.column.status")),
        Column(t("permits.open"), hidden_label=True),
    ]
    none = rx.el.p(t("permits.no_card_yet"), class_name="muted")
    return table(
        columns, State.cards, _card, caption=t("permits.cards"), row_key=lambda row: row["id"], empty=none
    )


def _issue() -> rx.Component:
    form = rx.el.form(
        text_field(
            t("permits.label"), id="card-label", name="label", hint=t("permits.label_hint"), max_length=30
        ),
        text_field(
            t("permits.uid"),
            id="card-uid",
            name="uid",
            hint=t("permits.uid_hint"),
            required=True,
            max_length=64,
            auto_focus=True,  # for the next card; the dialog itself sees to the first
        ),
        button(t("permits.read_tapped"), icon_name="nfc", on_click=State.read_tapped),
        segmented(
            t("permits.order"),
            State.orders,
            id="order",
            default_value="forward",
            hint=t("permits.order_hint"),
        ),
        button(t("permits.issue"), kind="primary", icon_name="credit_card", type="submit"),
        on_submit=State.issue,
        # A new form after each card: the next one is held to the reader at once.
        key=State.issued,
        class_name="form",
    )
    return rx.el.section(rx.el.h3(t("permits.issue")), form, class_name="col")


def _prolong() -> rx.Component:
    form = rx.el.form(
        date_field(
            t("permits.until"),
            id="prolong-until",
            name="until",
            # Not required: the dialog puts the cursor into the first field that is, and that is the card's number.
            min=State.today,
            default_value=State.until,
        ),
        button(t("permits.prolong"), small=True, type="submit"),
        on_submit=State.prolong,
        key=State.until,
        class_name="form",
    )
    return rx.el.details(rx.el.summary(t("permits.change"), class_name="link"), form)


def _renewal() -> rx.Component:
    due = banner(
        "wait",
        t("permits.not_renewed"),
        action=button(t("permits.renew"), small=True, on_click=State.renew(State.permit["id"])),
    )
    done = banner("ok", State.permit["renewal"])
    return rx.cond(State.permit["renewal"], rx.cond(State.permit["renew"], due, done), rx.fragment())


def permit_dialog() -> rx.Component:
    """Show a permit; who may edit people issues and withdraws its cards here."""
    running = State.permit["running"]
    about = rx.el.div(
        facts(State.facts),
        _renewal(),
        only(Right.PEOPLE_EDIT, rx.cond(State.permit["prolong"], _prolong(), rx.fragment())),
        only(
            Right.PEOPLE_EDIT,
            rx.cond(
                running,
                rx.el.div(button(t("permits.end"), kind="danger", small=True, on_click=State.ask_end)),
                rx.fragment(),
            ),
        ),
        class_name="col",
    )
    cards = rx.el.div(
        _cards(),
        form_error(State.form_error),
        only(Right.PEOPLE_EDIT, rx.cond(running, _issue(), rx.fragment())),
        class_name="col",
    )
    return state_dialog(
        State,
        "permit",
        State.permit["name"],
        rx.el.div(about, cards, class_name="two even"),
        prefix="permits",
        wide=True,
    )
