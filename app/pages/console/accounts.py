"""Staff accounts at ``/console/accounts``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, link_button
from components.console.frame import console_page
from components.console.listing import form_dialog, listing
from components.console.parts import confirm, password_once
from components.feedback import chip, empty_state
from components.forms import text_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_accounts import AccountsState as State


def _cells(row: rx.Var) -> list[Child]:
    switch = rx.cond(
        row["disabled"],
        button(t("console.accounts.enable"), small=True, on_click=State.enable(row["id"])),
        button(
            t("console.accounts.disable"), small=True, kind="danger", on_click=State.ask_disable(row["id"])
        ),
    )
    own = link_button(t("console.accounts.own"), "/account", small=True, kind="quiet")
    return [
        rx.el.span(row["username"], class_name="mono"),
        row["name"],
        row["roles"],
        chip(row["status"], row["tone"]),
        rx.cond(row["own"], own, switch),
    ]


def _list() -> rx.Component:
    columns = [
        Column(t("console.once.username")),
        Column(t("console.people.name")),
        Column(t("console.accounts.roles")),
        Column(t("console.column.status")),
        Column(t("console.accounts.action"), hidden_label=True),
    ]
    return listing(
        columns,
        State.rows,
        _cells,
        caption=t("console.accounts.title"),
        empty=empty_state(t("console.accounts.empty"), icon_name="key_round"),
        uncounted=State,
    )


def _add() -> rx.Component:
    def role(option: rx.Var) -> rx.Component:
        return rx.el.label(
            rx.el.input(type="checkbox", id=option[0], name=option[0]),
            rx.el.span(option[1]),
            class_name="check",
        )

    return form_dialog(
        State,
        "add",
        t("console.accounts.add"),
        text_field(t("console.people.name"), id="name", required=True, max_length=50),
        text_field(
            t("console.once.username"),
            id="username",
            hint=t("console.accounts.username_hint"),
            required=True,
            max_length=40,
        ),
        rx.el.fieldset(
            rx.el.legend(t("console.accounts.roles")),
            rx.el.div(rx.foreach(State.roles, role), class_name="grid-2"),
            rx.el.p(t("console.roles.exclusive"), class_name="hint"),
            class_name="field",
        ),
        prefix="account",
        on_submit=State.submit,
        submit=t("console.accounts.add"),
        icon_name="key_round",
    )


def page() -> rx.Component:
    """Who may sign in, and as what."""
    return console_page(
        _list(),
        title=t("console.accounts.title"),
        actions=[button(t("console.accounts.add"), icon_name="plus", kind="primary", on_click=State.add)],
        rights=(Right.ACCOUNT_EDIT,),
        loaded=State.loaded,
        extra=[
            _add(),
            confirm(
                id="account-disable",
                open=State.dialog == "disable",
                title=t("console.accounts.disable"),
                words=tf("console.accounts.disable_words", name=State.account_name),
                act=t("console.accounts.disable"),
                on_act=State.disable,
                on_close=State.close,
            ),
            password_once(
                open=State.dialog == "password",
                username=State.username,
                password=State.password,
                on_close=State.close,
            ),
        ],
    )
