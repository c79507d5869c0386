"""The demo panel at ``/demo``: what a newcomer holds before the emulated devices (EV-08)."""

from __future__ import annotations

import reflex as rx

from components.actions import button, link_button
from components.data import card
from components.feedback import empty_state
from components.forms import select_field
from components.frame import bars, language_button, notices
from components.layout import color_mode_button, phone_shell
from components.text import t
from state.demo_panel import DemoState
from state.demo_printer import DemoPrinterState


def panel() -> rx.Component:
    """The buttons; each acts on an emulated device, which the same drivers read as a real one."""
    return rx.fragment(
        rx.el.p(t("demo.explain"), class_name="muted"),
        select_field(
            t("demo.lane"),
            DemoState.lanes,
            id="lane",
            value=DemoState.lane_id,
            on_change=DemoState.choose_lane,
        ),
        card(
            select_field(
                t("demo.guest"),
                DemoState.guests,
                id="guest",
                value=DemoState.booking_id,
                on_change=DemoState.choose_guest,
            ),
            rx.el.div(
                button(
                    t("demo.code"),
                    kind="primary",
                    icon_name="qr_code",
                    block=True,
                    on_click=DemoState.show_code,
                ),
                button(t("demo.stale"), icon_name="timer_off", block=True, on_click=DemoState.show_stale),
                button(
                    t("demo.forged"), icon_name="shield_alert", block=True, on_click=DemoState.show_forged
                ),
                button(
                    t("demo.foreign"), icon_name="user_round_x", block=True, on_click=DemoState.show_foreign
                ),
                button(t("demo.refresh"), kind="quiet", small=True, on_click=DemoState.refresh_guests),
                class_name="col",
            ),
            title=t("demo.camera"),
        ),
        card(
            rx.el.div(
                button(
                    t("demo.card"), kind="primary", icon_name="nfc", block=True, on_click=DemoState.tap_card
                ),
                button(
                    t("demo.unknown_card"),
                    icon_name="credit_card",
                    block=True,
                    on_click=DemoState.tap_unknown,
                ),
                button(t("demo.pull_card"), icon_name="unplug", block=True, on_click=DemoState.pull_card),
                class_name="col",
            ),
            title=t("demo.reader"),
        ),
        card(
            rx.el.div(
                button(
                    t("demo.own_document"),
                    kind="primary",
                    icon_name="id_card",
                    block=True,
                    on_click=DemoState.lay_own,
                ),
                button(
                    t("demo.specimen"), icon_name="user_round_x", block=True, on_click=DemoState.lay_specimen
                ),
                button(
                    t("demo.tear_document"), icon_name="unplug", block=True, on_click=DemoState.tear_document
                ),
                button(t("demo.lift"), icon_name="undo_2", block=True, on_click=DemoState.lift_document),
                class_name="col",
            ),
            title=t("demo.document_reader"),
        ),
        printer(),
        card(
            rx.el.div(
                button(
                    rx.cond(DemoState.reader_in, t("demo.unplug_reader"), t("demo.plug_reader")),
                    icon_name="cable",
                    block=True,
                    on_click=DemoState.toggle_reader,
                ),
                button(
                    rx.cond(DemoState.camera_in, t("demo.unplug_camera"), t("demo.plug_camera")),
                    icon_name="cable",
                    block=True,
                    on_click=DemoState.toggle_camera,
                ),
                class_name="col",
            ),
            title=t("demo.trouble"),
        ),
    )


def printer() -> rx.Component:
    """The badge printed last, and what can go wrong with a printer."""
    badge = rx.el.img(
        src=DemoPrinterState.badge,
        alt=t("demo.badge_alt"),
        style={"width": "100%", "maxWidth": "288px", "background": "#fff"},
    )
    return card(
        rx.el.div(
            button(t("demo.look_badge"), icon_name="ticket", block=True, on_click=DemoPrinterState.look),
            button(
                rx.cond(DemoPrinterState.paper_in, t("demo.take_paper"), t("demo.load_paper")),
                icon_name="scroll",
                block=True,
                on_click=DemoPrinterState.toggle_paper,
            ),
            button(
                rx.cond(DemoPrinterState.cable_in, t("demo.unplug_printer"), t("demo.plug_printer")),
                icon_name="cable",
                block=True,
                on_click=DemoPrinterState.toggle_cable,
            ),
            rx.cond(DemoPrinterState.badge != "", badge, rx.fragment()),
            class_name="col",
        ),
        title=t("demo.printer"),
    )


def page() -> rx.Component:
    """The panel, or a word that this is no demonstration."""
    shut = empty_state(
        t("demo.shut"),
        t("demo.shut_hint"),
        icon_name="flask_conical_off",
        action=link_button(t("common.back"), "/"),
    )
    return phone_shell(
        rx.cond(DemoState.allowed, panel(), shut),
        rx.el.div(language_button(), color_mode_button(t("common.color_mode")), class_name="row center"),
        title=t("demo.title"),
        bars=bars(),
        extra=[notices()],
    )
