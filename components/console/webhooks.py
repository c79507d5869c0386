"""Webhooks: the list of addresses, the forms of one, and the log of what was sent to it."""

from __future__ import annotations

import reflex as rx

from components.actions import button, icon_button
from components.console.integrations import overlap_field, secret_box
from components.console.listing import form_dialog, listing, state_dialog
from components.console.parts import confirm, stacked
from components.feedback import banner, chip
from components.forms import text_field
from components.kit import Child
from components.tables import Column, table
from components.text import t, tf
from state.console_webhooks import WebhooksState as State


def _cells(row: rx.Var) -> list[Child]:
    switch = rx.cond(
        row["enabled"],
        button(t("webhooks.stop"), kind="quiet", small=True, on_click=State.toggle(row["id"], False)),
        button(t("webhooks.start"), small=True, on_click=State.toggle(row["id"], True)),
    )
    acts = rx.el.div(
        button(t("webhooks.log"), icon_name="scroll_text", small=True, on_click=State.open_log(row["id"])),
        switch,
        button(t("webhooks.rotate"), kind="quiet", small=True, on_click=State.ask_rotate(row["id"])),
        icon_button("pencil", t("webhooks.edit"), small=True, on_click=State.edit(row["id"])),
        icon_button("trash_2", t("webhooks.remove"), small=True, on_click=State.ask_remove(row["id"])),
        class_name="row tight wrap",
        style={"justifyContent": "flex-end"},
    )
    return [
        stacked(rx.el.b(row["label"]), row["host"]),
        stacked(chip(row["word"], row["tone"]), row["notes"]),
        row["events"],
        acts,
    ]


def webhooks_list() -> rx.Component:
    """Show which addresses are told of what happens, and how that goes."""
    columns = [
        Column(t("webhooks.label")),
        Column(t("console.column.status")),
        Column(t("webhooks.events")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    return listing(
        columns,
        State.rows,
        _cells,
        caption=t("webhooks.title"),
        empty=rx.el.p(t("webhooks.empty"), class_name="muted card-body"),
        title=rx.el.h2(t("webhooks.title"), class_name="h3"),
        aside=button(t("webhooks.add"), icon_name="plus", small=True, on_click=State.add),
        id="webhooks",
    )


def _event(row: rx.Var) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            id=row["id"],
            name=row["id"],
            default_checked=row["on"] != "",
        ),
        rx.el.span(row["words"], " ", rx.el.span(row["code"], class_name="mono small muted")),
        class_name="check",
        key=row["id"],
    )


def _fields(prefix: str) -> list[Child]:
    return [
        text_field(
            t("webhooks.url"),
            id=f"{prefix}-url",
            name="url",
            type="url",
            inputmode="url",
            hint=t("webhooks.url_hint"),
            default_value=State.url,
            required=True,
            max_length=500,
        ),
        rx.el.fieldset(
            rx.el.legend(t("webhooks.events"), class_name="label"),
            rx.foreach(State.events, _event),
            class_name="field",
        ),
    ]


def _line(row: rx.Var) -> list[Child]:
    again = rx.cond(
        row["dead"],
        button(t("webhooks.replay"), small=True, on_click=State.replay(row["id"])),
        rx.fragment(),
    )
    return [
        row["at"],
        row["event"],
        stacked(chip(row["word"], row["tone"]), row["next"]),
        row["tries"],
        row["result"],
        again,
    ]


def _log() -> rx.Component:
    columns = [
        Column(t("webhooks.at")),
        Column(t("webhooks.event_column")),
        Column(t("console.column.status")),
        Column(t("webhooks.tries"), numeric=True),
        Column(t("webhooks.result")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    grid = table(
        columns,
        State.log,
        _line,
        caption=t("webhooks.log"),
        row_key=lambda row: row["id"],
        empty=rx.el.p(t("webhooks.log_empty"), class_name="muted"),
    )
    return state_dialog(
        State,
        "log",
        State.label,
        rx.el.p(t("webhooks.log_hint"), class_name="small muted"),
        rx.el.div(
            button(t("webhooks.test"), icon_name="send", small=True, on_click=State.test),
            button(
                t("webhooks.reload"),
                icon_name="refresh_cw",
                kind="quiet",
                small=True,
                on_click=State.reload_log,
            ),
            class_name="row tight wrap",
        ),
        grid,
        prefix="webhooks",
        wide=True,
    )


def webhooks_dialogs() -> rx.Component:
    """Make the forms and the log, show a secret once, and ask before an address is taken out."""
    new = form_dialog(
        State,
        "new",
        t("webhooks.add"),
        text_field(
            t("webhooks.label"),
            id="webhook-label",
            name="label",
            hint=t("integrations.label_hint"),
            required=True,
            max_length=40,
        ),
        *_fields("new"),
        prefix="webhooks",
        on_submit=State.submit,
        submit=t("webhooks.create"),
        icon_name="plus",
    )
    edit = form_dialog(
        State, "edit", State.label, *_fields("edit"), prefix="webhooks", on_submit=State.change
    )
    secret = state_dialog(
        State,
        "secret",
        State.label,
        banner("wait", t("webhooks.once"), icon_name="eye_off"),
        secret_box(t("integrations.signing"), State.secret, State.copied, id="webhook-secret"),
        prefix="webhooks",
        wide=True,
    )
    rotate = form_dialog(
        State,
        "rotate",
        t("webhooks.rotate"),
        rx.el.p(tf("webhooks.rotate_words", name=State.label)),
        overlap_field("webhook-overlap"),
        prefix="webhooks",
        on_submit=State.rotate,
        submit=t("webhooks.rotate"),
        icon_name="key_round",
    )
    remove = confirm(
        id="webhooks-remove",
        open=State.dialog == "remove",
        title=t("webhooks.remove"),
        words=tf("webhooks.remove_words", name=State.label),
        act=t("webhooks.remove"),
        on_act=State.remove,
        on_close=State.close,
    )
    return rx.fragment(new, edit, secret, rotate, remove, _log())
