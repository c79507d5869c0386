"""From a cookie to an actor, with a short memory so that an event costs no query."""

from __future__ import annotations

import time
from http.cookies import CookieError, SimpleCookie

from app.core import crypto
from app.core.actor import ANONYMOUS, Actor
from app.core.database import get_database
from app.domain.people import sessions

COOKIE = "gatehouse"
VISITOR_COOKIE = "gatehouse_visit"
MEMORY_SECONDS = 5.0
TOUCH_SECONDS = 60.0
MAX_REMEMBERED = 20_000

_remembered: dict[bytes, tuple[float, Actor]] = {}
_touched: dict[str, float] = {}


def cookie_value(header: str, name: str) -> str:
    """One cookie out of a Cookie header."""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def resolve(secret: str, ip: str = "", *, touch: bool = True) -> Actor:
    """The actor behind a session secret; anonymous for none. A live page's own pushes do not count as activity."""
    if not secret:
        return ANONYMOUS
    key, now = crypto.hash_secret(secret), time.monotonic()
    known = _remembered.get(key)
    if known is not None and now - known[0] < MEMORY_SECONDS:
        actor = known[1]
    else:
        actor = await get_database().read(lambda session: sessions.resolve(session, secret, ip))
        if len(_remembered) > MAX_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (now, actor)
    if touch and actor.session_id and now - _touched.get(actor.session_id, 0.0) > TOUCH_SECONDS:
        _touched[actor.session_id] = now
        await get_database().write(lambda session: sessions.touch(session, actor.session_id))
    return actor


def forget(session_ids: list[bytes]) -> None:
    """Drop ended sessions at once."""
    for session_id in session_ids:
        _remembered.pop(session_id, None)
        _touched.pop(session_id.hex(), None)
