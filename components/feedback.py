"""What the system says back: chips, the verdict, banners, empty, loading and error states, notices, dialogs."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary

from components.actions import icon_button
from components.client import RouteLink, modal, toasts
from components.kit import Child, Flag, Text, ToneLike, classes, icon, is_set, tone_icon, when


def chip(
    label: Child, tone: ToneLike = "plain", *, icon_name: str | None = None, count: bool = False
) -> rx.Component:
    """Make a small mark: colour, sign and word together; `count` for bare numbers beside a word."""
    sign = rx.fragment() if count else icon(icon_name, 15) if icon_name else tone_icon(tone, 15)
    return rx.el.span(sign, rx.el.span(label), class_name=classes("chip", tone, "count" if count else ""))


def verdict_banner(
    tone: ToneLike,
    title: Text,
    detail: Text | None = None,
    *,
    aside_label: Text | None = None,
    aside: Child | None = None,
    live: bool = True,
) -> rx.Component:
    """State the verdict on an arrival in the largest type; announced when it changes."""
    side = (
        rx.el.div(
            when(aside_label, rx.el.div(aside_label)),
            rx.el.div(aside, class_name="big-num"),
            class_name="aside",
        )
        if is_set(aside)
        else rx.fragment()
    )
    words = rx.el.div(
        rx.el.h1(title),
        when(detail, rx.el.p(detail)),
        class_name="grow",
        **({"role": "status"} if live else {}),
    )
    return rx.el.div(tone_icon(tone, 52, large=True), words, side, class_name=classes("verdict", tone))


def banner(
    tone: ToneLike,
    message: Child,
    *,
    action: rx.Component | None = None,
    icon_name: str | None = None,
    role: str = "status",
) -> rx.Component:
    """Make a line across the page about the state of things, such as stale data."""
    return rx.el.div(
        icon(icon_name) if icon_name else tone_icon(tone),
        rx.el.span(message, class_name="grow"),
        action if action is not None else rx.fragment(),
        role=role,
        class_name=classes("banner", tone),
    )


def empty_state(
    title: Text, detail: Text | None = None, *, icon_name: str = "inbox", action: rx.Component | None = None
) -> rx.Component:
    """Say that there is nothing here, why, and what can be done."""
    return rx.el.div(
        icon(icon_name, 36),
        rx.el.p(title, class_name="state-title"),
        when(detail, rx.el.p(detail)),
        action if action is not None else rx.fragment(),
        class_name="state",
    )


def loading(label: Text, *, lines: int = 4) -> rx.Component:
    """Hold the place of content that is on its way."""
    bars = [rx.el.i() for _ in range(lines)]
    return rx.el.div(
        rx.el.span(label, class_name="sr-only"),
        *bars,
        role="status",
        class_name="skeleton",
        custom_attrs={"aria-busy": "true"},
    )


def error_state(
    title: Text, detail: Text | None = None, *, action: rx.Component | None = None, code: Text | None = None
) -> rx.Component:
    """Say what failed, what to do next and, small, the number to report."""
    return rx.el.div(
        icon("triangle_alert", 36),
        rx.el.p(title, class_name="state-title"),
        when(detail, rx.el.p(detail)),
        action if action is not None else rx.fragment(),
        when(code, rx.el.p(code, class_name="tiny faint")),
        role="alert",
        class_name="state no",
    )


def crash_screen(*, title: Text, detail: Text, reload: Text) -> rx.Component:
    """Stand in for a page that failed in the browser; the app puts it outermost with `app_wraps[(55, "ErrorBoundary")]`."""
    screen = rx.el.main(
        rx.el.div(
            icon("triangle_alert", 36),
            rx.el.h1(title),
            rx.el.p(detail),
            RouteLink.create(reload, to=".", full_load=True, class_name="btn primary"),
            class_name="card state no auth-card",
        ),
        role="alert",
        class_name="auth-main",
    )
    return ErrorBoundary.create(fallback_render=rx.Var.create(screen))


def toast_region(
    items: rx.Var, *, on_dismiss: Any, on_undo: Any = None, labels: dict[str, Any]
) -> rx.Component:
    """Show notices from a Var list of {id, tone, text, undo?}; labels: region, close."""
    props: dict[str, Any] = {"on_dismiss": on_dismiss}
    if on_undo is not None:
        props["on_undo"] = on_undo
    return toasts(items=items, labels=labels, **props)


def dialog(
    *children: Child,
    id: str,
    open: Flag,
    title: Text,
    close_label: Text,
    on_close: Any,
    actions: list[rx.Component] | None = None,
    wide: bool = False,
    close_on_backdrop: bool = True,
) -> rx.Component:
    """Make a modal dialog that follows a value; Esc, the cross and the backdrop call `on_close`."""
    return modal(
        rx.el.div(
            rx.el.h2(title, id=f"{id}-title"),
            icon_button("x", close_label, on_click=on_close),
            class_name="modal-head",
        ),
        rx.el.div(*children, class_name="modal-body"),
        rx.el.div(*actions, class_name="modal-acts") if actions else rx.fragment(),
        open=open,
        label_id=f"{id}-title",
        close_on_backdrop=close_on_backdrop,
        on_close=on_close,
        class_name="modal wide" if wide else "modal",
    )
