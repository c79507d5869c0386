"""What a guard does in dialogs: registering a walk-in, telephoning the host, looking up, letting out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock, crypto, i18n, inputs, search, vault
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput, Retryable
from app.core.ids import new_id
from app.core.permissions import Right
from app.core.settings import get_settings
from app.domain.admission import exits, presenting, self_registration, service, walk_ins
from app.domain.admission import repository as admission
from app.domain.admission.evidence import Presented
from app.domain.booking import repository as bookings
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import Rule, VisitorKind
from state import cameras, desk_view, prefill
from state.desk import DeskState, done_notice
from state.desk_view import Row
from state.guard import action, me
from state.plates import plate_note
from state.shell import ShellState, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session


class DeskTasksState(rx.State):
    """The dialogs of a desk tab."""

    units: list[str] = []
    rules: dict[str, str] = {}
    visitor_type: str = VisitorKind.SHORT_TERM
    form_error: str = ""
    error_field: str = ""
    results: list[Row] = []
    searched: bool = False
    lost_visit: str = ""
    lost_name: str = ""
    fee: str = ""
    plate_note: str = ""
    registered: str = ""  # the number of what a visitor entered on the own phone
    _registration: str = ""

    @action(Right.DESK_USE)
    async def begin(self, name: str) -> Any:
        """Prepare a dialog."""
        actor = me()
        self.form_error, self.error_field, self.plate_note = "", "", ""
        self.results, self.searched, self.lost_visit, self.lost_name = [], False, "", ""
        self.registered = self._registration = ""
        if name == "walk_in":
            return await self._load_form(actor)
        if name == "exit":
            locale = await locale_of(self)
            rows = await get_database().read(
                lambda s: desk_view.inside(s, sites.site(s, actor.site_id), locale)[0]
            )
            self.results = [{**row, "kind": "visit"} for row in rows]
        return None

    @action(Right.DESK_USE)
    async def begin_registered(self, registration_id: str) -> Any:
        """The form with what a visitor entered on the own phone."""
        actor, desk = me(), await self.get_state(DeskState)
        lane_id = desk.lane_id
        self.form_error, self.error_field, self.plate_note = "", "", ""
        self.registered = self._registration = ""  # what was taken up before is not this person's

        def load(session: Session) -> tuple[int, str, dict[str, str]]:
            row = self_registration.for_guard(session, actor, lane_id, registration_id)
            given = self_registration.details_of(row)
            unit = sites.unit_by_label(session, actor.site_id, given["unit"])
            return row.number, row.visitor_type, given | ({"unit": unit.label} if unit else {})

        number, self.visitor_type, values = await get_database().read(load)
        self.registered, self._registration, desk.dialog = f"{number:02d}", registration_id, "walk_in"
        document = await self._load_form(actor)
        # What the card says comes first: it fills a field, and what was typed leaves a filled one alone.
        filled = rx.call_script(prefill.script({key: value for key, value in values.items() if value}))
        return [document, filled] if document else filled

    @action(Right.DESK_USE)
    async def turn_away(self) -> None:
        """Nobody stands here with this number."""
        actor, registration_id = me(), self._registration
        if not registration_id:
            return
        desk = await self.get_state(DeskState)
        lane_id = desk.lane_id
        await get_database().write(lambda s: self_registration.turn_away(s, actor, lane_id, registration_id))
        self.registered = self._registration = desk.dialog = ""
        await desk._refresh_lane(actor)
        await done_notice(self, "desk.registered_away")

    @action(Right.DESK_USE)
    async def choose_type(self, visitor_type: str) -> Any:
        """Another kind of visitor asks for other fields."""
        if visitor_type not in set(VisitorKind):
            raise InvalidInput("choice_wrong")
        self.visitor_type = visitor_type
        return await self._load_form(me())

    @action(Right.DESK_USE)
    async def register(self, form: dict[str, Any]) -> Any:
        """Enter an unbooked visitor and ask the host at once."""
        actor = me()
        desk = await self.get_state(DeskState)
        if desk.dialog != "walk_in":
            return None  # the key was pressed twice, and the first time did it
        lane_id, kind, registration_id = desk.lane_id, self.visitor_type, self._registration
        self.form_error, self.error_field = "", ""
        snapshot = await self._snapshot(desk.camera)

        def work(session: Session) -> tuple[str, bool]:
            unit = sites.unit_by_label(session, actor.site_id, inputs.clean(str(form.get("unit", ""))))
            made = walk_ins.WalkInForm(
                unit_id=unit.id if unit else "",
                visitor_type=kind,
                **{
                    name: str(form.get(name, ""))
                    for name in ("name", "phone", "plate", "company", "document_tail")
                },
                purpose=str(form.get("purpose", "other")),
                head_count=str(form.get("head_count", "1")),
            )
            laid = prefill.laid_for(session, actor, lane_id)
            attempt = walk_ins.register(session, actor, lane_id, made, snapshot, laid=laid)
            walk_ins.ask_host(session, actor, attempt.id)
            if registration_id:
                self_registration.take(session, actor, lane_id, registration_id, attempt.id)
            return attempt.id, bool(admission.evidence_of(session, attempt.id))

        try:
            attempt_id, own_document = await get_database().write(work)
        except GateError as error:
            if snapshot:
                await asyncio.to_thread(vault.delete, snapshot)
            await self._fail(error)
            return None
        prefill.used(lane_id, attempt_id if own_document else "")
        desk._chosen, desk.dialog = attempt_id, ""
        self.registered = self._registration = ""
        await desk._refresh_lane(actor)
        await done_notice(self, "desk.asked")
        return None

    @action(Right.DESK_USE)
    async def look_at_plate(self, value: str) -> None:
        """Say that a plate is of no known kind; it may stay as it is (N-5)."""
        self.plate_note = await plate_note(self, value)

    @action(Right.DESK_USE)
    async def ask_again(self) -> None:
        """Put the question to the household once more."""
        actor = me()
        desk = await self.get_state(DeskState)
        attempt_id = desk.arrival.id
        await get_database().write(lambda s: walk_ins.ask_host(s, actor, attempt_id))
        await desk._refresh_lane(actor)

    @action(Right.DESK_USE)
    async def record_call(self, form: dict[str, Any]) -> None:
        """What a member of the household said by telephone or intercom."""
        actor = me()
        desk = await self.get_state(DeskState)
        attempt_id = desk.arrival.id
        agree = form.get("answer") == "yes"
        if form.get("answer") not in {"yes", "no"}:
            await self._fail(InvalidInput("answer_missing", "answer"))
            return
        try:
            await get_database().write(
                lambda s: walk_ins.record_call(
                    s,
                    actor,
                    attempt_id,
                    agree=agree,
                    who=str(form.get("who", "")),
                    channel=str(form.get("channel", "")),
                )
            )
        except GateError as error:
            await self._fail(error)
            return
        desk.dialog = ""
        await desk._refresh_lane(actor)

    @action(Right.VISITOR_FIND)
    async def find(self, form: dict[str, Any]) -> None:
        """Look up by name, initials, phone tail, plate or six digits; booked ones and those inside."""
        actor = me()
        query = str(form.get("query", ""))[:50]
        locale = await locale_of(self)
        desk = await self.get_state(DeskState)
        lane_id = desk.lane_id
        digits = inputs.clean(query).replace(" ", "")
        if lane_id and digits.isdigit() and len(digits) == 6:
            item = Presented("short_code", digits, f"typed:{new_id()}", clock.now())
            found = await get_database().write(lambda s: presenting.present(s, lane_id, item))
            desk._chosen = found.id
            await desk._refresh_lane(actor)
            return
        if not query.strip():
            raise InvalidInput("search_empty", "query")
        self.results = await get_database().read(lambda s: _find(s, actor.site_id, query, locale))
        self.searched = True
        desk.dialog = "found"

    @action(Right.DESK_USE)
    async def pick(self, kind: str, object_id: str) -> Any:
        """Take one of what was found: a booking arrives, somebody inside leaves."""
        actor = me()
        desk = await self.get_state(DeskState)
        lane_id = desk.lane_id
        desk.dialog = ""
        if kind == "booking":
            return DeskState.pick_expected(object_id)
        await get_database().write(lambda s: exits.leave(s, actor, object_id, lane_id, "search"))
        await desk._refresh_lists(actor)
        await done_notice(self, "desk.exit_done")
        return None

    @action(Right.DESK_USE)
    async def begin_lost(self, visit_id: str, name: str) -> None:
        """The pass is lost: identity again, the reason, the fee."""
        self.lost_visit, self.lost_name, self.form_error = visit_id, name[:60], ""
        self.fee = i18n.format_money(get_settings().lost_pass_fee_fen)

    @action(Right.DESK_USE)
    async def lose(self, form: dict[str, Any]) -> None:
        """Record the loss and let the visitor out."""
        actor = me()
        desk = await self.get_state(DeskState)
        lane_id, visit_id = desk.lane_id, self.lost_visit
        try:
            await get_database().write(
                lambda s: exits.lose_pass(
                    s,
                    actor,
                    visit_id,
                    lane_id,
                    str(form.get("reason", "")),
                    identity_seen=bool(form.get("identity_seen")),
                    paid=bool(form.get("paid")),
                )
            )
        except GateError as error:
            await self._fail(error)
            return
        desk.dialog, self.lost_visit = "", ""
        await desk._refresh_lists(actor)
        await done_notice(self, "desk.lost_done")

    @action(Right.DESK_USE)
    async def refuse(self, form: dict[str, Any]) -> None:
        """Turn the arrival away with a note."""
        actor = me()
        desk = await self.get_state(DeskState)
        attempt_id = desk.arrival.id
        await get_database().write(lambda s: service.refuse(s, actor, attempt_id, str(form.get("note", ""))))
        desk.dialog = ""
        await desk._refresh_lane(actor)

    @action(Right.DESK_REVIEW)
    async def overrule(self, form: dict[str, Any]) -> None:
        """A supervisor vouches for the arrival, with a note."""
        actor = me()
        desk = await self.get_state(DeskState)
        attempt_id = desk.arrival.id
        note = str(form.get("note", ""))
        if not note.strip():
            await self._fail(InvalidInput("note_missing", "note"))
            return
        try:
            visit = await get_database().write(lambda s: service.admit(s, actor, attempt_id, note))
        except service.NotAdmissible as error:
            shell = await self.get_state(ShellState)
            self.form_error = await shell._word(
                "error.not_admissible", reason=await shell._word(f"reason.{error.reason}")
            )
            return
        desk.dialog, desk.done_visit = "", visit.id
        await notify(self, "ok", "desk.overruled")
        await desk._refresh_lane(actor)

    async def _load_form(self, actor: Actor) -> Any:
        """Ask the policy for the form's fields; returns what fills them in from a document that was laid."""
        kind, desk = self.visitor_type, await self.get_state(DeskState)
        lane_id = desk.lane_id

        def load(session: Session) -> tuple[list[str], dict[str, Rule], Presented | None]:
            site = sites.site(session, actor.site_id)
            labels = [unit.label for unit in sites.units(session, actor.site_id, limit=2000)]
            laid = prefill.laid_for(session, actor, lane_id)
            return labels, sites_service.field_policy(session, site, kind), laid

        units, rules, laid = await get_database().read(load)
        self.units, self.rules = units, {name: str(rule) for name, rule in rules.items()}
        values = prefill.values_of(laid, self.rules)
        return rx.call_script(prefill.script(values)) if values else None

    async def _snapshot(self, camera: str) -> str:
        """One picture for the host; a full disk costs the picture, never the registration."""
        picture, trouble = await cameras.picture_now(camera)
        if trouble:
            await notify(self, "wait", "camera.no_snapshot")
        if picture is None:
            return ""
        try:
            return await asyncio.to_thread(vault.put, picture)
        except Retryable as error:
            await notify(self, "wait", f"error.{error.code}")
            return ""

    async def _fail(self, error: GateError) -> None:
        shell = await self.get_state(ShellState)
        self.form_error = await shell._word(f"error.{error.code}", **error.params)
        self.error_field = getattr(error, "field", "")


def _find(session: Session, site_id: str, query: str, locale: str) -> list[Row]:
    ids = search.find(session, site_id, query)
    if not ids:
        return []
    site = sites.site(session, site_id)
    rows: list[Row] = []
    for visit in admission.inside_of_visitors(session, site_id, ids):
        booking, visitor, unit = bookings.full(session, visit.booking_id or "")
        rows.append(_result("visit", visit.id, visitor, unit, visit.entered_at, site, locale))
        rows[-1]["tag"] = i18n.text(locale, "desk.is_inside")
    for booking, visitor, unit in bookings.of_visitors(session, site_id, ids, clock.now()):
        rows.append(_result("booking", booking.id, visitor, unit, booking.starts_at, site, locale))
        rows[-1]["tag"] = i18n.text(locale, f"visitor_type.{booking.visitor_type}")
    return rows


def _result(kind: str, object_id: str, visitor: Any, unit: Any, at: Any, site: Any, locale: str) -> Row:
    name = desk_view.mask_name(crypto.reveal(visitor, "name"))
    phone = desk_view.mask_phone(crypto.reveal(visitor, "phone"))
    return {
        "kind": kind,
        "id": object_id,
        "time": i18n.format_time(at, site.time_zone),
        "title": f"{name} {phone}".strip(),
        "detail": unit.label,
        "tone": "plain",
        "tag": i18n.text(locale, "desk.unknown"),
    }
