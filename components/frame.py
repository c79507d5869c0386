"""What every page carries: the demo ribbon, the lost connection, notices, language and light."""

from __future__ import annotations

from typing import Any

import reflex as rx

from components.actions import button
from components.client import reader_language, toasts
from components.feedback import crash_screen
from components.forms import plain_form
from components.kit import Child, icon
from components.layout import color_mode_button, connection_bar, demo_ribbon
from components.text import t
from state.i18n import I18nState
from state.shell import ShellState


def bars() -> list[Child]:
    """The lines above a page."""
    return [rx.cond(ShellState.demo, demo_ribbon(t("common.demo")), rx.fragment())]


def wraps() -> dict[tuple[int, str], Any]:
    """What stands around every page: its language, and our words where Reflex would show its English ones."""

    def crashed(_stateful: bool) -> rx.Component:
        return crash_screen(
            title=t("common.crashed"), detail=t("common.crashed_hint"), reload=t("common.reload")
        )

    def lost(stateful: bool) -> rx.Component | None:
        if not stateful:
            return None
        # A fragment, because the page becomes a child of what is returned: the bar alone is a live region. The
        # language comes before the page, so that a field that asks for the focus is not hidden any more.
        return rx.fragment(
            reader_language(locale=I18nState.locale, known=I18nState.known),
            connection_bar(t("common.connection_lost")),
        )

    return {(55, "ErrorBoundary"): crashed, (5, "Overlay"): lost}


def notices() -> rx.Component:
    """Short notices of this tab."""
    labels = {"close": t("common.close"), "region": t("common.notices")}
    return toasts(items=ShellState.notices, labels=labels, on_dismiss=ShellState.dismiss)


def language_button(**props: Any) -> rx.Component:
    """Switch between Chinese and English; the label is in the other language."""
    chinese = I18nState.locale == "zh-CN"
    return rx.el.button(
        icon("languages", 18),
        rx.el.span(t("common.other_language")),
        type="button",
        on_click=ShellState.set_locale(rx.cond(chinese, "en", "zh-CN")),
        class_name="btn quiet small",
        **props,
    )


def sign_out_button(*, small: bool = True) -> rx.Component:
    """End the session by a plain form, so that the tab's state goes with it."""
    return plain_form(
        button(t("common.sign_out"), icon_name="log_out", kind="quiet", small=small, type="submit"),
        action="/api/session/end",
    )


def preferences() -> list[Child]:
    """Language and light."""
    return [language_button(), color_mode_button(t("common.color_mode"))]
