"""One's own account at ``/account``: a new password, the language, and one's own face if it is enrolled."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.pages.console.own_messages import own_messages
from components.actions import button, link_button
from components.feedback import banner
from components.forms import form_error, text_field
from components.frame import bars, notices, preferences, sign_out_button
from components.layout import auth_shell
from components.own_face import own_face_card
from components.text import t, tf
from state.console_own import OwnAccountState as State


def _form() -> rx.Component:
    def wrong(field: str) -> Any:
        return rx.cond(State.error_field == field, State.form_error, "")

    return rx.el.form(
        rx.cond(
            State.must_change,
            banner("wait", t("console.own.must_change"), icon_name="key_round"),
            rx.fragment(),
        ),
        form_error(rx.cond(State.error_field, "", State.form_error)),
        rx.el.p(tf("console.own.username", name=State.username), class_name="muted"),
        text_field(
            t("console.own.old"),
            id="old_password",
            type="password",
            autocomplete="current-password",
            required=True,
            error=wrong("old_password"),
        ),
        text_field(
            t("console.own.new"),
            id="password",
            type="password",
            autocomplete="new-password",
            required=True,
            hint=State.hint,
            error=wrong("password"),
        ),
        text_field(
            t("console.own.again"),
            id="again",
            type="password",
            autocomplete="new-password",
            required=True,
            error=wrong("again"),
        ),
        button(t("console.own.change"), kind="primary", big=True, block=True, type="submit"),
        rx.cond(
            State.must_change,
            rx.fragment(),
            link_button(t("console.home"), State.home, kind="quiet", block=True),
        ),
        on_submit=State.change,
        class_name="form",
    )


def page() -> rx.Component:
    """Change one's password; the first sign-in leads here."""
    done = rx.el.div(
        banner("ok", t("console.own.done"), role="alert"),
        link_button(t("console.home"), State.home, kind="primary", big=True, block=True),
        class_name="form",
    )
    return auth_shell(
        rx.cond(State.done, done, _form()),
        own_face_card(State.face, State.withdraw_face),
        rx.cond(State.must_change, rx.fragment(), own_messages()),
        notices(),
        brand=t("common.product"),
        title=t("console.own.title"),
        bars=bars(),
        foot=[rx.el.div(*preferences(), sign_out_button(), class_name="row center")],
    )
