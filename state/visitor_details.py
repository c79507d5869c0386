"""The visitor's page where a booking is completed: details, and a picture of the face or none (BK-04)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import i18n
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.permissions import Right
from app.domain.booking import links, photos
from app.domain.booking import repository as bookings
from app.domain.identity import booking_photos, visitor_details
from app.domain.identity.rules import TERMS, Age, Purpose
from app.domain.sites import repository as sites
from app.runtime import sessions
from state.guard import action, me, secret_in
from state.plates import plate_note
from state.shell import ShellState, notify

if TYPE_CHECKING:
    from sqlmodel import Session

MOST = 300
TYPED = (*visitor_details.FIELDS, "document_kind")
BLANK = dict.fromkeys((name.value for name in visitor_details.FIELDS), "")


@dataclass(slots=True)
class _Shown:
    """What the page knows of a booking."""

    site: str = ""
    over: bool = False
    rules: dict[str, str] = field(default_factory=lambda: dict(BLANK))
    values: dict[str, str] = field(default_factory=lambda: dict(BLANK))
    photo: str = ""
    checked: bool = False
    notices: dict[str, str] = field(default_factory=dict)
    demo: bool = False


class VisitorDetailsState(rx.State):
    """A visitor's tab on that page. Whether a picture is wanted is the tab's alone: to say no leaves nothing behind."""

    answered: bool = False
    open: bool = False
    over: bool = False
    demo: bool = False
    site: str = ""
    rules: dict[str, str] = dict(BLANK)
    values: dict[str, str] = dict(BLANK)
    asks: bool = False
    saved: bool = False
    form_error: str = ""
    error_field: str = ""
    plate_note: str = ""
    photo: str = ""  # empty: not asked for; offered; or the address of the stored one
    checked: bool = False
    choice: str = ""
    notices: dict[str, str] = dict.fromkeys(
        i18n.LOCALES, ""
    )  # in every language, for the page may change its own
    notice_version: str = TERMS[Purpose.FACE_VISIT].version
    minor: bool = False

    @action(Right.PUBLIC)
    async def enter(self) -> None:
        """Load of the page, for whoever proved the link; nothing is shown to anybody else."""
        self.open = self.over = self.saved = self.minor = False
        self.form_error = self.error_field = self.choice = self.plate_note = ""
        actor = await sessions.resolve(secret_in(self, sessions.VISITOR_COOKIE))
        self._show(_Shown())  # a session that ended leaves nothing in the tab
        if actor.has(Right.PASS_OWN):
            await self._load(actor.booking_id)
        self.answered = True

    @action(Right.PASS_OWN)
    async def save(self, form: dict[str, Any]) -> None:
        """Keep what was filled in; what is wrong is told beside its field, and nothing typed is lost."""
        actor = me()
        self.saved, self.form_error, self.error_field = False, "", ""
        typed = {str(name): str(form.get(name) or "")[:MOST] for name in TYPED}
        try:
            await get_database().write(lambda s: visitor_details.complete(s, actor, typed).id)
        except GateError as error:
            shell = await self.get_state(ShellState)
            self.form_error = await shell._word(f"error.{error.code}", **error.params)
            self.error_field = getattr(error, "field", "")
            return
        await self._load(actor.booking_id)
        self.saved = True

    @action(Right.PASS_OWN)
    async def look_at_plate(self, value: str) -> None:
        """Say that a plate is of no known kind; it may stay as it is (N-5)."""
        self.plate_note = await plate_note(self, value[:MOST])

    @action(Right.PASS_OWN)
    async def choose(self, choice: str) -> None:
        """No picture, or one."""
        if choice not in {"none", "photo"}:
            raise InvalidInput("choice_wrong", "choice")
        self.choice, self.minor = choice, False

    @action(Right.PASS_OWN)
    async def declare_age(self, age: str) -> None:
        """Under fourteen a guardian is asked for."""
        self.minor = age == Age.UNDER_14

    @action(Right.PASS_OWN)
    async def added(self) -> None:
        """The picture arrived."""
        self.choice = ""
        await self._load(me().booking_id)

    @action(Right.PASS_OWN)
    async def withdraw(self) -> None:
        """Take the consent back: the picture is deleted with it, at once (L-3)."""
        actor = me()
        await get_database().write(lambda s: booking_photos.withdraw(s, actor))
        self.choice = ""
        await self._load(actor.booking_id)
        await notify(self, "ok", "visit.photo_withdrawn")

    async def _load(self, booking_id: str) -> None:
        self._show(await get_database().read(lambda session: _shown(session, booking_id)))

    def _show(self, shown: _Shown) -> None:
        self.open = bool(shown.site)
        self.over, self.site, self.rules, self.values = shown.over, shown.site, shown.rules, shown.values
        self.asks = any(shown.rules.values())
        self.photo, self.checked, self.demo = shown.photo, shown.checked, shown.demo
        self.notices = shown.notices or dict.fromkeys(i18n.LOCALES, "")


def _shown(session: Session, booking_id: str) -> _Shown:
    booking = bookings.booking(session, booking_id)
    if links.end_of(session, booking):
        return _Shown()  # the visit is over: nothing of whose it was (S-19)
    site = sites.site(session, booking.site_id)
    shown = _Shown(site.name, over=not visitor_details.is_open(booking), demo=site.demo)
    for one in visitor_details.asked(session, booking):
        shown.rules[one.field.value] = "required" if one.required else "optional"
        shown.values[one.field.value] = one.value
    row = photos.of_booking(session, booking.id)
    if row is not None:
        # Another picture has another address, so that no browser shows the one before.
        shown.photo = f"/api/visitor/photo?of={row.id}"
        shown.checked = row.checked
    elif booking_photos.is_offered(session, booking):
        shown.photo = "offered"
        shown.notices = {
            locale: booking_photos.notice(session, booking.site_id, locale).text for locale in i18n.LOCALES
        }
    return shown


def waiting(session: Session, booking_id: str) -> str:
    """What the pass says of completing: ``required``, ``optional``, or empty where nothing can be added."""
    booking = bookings.booking(session, booking_id)
    asked = visitor_details.asked(session, booking)
    if any(one.required and not one.value for one in asked):
        return "required"
    offered = (
        booking_photos.is_offered(session, booking) or photos.of_booking(session, booking.id) is not None
    )
    return "optional" if asked or offered else ""
