"""The card on the own account's page that says how one is told beside the inbox."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.forms import checkbox_field, form_error, text_field
from components.text import t, tf
from state.own_messages import OwnMessagesState as State


def own_messages() -> rx.Component:
    """Text message and mail, for whoever gets visitors; mail only where the site can send it."""
    mail = rx.fragment(
        checkbox_field(
            t("messages.own_email"),
            id="own_email",
            key="mail" + State.email.to_string(),
            default_checked=State.email,
        ),
        text_field(
            t("messages.own_address"),
            id="own_address",
            type="email",
            autocomplete="email",
            key="address" + State.address,
            default_value=State.address,
        ),
    )
    phone = checkbox_field(
        tf("messages.own_sms", phone=State.phone),
        id="own_sms",
        key="sms" + State.sms.to_string(),
        default_checked=State.sms,
    )
    form = rx.el.form(
        rx.el.h2(t("messages.own_title"), class_name="h3"),
        rx.el.p(t("messages.own_hint"), class_name="small muted"),
        form_error(State.messages_error),
        rx.cond(State.phone != "", phone, rx.el.p(t("messages.own_no_phone"), class_name="small")),
        rx.cond(State.by_mail, mail, rx.fragment()),
        button(t("console.save"), kind="primary", block=True, type="submit"),
        on_submit=State.choose,
        class_name="form",
    )
    return rx.cond(State.offered, form, rx.fragment())
