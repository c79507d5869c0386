"""Residents and units: found by unit, entered one by one or by sheet, given accounts (SI-01, SI-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import crypto
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.masking import mask_name, mask_phone
from app.core.permissions import Right, Role
from app.domain.access import permit_queries
from app.domain.people import importing
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.sites.rules import UnitKind
from state import tabs
from state.console_words import PAGE, Row, address, assign, or_code, page_number, query, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

PATH = "/console/people"
RELATIONS = ("owner", "member", "tenant", "host")


class PeopleState(rx.State):
    """One page of units with their people; search and page stand in the address."""

    loaded: bool = False
    needle: str = ""
    all_units: bool = False
    rows: list[Row] = []
    total: int = 0
    number: int = 1
    pages: int = 1
    relations: list[list[str]] = []
    kinds: list[list[str]] = []
    dialog: str = ""
    unit: str = ""
    person: str = ""
    form_error: str = ""
    username: str = ""
    password: str = ""
    _person_id: str = ""
    _kind: str = ""

    @action(Right.PEOPLE_EDIT)
    async def enter(self) -> None:
        """Load of the page, by what its address says."""
        tabs.unwatch(self)
        self._shut()
        locale = await locale_of(self)
        assign(
            self,
            needle=query(self, "unit"),
            all_units=query(self, "all") == "1",
            number=page_number(query(self, "page")),
            relations=[[code, text(locale, f"console.relation.{code}")] for code in RELATIONS],
            kinds=[[kind.value, text(locale, f"console.unit_kind.{kind}")] for kind in UnitKind],
        )
        await self._refresh(me())

    @action(Right.PEOPLE_EDIT)
    async def find(self, form: dict[str, Any]) -> Any:
        """Only units whose label holds this."""
        needle = str(form.get("unit", "")).strip()[:50]
        return rx.redirect(address(PATH, unit=needle, all=int(self.all_units)))

    @action(Right.PEOPLE_EDIT)
    async def previous(self) -> Any:
        """The page before this."""
        return self._turn(-1)

    @action(Right.PEOPLE_EDIT)
    async def following(self) -> Any:
        """The page after this."""
        return self._turn(1)

    @action(Right.PEOPLE_EDIT)
    async def add(self) -> None:
        """Open the form of one person, for the only unit that the search has found."""
        self._shut()
        found = {row["unit"] for row in self.rows} if self.needle else set()
        self.dialog, self.unit = "add", found.pop() if len(found) == 1 else self.needle

    @action(Right.PEOPLE_EDIT)
    async def import_sheet(self) -> None:
        """Open the dialog that takes a sheet."""
        self._shut()
        self.dialog = "import"

    @action(Right.PEOPLE_EDIT)
    async def imported(self) -> None:
        """A sheet was entered: show what is there now."""
        await self._refresh(me())

    @action(Right.PEOPLE_EDIT)
    async def submit(self, form: dict[str, Any]) -> None:
        """Enter one person, and the unit if it is new."""
        actor = me()
        row = {name: str(form.get(name, "")) for name in ("unit", "kind", "name", "phone", "relation")}
        self.form_error = ""
        try:
            await get_database().write(lambda s: importing.add_resident(s, actor, actor.site_id, row))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "console.people.added")

    @action(Right.PEOPLE_EDIT)
    async def ask_account(self, person_id: str) -> None:
        """Open the form of a sign-in account."""
        row = next((row for row in self.rows if row["person"] == person_id and person_id), None)
        if row is None:
            raise InvalidInput("input_wrong")
        self._shut()
        self.dialog, self.person, self.unit = "account", row["name"], row["unit"]
        self._person_id, self._kind = person_id, row["kind"]

    @action(Right.PEOPLE_EDIT)
    async def give_account(self, form: dict[str, Any]) -> None:
        """Open the account and show the password of the first sign-in, once."""
        actor, person_id, username = me(), self._person_id, str(form.get("username", ""))
        role = Role.HOST if self._kind == UnitKind.COMPANY else Role.RESIDENT
        self.form_error = ""
        if not person_id:
            raise InvalidInput("input_wrong")
        try:
            password = await get_database().write(
                lambda s: people_service.give_account(s, actor, person_id, username, [role])
            )
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._refresh(actor)
        self.dialog, self.username, self.password = "password", username.strip().lower(), password

    @action(Right.PEOPLE_EDIT)
    async def close(self) -> None:
        """Close the dialog; a password shown in it is gone."""
        self._shut()

    def _turn(self, by: int) -> Any:
        number = min(max(self.number + by, 1), self.pages)
        return rx.redirect(address(PATH, unit=self.needle, all=int(self.all_units), page=number))

    def _shut(self) -> None:
        self._person_id = self._kind = ""
        assign(self, dialog="", form_error="", unit="", person="", username="", password="")

    async def _refresh(self, actor: Actor) -> None:
        locale, needle, number = await locale_of(self), self.needle, self.number
        # A search looks everywhere: the unit that somebody moves into is empty until then.
        occupied = not (self.all_units or needle)
        made = await get_database().read(
            lambda s: _page(s, actor.site_id, locale, needle, number, occupied=occupied)
        )
        assign(self, loaded=True, **made)


def _page(
    session: Session, site_id: str, locale: str, needle: str, number: int, *, occupied: bool
) -> dict[str, Any]:
    total = people.count_residents(session, site_id, needle, occupied=occupied)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = people.residents(session, site_id, PAGE, (number - 1) * PAGE, needle, occupied=occupied)
    known = [person.id for _, _, person in found if person]
    accounts, cards = people.accounts_of(session, known), permit_queries.held_by(session, known)
    rows = []
    for unit, member, person in found:
        account = accounts.get(person.id) if person else None
        relation = member.relation if member else ""
        rows.append(
            {
                "id": member.id if member else unit.id,
                "person": person.id if person else "",
                "unit": unit.label,
                "kind": unit.kind,
                "name": mask_name(crypto.reveal(person, "name")) if person else "",
                "phone": mask_phone(crypto.reveal(person, "phone")) if person else "",
                "relation": or_code(text(locale, f"console.relation.{relation}"), relation)
                if relation
                else "",
                "account": account.username if account else "",
                "cards": text(locale, "permits.cards_count", count=cards[person.id])
                if person and person.id in cards
                else "",
            }
        )
    return {"rows": rows, "total": total, "number": number, "pages": pages}
