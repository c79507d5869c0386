"""Tables: sorted and paged by the server, numbers to the right, cards on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from components.actions import button
from components.kit import Child, Flag, Text, icon


@dataclass(frozen=True)
class Column:
    """One column; `key` makes it sortable, `long` text takes a line of its own on a phone's card."""

    label: Text
    numeric: bool = False
    key: str | None = None
    hidden_label: bool = False
    wide_only: bool = False
    long: bool = False


def _head(column: Column, sort_key: Any, sort_desc: Any, on_sort: Any) -> rx.Component:
    css = "r" if column.numeric else ""
    label: Child = rx.el.span(column.label, class_name="sr-only") if column.hidden_label else column.label
    if column.key is None or on_sort is None:
        return rx.el.th(label, scope="col", role="columnheader", class_name=css)
    active = sort_key == column.key
    sign = rx.cond(
        active,
        rx.cond(sort_desc, icon("arrow_down", 14), icon("arrow_up", 14)),
        icon("chevrons_up_down", 14),
    )
    return rx.el.th(
        rx.el.button(label, sign, type="button", on_click=on_sort(column.key), class_name="sort"),
        scope="col",
        role="columnheader",
        class_name=css,
        custom_attrs={"aria-sort": rx.cond(active, rx.cond(sort_desc, "descending", "ascending"), "none")},
    )


def table(
    columns: Sequence[Column],
    rows: rx.Var,
    cells: Callable[[Any], Sequence[Child]],
    *,
    caption: Text,
    caption_hidden: bool = True,
    row_key: Callable[[Any], Any] | None = None,
    empty: rx.Component | None = None,
    sort_key: Any = None,
    sort_desc: Any = False,
    on_sort: Any = None,
    cards: bool = True,
) -> rx.Component:
    """Make a table from a Var list of rows; `cells(row)` gives one child per column."""

    def row(item: Any) -> rx.Component:
        props: dict[str, Any] = {"key": row_key(item)} if row_key is not None else {}
        return rx.el.tr(
            *[
                rx.el.td(
                    content,
                    role="cell",
                    class_name="r" if column.numeric else "long" if column.long else "",
                    custom_attrs={"data-label": "" if column.hidden_label else column.label},
                )
                for column, content in zip(columns, cells(item), strict=True)
            ],
            role="row",
            **props,
        )

    grid = rx.el.table(
        rx.el.caption(caption, class_name="sr-only" if caption_hidden else ""),
        rx.el.thead(
            rx.el.tr(*[_head(column, sort_key, sort_desc, on_sort) for column in columns], role="row"),
            role="rowgroup",
        ),
        rx.el.tbody(rx.foreach(rows, row), role="rowgroup"),
        role="table",
        class_name="table cards" if cards else "table",
    )
    wrapped = rx.el.div(grid, class_name="table-wrap")
    if empty is None:
        return wrapped
    return rx.cond(rows.length() > 0, wrapped, empty)


def pager(
    *,
    summary: Text,
    previous: Text,
    following: Text,
    on_previous: Any,
    on_next: Any,
    has_previous: Flag,
    has_next: Flag,
    label: Text,
) -> rx.Component:
    """Make the line under a table: how much there is, and the way back and forth."""

    def no(flag: Flag) -> Flag:
        return ~flag if isinstance(flag, rx.Var) else not flag

    return rx.el.nav(
        rx.el.span(summary, class_name="grow", role="status"),
        button(
            previous, icon_name="chevron_left", small=True, on_click=on_previous, disabled=no(has_previous)
        ),
        button(following, icon_name="chevron_right", small=True, on_click=on_next, disabled=no(has_next)),
        class_name="pager",
        custom_attrs={"aria-label": label},
    )
