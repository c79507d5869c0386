"""Showing data: cards, definition lists, time lines, figures, heat maps, queues, photos, device lights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from components.kit import Child, Text, ToneLike, classes, icon, is_set, when


def card(
    *children: Child,
    title: Child | None = None,
    aside: Child | None = None,
    class_name: str = "",
    pad: bool = True,
    **props: Any,
) -> rx.Component:
    """Make a raised surface, with a title line if wanted."""
    if not is_set(title):
        return rx.el.section(*children, class_name=classes("card", "pad" if pad else "", class_name), **props)
    head = rx.el.div(
        rx.el.h2(title, class_name="h3") if not isinstance(title, rx.Component) else title,
        rx.el.div(aside, class_name="push") if is_set(aside) else rx.fragment(),
        class_name="card-head",
    )
    body = rx.el.div(*children, class_name="card-body") if pad else rx.fragment(*children)
    return rx.el.section(head, body, class_name=classes("card", class_name), **props)


def definition_list(items: Sequence[tuple[Text, Child]] | rx.Var, *, compact: bool = False) -> rx.Component:
    """Make a list of terms and values from pairs, given or as a Var of [term, value]."""
    css = "dl compact" if compact else "dl"
    if isinstance(items, rx.Var):
        return rx.el.dl(
            rx.foreach(items, lambda item: rx.fragment(rx.el.dt(item[0]), rx.el.dd(item[1]))), class_name=css
        )
    return rx.el.dl(
        *[child for term, value in items for child in (rx.el.dt(term), rx.el.dd(value))], class_name=css
    )


def timeline(items: rx.Var, *, label: Text | None = None) -> rx.Component:
    """Make a time line from a Var list of {time, text, tone}; tone "now", "ok", "wait", "eye", "no" or ""."""
    return rx.el.ol(
        rx.foreach(
            items,
            lambda item: rx.el.li(
                rx.el.time(item["time"]), rx.el.span(item["text"]), class_name=item["tone"]
            ),
        ),
        class_name="timeline",
        custom_attrs={"aria-label": label} if is_set(label) else {},
    )


def bar(value: Any, *, goal: Any = None, tone: ToneLike = "info") -> rx.Component:
    """Draw a share of 100 with a mark for the goal; only a picture, the words stand beside it."""
    style: dict[str, Any] = {"--v": value}
    if goal is not None:
        style["--goal"] = goal
    return rx.el.div(
        rx.el.i(),
        rx.el.u() if goal is not None else rx.fragment(),
        class_name=classes("bar", tone),
        style=style,
        custom_attrs={"aria-hidden": "true"},
    )


def stat_tile(
    label: Text,
    value: Text,
    detail: Text | None = None,
    *,
    share: Any = None,
    goal: Any = None,
    tone: ToneLike = "info",
    status: Child | None = None,
) -> rx.Component:
    """Show one figure against its goal; `share` and `goal` are percent of the bar, `status` says the tone in words."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(label, class_name="small muted grow"),
            status if is_set(status) else rx.fragment(),
            class_name="row tight",
        ),
        rx.el.div(value, class_name="num"),
        when(detail, rx.el.div(detail, class_name="small muted")),
        bar(share, goal=goal, tone=tone) if share is not None else rx.fragment(),
        class_name="card tile",
    )


def heat_map(rows: rx.Var, hours: Sequence[str], *, caption: Text, show_every: int = 3) -> rx.Component:
    """Show a week by hours as a real table; rows: Var list of {label, cells: [[percent, words], ...]}."""
    heads = [
        rx.el.th(hour if index % show_every == 0 else rx.el.span(hour, class_name="sr-only"), scope="col")
        for index, hour in enumerate(hours)
    ]
    return rx.el.table(
        rx.el.caption(caption, class_name="sr-only"),
        rx.el.thead(rx.el.tr(rx.el.td(class_name="corner"), *heads)),
        rx.el.tbody(
            rx.foreach(
                rows,
                lambda row: rx.el.tr(
                    rx.el.th(row["label"], scope="row"),
                    rx.foreach(
                        row["cells"].to(list[list[str]]),
                        lambda cell: rx.el.td(
                            rx.el.span(cell[1], class_name="sr-only"), title=cell[1], style={"--v": cell[0]}
                        ),
                    ),
                ),
            ),
        ),
        class_name="heat",
    )


def queue(
    rows: rx.Var,
    *,
    time: Callable[[Any], Child],
    title: Callable[[Any], Child],
    detail: Callable[[Any], Child],
    tag: Callable[[Any], Child] | None = None,
    trail: Callable[[Any], Child] | None = None,
    on_pick: Callable[[Any], Any] | None = None,
    row_key: Callable[[Any], Any] | None = None,
    label: Text | None = None,
) -> rx.Component:
    """Make a queue: time, name with a tag, what for, something at the end; with `on_pick` each line can be chosen."""

    def line(item: Any) -> rx.Component:
        words = [
            rx.el.span(time(item), class_name="t"),
            rx.el.span(
                rx.el.span(
                    rx.el.b(title(item), class_name="truncate grow"),
                    tag(item) if tag else rx.fragment(),
                    class_name="row tight",
                ),
                rx.el.span(detail(item), title=detail(item), class_name="small muted detail"),
                class_name="col tight grow",
                style={"gap": "0"},
            ),
        ]
        body = (
            [rx.el.button(*words, type="button", class_name="pick", on_click=on_pick(item))]
            if on_pick
            else words
        )
        props: dict[str, Any] = {"key": row_key(item)} if row_key else {}
        return rx.el.li(*body, trail(item) if trail else rx.fragment(), **props)

    return rx.el.ul(
        rx.foreach(rows, line),
        class_name="queue",
        custom_attrs={"aria-label": label} if is_set(label) else {},
    )


def photo(label: Text, src: Text | None = None, *, scene: bool = False, caption: bool = True) -> rx.Component:
    """Show a portrait or its empty place, or a `scene`, wider than high; the label is its caption and its name."""
    empty = icon("user_round", 48)
    if isinstance(src, rx.Var):
        picture = rx.cond(src, rx.el.img(src=src, alt=label), empty)
    else:
        picture = rx.el.img(src=src, alt=label) if src else empty
    return rx.el.figure(
        picture,
        rx.el.figcaption(label, class_name="" if caption else "sr-only"),
        class_name=classes("photo", "scene" if scene else ""),
    )


def device_light(
    label: Text, state: ToneLike = "ok", detail: Text | None = None, status: Text | None = None
) -> rx.Component:
    """Show one device: colour and shape tell its state, words say it; state "ok", "wait", "no" or "off"."""
    return rx.el.span(
        rx.el.span(label),
        when(detail, rx.el.span(detail)),
        when(status, rx.el.span(status, class_name="sr-only")),
        title=label,
        class_name=classes("lamp", state),
    )
