"""Badges on a lane's printer: asked for once, printed once, and what came of it told to the desks of the lane (AD-15).

A job is wanted for a few seconds and never kept for later. While one is on its way, and for a moment after it came out, the
same badge asked for again is the same press of the key; later it is another badge.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from sqlmodel import Session

from app.adapters import badge_picture, fonts
from app.core import audit, i18n
from app.core.actor import SYSTEM, Actor
from app.core.database import Database
from app.core.errors import GateError, NotFound, Retryable
from app.domain.admission.badges import Badge, badge_of
from app.domain.admission.models import VisitAdmitted
from app.domain.sites import repository as sites
from app.runtime.places import Places
from hardware.jobs import JobAnswer
from hardware.registry import dots

logger = logging.getLogger(__name__)

NOTE_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)

DRIVER = "printer"
JOB_SECONDS = 6.0
PRESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PrintStatus:
    """How the last badge of a lane stands: ``busy``, ``printed``, ``sent`` or ``failed`` with a code; numbered."""

    number: int
    visit_id: str
    phase: str
    code: str = ""


@dataclass(slots=True)
class _Press:
    """One badge on its way, or just out."""

    ends_at: float | None = None
    copies: int = 1


class Printing:
    """The badges on their way; used on the event loop alone."""

    def __init__(self, database: Database, places: Places, changed: Callable[[str], None]) -> None:
        self._database = database
        self._places = places
        self._changed = changed
        self._status: dict[str, PrintStatus] = {}
        self._presses: dict[str, _Press] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0

    def at(self, lane_id: str) -> PrintStatus | None:
        """How the last badge of a lane stands."""
        return self._status.get(lane_id)

    def begin(self, actor: Actor, lane_id: str, visit_id: str, locale: str) -> bool:
        """Print a badge at the lane's printer; returns at once, False where the lane has none."""
        device_id = self._places.of_lane(lane_id, DRIVER)
        if not device_id:
            return False
        if (press := self._press(visit_id)) is not None:
            self._spawn(self._run(press, actor, lane_id, device_id, visit_id, locale))
        return True

    def admitted(self, event: VisitAdmitted) -> None:
        """Somebody was let in: print without a key where the site wants it so and the lane has a printer."""
        if self._places.of_lane(event.lane_id, DRIVER):
            self._spawn(self._at_once(event))

    async def stop(self) -> None:
        """Let go of what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _at_once(self, event: VisitAdmitted) -> None:
        wanted = await self._database.read(lambda s: sites.policy(s, event.site_id).print_at_once)
        if wanted:
            self.begin(SYSTEM, event.lane_id, event.visit_id, i18n.DEFAULT)

    def _press(self, visit_id: str) -> _Press | None:
        """A new badge, or None where this is the same press of the key."""
        now = time.monotonic()
        old = [
            key
            for key, press in self._presses.items()
            if press.ends_at is not None and press.ends_at < now - 3600
        ]
        for key in old:
            del self._presses[key]
        press = self._presses.get(visit_id)
        if press is None:
            press = self._presses[visit_id] = _Press()
            return press
        if press.ends_at is None or now < press.ends_at:
            return None
        press.ends_at, press.copies = None, press.copies + 1
        return press

    async def _run(
        self, press: _Press, actor: Actor, lane_id: str, device_id: str, visit_id: str, locale: str
    ) -> None:
        self._tell(lane_id, visit_id, "busy")
        try:
            answer = await self._print(actor, lane_id, device_id, visit_id, locale, press.copies)
        except GateError as error:
            answer = JobAnswer(False, "database_busy" if isinstance(error, Retryable) else "refused")
        except Exception:
            logger.exception("A badge could not be printed")
            answer = JobAnswer(False, "other")
        finally:
            press.ends_at = time.monotonic()
        if answer.done:
            press.ends_at += PRESS_SECONDS
        else:
            press.copies -= 1
        self._tell(lane_id, visit_id, answer.code if answer.done else "failed", answer.code)

    async def _print(
        self, actor: Actor, lane_id: str, device_id: str, visit_id: str, locale: str, copy: int
    ) -> JobAnswer:
        def prepare(session: Session) -> tuple[Badge, int]:
            device = sites.device(session, device_id)
            made = badge_of(session, actor, visit_id)
            if device.lane_id != lane_id or device.site_id != made.site_id:
                raise NotFound("device_unknown")
            audit.record(
                session,
                actor,
                "badge.print",
                "visit",
                visit_id,
                site_id=made.site_id,
                reason="reprint" if copy > 1 else "",
                details={"device": device_id},
            )
            return made, dots(device.settings)

        badge, width = await self._database.write(prepare)
        try:
            picture = await asyncio.to_thread(badge_picture.draw, badge, locale, width)
        except fonts.FontMissing:
            answer = JobAnswer(False, "font_missing")
        else:
            answer = await self._ask(device_id, picture)
        await self._note(actor, visit_id, badge.site_id, device_id, answer)
        return answer

    async def _note(
        self, actor: Actor, visit_id: str, site_id: str, device_id: str, answer: JobAnswer
    ) -> None:
        """Put down what came of it; a database that is busy then must not make a printed badge a failed one."""

        def work(session: Session) -> None:
            audit.record(
                session,
                actor,
                "badge.printed",
                "visit",
                visit_id,
                site_id=site_id,
                result="ok" if answer.done else "failed",
                details={"device": device_id, "code": answer.code},
            )

        for pause in NOTE_PAUSES:
            try:
                await self._database.write(work)
                return
            except Retryable:
                await asyncio.sleep(pause)
        logger.error("What came of a badge could not be recorded (%s)", answer.code)

    async def _ask(self, device_id: str, picture: bytes) -> JobAnswer:
        place = self._places.of(device_id)
        if place is None:
            return JobAnswer(False, "device_unknown")
        return await place.print(device_id, picture, JOB_SECONDS)

    def _tell(self, lane_id: str, visit_id: str, phase: str, code: str = "") -> None:
        self._number += 1
        self._status[lane_id] = PrintStatus(self._number, visit_id, phase, code)
        self._changed(lane_id)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
