"""The policy of faces: a form, and what it would change before it is put into force."""

from __future__ import annotations

import reflex as rx

from components.actions import button
from components.console.parts import number_row
from components.data import card
from components.feedback import banner
from components.forms import checkbox_field, date_field, form_error, select_field, text_field
from components.kit import when
from components.tables import Column, table
from components.text import t
from state.console_faces import FacesState as State


def _switches() -> rx.Component:
    return rx.el.div(
        checkbox_field(
            t("faces.field.verify"),
            id="verify",
            hint=t("faces.hint.verify"),
            default_checked=State.policy["verify"] != "",
        ),
        checkbox_field(
            t("faces.field.recognise"),
            id="recognise",
            hint=t("faces.hint.recognise"),
            default_checked=State.policy["recognise"] != "",
        ),
        select_field(
            t("faces.field.liveness"),
            State.levels,
            id="liveness",
            default_value=State.policy["liveness"],
            hint=t("faces.hint.liveness"),
        ),
        key=State.policy["key"],
        class_name="col",
    )


def _assessment() -> rx.Component:
    return rx.el.div(
        rx.el.p(t("faces.assessment_why"), class_name="muted"),
        form_error(State.assessment_error),
        rx.el.div(
            text_field(t("faces.assessment_title"), id="title", required=True, max_length=120),
            date_field(t("faces.assessment_date"), id="made_on", required=True),
            text_field(t("faces.assessment_by"), id="made_by", required=True, max_length=50),
            text_field(
                t("faces.assessment_reference"),
                id="reference",
                required=True,
                max_length=120,
                hint=t("faces.assessment_reference_hint"),
            ),
            class_name="fields",
        ),
        class_name="col",
    )


def _changes() -> rx.Component:
    columns = [
        Column(t("faces.change")),
        Column(t("console.policy.before")),
        Column(t("console.policy.after")),
        Column(t("faces.effect")),
    ]
    grid = table(
        columns,
        State.changes,
        lambda row: [rx.el.b(row["what"]), row["before"], row["after"], row["effect"]],
        caption=t("faces.will_change"),
        row_key=lambda row: row["id"],
    )
    form = rx.el.form(
        rx.cond(State.needs_assessment, _assessment(), rx.fragment()),
        rx.el.div(
            button(t("faces.stay"), on_click=State.stay),
            button(t("faces.apply"), kind="primary", icon_name="check", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=State.apply,
        class_name="form card-body",
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h3(t("faces.will_change")),
            rx.el.p(t("faces.will_change_hint"), class_name="small muted"),
            class_name="card-body",
        ),
        grid,
        form,
        role="status",
    )


def policy_card() -> rx.Component:
    """Everything a site decides about faces."""
    form = rx.el.form(
        form_error(State.policy_error),
        _switches(),
        rx.el.details(
            rx.el.summary(t("faces.numbers"), class_name="link"),
            rx.el.div(rx.foreach(State.numbers, number_row), class_name="fields"),
        ),
        rx.el.div(
            button(t("faces.review"), kind="primary", icon_name="check", type="submit"),
            class_name="modal-acts",
        ),
        on_submit=State.review,
        class_name="form",
    )
    named = when(
        State.assessment["title"],
        banner("ok", State.assessment["title"] + " · " + State.assessment["line"], icon_name="file_check"),
    )
    return card(
        rx.el.div(
            rx.el.p(t("faces.policy_hint"), class_name="muted"), named, form, class_name="card-body col"
        ),
        rx.cond(State.changes.length() > 0, _changes(), rx.fragment()),
        title=t("faces.policy"),
        pad=False,
    )
