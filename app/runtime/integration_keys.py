"""From a bearer to another system, with a short memory so that a request costs no query; what changes is forgotten at once."""

from __future__ import annotations

import time
from datetime import timedelta

from app.core import clock, crypto
from app.core.database import get_database
from app.core.limiter import Limiter
from app.core.settings import get_settings
from app.domain.integration import keys
from app.domain.integration.keys import PREFIX, Holder

MEMORY_SECONDS = 5.0
MAX_REMEMBERED = 1_000

_known: dict[bytes, tuple[float, Holder]] = {}


def rate() -> tuple[int, timedelta]:
    """How many requests a system may make in how long a time."""
    return get_settings().api_requests_per_minute, timedelta(minutes=1)


limit = Limiter(rate)


async def holder_of(bearer: str) -> Holder:
    """Who holds a bearer; raises ``NotSignedIn``, and ``TooMany`` beyond the limit of its key."""
    mark = crypto.hash_secret(bearer)
    known = _known.get(mark)
    if known is not None and _is_fresh(*known):
        holder = known[1]
    else:
        holder = await get_database().read(lambda session: keys.resolve(session, bearer))
        if keys.needs_touch(holder.used_at):
            key_id = keys.key_of(holder.actor)
            await get_database().write(lambda session: keys.touch(session, key_id))
        if len(_known) > MAX_REMEMBERED:
            _known.clear()
        _known[mark] = (time.monotonic(), holder)
    limit.hit(holder.actor.account_id)
    return holder


def forget() -> None:
    """Forget every key; the next request of each looks it up."""
    _known.clear()


def _is_fresh(seen: float, holder: Holder) -> bool:
    over = holder.expires_at is not None and holder.expires_at <= clock.now()
    return not over and time.monotonic() - seen < MEMORY_SECONDS


__all__ = ["PREFIX", "Holder", "forget", "holder_of", "limit"]
