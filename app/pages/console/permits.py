"""Standing permits and cards at ``/console/permits``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, link_button
from components.console.frame import console_page, only
from components.console.listing import form_dialog, listing
from components.console.parts import confirm, stacked
from components.console.permit_dialog import permit_dialog
from components.feedback import chip, empty_state
from components.forms import date_field, search_field, select_field, text_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_permit_forms import PermitFormsState as Forms
from state.console_permits import PermitsState as State


def _cells(row: rx.Var) -> list[Child]:
    renewal = rx.cond(row["renewal"], chip(row["renewal"], row["renewal_tone"]), rx.fragment())
    acts = rx.el.div(
        rx.cond(
            row["renew"],
            button(t("permits.renew"), small=True, on_click=State.renew(row["id"])),
            rx.fragment(),
        ),
        button(t("permits.open"), kind="quiet", small=True, on_click=State.open(row["id"])),
        class_name="row tight wrap",
        style={"justifyContent": "flex-end"},
    )
    return [
        stacked(rx.el.b(row["name"]), row["phone"]),
        row["kind"],
        row["unit"],
        row["until"],
        rx.el.div(chip(row["status"], row["tone"]), renewal, class_name="row tight wrap"),
        row["cards"],
        acts,
    ]


def _list() -> rx.Component:
    narrowed = (State.needle != "") | State.ended
    nothing = empty_state(
        rx.cond(narrowed, t("permits.not_found"), t("permits.empty")),
        rx.cond(narrowed, t("permits.not_found_hint"), t("permits.empty_hint")),
        icon_name="id_card",
        action=rx.cond(narrowed, button(t("permits.all"), on_click=State.show_all), rx.fragment()),
    )
    columns = [
        Column(t("permits.holder")),
        Column(t("permits.kind")),
        Column(t("permits.unit")),
        Column(t("permits.until")),
        Column(t("console.column.status")),
        Column(t("permits.cards")),
        Column(t("permits.open"), hidden_label=True),
    ]
    return listing(columns, State.rows, _cells, caption=t("permits.title"), empty=nothing, counted=State)


def _search() -> rx.Component:
    form = rx.el.form(
        search_field(t("permits.search"), id="permit-search", name="find", default_value=State.needle),
        on_submit=State.find,
        key=State.needle,
        role="search",
        style={"flex": "1 1 16rem"},
    )
    scope = rx.cond(
        State.ended,
        link_button(t("permits.show_running"), "/console/permits", kind="quiet"),
        link_button(t("permits.show_ended"), "/console/permits?ended=1", kind="quiet"),
    )
    return rx.el.div(form, scope, class_name="row wrap")


def _until() -> rx.Component:
    return date_field(
        t("permits.until"),
        id="until",
        hint=t("permits.until_hint"),
        required=True,
        min=Forms.today,
        default_value=Forms.until,
    )


def _asked(field: str, shown: rx.Component) -> rx.Component:
    return rx.cond(Forms.asked[field] == "off", rx.fragment(), shown)


def _partner() -> rx.Component:
    return form_dialog(
        Forms,
        "partner",
        t("permits.add_partner"),
        text_field(t("console.people.name"), id="name", required=True, max_length=50),
        select_field(
            t("permits.kind"),
            Forms.kinds,
            id="kind",
            hint=t("permits.kind_hint"),
            value=Forms.kind,
            on_change=Forms.choose_kind,
        ),
        _asked(
            "phone",
            text_field(
                t("console.people.phone"),
                id="phone",
                type="tel",
                inputmode="tel",
                required=Forms.asked["phone"] == "required",
            ),
        ),
        _asked("company", text_field(t("permits.company"), id="company", max_length=50)),
        text_field(t("permits.unit"), id="unit", hint=t("permits.unit_hint"), required=True, max_length=50),
        _until(),
        prefix="permits",
        on_submit=Forms.file_partner,
        submit=t("permits.next"),
    )


def _staff() -> rx.Component:
    return form_dialog(
        Forms,
        "staff",
        t("permits.add_staff"),
        select_field(
            t("permits.person"),
            Forms.staff,
            id="person",
            empty=t("permits.choose"),
            hint=t("permits.staff_hint"),
            required=True,
        ),
        text_field(
            t("permits.workplace"), id="unit", hint=t("permits.workplace_hint"), required=True, max_length=50
        ),
        _until(),
        prefix="permits",
        on_submit=Forms.grant_staff,
        submit=t("permits.next"),
    )


def _resident() -> rx.Component:
    return form_dialog(
        Forms,
        "resident",
        t("permits.add_resident"),
        rx.el.p(tf("permits.resident_words", name=Forms.person)),
        select_field(t("console.people.unit"), Forms.units, id="unit"),
        _until(),
        prefix="permits",
        on_submit=Forms.grant_resident,
        submit=t("permits.next"),
    )


def page() -> rx.Component:
    """Who comes every day, until when, and with which cards."""
    return console_page(
        _search(),
        _list(),
        title=t("permits.title"),
        actions=[
            only(
                Right.PEOPLE_EDIT,
                rx.fragment(
                    button(t("permits.add_staff"), icon_name="badge_check", on_click=Forms.add_staff),
                    button(
                        t("permits.add_partner"), icon_name="plus", kind="primary", on_click=Forms.add_partner
                    ),
                ),
            )
        ],
        rights=(Right.LEDGER_VIEW,),
        loaded=State.loaded,
        extra=[
            _partner(),
            _staff(),
            _resident(),
            permit_dialog(),
            confirm(
                id="permit-end",
                open=State.dialog == "end",
                title=t("permits.end"),
                words=tf("permits.end_words", name=State.permit["name"]),
                act=t("permits.end"),
                on_act=State.end,
                on_close=State.close,
            ),
        ],
    )
