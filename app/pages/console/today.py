"""The console's first page at ``/console``: today."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import link_button
from components.console.frame import console_page
from components.console.parts import stacked
from components.data import card, stat_tile
from components.feedback import chip, empty_state
from components.kit import Child
from components.tables import Column, table
from components.text import t, tf
from state.console_today import ConsoleTodayState as State


def _tiles() -> rx.Component:
    judged = rx.match(
        State.tone,
        ("ok", chip(t("console.today.within"), "ok")),
        ("wait", chip(t("console.today.some_slow"), "wait")),
        ("no", chip(t("console.today.too_slow"), "no")),
        rx.fragment(),
    )
    return rx.el.div(
        stat_tile(
            t("console.today.serving"),
            rx.el.span(State.median, judged, class_name="row tight wrap"),
            tf("console.today.target", slowest=State.slowest),
            share=State.share,
            goal=100,
            tone=State.tone,
        ),
        stat_tile(t("console.today.admitted"), State.admitted, t("console.today.admitted_hint")),
        stat_tile(t("console.today.refused"), State.refused, t("console.today.refused_hint")),
        stat_tile(t("console.today.inside"), State.inside, t("console.today.inside_hint")),
        stat_tile(t("console.today.overdue"), State.overdue, t("console.today.overdue_hint")),
        class_name="stats",
    )


def recent_cells(row: rx.Var) -> list[Child]:
    """Time, visitor, where to, how, how long, and what came of it."""
    return [
        row["time"],
        row["name"],
        row["to"],
        row["how"],
        row["took"],
        stacked(chip(row["status"], row["tone"]), row["why"]),
    ]


def columns() -> list[Column]:
    """The columns that today's list and the ledger share."""
    return [
        Column(t("console.column.time")),
        Column(t("console.column.visitor")),
        Column(t("console.column.to")),
        Column(t("console.column.how")),
        Column(t("console.column.took"), numeric=True),
        Column(t("console.column.status")),
    ]


def _recent() -> rx.Component:
    nothing = empty_state(t("console.today.nobody"), t("console.today.nobody_hint"), icon_name="door_open")
    grid = table(
        columns(),
        State.recent,
        recent_cells,
        caption=t("console.today.recent"),
        row_key=lambda row: row["id"],
        empty=nothing,
    )
    whole = link_button(t("console.today.whole"), "/console/ledger", kind="quiet", small=True)
    return card(grid, title=t("console.today.recent"), aside=whole, pad=False)


def _attention() -> rx.Component:
    def line(row: rx.Var) -> rx.Component:
        words = rx.el.div(
            rx.el.div(row["title"]), rx.el.div(row["detail"], class_name="small muted"), class_name="grow"
        )
        look = link_button(t("console.look"), row["href"], small=True)
        return rx.el.li(chip(row["tag"], row["tone"]), words, look, key=row["id"])

    quiet = empty_state(
        t("console.attention.none"), t("console.attention.none_hint"), icon_name="circle_check"
    )
    rows = rx.el.ul(rx.foreach(State.attention, line), class_name="rows")
    return card(rx.cond(State.attention.length() > 0, rows, quiet), title=t("console.attention.title"))


def page() -> rx.Component:
    """Today in figures, the latest arrivals, and what needs somebody."""
    numbers = tf("console.today.numbers", inside=State.inside, attempts=State.attempts, booked=State.booked)
    return console_page(
        _tiles(),
        rx.el.div(_recent(), _attention(), class_name="two"),
        title=rx.cond(State.date, f"{t('console.today.title')} · {State.date}", t("console.today.title")),
        subtitle=rx.cond(State.loaded, numbers, ""),
        rights=(Right.LEDGER_VIEW,),
        loaded=State.loaded,
        ended=State.ended,
    )
