"""The right-hand column: who is expected, inside, overdue, and who waits at this lane."""

from __future__ import annotations

import reflex as rx

from components.actions import tab_bar
from components.data import queue
from components.feedback import chip, empty_state
from components.kit import when
from components.text import t
from state.desk import KEYMAP, DeskState

KEYS = {name: key for key, name in KEYMAP.items()}


def _counted(word: rx.Var, number: rx.Var) -> rx.Component:
    # Two parts: on a narrow desk the number goes below the word instead of off the edge.
    return rx.fragment(rx.el.span(word), " ", rx.el.b(number))


def _tag(row: rx.Var) -> rx.Component:
    return when(row["tag"], chip(row["tag"], row["tone"]))


def _list(rows: rx.Var, label: rx.Var, empty: rx.Var, on_pick: object = None) -> rx.Component:
    made = queue(
        rows,
        time=lambda row: row["time"],
        title=lambda row: row["title"],
        detail=lambda row: row["detail"],
        tag=_tag,
        on_pick=on_pick,
        row_key=lambda row: row["id"],
        label=label,
    )
    return rx.cond(rows.length() > 0, made, empty_state(empty, icon_name="users"))


def site_lists() -> rx.Component:
    """Expected, inside and overdue as tabs."""
    late = DeskState.overdue.length()
    tabs = tab_bar(
        [
            ("expected", _counted(t("desk.expected"), DeskState.expected_count), None),
            ("inside", _counted(t("desk.inside"), DeskState.inside.length()), None),
            ("overdue", _counted(t("desk.overdue_tab"), late), rx.cond(late > 0, "no", "")),
        ],
        DeskState.tab,
        DeskState.select_tab,
        label=t("desk.lists"),
    )
    body = rx.match(
        DeskState.tab,
        ("inside", _list(DeskState.inside, t("desk.lists"), t("desk.inside_none"))),
        ("overdue", _list(DeskState.overdue, t("desk.lists"), t("desk.overdue_none"))),
        _list(
            DeskState.expected,
            t("desk.lists"),
            t("desk.expected_none"),
            lambda row: DeskState.pick_expected(row["id"]),
        ),
    )
    return rx.el.section(tabs, rx.el.div(body, class_name="scroll"), class_name="card fill")


def lane_queue() -> rx.Component:
    """Who else waits at this lane: events that came while somebody was being served."""
    rows = _list(
        DeskState.waiting, t("desk.waiting"), t("desk.waiting"), lambda row: DeskState.pick_waiting(row["id"])
    )
    head = rx.el.div(
        rx.el.h2(t("desk.waiting"), class_name="h3"),
        rx.el.span(DeskState.waiting.length(), class_name="push"),
        class_name="card-head",
    )
    return rx.cond(
        DeskState.waiting.length() > 0, rx.el.section(head, rows, class_name="card"), rx.fragment()
    )


def registered() -> rx.Component:
    """Who registered on the own phone and waits to be called to the window, by number."""
    rows = _list(
        DeskState.registered,
        t("desk.registered"),
        t("desk.registered_none"),
        lambda row: DeskState.pick_registered(row["id"]),
    )
    head = rx.el.div(
        rx.el.h2(t("desk.registered"), class_name="h3"),
        rx.el.kbd(KEYS["registered"], class_name="key", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(DeskState.registered.length(), class_name="push"),
        class_name="card-head",
    )
    return rx.cond(
        DeskState.registered.length() > 0,
        rx.el.section(head, rows, class_name="card", id="registered"),
        rx.fragment(),
    )
