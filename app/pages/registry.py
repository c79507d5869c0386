"""All pages: route, function, title, and what loads first. Titles are set in the reader's language by the page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from app.core import i18n
from app.pages import auth, console, demo, early_language
from app.pages.desk import desk
from app.pages.portal import home, invite
from app.pages.visitor import register, visitor_details, visitor_pass
from state.demo_panel import DemoState
from state.desk import DeskState
from state.portal import HomeState, InviteState
from state.self_registration import RegisterState
from state.shell import ShellState
from state.visitor import PassState
from state.visitor_details import VisitorDetailsState

PAGES: list[tuple[str, Any, str, list[Any]]] = [
    ("/", auth.start, "title.start", [ShellState.start]),
    ("/login", auth.login, "title.login", []),
    ("/setup", auth.setup, "title.setup", []),
    ("/desk", desk.page, "title.desk", [DeskState.enter]),
    ("/home", home.page, "title.home", [HomeState.enter]),
    ("/invite", invite.page, "title.invite", [InviteState.enter]),
    ("/pass", visitor_pass.page, "title.pass", [PassState.enter]),
    ("/pass/details", visitor_details.page, "title.pass_details", [VisitorDetailsState.enter]),
    ("/register", register.page, "title.register", [RegisterState.enter]),
    ("/demo", demo.page, "title.demo", [DemoState.enter]),
    *console.PAGES,
]


def head() -> list[rx.Component]:
    """What every page's head carries."""
    return [
        rx.el.link(rel="manifest", href="/site.webmanifest"),
        rx.el.link(rel="icon", href="/icon.svg", type="image/svg+xml"),
        rx.el.meta(name="robots", content="noindex, nofollow"),
        rx.el.meta(name="theme-color", content="#0b5e7a"),
        rx.el.script(early_language.script([title for _, _, title, _ in PAGES])),
    ]


def add_pages(app: rx.App) -> None:
    """Give every page to the app, the common load first."""
    for route, page, title, loads in PAGES:
        app.add_page(
            page, route=route, title=i18n.text(i18n.DEFAULT, title), on_load=[ShellState.enter, *loads]
        )
