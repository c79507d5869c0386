"""The four shells: guard desk, phone, console, sign-in; and the lines that may stand above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from components.client import RouteLink
from components.feedback import chip
from components.kit import Child, Text, Tone, classes, icon, is_set, when


@dataclass(frozen=True)
class NavItem:
    """One entry of a menu; `count` shows a number in the colour of `tone` when it is not empty."""

    label: Text
    href: str
    icon_name: str | None = None
    count: Text | None = None
    tone: Tone = "plain"
    exact: bool = False


@dataclass(frozen=True)
class NavGroup:
    """A named part of a menu."""

    label: Text | None
    items: Sequence[NavItem]


def skip_link(label: Text, target: str = "main") -> rx.Component:
    """Let a keyboard user jump over the menu."""
    return RouteLink.create(
        label, to=f"#{target}", full_load=True, class_name="skip", custom_attrs={"aria-current": "false"}
    )


def demo_ribbon(label: Text) -> rx.Component:
    """Say on every page that this is a demonstration with made-up people."""
    return rx.el.aside(
        icon("flask_conical", 14), rx.el.span(label), class_name="ribbon", custom_attrs={"aria-label": label}
    )


def connection_bar(message: Text) -> rx.Component:
    """Say that the connection is lost while it is; the page keeps what it shows."""
    line = rx.el.div(icon("wifi_off"), rx.el.span(message), class_name="banner wait connection")
    return rx.el.div(rx.cond(has_connection_errors, line, rx.fragment()), role="status")


def desk_shell(
    *,
    head: Sequence[Child],
    lights: Sequence[Child],
    left: Sequence[Child],
    arrival: Sequence[Child],
    right: Sequence[Child],
    foot: Sequence[Child],
    label: Text,
    lights_label: Text,
    skip: Text,
    bars: Sequence[Child] = (),
    extra: Sequence[Child] = (),
) -> rx.Component:
    """Lay out the guard desk; `arrival` is verdict, body and actions; `extra` holds dialogs, keys and notices."""
    return rx.el.div(
        skip_link(skip),
        rx.el.div(*bars, class_name="desk-bars"),
        rx.el.header(
            *head,
            rx.el.div(
                *lights,
                class_name="lamps",
                role="group",
                custom_attrs={"aria-label": lights_label, "tabIndex": 0},
            ),
            class_name="desk-head",
        ),
        rx.el.main(
            rx.el.div(*left, class_name="desk-col"),
            rx.el.section(*arrival, class_name="card arrival", custom_attrs={"aria-label": label}),
            rx.el.div(*right, class_name="desk-col"),
            id="main",
            class_name="desk-main",
            custom_attrs={"tabIndex": -1},
        ),
        rx.el.footer(*foot, class_name="desk-foot"),
        *extra,
        class_name="desk",
    )


def arrival_body(
    facts: Sequence[Child],
    faces: Sequence[Child],
    *,
    checks: Child | None = None,
    evidence: Sequence[Child] = (),
    trail_title: Text | None = None,
    trail: Child | None = None,
) -> rx.Component:
    """Lay out the middle of an arrival: facts, pictures beside them, checks to do, evidence as chips, the course below."""
    story = (
        rx.el.div(when(trail_title, rx.el.h2(trail_title)), trail, class_name="arrival-trail")
        if trail is not None
        else rx.fragment()
    )
    return rx.el.div(
        rx.el.div(rx.el.div(*facts), rx.el.div(*faces), class_name="arrival-split"),
        checks if checks is not None else rx.fragment(),
        rx.el.div(*evidence, class_name="evidence") if evidence else rx.fragment(),
        story,
        class_name="arrival-body",
        custom_attrs={"tabIndex": 0},
    )


def arrival_actions(lead: rx.Component, *others: rx.Component) -> rx.Component:
    """Lay out the actions on an arrival: the leading one wide, the others beside it."""
    return rx.el.div(lead, *others, class_name="arrival-acts")


def phone_shell(
    *children: Child,
    title: Text | None = None,
    subtitle: Text | None = None,
    back: tuple[str, Text] | None = None,
    aside: Child | None = None,
    action: Sequence[Child] = (),
    nav: Sequence[NavItem] = (),
    nav_label: Text | None = None,
    bars: Sequence[Child] = (),
    extra: Sequence[Child] = (),
    elder: bool | rx.Var[bool] = False,
    head: bool = True,
) -> rx.Component:
    """Lay out a phone page; `back` is (address, label), `action` sticks to the bottom, `elder` enlarges everything."""
    back_link = (
        RouteLink.create(
            icon("chevron_left", 24),
            to=back[0],
            class_name="btn quiet icon-only back",
            custom_attrs={"aria-label": back[1]},
        )
        if back
        else rx.fragment()
    )
    top = rx.el.header(
        back_link,
        rx.el.div(
            rx.el.h1(title) if is_set(title) else rx.fragment(),
            when(subtitle, rx.el.p(subtitle, class_name="small muted")),
            class_name="grow",
        ),
        aside if is_set(aside) else rx.fragment(),
        class_name="phone-top",
    )
    menu = rx.el.nav(
        *[
            RouteLink.create(
                icon(item.icon_name or "circle", 22),
                rx.el.span(item.label),
                to=item.href,
                exact=item.exact,
            )
            for item in nav
        ],
        class_name="phone-nav",
        custom_attrs={"aria-label": nav_label} if is_set(nav_label) else {},
    )
    large = rx.cond(elder, "elder", "") if isinstance(elder, rx.Var) else ("elder" if elder else "")
    return rx.el.div(
        *bars,
        top if head else rx.fragment(),
        rx.el.main(*children, id="main", class_name="phone-main", custom_attrs={"tabIndex": -1}),
        rx.el.div(*action, class_name="phone-act") if action else rx.fragment(),
        menu if nav else rx.fragment(),
        *extra,
        class_name=classes("phone", large),
    )


def _menu(groups: Sequence[NavGroup], label: Text) -> rx.Component:
    def entry(item: NavItem) -> rx.Component:
        mark = (
            when(item.count, chip(item.count, item.tone, count=True)) if is_set(item.count) else rx.fragment()
        )
        sign = icon(item.icon_name) if item.icon_name else rx.fragment()
        return rx.el.li(RouteLink.create(sign, rx.el.span(item.label), mark, to=item.href, exact=item.exact))

    parts: list[rx.Component] = []
    for group in groups:
        if is_set(group.label):
            parts.append(rx.el.p(group.label, class_name="nav-group"))
        parts.append(rx.el.ul(*[entry(item) for item in group.items], class_name="nav-list"))
    return rx.el.nav(*parts, custom_attrs={"aria-label": label})


def console_shell(
    *children: Child,
    brand: Text,
    groups: Sequence[NavGroup],
    title: Text,
    nav_label: Text,
    menu_label: Text,
    skip: Text,
    subtitle: Child | None = None,
    actions: Sequence[Child] = (),
    home: str = "/",
    side_foot: Sequence[Child] = (),
    bars: Sequence[Child] = (),
    extra: Sequence[Child] = (),
) -> rx.Component:
    """Lay out a console page: menu at the side, on small screens folded into the top line."""
    return rx.el.div(
        rx.el.div(skip_link(skip), *bars, class_name="bars"),
        rx.el.header(
            rx.el.details(
                rx.el.summary(
                    icon("menu", 22),
                    rx.el.span(brand, class_name="grow"),
                    rx.el.span(menu_label, class_name="muted small"),
                ),
                _menu(groups, nav_label),
            ),
            class_name="console-top",
        ),
        rx.el.aside(
            RouteLink.create(brand, to=home, exact=True, class_name="console-brand"),
            _menu(groups, nav_label),
            rx.el.div(*side_foot, class_name="console-foot") if side_foot else rx.fragment(),
            class_name="console-side",
        ),
        rx.el.main(
            rx.el.div(
                rx.el.h1(title),
                rx.el.span(subtitle, class_name="muted") if is_set(subtitle) else rx.fragment(),
                rx.el.div(*actions, class_name="acts") if actions else rx.fragment(),
                class_name="page-head",
            ),
            *children,
            id="main",
            class_name="console-main",
            custom_attrs={"tabIndex": -1},
        ),
        *extra,
        class_name="console",
    )


def auth_shell(
    *children: Child, brand: Text, title: Text, bars: Sequence[Child] = (), foot: Sequence[Child] = ()
) -> rx.Component:
    """Lay out a sign-in page: one card in the middle."""
    return rx.el.div(
        *bars,
        rx.el.main(
            rx.el.div(
                rx.el.p(icon("shield_check", 30), rx.el.span(brand), class_name="auth-brand"),
                rx.el.div(rx.el.h1(title), *children, class_name="card auth-card"),
                rx.el.div(*foot, class_name="center small muted", style={"marginTop": "16px"})
                if foot
                else rx.fragment(),
                class_name="auth-wrap",
            ),
            id="main",
            class_name="auth-main",
        ),
        class_name="auth",
    )


def color_mode_button(label: Text, **props: Any) -> rx.Component:
    """Switch between light and dark; the browser remembers."""
    return rx.el.button(
        rx.color_mode_cond(icon("moon", 20), icon("sun", 20)),
        type="button",
        title=label,
        on_click=rx.toggle_color_mode,
        class_name="btn quiet icon-only small",
        custom_attrs={"aria-label": label},
        **props,
    )
