"""Messages at ``/console/messages``: the ways out and how they do, what went out, and the texts and hours."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from app.pages.console.message_texts import hours, text_dialog, texts
from components.actions import button, icon_button
from components.console.frame import console_page
from components.console.listing import listing
from components.console.parts import confirm, stacked
from components.feedback import chip, empty_state
from components.forms import select_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_messages import MessagesState as State


def _channel_cells(row: rx.Var) -> list[Child]:
    return [
        rx.el.b(row["name"]),
        stacked(chip(row["health"], row["tone"]), row["why"]),
        row["waiting"],
        row["dead"],
        row["last"],
        rx.el.div(
            rx.cond(
                row["failed"],
                button(t("messages.replay_all"), small=True, on_click=State.ask_replay(row["id"])),
                rx.fragment(),
            ),
            rx.cond(
                row["on"],
                button(t("messages.test"), icon_name="send", small=True, on_click=State.test(row["id"])),
                rx.fragment(),
            ),
            class_name="row tight wrap",
            style={"justifyContent": "flex-end"},
        ),
    ]


def _channels() -> rx.Component:
    columns = [
        Column(t("messages.column.channel")),
        Column(t("messages.column.health")),
        Column(t("messages.state.pending"), numeric=True),
        Column(t("messages.state.dead"), numeric=True),
        Column(t("messages.column.last")),
        Column(t("messages.column.acts"), hidden_label=True),
    ]
    return listing(
        columns,
        State.channels,
        _channel_cells,
        rx.el.p(t("messages.channels_hint"), class_name="card-body small muted"),
        caption=t("messages.channels"),
        empty=empty_state(t("messages.no_channel"), icon_name="send"),
        title=t("messages.channels"),
    )


def _filters() -> rx.Component:
    return rx.el.div(
        select_field(
            t("messages.column.state"),
            State.states,
            id="message-state",
            empty=t("messages.every"),
            value=State.state,
            on_change=State.choose_state,
        ),
        select_field(
            t("messages.column.channel"),
            State.ways,
            id="message-channel",
            empty=t("messages.every"),
            value=State.way,
            on_change=State.choose_way,
        ),
        class_name="filters",
    )


def _cells(row: rx.Var) -> list[Child]:
    return [
        stacked(rx.el.b(row["event"]), row["time"]),
        stacked(rx.el.span(row["to"]), row["address"]),
        row["channel"],
        stacked(chip(row["state"], row["tone"]), row["why"]),
        row["tries"],
        rx.el.div(
            rx.cond(
                row["dead"],
                button(t("messages.replay"), small=True, on_click=State.replay(row["id"])),
                rx.fragment(),
            ),
            rx.cond(
                row["open"],
                icon_button("x", t("messages.give_up"), small=True, on_click=State.ask_give_up(row["id"])),
                rx.fragment(),
            ),
            class_name="row tight",
            style={"justifyContent": "flex-end"},
        ),
    ]


def _list() -> rx.Component:
    columns = [
        Column(t("messages.column.event")),
        Column(t("messages.column.to")),
        Column(t("messages.column.channel")),
        Column(t("messages.column.state")),
        Column(t("messages.column.tries")),
        Column(t("messages.column.acts"), hidden_label=True),
    ]
    nothing = empty_state(t("messages.empty"), t("messages.empty_hint"), icon_name="mail")
    return listing(
        columns,
        State.rows,
        _cells,
        caption=t("messages.list"),
        empty=nothing,
        counted=State,
        title=t("messages.list"),
    )


def page() -> rx.Component:
    """Channels above the messages, then the texts with the hours beside them."""
    return console_page(
        _channels(),
        _filters(),
        _list(),
        rx.el.div(texts(), hours(), class_name="two"),
        title=t("messages.title"),
        rights=(Right.POLICY_EDIT,),
        loaded=State.loaded,
        ended=State.ended,
        extra=[
            text_dialog(),
            confirm(
                id="messages-replay",
                open=State.replaying != "",
                title=t("messages.replay_title"),
                words=tf("messages.replay_words", channel=State.replaying_name),
                act=t("messages.replay_all"),
                on_act=State.replay_all,
                on_close=State.keep,
            ),
            confirm(
                id="messages-give-up",
                open=State.leaving != "",
                title=t("messages.give_up_title"),
                words=t("messages.give_up_words"),
                act=t("messages.give_up"),
                on_act=State.give_up,
                on_close=State.keep,
            ),
        ],
    )
