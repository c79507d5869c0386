"""The card of times on the policy page: retention, answers, automatic check-out, the nightly hour."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.console.parts import number_row
from components.data import card
from components.forms import form_error, select_field, time_field
from components.text import t
from state.console_policy import PolicyState as State


def times() -> rx.Component:
    """Everything that ends by itself after a time, within the limits the law leaves."""
    form = rx.el.form(
        form_error(State.times_error),
        rx.el.div(
            rx.foreach(State.times, number_row),
            select_field(
                t("console.time.checkout"),
                State.checkouts,
                id="checkout",
                key=State.checkout,
                default_value=State.checkout,
                hint=t("console.time_hint.checkout"),
            ),
            time_field(
                t("console.time.nightly_minute"),
                id="nightly_minute",
                key=State.nightly,
                default_value=State.nightly,
                required=True,
                hint=t("console.time_hint.nightly_minute"),
            ),
            class_name="fields",
        ),
        rx.el.div(
            button(t("console.policy.save_times"), kind="primary", icon_name="check", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=State.save_times,
        class_name="form",
    )
    return card(
        rx.el.p(t("console.policy.times_hint"), class_name="muted"), form, title=t("console.policy.times")
    )
