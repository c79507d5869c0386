"""The visitor's page behind the link: the second factor, then the pass (BK-07, S-19)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import reflex as rx

from app.core import clock, crypto, i18n
from app.core.database import get_database
from app.core.masking import mask_name
from app.core.permissions import Right
from app.domain.booking import repository as bookings
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.runtime import sessions
from state.guard import action, secret_in
from state.shell import locale_of

if TYPE_CHECKING:
    from sqlmodel import Session

LINK = re.compile(r"[A-Za-z0-9_\-]{24}")


class PassState(rx.State):
    """A visitor's tab."""

    link: str = ""
    open: bool = False
    site: str = ""
    greeting: str = ""
    to: str = ""
    when: str = ""
    status: str = ""
    plate: str = ""
    demo: bool = False

    @action(Right.PUBLIC)
    async def enter(self) -> None:
        """Load of the page: the pass of whoever proved the link, else the question for the second factor."""
        given = str(dict(self.router.url.query_parameters).get("link", ""))
        self.link = given if LINK.fullmatch(given) else ""
        actor = await sessions.resolve(secret_in(self, sessions.VISITOR_COOKIE))
        self.open = False
        if not actor.has(Right.PASS_OWN) or self.link:
            return
        locale = await locale_of(self)

        def load(session: Session) -> dict[str, str]:
            booking, visitor, unit = bookings.full(session, actor.booking_id)
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
                "status": booking.status,
                "plate": crypto.reveal(booking, "plate"),
            }

        found = await get_database().read(load)
        self.site, self.greeting, self.to = found["site"], found["greeting"], found["to"]
        self.when, self.status, self.plate = found["when"], found["status"], found["plate"]
        self.demo, self.open = bool(found["demo"]), True
