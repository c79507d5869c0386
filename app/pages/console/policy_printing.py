"""The card of badges on the policy page."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.data import card
from components.forms import checkbox_field, select_field
from components.text import t
from state.console_printing import PrintingState as State


def printing() -> rx.Component:
    """Printed at once or at a key, and what stands on a badge as the name."""
    form = rx.el.form(
        checkbox_field(
            t("console.badge.at_once"),
            id="print_at_once",
            key=State.at_once.to_string(),
            default_checked=State.at_once,
        ),
        select_field(
            t("console.badge.name"),
            State.names,
            id="badge_name",
            key=State.name,
            default_value=State.name,
            hint=t("console.badge.hint"),
        ),
        rx.el.div(
            button(t("console.badge.save"), kind="primary", icon_name="check", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=State.save,
        class_name="form",
    )
    return card(form, title=t("console.badge.title"))
