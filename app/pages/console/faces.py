"""Faces at ``/console/faces``: what the site does with them, the models, the gauge, and who agreed."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button
from components.console.face_enrol import enrol_dialogs
from components.console.face_policy import policy_card
from components.console.frame import console_page, only
from components.console.listing import listing
from components.console.parts import confirm, counted_pager, stacked
from components.data import bar, card
from components.feedback import banner, chip, empty_state
from components.kit import Child, when
from components.tables import Column
from components.text import t, tf
from state.console_face_enrol import FaceEnrolState as Enrol
from state.console_faces import FacesState as State


def _models() -> rx.Component:
    return card(
        rx.el.div(
            rx.el.div(chip(State.models["word"], State.models["tone"]), class_name="row wrap"),
            when(State.models["detail"], rx.el.p(State.models["detail"], class_name="muted")),
            rx.cond(
                State.models["name"],
                rx.el.dl(
                    rx.el.dt(t("faces.pack_name")),
                    rx.el.dd(State.models["name"]),
                    rx.el.dt(t("faces.licence")),
                    rx.el.dd(State.models["licence"]),
                    class_name="dl",
                ),
                rx.el.p(t("faces.models_hint"), class_name="small muted"),
            ),
            class_name="col tight",
        ),
        title=t("faces.models_title"),
    )


def _gauge() -> rx.Component:
    return card(
        rx.el.div(
            rx.el.div(
                rx.el.b(State.gauge["value"], class_name="num"),
                rx.el.span(State.gauge["detail"], class_name="small muted"),
                class_name="row wrap",
            ),
            bar(State.gauge_share, goal=60, tone=State.gauge["tone"]),
            when(State.gauge["warning"], banner("wait", State.gauge["warning"], icon_name="triangle_alert")),
            rx.el.p(t("faces.gauge_hint"), class_name="small muted"),
            class_name="col tight",
        ),
        title=t("faces.gauge_title"),
    )


def _cells(row: rx.Var) -> list[Child]:
    return [
        stacked(rx.el.b(row["name"]), row["phone"]),
        stacked(row["agreed"], row["how"]),
        chip(row["status"], row["tone"]),
        rx.el.div(
            button(row["act"], small=True, on_click=Enrol.take(row["person"])),
            button(t("faces.withdraw"), kind="danger", small=True, on_click=State.ask_withdraw(row["id"])),
            class_name="row tight wrap",
            style={"justifyContent": "flex-end"},
        ),
    ]


def _people() -> rx.Component:
    columns = [
        Column(t("faces.person")),
        Column(t("faces.agreed")),
        Column(t("faces.template")),
        Column(t("faces.acts"), hidden_label=True),
    ]
    nothing = empty_state(
        t("faces.nobody"),
        rx.cond(State.recognises, t("faces.nobody_hint"), t("faces.off_hint")),
        icon_name="scan_face",
    )
    return listing(
        columns,
        State.rows,
        _cells,
        rx.cond(State.pages > 1, counted_pager(State), rx.fragment()),
        caption=t("faces.people"),
        empty=nothing,
        title=t("faces.people"),
    )


def page() -> rx.Component:
    """Policy and people, with models and gauge beside them."""
    return console_page(
        rx.el.div(
            rx.el.div(only(Right.POLICY_EDIT, policy_card()), _people(), class_name="col"),
            rx.el.div(_models(), _gauge(), class_name="col"),
            class_name="two",
        ),
        title=t("faces.title"),
        actions=[
            rx.cond(
                State.recognises,
                button(t("faces.enrol"), icon_name="user_round_plus", kind="primary", on_click=Enrol.begin),
                rx.fragment(),
            )
        ],
        rights=(Right.PEOPLE_EDIT,),
        loaded=State.loaded,
        ended=State.ended,
        extra=[
            *enrol_dialogs(),
            confirm(
                id="faces-withdraw",
                open=State.leaving != "",
                title=t("faces.withdraw_title"),
                words=tf("faces.withdraw_words", name=State.leaving_name),
                act=t("faces.withdraw"),
                on_act=State.withdraw,
                on_close=State.keep,
            ),
        ],
    )
