"""The visitor's page at ``/pass``: the second factor, then the code that renews itself (BK-07)."""

from __future__ import annotations

import reflex as rx

from components.actions import button, link_button
from components.client import dynamic_pass, kept_pass
from components.data import card
from components.feedback import empty_state
from components.forms import form_error, plain_form, text_field
from components.frame import language_button
from components.kit import icon
from components.layout import color_mode_button, demo_ribbon, phone_shell
from components.text import t
from state.i18n import I18nState
from state.shell import ShellState
from state.visitor import PassState

PASS = "/api/visitor/pass"
CLOSE = "/api/visitor/close"


def question() -> rx.Component:
    """The second factor: the last four digits of the invited phone, or the code that the host told."""
    by_phone = PassState.by_phone
    form = plain_form(
        form_error(ShellState.error),
        rx.el.input(type="hidden", name="link", value=PassState.link, read_only=True),
        rx.el.p(rx.cond(by_phone, t("pass.question"), t("pass.question_code"))),
        text_field(
            rx.cond(by_phone, t("pass.phone_tail"), t("pass.open_code")),
            id="phone_tail",
            inputmode="numeric",
            max_length=4,
            required=True,
            auto_focus=True,
        ),
        button(t("pass.open"), kind="primary", big=True, block=True, type="submit"),
        rx.el.p(t("pass.why"), class_name="small muted"),
        action="/api/visitor/open",
        class_name="form",
    )
    none = rx.el.div(form_error(ShellState.error), rx.el.p(t("pass.no_link")), class_name="form")
    return card(rx.cond(PassState.link != "", form, none))


def brand() -> rx.Component:
    """Who asks: a bare box that wants digits looks like a trap."""
    return rx.el.div(
        rx.el.p(icon("shield_check", 28), rx.el.span(t("common.product")), class_name="auth-brand"),
        rx.el.h1(t("pass.title")),
        class_name="center",
    )


def ended() -> rx.Component:
    """A visit that is over: how it ended and what to do, no pass and nobody's data."""
    detail = rx.match(
        PassState.end,
        ("cancelled", t("pass.end_cancelled")),
        ("completed", t("pass.end_completed")),
        t("pass.end_expired"),
    )
    return card(empty_state(t("pass.end_title"), detail, icon_name="calendar_check"))


def code_labels() -> dict[str, rx.Var]:
    """The words around the code; the phone keeps them with the pass, for when it has no network."""
    names = (
        "loading",
        "seconds",
        "offline",
        "confirmed",
        "kept",
        "stay_open",
        "short_code",
        "code",
        "expired",
        "expired_hint",
        "revoked",
        "revoked_hint",
        "error",
        "error_hint",
        "retry",
        "forgotten",
    )
    return {
        **{name: t(f"pass_code.{name}") for name in names},
        "title": t("pass.title"),
        "forget": t("pass.forget"),
        "locale": I18nState.locale,
    }


def completing() -> rx.Component:
    """The way to the page where details and a picture are added."""
    hint = rx.cond(PassState.complete == "required", t("visit.open_required"), t("visit.open_hint"))
    return card(
        link_button(t("visit.open"), "/pass/details", block=True, icon_name="clipboard_pen_line"),
        rx.el.p(hint, class_name="small muted"),
        class_name="col tight",
    )


def shown() -> rx.Component:
    """The pass itself, where to go, and the way to forget it on this phone."""
    return rx.fragment(
        rx.el.div(
            rx.el.p(PassState.site, class_name="muted"), rx.el.h1(PassState.greeting), class_name="center"
        ),
        dynamic_pass(endpoint=PASS, labels=code_labels()),
        card(
            rx.el.b(t("pass.to") + PassState.to),
            rx.el.p(PassState.when, class_name="small muted"),
            rx.cond(
                PassState.plate != "",
                rx.el.p(t("pass.plate") + PassState.plate, class_name="small muted"),
                rx.fragment(),
            ),
        ),
        rx.cond(PassState.complete != "", completing(), rx.fragment()),
        card(rx.el.b(t("pass.how")), rx.el.p(t("pass.how_text"), class_name="small muted")),
        rx.el.details(
            rx.el.summary(t("pass.data"), class_name="link"),
            rx.el.p(t("pass.data_text"), class_name="small muted"),
            plain_form(
                button(t("pass.forget"), kind="danger", small=True, type="submit"),
                action=CLOSE,
            ),
        ),
    )


def page() -> rx.Component:
    """The question or the pass."""
    return phone_shell(
        kept_pass(
            rx.cond(PassState.open, rx.fragment(), brand()),
            rx.cond(PassState.open, shown(), rx.cond(PassState.end != "", ended(), question())),
            rx.el.div(language_button(), color_mode_button(t("common.color_mode")), class_name="row center"),
            endpoint=PASS,
            closing=CLOSE,
            labels=code_labels(),
            answered=PassState.answered,
            open=PassState.open,
        ),
        title=t("pass.title"),
        head=False,
        bars=[rx.cond(PassState.demo, demo_ribbon(t("common.demo")), rx.fragment())],
    )
