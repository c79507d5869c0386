"""Residents and units at ``/console/people``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, link_button, text_link
from components.console.frame import console_page
from components.console.listing import form_dialog, listing, state_dialog
from components.console.parts import password_once
from components.console.upload import sheet_upload
from components.feedback import chip, empty_state
from components.forms import search_field, select_field, text_field
from components.kit import Child
from components.tables import Column
from components.text import t, tf
from state.console_people import PeopleState as State


def _cells(row: rx.Var) -> list[Child]:
    account = rx.cond(
        row["account"],
        chip(row["account"], "plain", icon_name="key_round"),
        button(t("console.people.give"), kind="quiet", small=True, on_click=State.ask_account(row["person"])),
    )
    card = text_link(
        rx.cond(row["cards"], row["cards"], t("console.people.card")),
        f"/console/permits?person={row['person']}",
    )
    nobody = rx.el.span(t("console.people.vacant"), class_name="muted")

    def of_person(shown: Child) -> rx.Component:
        return rx.cond(row["person"], shown, rx.fragment())

    return [
        row["unit"],
        rx.cond(row["person"], row["name"], nobody),
        row["phone"],
        row["relation"],
        of_person(account),
        of_person(card),
    ]


def _list() -> rx.Component:
    columns = [
        Column(t("console.people.unit")),
        Column(t("console.people.name")),
        Column(t("console.people.phone")),
        Column(t("console.people.relation")),
        Column(t("console.people.account")),
        Column(t("permits.cards")),
    ]
    nothing = empty_state(
        rx.cond(State.needle, t("console.people.not_found"), t("console.people.empty")),
        rx.cond(State.needle, t("console.people.not_found_hint"), t("console.people.empty_hint")),
        icon_name="users",
        action=rx.cond(State.needle, link_button(t("console.people.all"), "/console/people"), rx.fragment()),
    )
    return listing(
        columns, State.rows, _cells, caption=t("console.people.title"), empty=nothing, counted=State
    )


def _search() -> rx.Component:
    form = rx.el.form(
        search_field(
            t("console.people.search"),
            id="people-search",
            name="unit",
            default_value=State.needle,
        ),
        on_submit=State.find,
        key=State.needle,
        role="search",
        style={"flex": "1 1 16rem"},
    )
    scope = rx.cond(
        State.all_units,
        link_button(t("console.people.occupied"), "/console/people", kind="quiet"),
        link_button(t("console.people.with_vacant"), "/console/people?all=1", kind="quiet"),
    )
    return rx.el.div(form, scope, class_name="row wrap")


def _add() -> rx.Component:
    return form_dialog(
        State,
        "add",
        t("console.people.add"),
        text_field(
            t("console.people.unit"),
            id="unit",
            hint=t("console.people.unit_hint"),
            required=True,
            max_length=50,
            default_value=State.unit,
        ),
        select_field(t("console.people.kind"), State.kinds, id="kind"),
        text_field(t("console.people.name"), id="name", required=True, max_length=50),
        text_field(t("console.people.phone"), id="phone", type="tel", inputmode="tel", required=True),
        select_field(t("console.people.relation"), State.relations, id="relation"),
        prefix="people",
        on_submit=State.submit,
    )


def _account() -> rx.Component:
    return form_dialog(
        State,
        "account",
        t("console.people.give"),
        rx.el.p(tf("console.people.account_words", name=State.person, unit=State.unit)),
        text_field(
            t("console.once.username"),
            id="username",
            hint=t("console.people.username_hint"),
            required=True,
            max_length=40,
        ),
        prefix="people",
        on_submit=State.give_account,
        submit=t("console.people.give"),
        icon_name="key_round",
    )


def _import() -> rx.Component:
    names = "file hint template template_link template_name send busy done failed caption row column message".split()
    labels = {name: t(f"console.import.{name}") for name in names}
    sheet = sheet_upload(
        action="/api/people/import", accept=".csv,.xlsx,text/csv", labels=labels, on_done=State.imported
    )
    return state_dialog(State, "import", t("console.people.import"), sheet, prefix="people")


def page() -> rx.Component:
    """Units with their people."""
    return console_page(
        _search(),
        _list(),
        title=t("console.people.title"),
        actions=[
            button(t("console.people.import"), icon_name="upload", on_click=State.import_sheet),
            button(t("console.people.add"), icon_name="user_round_plus", kind="primary", on_click=State.add),
        ],
        rights=(Right.PEOPLE_EDIT,),
        loaded=State.loaded,
        extra=[
            _add(),
            _account(),
            _import(),
            password_once(
                open=State.dialog == "password",
                username=State.username,
                password=State.password,
                on_close=State.close,
            ),
        ],
    )
