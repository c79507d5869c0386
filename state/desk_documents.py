"""Typing or scanning a document at the desk: hints while it is typed, then evidence or a filled form (ID-05).

What is typed comes with each call and is never kept here: a state holds words and codes alone (S-8).
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from app.core import clock
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.admission import entering, presenting
from app.domain.admission.evidence import TYPED, ZONE, Presented
from app.domain.identity import mrz, numbers, shown_document, typed
from app.domain.identity.mrz_lines import MrzError
from app.domain.identity.numbers import DocumentKind, NumberFault, NumberWarning
from app.domain.identity.read_document import ReadDocument
from app.runtime.hub import get_hub, zone_presented
from state import prefill
from state.desk import DeskState
from state.desk_tasks import DeskTasksState
from state.desk_view import Row
from state.guard import action, me
from state.shell import ShellState, locale_of, notify

MOST = 400


class DeskDocumentState(rx.State):
    """The dialog in which a document is entered; it may stand above the form of a walk-in."""

    open: bool = False
    mode: str = ZONE
    kind: str = DocumentKind.CHINESE_PASSPORT
    words: list[Row] = []
    number_words: list[Row] = []
    valid_words: list[Row] = []
    asks: bool = False
    form_error: str = ""

    @action(Right.DESK_USE)
    async def begin(self) -> None:
        """Open the dialog, empty."""
        if not self.open:
            self._clear()
            self.open = True

    @action(Right.DESK_USE)
    async def close(self) -> None:
        """Close it; what was typed goes with it."""
        self._clear()
        self.open = False

    @action(Right.DESK_USE)
    async def choose_mode(self, mode: str) -> None:
        """The zone, or field by field."""
        if mode not in {ZONE, TYPED}:
            raise InvalidInput("choice_wrong", "mode")
        self._clear()
        self.mode = mode

    @action(Right.DESK_USE)
    async def choose_kind(self, kind: str) -> None:
        """Another kind of document has other numbers; what is typed is checked anew when it is sent."""
        self.kind = _kind(kind)
        self.number_words, self.valid_words, self.asks, self.form_error = [], [], False, ""

    @action(Right.DESK_USE)
    async def check_zone(self, value: str) -> None:
        """Say what is wrong with a zone while it is typed."""
        self.form_error = ""
        try:
            zone = mrz.parse(value[:MOST], await self._today())
        except MrzError as error:
            self.words, self.asks = (
                await self._say([("wait", "mrz", error.code, {"line": error.line})]),
                False,
            )
            return
        self.words = await self._say(_of_zone(zone, await self._today()))
        self.asks = bool(zone.failed or zone.changes)

    @action(Right.DESK_USE)
    async def check_number(self, value: str) -> None:
        """Say what is wrong with a number while it is typed."""
        checked = numbers.check(DocumentKind(self.kind), value[:MOST], await self._today())
        self.number_words, self.form_error = await self._say(_of_number(checked)), ""

    @action(Right.DESK_USE)
    async def check_valid(self, value: str) -> None:
        """Say what is wrong with the last day while it is typed."""
        day, long_term, faults = typed.read_validity(
            DocumentKind(self.kind), value[:MOST], await self._today()
        )
        self.valid_words, self.form_error = await self._say(_of_validity(day, long_term, faults)), ""

    @action(Right.DESK_USE)
    async def submit(self, form: dict[str, Any]) -> Any:
        """Hold the document against the arrival, or fill the form of a walk-in with it."""
        self.form_error = ""
        confirmed = bool(form.get("confirmed"))
        try:
            read = await (self._zone if self.mode == ZONE else self._typed)(form, confirmed=confirmed)
            item = Presented(
                "document", "", f"{self.mode}:{new_id()}", clock.now(), document=read, source=self.mode
            )
            return await self._take(item)
        except MrzError as error:
            await self._say_mrz(error)
        except GateError as error:
            shell = await self.get_state(ShellState)
            self.form_error = await shell._word(f"error.{error.code}", **error.params)
        return None

    async def _zone(self, form: dict[str, Any], *, confirmed: bool) -> ReadDocument:
        zone, today = mrz.parse(str(form.get("zone") or "")[:MOST], await self._today()), await self._today()
        self.words, self.asks = await self._say(_of_zone(zone, today)), bool(zone.failed or zone.changes)
        if self.asks and not confirmed:
            raise InvalidInput("document_confirm", "confirmed")
        return shown_document.from_zone(zone)

    async def _typed(self, form: dict[str, Any], *, confirmed: bool) -> ReadDocument:
        values = [
            str(form.get(name) or "")[:MOST] for name in ("document_name", "document_number", "valid_to")
        ]
        read = typed.read(DocumentKind(self.kind), *values, await self._today())
        self.number_words = await self._say(_of_number(read.number))
        validity = [
            fault for fault in read.faults if fault.startswith("valid") or fault is typed.TypedFault.EXPIRED
        ]
        self.valid_words = await self._say(_of_validity(read.valid_to, read.long_term, validity))
        if {
            typed.TypedFault.NAME_MISSING,
            typed.TypedFault.NUMBER_MISSING,
            typed.TypedFault.VALID_MISSING,
        } & set(read.faults):
            raise InvalidInput("document_incomplete", "document_name")
        self.asks = bool(read.faults)
        if self.asks and not confirmed:
            raise InvalidInput("document_confirm", "confirmed")
        return shown_document.from_typed(read)

    async def _take(self, item: Presented) -> Any:
        """Hand the document on: to the open form, to the arrival, or to whoever it may belong to."""
        actor = me()
        desk = await self.get_state(DeskState)
        center, lane_id, attempt_id = get_hub(), desk.lane_id, desk.arrival.id
        if not lane_id:
            raise InvalidInput("lane_unknown", "lane")
        if desk.dialog == "walk_in":
            await self._leave()
            if center is not None:
                center.faces.desk.drop(lane_id)  # the photo there is of another document
                center.laid.keep(lane_id, item)
            rules = (await self.get_state(DeskTasksState)).rules
            await notify(self, "ok", "document.filled")
            return rx.call_script(prefill.script(prefill.values_of(item, rules)))
        arrival = await get_database().write(lambda s: entering.enter(s, actor, lane_id, item, attempt_id))
        await self._leave()
        desk._chosen = arrival.id
        await desk._refresh_lane(actor)
        if arrival.booking_id is None and center is not None:
            # Nobody's: the guard registers whoever shows it, with the form filled in.
            center.faces.desk.drop(lane_id)
            center.laid.keep(lane_id, item)
            return DeskState.open_dialog("walk_in")
        return None

    async def _scanned(self, lines: str) -> Any:
        """A zone that a typing scanner has read; half of one is unreadable."""
        actor = me()
        desk = await self.get_state(DeskState)
        lane_id = desk.lane_id
        item = zone_presented(lines[:MOST], f"scan:{new_id()}", clock.now())
        if item.document is not None:
            return await self._take(item)
        found = await get_database().write(lambda s: presenting.present(s, lane_id, item))
        desk._chosen = found.id
        await desk._refresh_lane(actor)
        return None

    async def _leave(self) -> None:
        self._clear()
        self.open = False

    def _clear(self) -> None:
        self.words, self.number_words, self.valid_words = [], [], []
        self.asks, self.form_error = False, ""

    async def _today(self) -> date:
        shell = await self.get_state(ShellState)
        return clock.now().astimezone(ZoneInfo(shell.time_zone)).date()

    async def _say_mrz(self, error: MrzError) -> None:
        self.words = await self._say([("no", "mrz", error.code, {"line": error.line})])

    async def _say(self, said: list[Said]) -> list[Row]:
        locale = await locale_of(self)
        return [
            {"tone": tone, "text": _words(locale, topic, code, params)} for tone, topic, code, params in said
        ]


# Tone, topic, code and what fills the text.
Said = tuple[str, str, str, dict[str, str | int]]


def _kind(kind: str) -> str:
    if kind not in set(DocumentKind):
        raise InvalidInput("choice_wrong", "kind")
    return kind


def _words(locale: str, topic: str, code: str, params: dict[str, str | int]) -> str:
    if topic == "mrz":
        return text(locale, f"mrz_fault.{code}", **params)
    if topic == "fault":
        return text(locale, f"document_fault.{code}", **params)
    field = params.get("field")
    filled = {**params, "field": text(locale, f"mrz_field.{field}")} if field else params
    return text(locale, f"document.{code}", **filled)


def _of_zone(zone: mrz.Mrz, today: date) -> list[Said]:
    said: list[Said] = [
        ("no", "document", "failed", {"field": field.value}) for field in mrz.MrzField if field in zone.failed
    ]
    said += [
        (
            "wait",
            "document",
            "repaired",
            {"line": change.line, "place": change.place, "was": change.was, "now": change.now},
        )
        for change in zone.changes
    ]
    if zone.expiry is not None and zone.expiry < today:
        said.append(("no", "document", "expired_on", {"date": zone.expiry.isoformat()}))
    if zone.name_cut:
        said.append(("plain", "document", "name_cut", {}))
    return said or [("ok", "document", "zone_holds", {})]


def _of_number(checked: numbers.NumberCheck) -> list[Said]:
    said: list[Said] = [("no", "fault", fault, {}) for fault in typed.number_faults(checked)]
    if NumberFault.LEGACY in checked.faults:
        said.append(("plain", "document", "successor", {}))
    if NumberWarning.REGION_UNKNOWN in checked.warnings:
        said.append(("plain", "document", "region_unknown", {}))
    return said if checked.faults else [("ok", "document", "number_holds", {}), *said]


def _of_validity(day: date | None, long_term: bool, faults: Any) -> list[Said]:
    if day is not None and typed.TypedFault.EXPIRED in faults:
        return [("no", "document", "expired_on", {"date": day.isoformat()})]
    if faults:
        return [("no", "fault", fault, {}) for fault in faults]
    return [("ok", "document", "valid_long" if long_term else "valid", {})]
