"""The texts of messages and their hours, on the page of messages."""

from __future__ import annotations

import reflex as rx

from components.actions import button, icon_button
from components.console.listing import listing, state_dialog
from components.console.parts import form_acts, stacked
from components.data import card
from components.feedback import chip, empty_state
from components.forms import form_error, text_field, textarea_field, time_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_message_texts import MessageTextsState as State


def _cells(row: rx.Var) -> list[Child]:
    return [
        rx.el.div(stacked(rx.el.b(row["name"]), row["audience"]), class_name="nowrap"),
        rx.el.span(row["language"], class_name="nowrap"),
        rx.el.div(
            rx.el.span(row["text"], lang=row["locale"], style={"overflowWrap": "anywhere"}),
            rx.cond(row["own"], rx.el.div(chip(t("messages.own"), "info")), rx.fragment()),
            class_name="grow",
        ),
        icon_button("pencil", row["label"], small=True, on_click=State.begin(row["event"], row["locale"])),
    ]


def texts() -> rx.Component:
    """What is said at each event, in each language."""
    columns = [
        Column(t("messages.column.event")),
        Column(t("messages.column.language")),
        Column(t("messages.column.text"), long=True),
        Column(t("messages.edit"), hidden_label=True),
    ]
    return listing(
        columns,
        State.texts,
        _cells,
        caption=t("messages.texts"),
        empty=empty_state(t("messages.empty"), icon_name="mail"),
        title=t("messages.texts"),
    )


def hours() -> rx.Component:
    """Quiet hours, and how long before a visit its visitor is reminded."""
    form = rx.el.form(
        form_error(State.hours_error),
        *[
            time_field(t(f"messages.hours.{name}"), id=name, key=value, default_value=value, required=True)
            for name, value in (("quiet_from", State.quiet_from), ("quiet_until", State.quiet_until))
        ],
        text_field(
            t("messages.hours.reminder_minutes"),
            id="reminder_minutes",
            type="number",
            inputmode="numeric",
            key=State.reminder,
            default_value=State.reminder,
            required=True,
            hint=t("messages.hours_reminder_hint"),
        ),
        rx.el.div(
            button(t("messages.save_hours"), kind="primary", icon_name="check", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=State.save_hours,
        class_name="form",
    )
    return card(rx.el.p(t("messages.hours_hint"), class_name="muted"), form, title=t("messages.hours_title"))


def _placeholders() -> rx.Component:
    return rx.el.div(
        rx.el.p(t("messages.placeholders"), class_name="small muted"),
        rx.el.ul(
            rx.foreach(
                State.allowed,
                lambda row: rx.el.li(
                    rx.el.code(row["id"]),
                    rx.el.span(row["word"], class_name="grow"),
                    rx.cond(row["must"], chip(t("messages.must"), "info"), rx.fragment()),
                    key=row["id"],
                    class_name="row tight",
                ),
            ),
            class_name="rows",
        ),
    )


def _preview() -> rx.Component:
    return rx.el.section(
        rx.el.h3(t("messages.preview"), class_name="h3"),
        rx.el.p(
            State.shown,
            style={"whiteSpace": "pre-wrap", "overflowWrap": "anywhere"},
            id="message-preview",
        ),
        rx.el.p(State.length, class_name="small muted"),
        custom_attrs={"aria-live": "polite"},
    )


def text_dialog() -> rx.Component:
    """Write a text and see at once how it will read."""
    form = rx.el.form(
        form_error(State.form_error),
        textarea_field(
            t("messages.column.text"),
            id="text",
            key=State.event + State.locale + State.dialog,
            default_value=State.draft,
            on_change=State.preview.debounce(300),
            required=True,
            rows=4,
            max_length=500,
        ),
        _preview(),
        _placeholders(),
        rx.cond(
            State.own,
            rx.el.div(button(t("messages.reset"), icon_name="rotate_ccw", on_click=State.restore)),
            rx.fragment(),
        ),
        form_acts(t("console.save"), State.close),
        on_submit=State.save,
        class_name="form",
    )
    title = tf("messages.edit_one", event=State.event_name, language=State.locale_name)
    return state_dialog(State, "text", title, form, prefix="messages")
