"""The computers of a lane: a key is made, shown once with a line to try it, listed and revoked."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.client import hand_over
from components.console.listing import state_dialog
from components.console.parts import confirm
from components.feedback import banner
from components.forms import form_error, text_field
from components.kit import Child, icon
from components.tables import Column, table
from components.text import t, tf
from state.console_lane_keys import LaneKeysState as State


def _cells(row: rx.Var) -> list[Child]:
    return [
        rx.el.b(row["label"]),
        row["created"],
        rx.cond(row["used"], row["used"], rx.el.span(t("lane_keys.never"), class_name="muted")),
        button(t("lane_keys.revoke"), kind="danger", small=True, on_click=State.ask_revoke(row["id"])),
    ]


def _copy(label: rx.Var, text: rx.Var) -> rx.Component:
    return hand_over(icon("copy"), rx.el.span(label), text=text, on_done=State.copied, class_name="btn small")


def _made() -> rx.Component:
    return rx.el.section(
        banner("wait", t("lane_keys.once"), icon_name="eye_off"),
        rx.el.p(State.secret, class_name="link-box mono", id="lane-key"),
        rx.el.p(t("lane_keys.example"), class_name="small muted"),
        rx.el.pre(State.example, class_name="link-box mono small", style={"whiteSpace": "pre-wrap"}),
        rx.el.div(
            _copy(t("lane_keys.copy_key"), State.secret),
            _copy(t("lane_keys.copy_example"), State.example),
            class_name="row wrap",
        ),
        class_name="col",
    )


def _create() -> rx.Component:
    return rx.el.form(
        form_error(State.form_error),
        text_field(
            t("lane_keys.label"),
            id="key-label",
            name="label",
            hint=t("lane_keys.label_hint"),
            required=True,
            max_length=40,
        ),
        button(t("lane_keys.create"), kind="primary", icon_name="key_round", type="submit"),
        on_submit=State.create,
        reset_on_submit=True,
        class_name="form",
    )


def lane_keys_dialog() -> rx.Component:
    """Show the keys of the chosen lane, and ask before one is revoked."""
    columns = [
        Column(t("lane_keys.label")),
        Column(t("lane_keys.created")),
        Column(t("lane_keys.used")),
        Column(t("lane_keys.revoke"), hidden_label=True),
    ]
    grid = table(
        columns,
        State.keys,
        _cells,
        caption=t("lane_keys.title"),
        row_key=lambda row: row["id"],
        empty=rx.el.p(t("lane_keys.empty"), class_name="muted"),
    )
    keys = state_dialog(
        State,
        "keys",
        t("lane_keys.title"),
        rx.el.p(State.title, class_name="muted"),
        rx.cond(State.secret, _made(), _create()),
        grid,
        prefix="lane",
        wide=True,
    )
    sure = confirm(
        id="lane-revoke",
        open=State.dialog == "revoke",
        title=t("lane_keys.revoke"),
        words=tf("lane_keys.revoke_words", name=State.label),
        act=t("lane_keys.revoke"),
        on_act=State.revoke,
        on_close=State.close,
    )
    return rx.fragment(keys, sure)
