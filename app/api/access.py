"""Who asks at a route: the cookie or key becomes an actor, and the route's declared right is checked first."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import (
    APIRouter,
    Depends,
    Request,
    Response,
    WebSocket,
    WebSocketException,
    status,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from app.core import clock, crypto, i18n, webhook_signing
from app.core.actor import ANONYMOUS, Actor, set_current
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput, NotAllowed, NotSignedIn, TooMany
from app.core.origins import is_own
from app.core.permissions import Right, Role, right_of
from app.core.settings import get_settings
from app.domain.people import lane_keys
from app.domain.people import repository as people
from app.domain.sites import agents
from app.runtime import integration_keys, sessions

F = TypeVar("F", bound=Callable[..., Any])

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "Bearer "
PASSIVE = "__gatehouse_passive__"

_keys: dict[bytes, tuple[float, Actor]] = {}  # of valid keys only, for seconds


def passive(function: F) -> F:
    """Mark a route that a page asks by itself: it does not count as somebody being at work (idle log-out, EV-05)."""
    setattr(function, PASSIVE, True)
    return function


def client_ip(request: HTTPConnection) -> str:
    """The address of the browser; proxies are believed only as far as the settings say."""
    hops = get_settings().trusted_proxy_hops
    chain = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if hops and len(chain) >= hops:
        return chain[-hops]
    return request.client.host if request.client else ""


def locale_of(request: Request) -> str:
    """The language of an answer to a browser without an account."""
    return i18n.pick_locale(request.cookies.get("locale", ""), request.headers.get("accept-language", ""))


def same_origin(request: Request) -> bool:
    """Whether a changing request comes from our own pages; SameSite cookies are the second fence (S-22)."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
    return is_own(origin, request.headers.get("host", ""))


async def _actor_of(request: Request, right: Right) -> Actor:
    header = request.headers.get("authorization", "")
    ip = client_ip(request)
    if header.startswith(BEARER + agents.PREFIX):
        return await _agent_actor(header, ip)
    if header.startswith(BEARER + integration_keys.PREFIX):
        return await _integration_actor(request, header[len(BEARER) :], ip)
    if header.startswith(BEARER):
        return await _key_actor(crypto.hash_secret(header[len(BEARER) :]), ip)
    name = sessions.VISITOR_COOKIE if right is Right.PASS_OWN else sessions.COOKIE
    secret = request.cookies.get(name, "")
    if right is Right.PUBLIC or not secret:
        return Actor(kind="anonymous", ip=ip) if ip else ANONYMOUS
    if request.method not in SAFE and not same_origin(request):
        raise NotAllowed("foreign_origin")
    return await sessions.resolve(secret, ip, touch=not getattr(request.scope["endpoint"], PASSIVE, False))


async def _key_actor(key_hash: bytes, ip: str) -> Actor:
    known = _keys.get(key_hash)
    if known is not None and time.monotonic() - known[0] < sessions.MEMORY_SECONDS:
        return replace(known[1], ip=ip)
    key = await get_database().read(lambda s: people.api_key(s, key_hash))
    if key is None:
        raise NotSignedIn("key_unknown")
    if lane_keys.needs_touch(key):
        await get_database().write(lambda s: lane_keys.touch(s, key_hash))
    actor = Actor(
        kind="lane_agent",
        session_id="key",
        account_id=f"key:{key.id.hex()[:12]}",
        site_id=key.site_id,
        lane_id=key.lane_id,
        roles=frozenset({Role.LANE_AGENT}),
        ip=ip,
    )
    _keys[key_hash] = (time.monotonic(), actor)
    return actor


async def _agent_actor(header: str, ip: str) -> Actor:
    # Not remembered: a computer that was revoked is a stranger at its next word.
    return await get_database().read(lambda s: agents.resolve(s, header[len(BEARER) :], ip))


async def _integration_actor(request: Request, bearer: str, ip: str) -> Actor:
    """Another system: who it is by its bearer, and that it means what it asks by its signature over the very bytes."""
    holder = await integration_keys.holder_of(bearer)
    if request.method not in SAFE:
        signed = request.headers.get
        wrong = webhook_signing.fault(
            holder.signing,
            signed("webhook-id", ""),
            signed("webhook-timestamp", ""),
            signed("webhook-signature", ""),
            await request.body(),
            clock.now(),
        )
        if wrong is not None:
            raise NotSignedIn(wrong)
    return replace(holder.actor, ip=ip)


async def check_socket(socket: WebSocket) -> Actor:
    """The same for every socket of ours. Only lane computers open any, so no cookie is looked at; refused unaccepted."""
    right = right_of(socket.scope["endpoint"])
    header = socket.headers.get("authorization", "")
    try:
        if right is None or not header.startswith(BEARER + agents.PREFIX):
            raise NotSignedIn("not_signed_in")
        actor = await _agent_actor(header, client_ip(socket))
        actor.require(right)
    except GateError as error:
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, error.code) from error
    set_current(actor)
    return actor


async def check(request: Request) -> Actor:
    """Dependency of every route: resolve the actor and require the right declared on the endpoint."""
    right = right_of(request.scope["endpoint"])
    if right is None:
        raise NotAllowed("not_allowed")
    actor = await _actor_of(request, right)
    actor.require(right)
    set_current(actor)
    return actor


class GuardedRoute(APIRoute):
    """A route that answers our errors in the asker's language and never with a traceback."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the endpoint."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await original(request)
            except GateError as error:
                return self.refused(request, error)
            except RequestValidationError as error:
                return self.invalid(request, error)
            except HTTPException as error:
                if error.status_code != status.HTTP_400_BAD_REQUEST:
                    raise
                return self.refused(request, self.unreadable())

        return handle

    def unreadable(self) -> GateError:
        """What is said of a body that is not even text."""
        return InvalidInput("input_wrong")

    def refused(self, request: Request, error: GateError) -> JSONResponse:
        """The answer to an error of ours."""
        return error_response(request, error)

    def invalid(self, request: Request, error: RequestValidationError) -> JSONResponse:
        """The answer to a request of the wrong form; FastAPI's own would send back all that came in."""
        where = [str(part) for part in error.errors()[0]["loc"][1:]]
        return error_response(request, InvalidInput("input_wrong", ".".join(where)[:50]))


def error_response(request: Request, error: GateError) -> JSONResponse:
    """An error as a code and words."""
    params: dict[str, Any] = error.params
    text = i18n.text(locale_of(request), f"error.{error.code}", **params)
    headers = {"Retry-After": "1"} if error.status == 503 else {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = "60"
    body = {"error": error.code, "message": text}
    field = getattr(error, "field", "")
    return JSONResponse({**body, "field": field} if field else body, error.status, headers)


def router(prefix: str = "") -> APIRouter:
    """A router whose every route is guarded."""
    return APIRouter(prefix=prefix, route_class=GuardedRoute, dependencies=[Depends(check)])


def socket_router(prefix: str = "") -> APIRouter:
    """A router of sockets, each of them guarded; one for routes cannot hold them."""
    return APIRouter(prefix=prefix, dependencies=[Depends(check_socket)])
