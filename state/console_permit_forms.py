"""The forms by which a permit comes to be: for partners, for staff, for the resident of the address (SI-06)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.access import permit_queries, permits
from app.domain.booking.service import Invitation
from app.domain.sites import repository as sites
from state import console_permits_view as view
from state.console_permits import PermitsState
from state.console_words import assign, query, words_of
from state.guard import action, me
from state.shell import locale_of

if TYPE_CHECKING:
    from sqlmodel import Session

DAYS = 365
WORKER_DAYS = 30


class PermitFormsState(rx.State):
    """One open form; what it makes is shown by the list's own dialog, where the card is issued."""

    dialog: str = ""
    form_error: str = ""
    kinds: list[list[str]] = []
    kind: str = ""
    asked: dict[str, str] = {}
    staff: list[list[str]] = []
    units: list[list[str]] = []
    today: str = ""
    until: str = ""
    person: str = ""
    _person_id: str = ""

    @action(Right.LEDGER_VIEW)
    async def enter(self) -> None:
        """Load of the page; a person in its address who has no permit gets the form of one."""
        self._shut()
        actor, locale = me(), await locale_of(self)
        self.kinds = [[kind.value, text(locale, f"visitor_type.{kind}")] for kind in permits.PARTNERS]
        person_id = query(self, "person")
        if person_id and actor.has(Right.PEOPLE_EDIT):
            await self._for_person(actor, person_id)

    @action(Right.PEOPLE_EDIT)
    async def add_partner(self) -> None:
        """Open the form of somebody from outside."""
        self._shut()
        await self._set_until(WORKER_DAYS)
        await self._ask_for(me(), permits.PARTNERS[0])
        self.dialog = "partner"

    @action(Right.PEOPLE_EDIT)
    async def choose_kind(self, kind: str) -> None:
        """Another kind of partner, of whom the policy may ask other things (SI-03)."""
        if kind not in permits.PARTNERS:
            raise InvalidInput("choice_wrong", "kind")
        await self._ask_for(me(), kind)

    @action(Right.PEOPLE_EDIT)
    async def add_staff(self) -> None:
        """Open the form of somebody who works here."""
        actor = me()
        self._shut()
        await self._set_until(DAYS)
        self.staff = await get_database().read(lambda s: view.staff(s, actor.site_id))
        self.dialog = "staff"

    @action(Right.PEOPLE_EDIT)
    async def file_partner(self, form: dict[str, Any]) -> None:
        """File a partner's permit and go on to the card."""
        actor, kind = me(), self.kind

        def work(session: Session) -> str:
            site = sites.site(session, actor.site_id)
            unit = sites.unit_by_label(session, site.id, str(form.get("unit", "")).strip())
            if unit is None:
                raise InvalidInput("unit_missing", "unit")
            return permits.file_partner(
                session,
                actor,
                Invitation(
                    unit_id=unit.id,
                    name=str(form.get("name", "")),
                    # A field that the policy took off the page arrives as None.
                    phone=str(form.get("phone") or ""),
                    starts_at=view.now(),
                    ends_at=view.last_moment(session, site.id, form),
                    purpose="other",
                    visitor_type=kind,
                    company=str(form.get("company") or ""),
                ),
            ).id

        await self._made(actor, work)

    @action(Right.PEOPLE_EDIT)
    async def grant_staff(self, form: dict[str, Any]) -> None:
        """Grant a member of staff a permit and go on to the card."""
        actor, person_id = me(), str(form.get("person", ""))

        def work(session: Session) -> str:
            place = permits.workplace(session, actor, str(form.get("unit", "")))
            until = view.last_moment(session, actor.site_id, form)
            return permits.grant(session, actor, person_id, place.id, until).id

        await self._made(actor, work)

    @action(Right.PEOPLE_EDIT)
    async def grant_resident(self, form: dict[str, Any]) -> None:
        """Grant the resident of the address a permit and go on to the card."""
        actor, person_id = me(), self._person_id
        unit_id = str(form.get("unit", "")) or (self.units[0][0] if self.units else "")

        def work(session: Session) -> str:
            until = view.last_moment(session, actor.site_id, form)
            return permits.grant(session, actor, person_id, unit_id, until).id

        await self._made(actor, work)

    @action(Right.PEOPLE_EDIT)
    async def close(self) -> None:
        """Close the form."""
        self._shut()

    async def _for_person(self, actor: Actor, person_id: str) -> None:
        def load(session: Session) -> tuple[bool, str, list[list[str]]]:
            name, units = view.resident(session, actor.site_id, person_id)
            return permit_queries.of_person(session, person_id) is not None, name, units

        held, person, units = await get_database().read(load)
        if held:
            return  # the list opens that permit
        self.person, self.units, self._person_id = person, units, person_id
        await self._set_until(DAYS)
        self.dialog = "resident"

    async def _made(self, actor: Actor, work: Callable[[Session], str]) -> None:
        self.form_error = ""
        try:
            permit_id = await get_database().write(work)
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        self._shut()
        page = await self.get_state(PermitsState)
        await page._again(actor, permit_id, "permits.filed")
        page.dialog = "permit"

    async def _ask_for(self, actor: Actor, kind: str) -> None:
        self.kind = kind
        self.asked = await get_database().read(lambda s: view.asked(s, actor.site_id, kind))

    async def _set_until(self, days: int) -> None:
        site_id = me().site_id
        today = await get_database().read(lambda s: permits.today(sites.site(s, site_id)))
        self.today, self.until = today.isoformat(), (today + timedelta(days=days)).isoformat()

    def _shut(self) -> None:
        self._person_id = ""
        assign(self, dialog="", form_error="", person="", staff=[], units=[])
