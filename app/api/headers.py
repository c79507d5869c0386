"""What every answer carries, pages and files included, so that no other site can frame, guess or load anything (S-22).

Reflex prerenders inline scripts and runs ``call_script`` through ``eval``, so scripts cannot be locked down by hash yet;
what the policy does hold is that nothing is loaded from or sent to another host (EV-07) and that nobody frames a page.
"""

from __future__ import annotations

import re
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.settings import get_settings

HOST = re.compile(r"[\w.\-\[\]:]{1,255}")
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "max-age=31536000"


@lru_cache(maxsize=64)
def _of_host(host: str, tls: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers as the server sends them; made once for each name that the installation is asked by."""
    words = {**FIXED, "Content-Security-Policy": policy(host)}
    if tls:
        words["Strict-Transport-Security"] = HSTS
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in words.items())


def policy(host: str) -> str:
    """The content security policy for pages asked for under a host; older Safari wants the socket named."""
    socket = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' blob: data:; media-src 'self' blob: data:; font-src 'self' data:; connect-src 'self'{socket}; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


class SafeHeaders:
    """Adds the headers to whatever answers; a route's own stricter word stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on sockets as they are and requests with a ``send`` that adds the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                named = {name.lower() for name, _ in given}
                ours = _of_host(host, get_settings().uses_tls)
                message["headers"] = given + [pair for pair in ours if pair[0] not in named]
            await send(message)

        await self._app(scope, receive, answer)
