"""Small parts that several console pages share."""

from __future__ import annotations

from typing import Any

import reflex as rx

from components.actions import button
from components.feedback import banner, dialog
from components.kit import Child, Text
from components.tables import pager
from components.text import t, tf


def facts(rows: rx.Var) -> rx.Component:
    """Show rows of {term, value} as a list of terms."""
    return rx.el.dl(
        rx.foreach(rows, lambda row: rx.fragment(rx.el.dt(row["term"]), rx.el.dd(row["value"]))),
        class_name="dl",
    )


def stacked(main: Child, below: rx.Var[str]) -> rx.Component:
    """Show a cell with a smaller second line where there is one."""
    return rx.el.div(
        main, rx.cond(below, rx.el.div(below, class_name="small muted"), rx.fragment()), class_name="grow"
    )


def counted_pager(state: Any) -> rx.Component:
    """Make the line under a table of a state with `total`, `number`, `pages`, `previous` and `following`."""
    return pager(
        summary=tf("console.pager", total=state.total, page=state.number, pages=state.pages),
        previous=t("console.previous"),
        following=t("console.following"),
        on_previous=state.previous,
        on_next=state.following,
        has_previous=state.number > 1,
        has_next=state.number < state.pages,
        label=t("console.pager_label"),
    )


def open_pager(state: Any) -> rx.Component:
    """Make the line under a table whose length is not counted: a state with `number`, `more` and the two turns."""
    return pager(
        summary=tf("console.pager_open", page=state.number),
        previous=t("console.newer"),
        following=t("console.older"),
        on_previous=state.previous,
        on_next=state.following,
        has_previous=state.number > 1,
        has_next=state.more,
        label=t("console.pager_label"),
    )


def form_acts(submit: Text, on_close: Any, *, icon_name: str = "check") -> rx.Component:
    """Make the last line of a form in a dialog: do it, or leave it."""
    return rx.el.div(
        button(t("console.cancel"), on_click=on_close),
        button(submit, kind="primary", icon_name=icon_name, type="submit"),
        class_name="modal-acts",
    )


def confirm(
    *, id: str, open: Any, title: Text, words: Text, act: Text, on_act: Any, on_close: Any
) -> rx.Component:
    """Ask once before something that is hard to undo."""
    return dialog(
        rx.el.p(words),
        id=id,
        open=open,
        title=title,
        close_label=t("common.close"),
        on_close=on_close,
        actions=[
            button(t("console.cancel"), on_click=on_close),
            button(act, kind="danger solid", on_click=on_act),
        ],
    )


def password_once(*, open: Any, username: Text, password: Text, on_close: Any) -> rx.Component:
    """Show the password of a first sign-in, once."""
    return dialog(
        banner("wait", t("console.once.hint"), icon_name="eye_off"),
        rx.el.dl(
            rx.el.dt(t("console.once.username")),
            rx.el.dd(username, class_name="mono"),
            rx.el.dt(t("console.once.password")),
            rx.el.dd(password, class_name="mono", id="once-password"),
            class_name="dl",
        ),
        rx.el.p(t("console.once.next"), class_name="muted"),
        id="once",
        open=open,
        title=t("console.once.title"),
        close_label=t("common.close"),
        on_close=on_close,
        close_on_backdrop=False,
        actions=[
            button(t("console.once.copy"), icon_name="copy", on_click=rx.set_clipboard(password)),
            button(t("console.once.done"), kind="primary", on_click=on_close),
        ],
    )


def number_row(row: rx.Var) -> rx.Component:
    """A number of a settings form: a row with id, label, value, bounds and hint; `key` changes when it must be filled anew."""
    return rx.el.div(
        rx.el.label(row["label"], html_for=row["id"]),
        rx.el.input(
            id=row["id"],
            name=row["id"],
            key=row["key"],
            type="number",
            default_value=row["value"],
            min=row["low"],
            max=row["high"],
            required=True,
            class_name="input",
            custom_attrs={"inputMode": "numeric", "aria-describedby": row["id"] + "-hint"},
        ),
        rx.el.p(row["hint"], id=row["id"] + "-hint", class_name="hint"),
        class_name="field",
        key=row["id"],
    )
