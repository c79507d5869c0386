"""The frame of every console page: a menu of what the reader may do, notices, language, light, sign-out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import reflex as rx

from app.core.permissions import Right
from components.actions import link_button
from components.client import RouteLink
from components.feedback import banner, empty_state, loading
from components.frame import bars, notices, preferences, sign_out_button
from components.kit import Child, Text, icon, is_set
from components.layout import skip_link
from components.text import t
from state.shell import ShellState


@dataclass(frozen=True)
class Entry:
    """One entry of the menu, shown to whoever holds any of the rights."""

    key: str
    href: str
    icon_name: str
    rights: tuple[Right, ...]
    exact: bool = False


ROLE_READERS = (Right.POLICY_EDIT, Right.ACCOUNT_EDIT, Right.AUDIT_VIEW)
MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("console.nav.today", "/console", "layout_dashboard", (Right.LEDGER_VIEW,), exact=True),
            Entry("console.nav.ledger", "/console/ledger", "book_open_text", (Right.LEDGER_VIEW,)),
            Entry("console.nav.cases", "/console/cases", "folder_open", (Right.CASE_VIEW,)),
        ),
    ),
    ("console.nav.site", (Entry("console.nav.devices", "/console/devices", "cpu", (Right.DEVICE_VIEW,)),)),
    (
        "console.nav.manage",
        (
            Entry("console.nav.people", "/console/people", "users", (Right.PEOPLE_EDIT,)),
            Entry("console.nav.permits", "/console/permits", "id_card", (Right.LEDGER_VIEW,)),
            Entry("console.nav.faces", "/console/faces", "scan_face", (Right.PEOPLE_EDIT,)),
            Entry("console.nav.messages", "/console/messages", "mail", (Right.POLICY_EDIT,)),
            Entry("console.nav.integrations", "/console/integrations", "plug", (Right.INTEGRATION_EDIT,)),
            Entry("console.nav.policy", "/console/policy", "sliders_horizontal", (Right.POLICY_EDIT,)),
            Entry("console.nav.roles", "/console/roles", "shield_check", ROLE_READERS),
            Entry("console.nav.accounts", "/console/accounts", "key_round", (Right.ACCOUNT_EDIT,)),
            Entry("console.nav.audit", "/console/audit", "scroll_text", (Right.AUDIT_VIEW,)),
        ),
    ),
)

MENU_LINES = range(6)  # drawn grey until the rights are known


def allowed(*rights: Right) -> rx.Var[bool]:
    """Whether the reader holds any of these rights; only what is shown depends on it, handlers check for themselves."""
    return reduce(operator.or_, [ShellState.rights.contains(right.value) for right in rights])


def only(right: Right, shown: rx.Component) -> rx.Component:
    """Show something to whoever holds a right."""
    return rx.cond(allowed(right), shown, rx.fragment())


def _entry(entry: Entry) -> rx.Component:
    link = RouteLink.create(icon(entry.icon_name), rx.el.span(t(entry.key)), to=entry.href, exact=entry.exact)
    return rx.cond(allowed(*entry.rights), rx.el.li(link), rx.fragment())


def _menu() -> rx.Component:
    parts: list[rx.Component] = []
    for key, entries in MENU:
        if key:
            every = [right for entry in entries for right in entry.rights]
            parts.append(rx.cond(allowed(*every), rx.el.p(t(key), class_name="nav-group"), rx.fragment()))
        parts.append(rx.el.ul(*[_entry(entry) for entry in entries], class_name="nav-list"))
    waiting = rx.el.div(
        *[rx.el.i() for _ in MENU_LINES], class_name="skeleton", custom_attrs={"aria-hidden": "true"}
    )
    return rx.el.nav(
        rx.cond(ShellState.rights.length() == 0, waiting, rx.fragment(*parts)),
        custom_attrs={"aria-label": t("console.nav.label")},
    )


def _foot() -> rx.Component:
    own = RouteLink.create(
        icon("circle_user_round"),
        rx.el.span(rx.cond(ShellState.user_name != "", ShellState.user_name, t("nav.account"))),
        to="/account",
        exact=True,
    )
    return rx.el.div(
        rx.el.ul(rx.el.li(own), class_name="nav-list"),
        rx.el.div(*preferences(), sign_out_button(), class_name="row tight wrap"),
        class_name="console-foot",
        # A line above the page pushes the menu down by its own height.
        style={"paddingBottom": "var(--s6)"},
    )


def _top() -> rx.Component:
    return rx.el.header(
        rx.el.details(
            rx.el.summary(
                icon("menu", 22),
                rx.el.span(ShellState.site_name, class_name="grow"),
                rx.el.span(t("console.nav.menu"), class_name="muted small"),
            ),
            _menu(),
            _foot(),
        ),
        class_name="console-top",
    )


def _head(title: Text, subtitle: Child | None, actions: Sequence[Child]) -> rx.Component:
    return rx.el.div(
        rx.el.h1(title),
        rx.el.span(subtitle, class_name="muted") if is_set(subtitle) else rx.fragment(),
        rx.el.div(*actions, class_name="acts") if actions else rx.fragment(),
        class_name="page-head",
    )


def _body(children: Sequence[Child], rights: tuple[Right, ...], loaded: rx.Var[bool] | None) -> rx.Component:
    shown = rx.fragment(*children)
    waiting = rx.el.div(loading(t("console.loading"), lines=6), class_name="card")
    if loaded is not None:
        shown = rx.cond(loaded, shown, waiting)
    refused = rx.el.div(
        empty_state(
            t("console.no_right"),
            t("console.no_right_hint"),
            icon_name="lock",
            action=link_button(t("console.home"), "/"),
        ),
        class_name="card",
    )
    return rx.cond(ShellState.rights.length() == 0, waiting, rx.cond(allowed(*rights), shown, refused))


def console_page(
    *children: Child,
    title: Text,
    rights: tuple[Right, ...],
    subtitle: Child | None = None,
    actions: Sequence[Child] = (),
    loaded: rx.Var[bool] | None = None,
    ended: rx.Var[bool] | None = None,
    extra: Sequence[Child] = (),
) -> rx.Component:
    """Lay out a console page for whoever holds any of ``rights``; ``extra`` holds dialogs."""
    gone = banner("wait", t("console.ended"), action=link_button(t("console.sign_in"), "/login", small=True))
    return rx.el.div(
        rx.el.div(
            skip_link(t("common.skip")),
            *bars(),
            rx.cond(ended, gone, rx.fragment()) if ended is not None else rx.fragment(),
            class_name="bars",
        ),
        _top(),
        rx.el.aside(
            RouteLink.create(
                rx.cond(ShellState.site_name != "", ShellState.site_name, t("common.product")),
                to="/console",
                exact=True,
                class_name="console-brand",
            ),
            _menu(),
            _foot(),
            class_name="console-side",
        ),
        rx.el.main(
            _head(
                title,
                subtitle,
                [rx.cond(allowed(*rights), rx.fragment(*actions), rx.fragment())] if actions else (),
            ),
            _body(children, rights, loaded),
            id="main",
            class_name="console-main",
            custom_attrs={"tabIndex": -1},
        ),
        *extra,
        notices(),
        class_name="console",
    )
