"""The visitor's page behind the link: the second factor, then the pass (BK-07, S-19)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import reflex as rx

from app.core import clock, crypto, i18n
from app.core.database import get_database
from app.core.errors import NotFound
from app.core.masking import mask_name
from app.core.permissions import Right
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.runtime import sessions
from state.guard import action, secret_in
from state.shell import locale_of
from state.visitor_details import waiting

if TYPE_CHECKING:
    from sqlmodel import Session

LINK = re.compile(r"[A-Za-z0-9_\-]{24}")


class PassState(rx.State):
    """A visitor's tab."""

    answered: bool = False  # until then the page may show what the phone keeps of its own pass
    link: str = ""
    by_phone: bool = True
    end: str = ""
    open: bool = False
    site: str = ""
    greeting: str = ""
    to: str = ""
    when: str = ""
    plate: str = ""
    complete: str = ""  # what there is to complete: required, optional, or nothing
    demo: bool = False

    @action(Right.PUBLIC)
    async def enter(self) -> None:
        """Load of the page: the pass of whoever proved the link, else the question for the second factor.

        A visit that is over shows that it is, and nothing of whose it was (S-19).
        """
        given = str(dict(self.router.url.query_parameters).get("link", ""))
        self.link = given if LINK.fullmatch(given) else ""
        self._forget()
        if self.link:
            await self._look()
        else:
            await self._open()
        self.answered = True

    async def _open(self) -> None:
        actor = await sessions.resolve(secret_in(self, sessions.VISITOR_COOKIE))
        if not actor.has(Right.PASS_OWN):
            return
        locale = await locale_of(self)

        def load(session: Session) -> dict[str, str]:
            booking, visitor, unit = bookings.full(session, actor.booking_id)
            if end := links.end_of(session, booking):
                return {"end": end.value}
            site = sites.site(session, booking.site_id)
            host = crypto.reveal(people.person(session, booking.host_id), "name") if booking.host_id else ""
            return {
                "site": site.name,
                "demo": "1" if site.demo else "",
                "greeting": i18n.text(locale, "pass.greeting", name=crypto.reveal(visitor, "name")),
                "to": f"{unit.label} {mask_name(host)}".strip(),
                "when": i18n.format_window(
                    booking.starts_at, booking.ends_at, clock.now(), site.time_zone, locale
                ),
                "plate": crypto.reveal(booking, "plate"),
                "complete": waiting(session, booking.id),
            }

        found = await get_database().read(load)
        if end := found.get("end", ""):
            self.end = end
            return
        self.site, self.greeting, self.to = found["site"], found["greeting"], found["to"]
        self.when, self.plate, self.complete = found["when"], found["plate"], found["complete"]
        self.demo, self.open = bool(found["demo"]), True

    async def _look(self) -> None:
        link = self.link
        try:
            state = await get_database().read(lambda session: links.look(session, link))
        except NotFound:
            return  # a made-up link is asked like any other, so that nothing is learned by trying
        self.end, self.by_phone = (state.end or ""), state.by_phone

    def _forget(self) -> None:
        self.site = self.greeting = self.to = self.when = self.plate = self.complete = self.end = ""
        self.open, self.by_phone = False, True
