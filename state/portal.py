"""The resident's phone: who is at the gate, inviting, and what became of it (BK-01, AD-08)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import reflex as rx

from app.core import clock, crypto, i18n
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.admission import repository as admission
from app.domain.admission import walk_ins
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.booking import service as booking_service
from app.domain.booking.service import Invitation
from app.domain.messages import preferences
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import UnitKind, VisitorField, VisitorKind
from state import completed, own_face, tabs
from state.guard import action, me
from state.plates import plate_note
from state.shell import ShellState, link_base, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

Row = dict[str, str]
STEP_MINUTES = 15
DEFAULT_HOURS = 4


class HomeState(rx.State):
    """A resident's first page, kept live."""

    units: list[Row] = []
    waiting: list[Row] = []
    visits: list[Row] = []
    news: list[Row] = []
    face: Row = {}
    server_now: int = 0
    ended: bool = False

    @action(Right.BOOK)
    async def enter(self) -> None:
        """Load of the page."""
        actor = me()
        self.ended, self.server_now = False, int(clock.now().timestamp() * 1000)
        topics = frozenset({f"person:{actor.person_id}"})
        tabs.watch(self, topics, Right.BOOK, HomeState._update)
        await self._refresh(actor)

    @action(Right.CONSENT_ANSWER)
    async def answer(self, consent_id: str, agree: bool) -> None:
        """Let the visitor in, or not."""
        actor = me()
        try:
            await get_database().write(lambda s: walk_ins.answer(s, actor, consent_id, agree=agree))
        finally:
            await self._refresh(actor)
        await notify(self, "ok", "home.agreed" if agree else "home.declined")

    @action(Right.CONSENT_ANSWER)
    async def answer_unknown(self, consent_id: str) -> None:
        """This is nobody I know: declined, and the desk reads why."""
        actor = me()
        note = text(i18n.DEFAULT, "home.unknown_note")
        try:
            await get_database().write(
                lambda s: walk_ins.answer(s, actor, consent_id, agree=False, note=note)
            )
        finally:
            await self._refresh(actor)
        await notify(self, "ok", "home.declined")

    @action(Right.BOOK)
    async def cancel(self, booking_id: str) -> None:
        """Withdraw an invitation."""
        actor = me()
        await get_database().write(lambda s: invitations.cancel(s, actor, booking_id))
        await self._refresh(actor)
        await notify(self, "ok", "home.cancelled")

    @action(Right.BOOK)
    async def withdraw_face(self) -> None:
        """Take back the consent to one's own face: the template is gone with it."""
        actor = me()
        await get_database().write(lambda s: own_face.withdraw(s, actor))
        await self._refresh(actor)
        await notify(self, "ok", "faces.own_withdrawn")

    @action(Right.BOOK)
    async def handed_over(self, result: str) -> None:
        """Say whether the link was copied; a share sheet speaks for itself."""
        if result == "copied":
            await notify(self, "ok", "invite.copied")
        elif result == "failed":
            await notify(self, "wait", "invite.copy_failed")

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)

    async def _refresh(self, actor: Actor) -> None:
        locale = await locale_of(self)
        base = link_base(self)
        made = await get_database().read(lambda s: _home(s, actor, locale, base))
        self.units, self.waiting, self.visits, self.news = made
        self.face = await get_database().read(lambda s: own_face.shown(s, actor, locale))

    def _signed_out(self) -> None:
        self.ended, self.waiting, self.visits, self.news = True, [], [], []


def _home(
    session: Session, actor: Actor, locale: str, base: str
) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    site = sites.site(session, actor.site_id)
    now = clock.now()
    lanes = {lane.id: f"{door.name}" for lane, door in sites.lanes(session, site.id)}
    waiting = []
    for consent, attempt in admission.waiting_for(session, actor.person_id):
        visitor = people.person(session, attempt.visitor_id or "")
        waiting.append(
            {
                "id": consent.id,
                # The host decides about this person and must know whom: the name is released for the question.
                "name": crypto.reveal(visitor, "name"),
                "where": text(locale, "home.at_gate", gate=lanes.get(attempt.lane_id, "")),
                "why": text(
                    locale,
                    "home.why",
                    purpose=text(locale, f"purpose.{attempt.purpose}"),
                    count=attempt.head_count,
                ),
                "since": str(int(consent.asked_at.timestamp() * 1000)),
                "snapshot": f"/api/attempts/{attempt.id}/snapshot" if attempt.snapshot_id else "",
            }
        )
    visits = []
    for booking, visitor, unit in bookings.of_host(session, actor.person_id, now):
        arrived = booking.status == "arrived"
        visits.append(
            {
                "id": booking.id,
                "name": crypto.reveal(visitor, "name"),
                "when": i18n.format_window(booking.starts_at, booking.ends_at, now, site.time_zone, locale),
                "why": f"{text(locale, f'purpose.{booking.purpose}')} · {unit.label}",
                "added": completed.fields(session, booking.id, locale),
                "status": text(locale, "home.status_arrived" if arrived else "home.status_sent"),
                "tone": "info" if arrived else "ok",
                "open": "" if arrived else "1",
                "link": f"{base}/v/{links.link_secret(booking)}" if not arrived else "",
                "code": links.open_code(session, booking) if not arrived else "",
            }
        )
    news = []
    for message in people.inbox(session, actor.person_id, 5):
        if "visit" not in message.payload:
            continue  # what staff are told is told at their own pages
        visit = admission.visit(session, message.payload["visit"])
        person = session.get(people.Person, visit.visitor_id) if visit.visitor_id else None
        name = crypto.reveal(person, "name") if person else text(locale, "person.erased")
        news.append(
            {
                "id": message.id,
                "time": i18n.format_time(message.created_at, site.time_zone),
                "text": text(locale, f"inbox.{message.topic}", name=name),
            }
        )
    units = [{"id": unit.id, "label": unit.label} for unit in people.units_of(session, actor.person_id)]
    return units, waiting, visits, news


class InviteState(rx.State):
    """The invitation form and the link that comes of it."""

    units: list[list[str]] = []
    unit_id: str = ""
    phone_rule: str = "required"
    by_mail: bool = False
    company: bool = False
    day: str = "today"
    date: str = ""
    start: str = ""
    end: str = ""
    next_day: bool = False
    recents: list[str] = []
    form_error: str = ""
    error_field: str = ""
    plate_note: str = ""
    link: str = ""
    message: str = ""
    booking_id: str = ""
    guest: str = ""
    when: str = ""
    open_code: str = ""
    sent: bool = False

    @action(Right.BOOK)
    async def enter(self) -> None:
        """Load of the page with sensible defaults: today, from now, four hours, one person."""
        actor = me()
        self.form_error, self.error_field, self.link, self.booking_id, self.sent = "", "", "", "", False
        self.plate_note, self.by_mail = "", bool(get_settings().smtp_host)

        def load(session: Session) -> tuple[list[list[str]], str]:
            units = [[unit.id, unit.label] for unit in people.units_of(session, actor.person_id)]
            return units, sites.site(session, actor.site_id).time_zone

        self.units, zone = await get_database().read(load)
        self.unit_id = self.units[0][0] if self.units else ""
        await self._ask_by_policy()
        local = clock.now().astimezone(ZoneInfo(zone))
        first = local - timedelta(minutes=local.minute % STEP_MINUTES)
        last = first + timedelta(hours=DEFAULT_HOURS)
        self.day, self.date = "today", local.date().isoformat()
        self.start, self.end = f"{first:%H:%M}", f"{last:%H:%M}"
        self.next_day = self.end <= self.start

    @action(Right.BOOK)
    async def choose_unit(self, unit_id: str) -> None:
        """Which of one's units the guest comes to."""
        if unit_id in {unit[0] for unit in self.units}:
            self.unit_id = unit_id
            await self._ask_by_policy()

    @action(Right.BOOK)
    async def choose_day(self, day: str) -> None:
        """Today, tomorrow, or a date."""
        if day in {"today", "tomorrow", "date"}:
            self.day = day

    @action(Right.BOOK)
    async def set_start(self, value: str) -> None:
        """When the guest may come; the end keeps its distance past midnight."""
        self.start = value[:5]
        self.next_day = self.end <= self.start

    @action(Right.BOOK)
    async def set_end(self, value: str) -> None:
        """Until when; an end before the start means the next day, and the page says so."""
        self.end = value[:5]
        self.next_day = self.end <= self.start

    @action(Right.BOOK)
    async def submit(self, form: dict[str, Any]) -> None:
        """Book the guest and show the link."""
        actor = me()
        self.form_error, self.error_field = "", ""
        locale, base = await locale_of(self), link_base(self)

        def work(session: Session) -> tuple[str, str, str, str, str]:
            site = sites.site(session, actor.site_id)
            starts_at, ends_at = self._window(form, site.time_zone)
            invitation = Invitation(
                unit_id=self.unit_id,
                name=str(form.get("name", "")),
                # A field that the policy took off the page arrives as None.
                phone=str(form.get("phone") or ""),
                starts_at=starts_at,
                ends_at=ends_at,
                purpose=str(form.get("purpose", "family")),
                head_count=str(form.get("head_count", "1")),
                plate=str(form.get("plate", "")),
                urgent=self.company and bool(form.get("urgent")),
            )
            booking, _, secret = invitations.invite(session, actor, invitation)
            preferences.give_address(session, actor, booking, str(form.get("email") or ""))
            link = f"{base}/v/{secret}"
            window = i18n.format_window(starts_at, ends_at, clock.now(), site.time_zone, locale)
            message = text(locale, "invite.message", site=site.name, window=window, link=link)
            return booking.id, link, message, window, links.open_code(session, booking)

        try:
            made = await get_database().write(work)
            self.booking_id, self.link, self.message, self.when, self.open_code = made
        except GateError as error:
            shell = await self.get_state(ShellState)
            self.form_error = await shell._word(f"error.{error.code}", **error.params)
            self.error_field = getattr(error, "field", "")
            return
        self.guest = str(form.get("name", ""))[:50]

    @action(Right.BOOK)
    async def look_at_plate(self, value: str) -> None:
        """Say that a plate is of no known kind; it may stay as it is (N-5)."""
        self.plate_note = await plate_note(self, value)

    @action(Right.BOOK)
    async def send(self) -> None:
        """Have the link sent to the guest's phone."""
        actor, booking_id = me(), self.booking_id
        await get_database().write(lambda s: booking_service.send_link(s, actor, booking_id))
        self.sent = True

    async def _ask_by_policy(self) -> None:
        """Whether the form asks for the guest's phone, by the class of the unit that was chosen (SI-03)."""
        unit_id = self.unit_id
        if not unit_id:
            return

        def load(session: Session) -> tuple[str, bool]:
            unit = sites.unit(session, unit_id)
            site = sites.site(session, unit.site_id)
            rules = sites_service.field_policy(session, site, VisitorKind.GUEST, unit.area_id)
            return rules[VisitorField.PHONE].value, unit.kind == UnitKind.COMPANY

        self.phone_rule, self.company = await get_database().read(load)

    def _window(self, form: dict[str, Any], zone: str) -> tuple[datetime, datetime]:
        tz = ZoneInfo(zone)
        today = clock.now().astimezone(tz).date()
        try:
            day = today + timedelta(days={"today": 0, "tomorrow": 1}.get(self.day, 0))
            if self.day == "date":
                day = date.fromisoformat(str(form.get("date", "")))
            start = datetime.combine(day, datetime.strptime(self.start, "%H:%M").time(), tz)  # noqa: DTZ007 - zoned here
            end = datetime.combine(day, datetime.strptime(self.end, "%H:%M").time(), tz)  # noqa: DTZ007 - zoned here
        except ValueError:
            raise InvalidInput("window_unclear", "window") from None
        if end <= start:
            end += timedelta(days=1)
        now = clock.now()
        # "From now on" is what a quarter of an hour that has begun means.
        return (now if now - timedelta(minutes=STEP_MINUTES + 1) < start < now else start), end

    @action(Right.BOOK)
    async def handed_over(self, result: str) -> None:
        """Say whether the link was copied; a share sheet speaks for itself."""
        if result == "copied":
            await notify(self, "ok", "invite.copied")
        elif result == "failed":
            await notify(self, "wait", "invite.copy_failed")
