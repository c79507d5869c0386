"""The guard desk: the lane, the arrival being served, and the one key that admits (AD-01)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import clock
from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.admission import presenting, service
from app.domain.admission.evidence import Presented
from app.domain.admission.rules import Kind, Result
from app.domain.duty import service as duty
from app.domain.identity.mrz_lines import is_zone
from app.domain.sites import repository as sites
from app.runtime import hub
from app.runtime.live import live
from state import case_notices, desk_faces, desk_printing, desk_view, tabs
from state.desk_faces import FacePanel
from state.desk_view import Arrival, Row
from state.guard import action, me
from state.shell import ShellState, locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

KEYMAP = {
    "Enter": "admit",
    "F2": "document",
    "Shift+F2": "type_document",
    "F3": "walk_in",
    "Shift+F3": "registered",
    "F4": "search",
    "F6": "review",
    "F7": "refuse",
    "F8": "badge",
    "F9": "exit",
    "F10": "ask",
    "F11": "compare",
    "Escape": "escape",
    "?": "help",
}
LIST_SECONDS = 2.0

_lists: dict[tuple[str, str], tuple[int, float, asyncio.Future[tuple[Any, ...]]]] = {}


class DeskState(rx.State):
    """One desk tab at one lane."""

    lane_id: str = ""
    lane_title: str = ""
    lanes: list[Row] = []
    arrival: Arrival = Arrival()
    faces: FacePanel = FacePanel()
    waiting: list[Row] = []
    registered: list[Row] = []
    expected: list[Row] = []
    expected_count: int = 0
    inside: list[Row] = []
    overdue: list[Row] = []
    lights: list[Row] = []
    camera: str = ""
    camera_trouble: str = ""
    printer: str = ""
    print_words: str = ""
    print_tone: str = ""
    last_words: str = ""
    last_status: str = ""
    last_at: int = 0
    cue: str = ""
    cue_nonce: int = 0
    tab: str = "expected"
    dialog: str = ""
    done: str = ""
    done_visit: str = ""
    server_now: int = 0
    clock_ok: bool = True
    ended: bool = False
    review_right: bool = False
    _chosen: str = ""
    _print_told: int = 0
    _case_told: str = ""

    @action(Right.DESK_USE)
    async def enter(self) -> None:
        """Load of the page: the lane the guard is signed on to, or the choice of one."""
        actor = me()
        self.ended, self.dialog, self.done, self.done_visit = False, "", "", ""
        self.server_now = int(clock.now().timestamp() * 1000)
        self.review_right = actor.has(Right.DESK_REVIEW)

        def load(session: Session) -> tuple[str, list[Row]]:
            present = duty.present_duty(session, actor.account_id)
            rows = [
                {"id": lane.id, "title": f"{door.name} · {lane.name}", "direction": lane.direction}
                for lane, door in sites.lanes(session, actor.site_id)
            ]
            return present.lane_id if present else "", rows

        lane_id, self.lanes = await get_database().read(load)
        await self._open(actor, lane_id)

    @action(Right.DESK_USE)
    async def choose_lane(self, lane_id: str) -> None:
        """Sign on to a lane."""
        actor = me()
        await get_database().write(lambda s: duty.sign_on(s, actor, lane_id))
        await self._open(actor, lane_id)

    @action(Right.DESK_USE)
    async def leave_lane(self) -> None:
        """Sign off; the choice of lanes comes back."""
        actor = me()
        await get_database().write(lambda s: duty.sign_off(s, actor))
        await self._open(actor, "")

    @action(Right.DESK_USE)
    async def press(self, name: str) -> Any:
        """A key of the desk."""
        if name == "type_document" and self.dialog in {"", "walk_in"}:
            from state.desk_documents import DeskDocumentState

            return DeskDocumentState.begin
        if self.dialog and name not in {"escape"}:
            return None
        if name == "admit":
            return await self._admit()
        if name == "document":
            return await self._see(Kind.DOCUMENT, Result.OK)
        if name == "badge":
            return await self._badge()
        if name == "registered":
            return await self._next_registered()
        if name == "ask":
            return DeskState.open_dialog("call") if self.arrival.walk_in else None
        if name == "escape":
            return await self._escape()
        if name == "search":
            return rx.call_script("document.getElementById('desk-search')?.focus()")
        return DeskState.open_dialog(name)

    @action(Right.DESK_USE)
    async def open_dialog(self, name: str) -> Any:
        """Open one of the desk's dialogs."""
        if name not in {"walk_in", "exit", "refuse", "review", "help", "call", "compare"}:
            raise InvalidInput("choice_wrong")
        if name in {"refuse", "review"} and not self.arrival.id:
            return None
        if name == "compare" and not self.faces.attempt:
            return None
        self.dialog = name
        from state.desk_tasks import DeskTasksState

        return DeskTasksState.begin(name)

    @action(Right.DESK_USE)
    async def close_dialog(self) -> None:
        """Close the dialog; what was typed in it stays in the browser until the page goes."""
        self.dialog = ""

    @action(Right.DESK_USE)
    async def select_tab(self, name: str) -> None:
        """Show another list at the right."""
        if name in {"expected", "inside", "overdue"}:
            self.tab = name

    @action(Right.DESK_USE)
    async def pick_waiting(self, attempt_id: str) -> None:
        """Serve another of those who wait."""
        self._chosen = attempt_id
        await self._refresh_lane(me())

    @action(Right.DESK_USE)
    async def pick_registered(self, registration_id: str) -> Any:
        """Take up what a visitor entered on the own phone: the form opens with it, for the guard to check."""
        from state.desk_tasks import DeskTasksState

        return DeskTasksState.begin_registered(registration_id)

    @action(Right.DESK_USE)
    async def pick_expected(self, booking_id: str) -> None:
        """Begin an arrival by name: the visitor has no code at hand."""
        actor = me()
        found = await get_database().write(
            lambda s: presenting.find_by_name(s, actor, self.lane_id, booking_id, f"desk:{new_id()}")
        )
        self._chosen = found.id
        await self._refresh_lane(actor)

    @action(Right.DESK_USE)
    async def scan(self, text: str) -> Any:
        """A scanner that types: its text goes the way of every other code, or of a document."""
        lane_id = self.lane_id
        if is_zone(text):
            from state.desk_documents import DeskDocumentState

            return await (await self.get_state(DeskDocumentState))._scanned(text)
        kind = "short_code" if text.isdigit() and len(text) == 6 else "code"
        item = Presented(kind, text.strip()[:200], f"scan:{new_id()}", clock.now())
        found = await get_database().write(lambda s: presenting.present(s, lane_id, item))
        self._chosen = found.id
        return None

    @action(Right.DESK_USE)
    async def admit(self) -> Any:
        """Let the arrival in, or out."""
        return await self._admit()

    @action(Right.DESK_USE)
    async def see_document(self) -> None:
        """The guard has looked at the document and it fits."""
        await self._see(Kind.DOCUMENT, Result.OK)

    @action(Right.DESK_USE)
    async def see_abnormal(self) -> None:
        """The document does not fit: a supervisor must look."""
        await self._see(Kind.DOCUMENT, Result.ABNORMAL)

    @action(Right.DESK_USE)
    async def see_permit(self) -> None:
        """The guard has seen the work permit."""
        await self._see(Kind.PERMIT, Result.OK)

    @action(Right.DESK_USE)
    async def set_aside(self) -> None:
        """Clear the arrival from the desk."""
        actor, attempt_id = me(), self.arrival.id
        if attempt_id:
            await get_database().write(lambda s: service.set_aside(s, actor, attempt_id))
            await self._refresh_lane(actor)

    @action(Right.DESK_USE)
    async def badge(self) -> Any:
        """Print the badge of the visitor just admitted."""
        return await self._badge()

    @action(Right.DESK_USE)
    async def badge_in_browser(self) -> Any:
        """The same by the browser, where the lane's printer does not work."""
        return self._window()

    async def _admit(self) -> Any:
        actor, attempt_id, name = me(), self.arrival.id, self.arrival.name
        leaving = self.arrival.leaving
        if not attempt_id:
            return None
        try:
            visit = await get_database().write(lambda s: service.admit(s, actor, attempt_id))
        except service.NotAdmissible as error:
            shell = await self.get_state(ShellState)
            reason = await shell._word(f"reason.{error.reason}")
            shell._notify("wait", await shell._word("error.not_admissible", reason=reason))
            await self._refresh_lane(actor)
            return None
        except GateError:
            await self._refresh_lane(actor)
            raise
        shell = await self.get_state(ShellState)
        self.done = await shell._word("desk.left" if leaving else "desk.admitted", name=name)
        self.done_visit = "" if leaving or not visit.pass_id else visit.id
        # The commit was announced: this tab is refreshed like every other that watches the lane.
        self._chosen, self.arrival, self.faces = "", Arrival(), FacePanel()
        return None

    async def _next_registered(self) -> Any:
        if self.registered:
            return DeskState.pick_registered(self.registered[0]["id"])
        await notify(self, "wait", "desk.registered_none")
        return None

    async def _see(self, kind: Kind, result: Result) -> None:
        actor, attempt_id = me(), self.arrival.id
        if attempt_id and not self.arrival.leaving:
            nonce = f"seen:{attempt_id}:{kind}:{result}"
            await get_database().write(lambda s: presenting.see(s, actor, attempt_id, kind, result, nonce))
            await self._refresh_lane(actor)

    async def _badge(self) -> Any:
        if not self.done_visit:
            return None
        if desk_printing.begin(me(), self.lane_id, self.done_visit, await locale_of(self)):
            return None
        return self._window()

    def _window(self) -> Any:
        if not self.done_visit:
            return None
        return rx.call_script(f"window.open('/badge/{self.done_visit}','badge','width=420,height=640')")

    async def _escape(self) -> Any:
        if self.dialog:
            self.dialog = ""
        elif self.done:
            self.done, self.done_visit = "", ""
        elif self.arrival.id:
            await DeskState.set_aside.fn(self)
        return None

    async def _open(self, actor: Actor, lane_id: str) -> None:
        found = next((lane for lane in self.lanes if lane["id"] == lane_id), None)
        self.lane_id = found["id"] if found else ""
        self.lane_title = found["title"] if found else ""
        self._chosen, self._print_told = "", desk_printing.newest(self.lane_id)
        if found is None:
            tabs.unwatch(self)
            return
        topics = frozenset({f"lane:{lane_id}", f"site:{actor.site_id}", f"person:{actor.person_id}"})
        tabs.watch(self, topics, Right.DESK_USE, DeskState._update)
        await self._refresh_lane(actor)
        await self._refresh_lists(actor)
        await self._tell_cases(actor)

    async def _update(self, actor: Actor, changed: frozenset[str]) -> None:
        if any(topic.startswith("lane:") for topic in changed):
            await self._refresh_lane(actor)
        if any(topic.startswith("site:") for topic in changed):
            await self._refresh_lists(actor)
        if any(topic.startswith("person:") for topic in changed):
            await self._tell_cases(actor)

    async def _tell_cases(self, actor: Actor) -> None:
        self._case_told, lines = await case_notices.news(actor, self._case_told, await locale_of(self))
        shell = await self.get_state(ShellState)
        for line in lines:
            shell._notify("no", line)

    async def _refresh_lane(self, actor: Actor) -> None:
        lane_id, chosen, locale = self.lane_id, self._chosen, await locale_of(self)
        if not lane_id:
            return

        view = await get_database().read(lambda s: desk_view.lane_view(s, lane_id, locale, chosen))
        if view.arrival.id and view.arrival.id != self.arrival.id:
            self.done, self.done_visit = "", ""
        shown = ("arrival", "waiting", "registered", "lights", "camera", "camera_trouble", "printer")
        for name in (*shown, "last_words", "last_status", "last_at"):
            self._assign(name, getattr(view, name))
        await self._refresh_print(locale)
        self._assign("clock_ok", clock.current().trusted())
        center = hub.get_hub()
        self._assign("faces", desk_faces.panel(center, lane_id, self.arrival.id, locale))
        if self.dialog == "compare" and not self.faces.attempt:
            self.dialog = ""
        nonce, cue = center.cues.get(lane_id, (0, "")) if center else (0, "")
        if nonce != self.cue_nonce:
            self.cue, self.cue_nonce = cue, nonce

    async def _refresh_print(self, locale: str) -> None:
        shown = desk_printing.view(self.lane_id, self.done_visit, locale)
        self._assign("print_words", shown.words)
        self._assign("print_tone", shown.tone)
        if shown.fault and shown.number > self._print_told:
            # The next arrival may have taken the place where it stands.
            (await self.get_state(ShellState))._notify("no", shown.fault)
        self._print_told = max(self._print_told, shown.number)

    def _assign(self, name: str, value: Any) -> None:
        # Reflex sends a var again even when it is set to what it was.
        if getattr(self, name) != value:
            setattr(self, name, value)

    async def _refresh_lists(self, actor: Actor) -> None:
        locale = await locale_of(self)
        expected, count, inside, overdue = await _site_lists(actor.site_id, locale)
        self._assign("expected", expected)
        self._assign("expected_count", count)
        self._assign("inside", inside)
        self._assign("overdue", overdue)

    def _signed_out(self) -> None:
        self.ended, self.lane_id, self.arrival, self.faces = True, "", Arrival(), FacePanel()
        self.waiting, self.registered, self.expected, self.inside, self.overdue = [], [], [], [], []


async def _site_lists(site_id: str, locale: str) -> tuple[Any, ...]:
    """The lists of a site, made once for all its desks when they are told of a change."""
    version = live.version(f"site:{site_id}")
    known = _lists.get((site_id, locale))
    if known is not None and known[0] == version and time.monotonic() - known[1] < LIST_SECONDS:
        return await asyncio.shield(known[2])

    def load(session: Session) -> tuple[Any, ...]:
        site = sites.site(session, site_id)
        return (*desk_view.expected(session, site, locale), *desk_view.inside(session, site, locale))

    making = asyncio.ensure_future(get_database().read(load))
    _lists[(site_id, locale)] = (version, time.monotonic(), making)
    return await asyncio.shield(making)


async def done_notice(state: rx.State, key: str) -> None:
    """Tell the guard that a task of a dialog is done."""
    await notify(state, "ok", key)
