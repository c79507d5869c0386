"""The door in front of every event: who asks, and whether the handler's declared right allows it.

Any browser can call any handler of any state, so nothing runs that does not declare its right.
``setvar`` is refused always: it would be a second way to every setter.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import reflex as rx
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from app.core.actor import ANONYMOUS, Actor, current_actor, set_current
from app.core.errors import GateError, InvalidInput
from app.core.origins import is_own
from app.core.permissions import ATTRIBUTE, Right, right_of
from app.runtime import sessions

logger = logging.getLogger(__name__)

FRAMEWORK = frozenset(
    {
        "hydrate",
        "hydrate_and_load",
        "on_load_internal",
        "set_is_hydrated",
        "update_vars_internal",
        "handle_frontend_exception",
    }
)
PLAIN = (str, int, bool, float, dict, list)


def action(right: Right) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Make an async method an event handler that needs ``right`` and tells the user what went wrong."""

    def wrap(method: Callable[..., Awaitable[Any]]) -> Any:
        signature = inspect.signature(method)
        hints = {name: hint for name, hint in get_type_hints(method).items() if name != "return"}

        @functools.wraps(method)
        async def run(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                _check_arguments(signature, hints, self, args, kwargs)
                return await method(self, *args, **kwargs)
            except GateError as error:
                return await tell(self, error)

        setattr(run, ATTRIBUTE, right)
        return rx.event(run)

    return wrap


def _check_arguments(
    signature: inspect.Signature,
    hints: dict[str, Any],
    state: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """A browser may send anything whatever the hints say; only the plain types declared get through."""
    try:
        bound = signature.bind(state, *args, **kwargs)
    except TypeError:
        raise InvalidInput("input_wrong") from None
    for name, value in bound.arguments.items():
        wanted = getattr(hints.get(name), "__origin__", hints.get(name))
        if wanted in PLAIN and not isinstance(value, wanted):
            raise InvalidInput("input_wrong")


async def tell(state: Any, error: GateError) -> Any:
    """Show an error of ours in the reader's language."""
    from state.shell import ShellState

    shell = await state.get_state(ShellState)
    text = await shell._word(f"error.{error.code}", **error.params)
    shell._notify("no", text)
    if error.status == 401:
        return rx.redirect("/login", is_external=False)
    return None


def secret_in(state: rx.State, name: str = sessions.COOKIE) -> str:
    """The session secret in the cookies that the socket was opened with; the browser's scripts never see it."""
    return sessions.cookie_value(state.router.headers.cookie, name)


async def actor_of(state: rx.State, *, touch: bool = True) -> Actor:
    """The actor behind a tab, as the database says now."""
    return await sessions.resolve(secret_in(state), touch=touch)


def is_framework(name: str) -> bool:
    """Whether an event is one of Reflex's own that a page cannot do without."""
    parts = name.split(".")
    return parts[-1] in FRAMEWORK and _belongs_to_reflex(name)


def _belongs_to_reflex(name: str) -> bool:
    registered = RegistrationContext.get().event_handlers.get(name)
    return registered is not None and all(
        state.__module__.startswith("reflex") for state in registered.states
    )


def declared_right(name: str) -> Right | None:
    """The right that the handler behind an event name declares; None refuses it."""
    registered = RegistrationContext.get().event_handlers.get(name)
    return right_of(registered.handler.fn) if registered is not None else None


class Guard(rx.Middleware):
    """Runs before every event, background and chained ones included."""

    async def preprocess(self, app: rx.App, state: Any, event: Event) -> StateUpdate | None:
        """Let a declared and permitted event through; stop any other."""
        set_current(ANONYMOUS)
        if is_framework(event.name):
            return None
        right = declared_right(event.name)
        actor = ANONYMOUS
        if right is Right.PASS_OWN:
            actor = await sessions.resolve(secret_in(state, sessions.VISITOR_COOKIE))
        elif right is not None:
            actor = await actor_of(state)
        if right is not None and actor.has(right):
            set_current(actor)
            return None
        logger.warning("Refused event %s for %s", event.name.rsplit(".", 1)[-1], actor.role_text)
        if not actor.session_id and right not in {None, Right.PUBLIC, Right.PASS_OWN}:
            return StateUpdate(events=Event.from_event_type(rx.redirect("/login")))
        return StateUpdate()


def install(app: rx.App) -> None:
    """Put the guard in front of the app, and let sockets be opened from its own pages only (S-22)."""
    app.add_middleware(Guard())
    if app.sio is not None:
        # Reflex's setting knows only a fixed list, and the library's own rule takes HTTPS for a foreign origin.
        app.sio.eio.cors_allowed_origins = _may_open_socket


def _may_open_socket(origin: str | None, environ: dict[str, str]) -> bool:
    return origin is not None and is_own(origin, environ.get("HTTP_HOST", ""))


def me() -> Actor:
    """The actor of the running event."""
    return current_actor()


__all__ = ["Guard", "action", "actor_of", "declared_right", "is_framework", "me", "secret_in", "tell"]
