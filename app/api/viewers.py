"""Who looks at live pictures, and until when: a stream ends soon after the right to it.

A stream is asked for once and may run for hours. One task looks at the sessions of all open streams together, with one
read for all of them, so that neither a frame nor a viewer costs a query.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlmodel import Session

from app.core.database import get_database
from app.core.permissions import Right
from app.domain.duty import service as duty
from app.domain.people import sessions

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
# While the database is away nobody can be asked about; a stream that cannot be answered for ends as well.
UNANSWERED_ROUNDS = 15


@dataclass(slots=True, eq=False)
class Viewer:
    """One open stream: the session it was opened with, and the duty it hangs on, if it does.

    Somebody signed on to the camera's lane sees it because of that, and until signing off; others at the site see it by
    their right alone, as in the list of devices.
    """

    secret: str
    site_id: str
    duty_id: str = ""
    ended: bool = False
    wake: Callable[[], None] | None = None

    def end(self) -> None:
        """Stop the stream; it notices at once."""
        self.ended = True
        if self.wake is not None:
            self.wake()


def viewer_of(session: Session, secret: str, account_id: str, site_id: str, lane_id: str) -> Viewer:
    """A viewer who was just let in to a camera of a lane."""
    signed_on = duty.present_duty(session, account_id)
    duty_id = signed_on.id if signed_on is not None and signed_on.lane_id == lane_id else ""
    return Viewer(secret, site_id, duty_id)


def may_go_on(session: Session, viewer: Viewer) -> bool:
    """Whether the session still lives, still has the right at the site, and the guard has not signed off."""
    actor = sessions.resolve(session, viewer.secret)
    if not actor.has(Right.CAMERA_VIEW) or actor.site_id != viewer.site_id:
        return False
    if not viewer.duty_id:
        return True
    signed_on = duty.present_duty(session, actor.account_id)
    return signed_on is not None and signed_on.id == viewer.duty_id


class Viewers:
    """The open streams of this process; used from the event loop only."""

    def __init__(self) -> None:
        self._open: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, viewer: Viewer) -> None:
        """Look after a stream from now on."""
        self._open.add(viewer)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, viewer: Viewer) -> None:
        """Forget a stream; with the last of them the looking ends."""
        self._open.discard(viewer)
        if not self._open and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _watch(self) -> None:
        unanswered = 0
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            asked = tuple(self._open)
            try:
                ended = await get_database().read(lambda s: _ended(s, asked))  # noqa: B023 - awaited here
                unanswered = 0
            except Exception:
                unanswered += 1
                logger.warning("Viewers of live pictures could not be asked about", exc_info=True)
                ended = asked if unanswered >= UNANSWERED_ROUNDS else ()
            for viewer in ended:
                viewer.end()


def _ended(session: Session, viewers: Iterable[Viewer]) -> tuple[Viewer, ...]:
    return tuple(viewer for viewer in viewers if not may_go_on(session, viewer))


viewers = Viewers()
