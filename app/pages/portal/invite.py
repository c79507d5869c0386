"""Inviting a guest at ``/invite``: one screen, sensible defaults, thirty seconds (BK-01)."""

from __future__ import annotations

import reflex as rx

from components.actions import button, link_button
from components.client import hand_over
from components.data import card, definition_list
from components.feedback import chip
from components.forms import checkbox_field, date_field, form_error, segmented, text_field, time_field
from components.frame import bars, notices
from components.kit import icon
from components.layout import phone_shell
from components.text import t
from state.portal import InviteState

PURPOSES = ("family", "party", "repair", "other")


def _error(field: str) -> rx.Var:
    return rx.cond(InviteState.error_field == field, InviteState.form_error, "")


def form() -> rx.Component:
    """The form; identity details are for the guest to give, not for the host."""
    unit = rx.cond(
        InviteState.units.length() > 1,
        segmented(
            t("invite.unit"),
            InviteState.units,
            id="unit",
            value=InviteState.unit_id,
            on_change=InviteState.choose_unit,
        ),
        rx.fragment(),
    )
    day = segmented(
        t("invite.day"),
        [("today", t("time.today")), ("tomorrow", t("time.tomorrow")), ("date", t("invite.pick_date"))],
        id="day",
        value=InviteState.day,
        on_change=InviteState.choose_day,
    )
    return rx.el.form(
        form_error(InviteState.form_error),
        unit,
        text_field(
            t("invite.name"),
            id="name",
            required=True,
            max_length=60,
            error=_error("name"),
            enterkeyhint="next",
        ),
        rx.cond(
            InviteState.phone_rule == "off",
            rx.fragment(),
            text_field(
                t("invite.phone"),
                id="phone",
                type="tel",
                inputmode="tel",
                required=InviteState.phone_rule == "required",
                error=_error("phone"),
                enterkeyhint="next",
            ),
        ),
        rx.cond(
            InviteState.by_mail,
            text_field(
                t("invite.email"),
                id="email",
                type="email",
                inputmode="email",
                hint=t("invite.email_hint"),
                error=_error("email"),
                enterkeyhint="next",
            ),
            rx.fragment(),
        ),
        day,
        rx.cond(
            InviteState.day == "date",
            date_field(t("invite.date"), id="date", default_value=InviteState.date, required=True),
            rx.fragment(),
        ),
        rx.el.div(
            time_field(
                t("invite.start"),
                id="start",
                default_value=InviteState.start,
                on_change=InviteState.set_start,
            ),
            time_field(
                t("invite.end"),
                id="end",
                default_value=InviteState.end,
                on_change=InviteState.set_end,
                hint=rx.cond(InviteState.next_day, t("invite.next_day"), ""),
                error=_error("window"),
            ),
            class_name="grid-2",
            key=InviteState.start + InviteState.date,
        ),
        segmented(
            t("invite.purpose"),
            [(code, t(f"purpose.{code}")) for code in PURPOSES],
            id="purpose",
            default_value="family",
        ),
        rx.el.div(
            text_field(
                t("invite.head_count"),
                id="head_count",
                type="number",
                inputmode="numeric",
                default_value="1",
                min="1",
                max="50",
                error=_error("head_count"),
            ),
            text_field(
                t("invite.plate"),
                id="plate",
                hint=InviteState.plate_note,
                error=_error("plate"),
                on_blur=InviteState.look_at_plate,
            ),
            class_name="grid-2",
        ),
        rx.cond(
            InviteState.company,
            checkbox_field(t("invite.urgent"), id="urgent", hint=t("invite.urgent_hint")),
            rx.fragment(),
        ),
        rx.el.p(t("invite.notice"), class_name="small muted"),
        id="invite-form",
        on_submit=InviteState.submit,
        class_name="form",
    )


def done() -> rx.Component:
    """The link, to be shared, copied, or sent by the system."""
    return rx.el.div(
        card(
            chip(t("invite.ready"), "ok"),
            definition_list([(t("invite.name"), InviteState.guest), (t("desk.time"), InviteState.when)]),
            rx.el.p(InviteState.link, class_name="link-box mono"),
            rx.cond(
                InviteState.open_code != "",
                rx.el.div(
                    rx.el.p(t("invite.open_code"), class_name="small muted"),
                    rx.el.p(InviteState.open_code, class_name="link-box mono h3", id="open-code"),
                ),
                rx.el.p(t("invite.second_factor"), class_name="small muted"),
            ),
        ),
        hand_over(
            icon("share_2"),
            rx.el.span(t("invite.share")),
            text=InviteState.message,
            share=True,
            on_done=InviteState.handed_over,
            class_name="btn primary big block",
        ),
        hand_over(
            icon("copy"),
            rx.el.span(t("invite.copy")),
            text=InviteState.message,
            on_done=InviteState.handed_over,
            class_name="btn big block",
        ),
        rx.cond(
            InviteState.open_code == "",
            button(
                rx.cond(InviteState.sent, t("invite.sent"), t("invite.send")),
                block=True,
                icon_name="message_square_text",
                disabled=InviteState.sent,
                on_click=InviteState.send,
            ),
            rx.fragment(),
        ),
        link_button(t("invite.another"), "/invite", kind="quiet", block=True, full_load=True),
        class_name="col",
    )


def page() -> rx.Component:
    """The form, then the link."""
    action = rx.cond(
        InviteState.link == "",
        rx.el.button(
            t("invite.submit"),
            type="submit",
            class_name="btn primary big block",
            custom_attrs={"form": "invite-form"},
        ),
        link_button(t("nav.home"), "/home", block=True),
    )
    return phone_shell(
        rx.cond(InviteState.link == "", form(), done()),
        title=t("invite.title"),
        back=("/home", t("common.back")),
        action=[action],
        bars=bars(),
        extra=[notices()],
    )
