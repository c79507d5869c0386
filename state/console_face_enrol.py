"""Enrolling a regular: pick the permit, show the notice, record the consent, take the face (F-3, F-4, ID-02)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core import crypto
from app.core.database import get_database
from app.core.errors import Conflict, GateError, InvalidInput
from app.core.i18n import text
from app.core.masking import mask_name
from app.core.permissions import Right
from app.domain.access import permit_queries
from app.domain.identity import consents, face_policy, faces
from app.domain.identity.consents import Declared, Notice
from app.domain.identity.rules import Age, Channel, Purpose, Relation
from app.domain.identity.templates import Face
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.runtime.hub import get_hub
from state.console_faces import FacesState
from state.console_words import Row, assign, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

FOUND = 8


class FaceEnrolState(rx.State):
    """The steps of one enrolment; a face itself is never here."""

    dialog: str = ""
    form_error: str = ""
    candidates: list[Row] = []
    searched: bool = False
    name: str = ""
    notice: str = ""
    minor: bool = False
    relations: list[list[str]] = []
    ages: list[list[str]] = []
    cameras: list[list[str]] = []
    camera: str = ""
    busy: bool = False
    fault: str = ""
    _person: str = ""
    _shown: tuple[str, str] = ("", "")

    @action(Right.PEOPLE_EDIT)
    async def begin(self) -> None:
        """Open the choice of a permit holder."""
        actor = me()
        self._shut()
        self.candidates = await get_database().read(lambda s: _holders(s, actor.site_id, ""))
        self.dialog = "pick"

    @action(Right.PEOPLE_EDIT)
    async def find(self, form: dict[str, Any]) -> None:
        """Holders by unit, card, or a partner's name or phone."""
        actor, needle = me(), str(form.get("holder", "")).strip()[:50]
        self.candidates = await get_database().read(lambda s: _holders(s, actor.site_id, needle))
        self.searched = bool(needle)

    @action(Right.PEOPLE_EDIT)
    async def choose(self, person_id: str) -> None:
        """Show the notice to the person that was picked."""
        actor, locale = me(), await locale_of(self)

        def load(session: Session) -> tuple[str, Notice]:
            faces.require_regular(session, actor, person_id)
            days = face_policy.of_site(session, actor.site_id).template_days
            site = sites.site(session, actor.site_id)
            shown = consents.notice(Purpose.FACE_RECOGNISE, locale, site=site.name, days=days)
            return mask_name(crypto.reveal(people.person(session, person_id), "name")), shown

        name, shown = await get_database().read(load)
        self._shut()
        self._person, self._shown = person_id, (shown.locale, shown.text)
        self.name, self.notice, self.dialog = name, shown.text, "consent"
        self.ages = [[age.value, text(locale, f"faces.age.{age}")] for age in Age]
        self.relations = [[kind.value, text(locale, f"faces.relation.{kind}")] for kind in Relation]

    @action(Right.PEOPLE_EDIT)
    async def declare_age(self, age: str) -> None:
        """Under fourteen somebody must answer for the person."""
        self.minor = age == Age.UNDER_14

    @action(Right.PEOPLE_EDIT)
    async def agree(self, form: dict[str, Any]) -> None:
        """Record the consent to exactly what was shown, then go on to the picture."""
        actor, person_id, (locale, words) = me(), self._person, self._shown
        shown = Notice(Purpose.FACE_RECOGNISE, locale, words)
        declared = Declared(*(str(form.get(name) or "") for name in ("age", "guardian", "guardian_relation")))
        self.form_error = ""
        try:
            if not form.get("agreed"):
                raise InvalidInput("privacy_not_ticked", "agreed")
            await get_database().write(
                lambda s: consents.give(s, actor, person_id, shown, Channel.CONSOLE, declared)
            )
        except GateError as error:
            self.form_error = await words_of(self, error)
            return
        await self._open_capture()
        await self._refresh_page()

    @action(Right.PEOPLE_EDIT)
    async def take(self, person_id: str) -> Any:
        """Go straight to the picture of somebody who has agreed."""
        row = next(
            (row for row in (await self.get_state(FacesState)).rows if row["person"] == person_id), None
        )
        if row is None:
            raise InvalidInput("input_wrong")
        if row["ask"]:
            return FaceEnrolState.choose(person_id)
        self._shut()
        self._person, self.name = person_id, row["name"]
        await self._open_capture()
        return None

    @action(Right.PEOPLE_EDIT)
    async def choose_camera(self, camera_id: str) -> None:
        """Another lane's camera."""
        if any(camera_id == row[0] for row in self.cameras):
            self.camera, self.fault = camera_id, ""

    @action(Right.PEOPLE_EDIT)
    async def shoot(self) -> Any:
        """Say that the picture is being taken, then take it."""
        if self.busy or not self._person:
            return None
        self.busy, self.fault = True, ""
        return FaceEnrolState.capture

    @action(Right.PEOPLE_EDIT)
    async def capture(self) -> None:
        """Take the face from the camera; what was not good enough is said in words, and nothing of it stays."""
        person_id, camera_id, locale = self._person, self.camera, await locale_of(self)
        try:
            self.fault = await self._capture(person_id, camera_id, locale)
        except GateError as error:
            self.fault = await words_of(self, error)
        finally:
            self.busy = False
        if not self.fault:
            self._shut()
            await self._refresh_page()
            await notify(self, "ok", "faces.enrolled")

    @action(Right.PEOPLE_EDIT)
    async def close(self) -> None:
        """Close the dialog; a consent that was given stands."""
        self._shut()

    async def _capture(self, person_id: str, camera_id: str, locale: str) -> str:
        actor, center = me(), get_hub()
        if center is None:
            raise Conflict("models_missing")
        await get_database().read(lambda s: _own_camera(s, actor.site_id, camera_id))
        await get_database().read(lambda s: faces.require_regular(s, actor, person_id))
        taken = await center.faces.capture(camera_id)
        if not isinstance(taken, Face):
            return text(locale, f"face_fault.{taken}")
        await get_database().write(lambda s: faces.enrol(s, actor, person_id, taken))
        return ""

    async def _open_capture(self) -> None:
        actor = me()
        self.cameras = await get_database().read(lambda s: _cameras(s, actor.site_id))
        self.camera = self.cameras[0][0] if self.cameras else ""
        self.dialog, self.fault, self.form_error = "capture", "", ""

    async def _refresh_page(self) -> None:
        await (await self.get_state(FacesState))._refresh(me())

    def _shut(self) -> None:
        self._person, self._shown = "", ("", "")
        assign(
            self,
            dialog="",
            form_error="",
            candidates=[],
            searched=False,
            name="",
            notice="",
            minor=False,
            busy=False,
            fault="",
        )


def _holders(session: Session, site_id: str, needle: str) -> list[Row]:
    return [
        {
            "id": person.id,
            "name": mask_name(crypto.reveal(person, "name")),
            "unit": unit.label,
        }
        for _, person, unit in permit_queries.permits(session, site_id, FOUND, 0, needle)
    ]


def _cameras(session: Session, site_id: str) -> list[list[str]]:
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site_id)}
    return [
        [device.id, f"{lanes.get(device.lane_id, '')} · {device.name}"]
        for device in sites.devices(session, site_id)
        if device.driver == "camera" and device.enabled
    ]


def _own_camera(session: Session, site_id: str, camera_id: str) -> None:
    if not any(camera_id == row[0] for row in _cameras(session, site_id)):
        raise Conflict("camera_off")
