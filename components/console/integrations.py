"""Keys of other systems: the list, the dialogs that make, rotate and revoke one, and visits that have no host any more."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.client import hand_over
from components.console.listing import form_dialog, listing, state_dialog
from components.console.parts import confirm, stacked
from components.feedback import banner
from components.forms import text_field
from components.kit import Child, icon
from components.tables import Column
from components.text import t, tf
from state.console_integrations import IntegrationsState as State


def _cells(row: rx.Var) -> list[Child]:
    acts = rx.el.div(
        button(t("integrations.rotate"), kind="quiet", small=True, on_click=State.ask_rotate(row["id"])),
        button(t("integrations.revoke"), kind="danger", small=True, on_click=State.ask_revoke(row["id"])),
        class_name="row tight wrap",
        style={"justifyContent": "flex-end"},
    )
    return [
        stacked(rx.el.b(row["label"]), row["ending"]),
        row["scopes"],
        row["created"],
        rx.cond(row["used"], row["used"], rx.el.span(t("lane_keys.never"), class_name="muted")),
        acts,
    ]


def keys_list() -> rx.Component:
    """Show which systems may ask for the site, and when each did last."""
    columns = [
        Column(t("integrations.label")),
        Column(t("integrations.scopes")),
        Column(t("lane_keys.created")),
        Column(t("lane_keys.used")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    return listing(
        columns,
        State.rows,
        _cells,
        caption=t("integrations.keys"),
        empty=rx.el.p(t("integrations.empty"), class_name="muted card-body"),
        title=rx.el.h2(t("integrations.keys"), class_name="h3"),
        aside=button(t("integrations.add"), icon_name="plus", small=True, on_click=State.add),
        id="integration-keys",
    )


def _orphan(row: rx.Var) -> list[Child]:
    return [
        row["visitor"],
        row["unit"],
        row["when"],
        button(t("integrations.withdraw"), kind="danger", small=True, on_click=State.ask_withdraw(row["id"])),
    ]


def orphans_list() -> rx.Component:
    """Show visits whose host has left and that no deputy took over."""
    columns = [
        Column(t("integrations.visitor")),
        Column(t("integrations.unit")),
        Column(t("integrations.when")),
        Column(t("console.devices.action"), hidden_label=True),
    ]
    grid = listing(
        columns,
        State.orphans,
        _orphan,
        caption=t("integrations.orphans"),
        empty=rx.fragment(),
        title=rx.el.div(
            rx.el.h2(t("integrations.orphans"), class_name="h3"),
            rx.el.p(t("integrations.orphans_hint"), class_name="small muted"),
        ),
        id="orphans",
    )
    return rx.cond(State.orphans.length() > 0, grid, rx.fragment())


def _scope(option: rx.Var) -> rx.Component:
    name = "scope_" + option[0].to(str)
    return rx.el.label(
        rx.el.input(type="checkbox", id=name, name=name),
        rx.el.span(option[1], " ", rx.el.span(option[0], class_name="mono small muted")),
        class_name="check",
    )


def secret_box(label: rx.Var, value: rx.Var, on_done: object, *, id: str) -> rx.Component:
    """Show one secret with a way to copy it."""
    copy = hand_over(
        icon("copy"),
        rx.el.span(t("integrations.copy")),
        text=value,
        on_done=on_done,
        class_name="btn small",
    )
    return rx.el.div(
        rx.el.p(label, class_name="label"),
        rx.el.p(value, class_name="link-box mono", id=id),
        rx.el.div(copy, class_name="row wrap"),
        class_name="col tight",
    )


def _secrets() -> rx.Component:
    return state_dialog(
        State,
        "secrets",
        State.label,
        banner("wait", t("integrations.once"), icon_name="eye_off"),
        secret_box(t("integrations.bearer"), State.bearer, State.copied, id="integration-bearer"),
        secret_box(t("integrations.signing"), State.signing, State.copied, id="integration-signing"),
        rx.el.p(t("integrations.try"), class_name="small muted"),
        rx.el.pre(State.example, class_name="link-box mono small", style={"whiteSpace": "pre-wrap"}),
        prefix="integrations",
        wide=True,
    )


def overlap_field(id: str) -> rx.Component:
    """Ask for how many hours the old secret goes on working."""
    return text_field(
        t("integrations.overlap"),
        id=id,
        name="overlap",
        type="number",
        inputmode="numeric",
        default_value="24",
        min="0",
        max="168",
        required=True,
        hint=t("integrations.overlap_hint"),
    )


def keys_dialogs() -> rx.Component:
    """Make the forms, show secrets once, and ask before anything that a system would feel."""
    new = form_dialog(
        State,
        "new",
        t("integrations.add"),
        text_field(
            t("integrations.label"),
            id="integration-label",
            name="label",
            hint=t("integrations.label_hint"),
            required=True,
            max_length=40,
        ),
        rx.el.fieldset(
            rx.el.legend(t("integrations.scopes"), class_name="label"),
            rx.foreach(State.scopes, _scope),
            class_name="field",
        ),
        prefix="integrations",
        on_submit=State.submit,
        submit=t("integrations.create"),
        icon_name="key_round",
    )
    rotate = form_dialog(
        State,
        "rotate",
        t("integrations.rotate"),
        rx.el.p(tf("integrations.rotate_words", name=State.label)),
        overlap_field("key-overlap"),
        prefix="integrations",
        on_submit=State.rotate,
        submit=t("integrations.rotate"),
        icon_name="key_round",
    )
    revoke = confirm(
        id="integrations-revoke",
        open=State.dialog == "revoke",
        title=t("integrations.revoke"),
        words=tf("integrations.revoke_words", name=State.label),
        act=t("integrations.revoke"),
        on_act=State.revoke,
        on_close=State.close,
    )
    withdraw = confirm(
        id="integrations-withdraw",
        open=State.dialog == "withdraw",
        title=t("integrations.withdraw"),
        words=tf("integrations.withdraw_words", name=State.label),
        act=t("integrations.withdraw"),
        on_act=State.withdraw,
        on_close=State.close,
    )
    return rx.fragment(new, _secrets(), rotate, revoke, withdraw)
