"""Which role may do what, at ``/console/roles``: drawn from the table that every handler is checked against (SI-04)."""

from __future__ import annotations

import reflex as rx

from app.core.permissions import RIGHTS, Right, Role
from components.console.frame import ROLE_READERS, console_page
from components.data import card
from components.kit import icon
from components.text import t

PEOPLE = tuple(role for role in Role if role not in {Role.LANE_AGENT, Role.LANE_COMPUTER, Role.VISITOR})
SHOWN = tuple(right for right in Right if any(right in RIGHTS[role] for role in PEOPLE))


def _cell(held: bool) -> rx.Component:
    if not held:
        return rx.el.td(rx.el.span(t("console.roles.no"), class_name="sr-only"))
    return rx.el.td(icon("check", 18), rx.el.span(t("console.roles.yes"), class_name="sr-only"))


def _matrix() -> rx.Component:
    heads = [rx.el.th(t(f"role.{role.value}"), scope="col") for role in PEOPLE]
    rows = [
        rx.el.tr(
            rx.el.td(rx.el.b(t(f"right.{right.value}")), role="rowheader"),
            *[_cell(right in RIGHTS[role]) for role in PEOPLE],
        )
        for right in SHOWN
    ]
    return rx.el.div(
        rx.el.table(
            rx.el.caption(t("console.roles.title"), class_name="sr-only"),
            rx.el.thead(rx.el.tr(rx.el.th(t("console.roles.right"), scope="col"), *heads)),
            rx.el.tbody(*rows),
            class_name="table",
        ),
        class_name="table-wrap",
        # What only screen readers see is placed absolutely and would widen the page instead of the table.
        style={"position": "relative"},
        role="region",
        custom_attrs={"aria-label": t("console.roles.title"), "tabIndex": 0},
    )


def page() -> rx.Component:
    """The matrix, and the rule about the three administrators."""
    return console_page(
        rx.el.p(t("console.roles.hint"), class_name="muted"),
        card(_matrix(), pad=False),
        rx.el.p(t("console.roles.exclusive"), class_name="muted"),
        title=t("console.roles.title"),
        rights=ROLE_READERS,
    )
