"""Refreshing a tab from outside of an event: the bridge from ``live`` topics to Reflex states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import reflex as rx
from reflex_base.registry import RegistrationContext

from app.core.actor import Actor, set_current
from app.core.permissions import Right
from app.runtime.live import live
from state.guard import actor_of

Update = Callable[[Any, Actor, frozenset[str]], Awaitable[None]]

_app: rx.App | None = None


def bind(app: rx.App) -> None:
    """Name the app whose tabs are refreshed."""
    global _app
    _app = app


def the_app() -> rx.App:
    """The running app."""
    return _app if _app is not None else RegistrationContext.get().app


def watch(state: rx.State, topics: frozenset[str], right: Right, update: Update) -> None:
    """Have ``update`` run on this tab's state when a topic changes, while its session still holds ``right``."""
    token, cls = state.router.session.client_token, type(state)

    async def refresh(client: str, changed: frozenset[str]) -> bool:
        app = the_app()
        namespace = app.event_namespace
        if namespace is None or not await namespace._token_manager.is_token_connected(client):
            return False
        async with app.modify_state(rx.BaseStateToken(ident=client, cls=cls)) as tree:
            own = await tree.get_state(cls)
            actor = await actor_of(own, touch=False)
            if not actor.has(right):
                own._signed_out()
                return False
            set_current(actor)
            await update(own, actor, changed)
        return True

    live.watch(token, topics, refresh)


def unwatch(state: rx.State) -> None:
    """Stop refreshing this tab."""
    live.drop(state.router.session.client_token)
