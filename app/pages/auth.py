"""Signing in and the first run: plain HTML forms, so that the cookie stays out of reach of scripts."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.feedback import loading
from components.forms import form_error, plain_form, segmented, text_field
from components.frame import bars, preferences
from components.layout import auth_shell
from components.text import t
from state.shell import ShellState


def start() -> rx.Component:
    """The front door: leads on at once."""
    return auth_shell(loading(t("common.loading")), brand=t("common.product"), title=t("common.loading"))


def login() -> rx.Component:
    """User name and password."""
    form = plain_form(
        form_error(ShellState.error),
        text_field(
            t("login.username"), id="username", autocomplete="username", required=True, auto_focus=True
        ),
        text_field(
            t("login.password"),
            id="password",
            type="password",
            autocomplete="current-password",
            required=True,
        ),
        button(t("login.submit"), kind="primary", big=True, block=True, type="submit"),
        action="/api/session",
        class_name="form",
    )
    return auth_shell(
        form,
        brand=t("common.product"),
        title=t("login.title"),
        bars=bars(),
        foot=[rx.el.p(t("login.help")), rx.el.div(*preferences(), class_name="row center")],
    )


def setup() -> rx.Component:
    """The first run: the site and its manager, with the word printed at the start."""
    form = plain_form(
        form_error(ShellState.error),
        rx.el.p(t("setup.hint"), class_name="muted"),
        text_field(t("setup.token"), id="token", required=True, hint=t("setup.token_hint")),
        text_field(t("setup.site_name"), id="site_name", required=True, max_length=50),
        segmented(
            t("setup.site_kind"),
            [("residential", t("site_kind.residential")), ("office", t("site_kind.office"))],
            id="site_kind",
            default_value="residential",
        ),
        text_field(t("setup.name"), id="name", required=True, autocomplete="name", max_length=50),
        text_field(t("login.username"), id="username", required=True, autocomplete="username"),
        text_field(
            t("login.password"),
            id="password",
            type="password",
            required=True,
            autocomplete="new-password",
            hint=t("setup.password_hint"),
        ),
        button(t("setup.submit"), kind="primary", big=True, block=True, type="submit"),
        action="/api/setup",
        class_name="form",
    )
    return auth_shell(
        form,
        brand=t("common.product"),
        title=t("setup.title"),
        bars=bars(),
        foot=[rx.el.div(*preferences(), class_name="row center")],
    )
