"""Residents and units at ``/console/people``."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import Right
from components.actions import button, link_button
from components.console.frame import console_page
from components.console.parts import counted_pager, form_acts, password_once
from components.console.upload import sheet_upload
from components.data import card
from components.feedback import chip, dialog, empty_state
from components.forms import form_error, search_field, select_field, text_field
from components.kit import Child
from components.tables import Column, table
from components.text import t, tf
from state.console_people import PeopleState as State


def _cells(row: rx.Var) -> list[Child]:
    account = rx.cond(
        row["account"],
        chip(row["account"], "plain", icon_name="key_round"),
        rx.cond(
            row["person"],
            button(t("console.people.give"), small=True, on_click=State.ask_account(row["person"])),
            rx.fragment(),
        ),
    )
    name = rx.cond(
        row["person"],
        row["name"],
        button(t("console.people.add_here"), kind="quiet", small=True, on_click=State.add(row["unit"])),
    )
    return [row["unit"], name, row["phone"], row["relation"], account]


def _list() -> rx.Component:
    columns = [
        Column(t("console.people.unit")),
        Column(t("console.people.name")),
        Column(t("console.people.phone")),
        Column(t("console.people.relation")),
        Column(t("console.people.account")),
    ]
    nothing = empty_state(
        rx.cond(State.needle, t("console.people.not_found"), t("console.people.empty")),
        rx.cond(State.needle, t("console.people.not_found_hint"), t("console.people.empty_hint")),
        icon_name="users",
        action=rx.cond(State.needle, link_button(t("console.people.all"), "/console/people"), rx.fragment()),
    )
    grid = table(
        columns,
        State.rows,
        _cells,
        caption=t("console.people.title"),
        row_key=lambda row: row["id"],
        empty=nothing,
    )
    return card(grid, counted_pager(State), pad=False)


def _search() -> rx.Component:
    return rx.el.form(
        search_field(
            t("console.people.search"),
            id="people-search",
            name="unit",
            default_value=State.needle,
        ),
        on_submit=State.find,
        key=State.needle,
        role="search",
    )


def _add() -> rx.Component:
    form = rx.el.form(
        form_error(State.form_error),
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
        form_acts(t("console.save"), State.close),
        on_submit=State.submit,
        class_name="form",
    )
    return _dialog("add", t("console.people.add"), form)


def _account() -> rx.Component:
    form = rx.el.form(
        form_error(State.form_error),
        rx.el.p(tf("console.people.account_words", name=State.person, unit=State.unit)),
        text_field(
            t("console.once.username"),
            id="username",
            hint=t("console.people.username_hint"),
            required=True,
            max_length=40,
        ),
        form_acts(t("console.people.give"), State.close, icon_name="key_round"),
        on_submit=State.give_account,
        class_name="form",
    )
    return _dialog("account", t("console.people.give"), form)


def _import() -> rx.Component:
    names = "file hint template template_link template_name send busy done failed caption row column message".split()
    labels = {name: t(f"console.import.{name}") for name in names}
    sheet = sheet_upload(
        action="/api/people/import", accept=".csv,.xlsx,text/csv", labels=labels, on_done=State.imported
    )
    return _dialog("import", t("console.people.import"), sheet)


def _dialog(name: str, title: rx.Var, body: rx.Component) -> rx.Component:
    return dialog(
        body,
        id=f"people-{name}",
        open=State.dialog == name,
        title=title,
        close_label=t("common.close"),
        on_close=State.close,
        close_on_backdrop=False,
    )


def page() -> rx.Component:
    """Units with their people."""
    return console_page(
        _search(),
        _list(),
        title=t("console.people.title"),
        actions=[
            button(t("console.people.import"), icon_name="upload", on_click=State.import_sheet),
            button(
                t("console.people.add"), icon_name="user_round_plus", kind="primary", on_click=State.add("")
            ),
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
