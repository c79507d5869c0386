"""Cases of abnormal documents and faces: the list, one of them in full with its pictures, and its end (AD-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import crypto
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.admission import cases
from app.domain.admission.case_rules import CaseOutcome, CaseStatus, title_of
from app.domain.duty import service as duty
from app.domain.people import repository as people
from app.domain.people import service as people_service
from app.domain.records import repository as records
from app.domain.sites import repository as sites
from state import tabs
from state.console_view import NONE, visitor
from state.console_words import PAGE, Row, address, assign, page_number, query, stamp, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.admission.case_models import CaseFile
    from app.domain.sites.models import Site

PATH = "/console/cases"
TOPIC = "case_opened"
TONES = {"open": "no", "closed": "plain"}


class CasesState(rx.State):
    """One page of the cases; status, page and the case that is open stand in the address."""

    loaded: bool = False
    ended: bool = False
    status: str = ""
    statuses: list[list[str]] = []
    rows: list[Row] = []
    total: int = 0
    number: int = 1
    pages: int = 1
    waiting: int = 0
    chosen: str = ""
    chosen_title: str = ""
    chosen_open: bool = False
    attempt_id: str = ""
    facts: list[Row] = []
    course: list[Row] = []
    scene: str = ""
    scene_words: str = ""
    document: str = ""
    outcomes: list[list[str]] = []
    form_error: str = ""

    @action(Right.CASE_VIEW)
    async def enter(self) -> None:
        """Load of the page, by what its address says."""
        actor, locale = me(), await locale_of(self)
        self.ended = False
        topics = frozenset({f"cases:{actor.site_id}"})
        tabs.watch(self, topics, Right.CASE_VIEW, CasesState._update)
        wanted = query(self, "status")
        assign(
            self,
            status=wanted if wanted in set(CaseStatus) else "",
            number=page_number(query(self, "page")),
            statuses=[[code.value, text(locale, f"cases.status.{code}")] for code in CaseStatus],
            outcomes=[[code.value, text(locale, f"cases.outcome.{code}")] for code in CaseOutcome],
        )
        await get_database().write(lambda s: people_service.mark_read(s, actor, TOPIC))
        await self._refresh(actor)
        self._shut()
        if case_id := query(self, "case"):
            await self._open(actor, case_id)
        self.loaded = True

    @action(Right.CASE_VIEW)
    async def choose_status(self, value: str) -> Any:
        """Only the open ones, only the closed ones, or all."""
        return rx.redirect(address(PATH, status=value if value in set(CaseStatus) else ""))

    @action(Right.CASE_VIEW)
    async def previous(self) -> Any:
        """The page before this."""
        return self._turn(-1)

    @action(Right.CASE_VIEW)
    async def following(self) -> Any:
        """The page after this."""
        return self._turn(1)

    @action(Right.CASE_VIEW)
    async def open(self, case_id: str) -> None:
        """Show one case in full; that it was looked at goes into the audit log."""
        await self._open(me(), case_id)

    @action(Right.CASE_VIEW)
    async def close(self) -> Any:
        """Back to the list."""
        self._shut()
        if query(self, "case"):
            return rx.redirect(address(PATH, status=self.status, page=self.number), replace=True)
        return None

    @action(Right.DESK_REVIEW)
    async def finish(self, form: dict[str, Any]) -> None:
        """End the case with what became of it and a note."""
        actor, case_id = me(), self.chosen
        outcome, note = str(form.get("outcome", "")), str(form.get("note", ""))
        self.form_error = ""
        if not case_id:
            raise InvalidInput("input_wrong")
        try:
            await get_database().write(lambda s: cases.close(s, actor, case_id, outcome, note))
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._refresh(actor)
        await self._open(actor, case_id)
        await notify(self, "ok", "cases.closed")

    def _turn(self, by: int) -> Any:
        number = min(max(self.number + by, 1), self.pages)
        return rx.redirect(address(PATH, status=self.status, page=number))

    async def _open(self, actor: Actor, case_id: str) -> None:
        locale = await locale_of(self)

        def load(session: Session) -> dict[str, Any]:
            found = cases.look(session, actor, case_id)
            return _detail(session, found, sites.site(session, actor.site_id), locale)

        shown = await get_database().write(load)
        assign(self, chosen=case_id, form_error="", **shown)

    def _shut(self) -> None:
        assign(self, chosen="", attempt_id="", facts=[], course=[], scene="", document="", form_error="")

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)
        if self.chosen:
            case_id, locale = self.chosen, await locale_of(self)
            shown = await get_database().read(
                lambda s: _detail(
                    s, cases.case(s, actor.site_id, case_id), sites.site(s, actor.site_id), locale
                )
            )
            assign(self, **shown)

    async def _refresh(self, actor: Actor) -> None:
        locale, status, number = await locale_of(self), self.status, self.number
        made = await get_database().read(lambda s: _page(s, actor.site_id, locale, status, number))
        assign(self, **made)

    def _signed_out(self) -> None:
        self.ended, self.rows = True, []
        self._shut()


def _page(session: Session, site_id: str, locale: str, status: str, number: int) -> dict[str, Any]:
    site = sites.site(session, site_id)
    total = cases.count(session, site_id, status)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = cases.page(session, site_id, status, PAGE, (number - 1) * PAGE)
    reasons = cases.reasons_of(session, [case.id for case in found])
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site_id)}
    return {
        "rows": [_row(case, reasons[case.id], lanes, site, locale) for case in found],
        "total": total,
        "number": number,
        "pages": pages,
        "waiting": cases.count(session, site_id, CaseStatus.OPEN),
    }


def _row(case: CaseFile, reasons: list[str], lanes: dict[str, str], site: Site, locale: str) -> Row:
    status = text(locale, f"cases.status.{case.status}")
    return {
        "id": case.id,
        "title": title_of(case.year, case.number),
        "time": stamp(case.opened_at, site.time_zone)[:16],
        "why": text(locale, "punct.list").join(text(locale, f"cases.reason.{code}") for code in reasons),
        "lane": lanes.get(case.lane_id, NONE),
        "tone": TONES.get(case.status, "plain"),
        "status": text(locale, f"cases.outcome.{case.outcome}") if case.outcome else status,
    }


def _detail(session: Session, case: CaseFile, site: Site, locale: str) -> dict[str, Any]:
    attempt, person, unit, _ = records.ledger_row(session, site.id, case.attempt_id)
    zone = site.time_zone
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site.id)}
    guards = people.usernames(session, duty.on_duty(session, case.lane_id, case.opened_at)).values()
    closer = people.usernames(session, [case.closed_by]).get(case.closed_by, "") if case.closed_by else ""
    pairs = [
        ("opened", stamp(case.opened_at, zone)),
        ("lane", lanes.get(case.lane_id, "")),
        ("guard", text(locale, "punct.list").join(guards) or text(locale, "cases.nobody")),
        ("visitor", visitor(person, locale)),
        ("unit", unit.label if unit else ""),
        ("arrival", text(locale, f"attempt.{attempt.status}")),
        ("outcome", text(locale, f"cases.outcome.{case.outcome}") if case.outcome else ""),
        ("closed_by", closer),
        ("note", crypto.reveal(case, "note")),
    ]
    state = case.picture_state
    return {
        "chosen_title": title_of(case.year, case.number),
        "chosen_open": case.status == CaseStatus.OPEN,
        "attempt_id": attempt.id,
        "facts": [
            {"term": text(locale, f"cases.fact.{term}"), "value": value} for term, value in pairs if value
        ],
        "course": _course(session, case, zone, locale),
        "scene": f"/api/cases/{case.id}/scene" if case.picture_id else "",
        "scene_words": "" if case.picture_id else text(locale, f"cases.picture.{state}"),
        "document": f"/api/cases/{case.id}/document" if case.document_id else "",
    }


def _course(session: Session, case: CaseFile, zone: str, locale: str) -> list[Row]:
    """What happened, in order."""
    names = {device.id: device.name for device in sites.devices(session, lane_id=case.lane_id)}
    rows = []
    for item in cases.items_of(session, case.id):
        by = names.get(item.device_id, text(locale, "cases.by_device")) if item.device_id else ""
        words = text(locale, f"cases.reason.{item.reason}")
        found = text(locale, "cases.found_by", what=words, by=by or text(locale, "cases.by_guard"))
        rows.append({"time": stamp(item.found_at, zone)[11:], "text": found, "tone": "no"})
    told = stamp(case.opened_at, zone)[11:]
    rows.append({"time": told, "text": text(locale, "cases.told"), "tone": ""})
    if case.closed_at is not None:
        ended = text(locale, "cases.ended_as", outcome=text(locale, f"cases.outcome.{case.outcome}"))
        rows.append({"time": stamp(case.closed_at, zone), "text": ended, "tone": "ok"})
    return rows
