"""The resident's first page at ``/home``: who is at the gate, inviting, who is coming."""

from __future__ import annotations

import reflex as rx

from components.actions import button, link_button
from components.client import elapsed, hand_over
from components.data import card, photo
from components.feedback import chip, empty_state
from components.frame import bars, language_button, notices, sign_out_button
from components.kit import icon, when
from components.layout import NavItem, color_mode_button, phone_shell
from components.own_face import own_face_card
from components.text import t, tf
from state.portal import HomeState
from state.shell import ShellState


def waiting_card(row: rx.Var) -> rx.Component:
    """Somebody at the gate: approve, decline, or say that it is a stranger."""
    return rx.el.section(
        rx.el.div(
            chip(row["where"], "wait"),
            rx.el.span(
                elapsed(start=row["since"].to(int), server_now=HomeState.server_now),
                class_name="small faint push",
            ),
            class_name="row",
        ),
        when(row["snapshot"], photo(t("home.snapshot"), row["snapshot"], scene=True, caption=False)),
        rx.el.div(
            rx.el.h2(row["name"]),
            rx.el.p(row["why"], class_name="muted"),
            rx.el.p(t("home.unbooked"), class_name="small muted"),
        ),
        rx.el.div(
            button(
                t("home.agree"), kind="admit", big=True, grow=True, on_click=HomeState.answer(row["id"], True)
            ),
            button(
                t("home.decline"),
                kind="danger",
                big=True,
                grow=True,
                on_click=HomeState.answer(row["id"], False),
            ),
            class_name="row",
        ),
        button(t("home.unknown"), kind="quiet", block=True, on_click=HomeState.answer_unknown(row["id"])),
        class_name="card pad waiting-card",
        role="alert",
        key=row["id"],
    )


def visit_row(row: rx.Var) -> rx.Component:
    """One coming guest, with the link to send again and the way to cancel."""
    more = rx.el.details(
        rx.el.summary(t("home.manage"), class_name="small link"),
        rx.el.div(
            hand_over(
                icon("copy"),
                rx.el.span(t("invite.copy")),
                text=row["link"],
                on_done=HomeState.handed_over,
                class_name="btn small",
            ),
            button(t("home.cancel"), kind="danger", small=True, on_click=HomeState.cancel(row["id"])),
            class_name="row wrap",
        ),
        rx.cond(
            row["code"],
            rx.el.p(tf("home.open_code", code=row["code"]), class_name="small muted"),
            rx.fragment(),
        ),
    )
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.b(row["name"]),
                rx.el.p(row["when"], class_name="small muted"),
                rx.el.p(row["why"], class_name="small muted"),
                rx.cond(
                    row["added"],
                    rx.el.p(tf("home.completed", fields=row["added"]), class_name="small muted"),
                    rx.fragment(),
                ),
                class_name="grow",
            ),
            chip(row["status"], row["tone"]),
            class_name="row",
        ),
        rx.cond(row["open"] != "", more, rx.fragment()),
        class_name="stacked",
        key=row["id"],
    )


def nav() -> list[NavItem]:
    """The bottom menu."""
    return [
        NavItem(t("nav.home"), "/home", "house", exact=True),
        NavItem(t("nav.invite"), "/invite", "user_round_plus"),
        NavItem(t("nav.account"), "/account", "user_round"),
    ]


def page() -> rx.Component:
    """The page."""
    visits = rx.cond(
        HomeState.visits.length() > 0,
        rx.el.ul(rx.foreach(HomeState.visits, visit_row), class_name="rows plain-list"),
        empty_state(t("home.no_visits"), t("home.no_visits_hint"), icon_name="calendar_heart"),
    )
    news = rx.cond(
        HomeState.news.length() > 0,
        card(
            rx.el.ul(
                rx.foreach(
                    HomeState.news,
                    lambda row: rx.el.li(
                        rx.el.span(row["time"], class_name="faint small"),
                        rx.el.span(row["text"]),
                        class_name="row",
                    ),
                ),
                class_name="rows plain-list",
            ),
            title=t("home.news"),
        ),
        rx.fragment(),
    )
    ended = rx.cond(
        HomeState.ended,
        card(
            rx.el.p(t("desk.ended_hint")),
            link_button(t("common.sign_in"), "/login", kind="primary", full_load=True),
        ),
        rx.fragment(),
    )
    return phone_shell(
        ended,
        rx.foreach(HomeState.waiting, waiting_card),
        link_button(
            t("nav.invite"), "/invite", kind="primary", big=True, block=True, icon_name="user_round_plus"
        ),
        card(visits, title=t("home.visits")),
        news,
        own_face_card(HomeState.face, HomeState.withdraw_face),
        rx.el.div(
            language_button(),
            color_mode_button(t("common.color_mode")),
            sign_out_button(),
            class_name="row center",
        ),
        title=rx.cond(HomeState.units.length() > 0, HomeState.units[0]["label"], t("home.no_unit")),
        subtitle=ShellState.site_name + " · " + ShellState.user_name,
        nav=nav(),
        nav_label=t("nav.label"),
        bars=bars(),
        extra=[notices()],
    )
