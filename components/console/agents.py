"""Lane computers on the devices page: the list, and the dialogs that make, renew and revoke one."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button
from components.client import hand_over
from components.console.frame import only
from components.console.listing import form_dialog, listing, state_dialog
from components.console.parts import confirm, stacked
from components.feedback import banner, chip
from components.forms import text_field
from components.kit import Child, icon
from components.tables import Column
from components.text import t, tf
from state.console_agents import AgentsState as State


def _cells(row: rx.Var) -> list[Child]:
    acts = rx.fragment(
        button(t("agents.renew"), kind="quiet", small=True, on_click=State.ask_renew(row["id"])),
        button(t("agents.revoke"), kind="danger", small=True, on_click=State.ask_revoke(row["id"])),
    )
    return [
        stacked(rx.el.b(row["label"]), row["lanes"]),
        stacked(chip(row["word"], row["tone"]), row["notes"]),
        row["seen"],
        row["waiting"],
        row["version"],
        rx.el.div(
            only(Right.DEVICE_EDIT, acts), class_name="row tight wrap", style={"justifyContent": "flex-end"}
        ),
    ]


def agents_list() -> rx.Component:
    """Show the site's lane computers and how they are right now."""
    columns = [
        Column(t("agents.label")),
        Column(t("console.column.status")),
        Column(t("agents.seen")),
        Column(t("agents.waiting")),
        Column(t("agents.version")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    add = only(Right.DEVICE_EDIT, button(t("agents.add"), icon_name="plus", small=True, on_click=State.add))
    return listing(
        columns,
        State.rows,
        _cells,
        caption=t("agents.title"),
        empty=rx.el.p(t("agents.empty"), class_name="muted card-body"),
        title=rx.el.h2(t("agents.title"), class_name="h3"),
        aside=add,
        id="lane-computers",
    )


def _lane(option: rx.Var) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", id=option[0], name=option[0]), rx.el.span(option[1]), class_name="check"
    )


def _code() -> rx.Component:
    copy = hand_over(
        icon("copy"),
        rx.el.span(t("lane_keys.copy_example")),
        text=State.command,
        on_done=State.copied,
        class_name="btn small",
    )
    return state_dialog(
        State,
        "code",
        State.label,
        banner("wait", t("agents.once"), icon_name="eye_off"),
        rx.el.p(State.code, class_name="link-box mono", id="agent-code"),
        rx.el.p(t("agents.command"), class_name="small muted"),
        rx.el.pre(State.command, class_name="link-box mono small", style={"whiteSpace": "pre-wrap"}),
        rx.el.div(copy, class_name="row wrap"),
        rx.el.p(t("agents.then"), class_name="small muted"),
        rx.el.pre("python -m hardware.agent run", class_name="link-box mono small"),  # literal: what is typed
        prefix="agents",
        wide=True,
    )


def agents_dialogs() -> rx.Component:
    """Make the form, show the code once, and ask before a code is renewed or a computer revoked."""
    form = form_dialog(
        State,
        "new",
        t("agents.add"),
        text_field(
            t("agents.label"),
            id="agent-label",
            name="label",
            hint=t("lane_keys.label_hint"),
            required=True,
            max_length=40,
        ),
        rx.el.fieldset(
            rx.el.legend(t("agents.lanes"), class_name="label"),
            rx.foreach(State.lanes, _lane),
            class_name="field",
        ),
        prefix="agents",
        on_submit=State.submit,
        submit=t("agents.create"),
        icon_name="key_round",
    )
    renew = confirm(
        id="agent-renew",
        open=State.dialog == "renew",
        title=t("agents.renew"),
        words=tf("agents.renew_words", name=State.label),
        act=t("agents.renew"),
        on_act=State.renew,
        on_close=State.close,
    )
    revoke = confirm(
        id="agent-revoke",
        open=State.dialog == "revoke",
        title=t("agents.revoke"),
        words=tf("agents.revoke_words", name=State.label),
        act=t("agents.revoke"),
        on_act=State.revoke,
        on_close=State.close,
    )
    return rx.fragment(form, _code(), renew, revoke)
