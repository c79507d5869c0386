"""Buttons, links and key hints."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from components.client import RouteLink
from components.kit import Child, Flag, Text, classes, flag_attr, icon, is_set

Kind = Literal["plain", "primary", "admit", "danger", "danger solid", "quiet"]


def key_hint(key: Text) -> rx.Component:
    """Show the key that does what the control beside it does."""
    return rx.el.kbd(key, class_name="key")


def _content(label: Child, icon_name: str | None, key: Text | None, busy: Flag) -> list[Child]:
    sign = icon(icon_name) if icon_name else rx.fragment()
    if isinstance(busy, rx.Var):
        sign = rx.cond(busy, icon("loader_circle", class_name="spin"), sign)
    elif busy:
        sign = icon("loader_circle", class_name="spin")
    return [sign, rx.el.span(label), key_hint(key) if is_set(key) else rx.fragment()]


def button(
    label: Child,
    *,
    kind: Kind = "plain",
    icon_name: str | None = None,
    key: Text | None = None,
    big: bool = False,
    small: bool = False,
    grow: bool = False,
    block: bool = False,
    busy: Flag = False,
    disabled: Flag = False,
    type: Literal["button", "submit", "reset"] = "button",
    class_name: str = "",
    custom_attrs: dict[str, Any] | None = None,
    **props: Any,
) -> rx.Component:
    """Make a button; `key` is its shortcut, `busy` shows progress and blocks a second press."""
    blocked = (
        disabled | busy if isinstance(disabled, rx.Var) or isinstance(busy, rx.Var) else disabled or busy
    )
    attrs: dict[str, Any] = {"aria-busy": flag_attr(busy), **(custom_attrs or {})}
    if isinstance(key, str):
        attrs["aria-keyshortcuts"] = key
    return rx.el.button(
        *_content(label, icon_name, key, busy),
        type=type,
        disabled=blocked,
        class_name=classes(
            "btn",
            kind if kind != "plain" else "",
            "big" if big else "",
            "small" if small else "",
            "grow" if grow else "",
            "block" if block else "",
            class_name,
        ),
        custom_attrs=attrs,
        **props,
    )


def icon_button(
    icon_name: str,
    label: Text,
    *,
    kind: Kind = "quiet",
    small: bool = False,
    class_name: str = "",
    custom_attrs: dict[str, Any] | None = None,
    **props: Any,
) -> rx.Component:
    """Make a button that shows only a sign; the label is its name and tooltip."""
    return rx.el.button(
        icon(icon_name, 20),
        type="button",
        title=label,
        class_name=classes(
            "btn", kind if kind != "plain" else "", "icon-only", "small" if small else "", class_name
        ),
        custom_attrs={"aria-label": label, **(custom_attrs or {})},
        **props,
    )


def route_link(
    *children: Child, href: Text, exact: bool = False, class_name: str = "", **props: Any
) -> rx.Component:
    """Make a link within the app that keeps the page's connection."""
    return RouteLink.create(*children, to=href, exact=exact, class_name=class_name, **props)


def link_button(
    label: Child,
    href: Text,
    *,
    kind: Kind = "plain",
    icon_name: str | None = None,
    key: Text | None = None,
    big: bool = False,
    small: bool = False,
    grow: bool = False,
    block: bool = False,
    full_load: bool = False,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """Make a link that looks like a button; `full_load` for sign-in, downloads and other hosts."""
    css = classes(
        "btn",
        kind if kind != "plain" else "",
        "big" if big else "",
        "small" if small else "",
        "grow" if grow else "",
        "block" if block else "",
        class_name,
    )
    content = _content(label, icon_name, key, False)
    return RouteLink.create(*content, to=href, exact=True, full_load=full_load, class_name=css, **props)


def text_link(label: Child, href: Text, *, full_load: bool = False, **props: Any) -> rx.Component:
    """Make a link in running text."""
    return RouteLink.create(label, to=href, exact=True, full_load=full_load, class_name="link", **props)


def tab_bar(
    tabs: list[tuple[str, Child, Text | None]], current: rx.Var[str] | str, on_select: Any, *, label: Text
) -> rx.Component:
    """Make a row of tabs from (key, label, tone); `on_select` gets the key."""
    return rx.el.div(
        *[
            rx.el.button(
                text,
                type="button",
                id=f"tab-{name}",
                role="tab",
                on_click=on_select(name),
                class_name=classes("tab", tone),
                custom_attrs={
                    "aria-selected": rx.cond(current == name, "true", "false")
                    if isinstance(current, rx.Var)
                    else flag_attr(current == name),
                },
            )
            for name, text, tone in tabs
        ],
        role="tablist",
        class_name="tabs",
        custom_attrs={"aria-label": label},
    )
