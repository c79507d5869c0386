"""Registering by one's own phone at ``/register``: a brief form, then how it goes on (AD-06)."""

from __future__ import annotations

import reflex as rx

from components.actions import button, link_button
from components.data import card
from components.feedback import banner, empty_state
from components.forms import checkbox_field, form_error, segmented, text_field
from components.frame import language_button, notices
from components.kit import icon
from components.layout import color_mode_button, demo_ribbon, phone_shell
from components.text import t, tf
from state.self_registration import RegisterState as State

TYPES = ("short_term", "guest", "service")
PURPOSES = ("family", "meeting", "repair", "delivery", "party", "other")
TONES = {
    "waiting": ("wait", "hourglass"),
    "asked": ("wait", "bell_ring"),
    "agreed": ("ok", "check"),
    "admitted": ("ok", "check"),
    "declined": ("no", "hand"),
    "unanswered": ("wait", "phone_missed"),
    "refused": ("no", "hand"),
    "turned_away": ("no", "undo_2"),
    "withdrawn": ("plain", "undo_2"),
    "expired": ("plain", "clock"),
}


def _error(field: str) -> rx.Var:
    return rx.cond(State.error_field == field, State.form_error, "")


def _asked(field: str, label: rx.Var, **props: object) -> rx.Component:
    return rx.cond(
        State.rules[field] == "off",
        rx.fragment(),
        text_field(label, id=field, required=State.rules[field] == "required", error=_error(field), **props),
    )


def form() -> rx.Component:
    """What the gate asks for, nothing ticked beforehand."""
    return rx.el.form(
        form_error(State.form_error),
        segmented(
            t("register.type"),
            [(kind, t(f"register.type.{kind}")) for kind in TYPES],
            id="visitor_type",
            value=State.visitor_type,
            on_change=State.choose_type,
        ),
        text_field(
            t("register.name"),
            id="name",
            required=True,
            max_length=60,
            autocomplete="name",
            error=_error("name"),
            enterkeyhint="next",
        ),
        _asked("phone", t("register.phone"), type="tel", inputmode="tel", autocomplete="tel"),
        text_field(
            t("register.unit"),
            id="unit",
            required=True,
            max_length=60,
            hint=t("register.unit_hint"),
            error=_error("unit"),
        ),
        _asked("company", t("register.company"), autocomplete="organization", max_length=60),
        segmented(
            t("register.purpose"),
            [(code, t(f"purpose.{code}")) for code in PURPOSES],
            id="purpose",
            default_value="family",
        ),
        rx.el.div(
            text_field(
                t("register.head_count"),
                id="head_count",
                type="number",
                inputmode="numeric",
                default_value="1",
                min="1",
                max="50",
                error=_error("head_count"),
            ),
            _asked("plate", t("register.plate")),
            class_name="grid-2",
        ),
        rx.el.details(
            rx.el.summary(t("register.notice_title"), class_name="link"),
            rx.el.p(t("register.notice"), class_name="small muted"),
        ),
        checkbox_field(t("register.agreed"), id="agreed", error=_error("agreed")),
        checkbox_field(t("register.keep"), id="keep", hint=t("register.keep_hint")),
        button(t("register.submit"), kind="primary", big=True, block=True, type="submit"),
        rx.el.p(t("register.other_way"), class_name="small muted center"),
        id="register-form",
        on_submit=State.submit,
        class_name="form",
    )


def _banner(step: str) -> rx.Component:
    tone, picture = TONES[step]
    return banner(tone, State.words, icon_name=picture)


def progress() -> rx.Component:
    """The number for the window, and how far it is."""
    again = rx.el.p(t("register.again"), class_name="small muted center")
    number = card(
        rx.el.p(t("register.number"), class_name="muted center"),
        rx.el.p(State.number, class_name="call-number", id="number"),
    )
    return rx.el.div(
        rx.el.div(
            rx.match(State.step, *[(step, _banner(step)) for step in TONES], rx.fragment()),
            role="status",
            aria_live="polite",
        ),
        rx.cond((State.step == "waiting") | (State.step == "asked"), number, rx.fragment()),
        rx.el.p(State.hint),
        rx.cond(
            State.open_code != "",
            rx.el.p(State.open_code, class_name="call-number", id="open-code"),
            rx.fragment(),
        ),
        rx.cond(
            State.link != "",
            link_button(t("register.pass"), State.link, kind="primary", big=True, block=True, full_load=True),
            rx.fragment(),
        ),
        rx.cond(
            State.step == "waiting",
            button(t("register.withdraw"), kind="danger", block=True, on_click=State.withdraw),
            rx.fragment(),
        ),
        rx.match(
            State.step,
            ("withdrawn", again),
            ("turned_away", again),
            ("expired", again),
            rx.fragment(),
        ),
        class_name="form",
    )


def _fault() -> rx.Component:
    return card(
        empty_state(
            rx.cond(
                State.fault == "lane_code_stale", t("error.lane_code_stale"), t("error.lane_code_unknown")
            ),
            t("register.scan_hint"),
            icon_name="qr_code",
        )
    )


def page() -> rx.Component:
    """The form, or how it goes on."""
    brand = rx.el.div(
        rx.el.p(icon("shield_check", 28), rx.el.span(t("common.product")), class_name="auth-brand"),
        rx.el.h1(rx.cond(State.site != "", tf("register.title", site=State.site), t("title.register"))),
        rx.cond(
            (State.step == "") & (State.lane != ""),
            rx.el.p(tf("register.at", lane=State.lane), class_name="muted"),
            rx.fragment(),
        ),
        class_name="center",
    )
    body = rx.cond(State.step != "", progress(), rx.cond(State.fault != "", _fault(), card(form())))
    return phone_shell(
        brand,
        rx.cond(State.answered, body, rx.fragment()),
        rx.el.div(language_button(), color_mode_button(t("common.color_mode")), class_name="row center"),
        notices(),
        title=t("title.register"),
        head=False,
        bars=[rx.cond(State.demo, demo_ribbon(t("common.demo")), rx.fragment())],
    )
