"""Faces at the console: the policy with what a change does, the models, the gauge, and who agreed (ID-02, ID-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.identity import consents, face_policy
from app.domain.identity.face_policy import Assessment
from app.domain.identity.rules import Channel
from app.runtime.faces import TOPIC
from app.runtime.hub import get_hub
from state import console_faces_view as view
from state import tabs
from state.console_words import Row, assign, page_number, query, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

PATH = "/console/faces"


class FacesState(rx.State):
    """The page of faces; a policy that is being changed is shown before it is saved."""

    loaded: bool = False
    ended: bool = False
    models: Row = {}
    gauge: Row = {}
    gauge_share: int = 0
    policy: Row = {}
    numbers: list[Row] = []
    levels: list[list[str]] = []
    changes: list[Row] = []
    needs_assessment: bool = False
    policy_error: str = ""
    assessment_error: str = ""
    assessment: Row = {}
    rows: list[Row] = []
    total: int = 0
    number: int = 1
    pages: int = 1
    recognises: bool = False
    leaving: str = ""
    leaving_name: str = ""
    _wanted: dict[str, Any] = {}

    @action(Right.PEOPLE_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        actor = me()
        topics = frozenset({TOPIC, f"{TOPIC}:{actor.site_id}"})
        tabs.watch(self, topics, Right.PEOPLE_EDIT, FacesState._update)
        self._shut()
        assign(self, ended=False, number=page_number(query(self, "page")))
        await self._refresh(actor)

    @action(Right.POLICY_EDIT)
    async def review(self, form: dict[str, Any]) -> None:
        """Say what the policy as filled in would change, before it does."""
        actor, locale, wanted = me(), await locale_of(self), view.wanted(form)
        self._shut()
        try:
            rows = await get_database().read(lambda s: _changes(s, actor.site_id, wanted, locale))
        except InvalidInput as error:
            label = text(locale, f"faces.field.{error.field}")
            self.policy_error = text(
                locale, "faces.field_fault", field=label, fault=await words_of(self, error)
            )
            return
        if not rows:
            await notify(self, "info", "faces.same_policy")
        self.changes, self._wanted = rows, wanted
        self.needs_assessment = any(row["id"] == "recognise" and row["on"] for row in rows)

    @action(Right.POLICY_EDIT)
    async def stay(self) -> None:
        """Leave the policy as it is."""
        self._shut()

    @action(Right.POLICY_EDIT)
    async def apply(self, form: dict[str, Any]) -> None:
        """Put into force what was shown; recognising with the assessment that was named."""
        actor, wanted = me(), dict(self._wanted)
        named = Assessment(
            *(str(form.get(name, "")) for name in ("title", "made_on", "made_by", "reference"))
        )
        if not wanted:
            return
        try:
            await get_database().write(lambda s: face_policy.save(s, actor, actor.site_id, wanted, named))
        except InvalidInput as error:
            self.assessment_error = await words_of(self, error)
            return
        self._shut()
        await self._refresh(actor)
        await notify(self, "ok", "faces.saved")

    @action(Right.PEOPLE_EDIT)
    async def ask_withdraw(self, consent_id: str) -> None:
        """Ask once before somebody's consent is taken back for them."""
        row = next((row for row in self.rows if row["id"] == consent_id), None)
        if row is not None:
            self.leaving, self.leaving_name = consent_id, row["name"]

    @action(Right.PEOPLE_EDIT)
    async def keep(self) -> None:
        """Leave the consent as it is."""
        self.leaving = ""

    @action(Right.PEOPLE_EDIT)
    async def withdraw(self) -> None:
        """Take the consent back: the face is gone with it."""
        actor, consent_id, self.leaving = me(), self.leaving, ""
        if consent_id:
            await get_database().write(lambda s: consents.withdraw(s, actor, consent_id, Channel.CONSOLE))
            await self._refresh(actor)
            await notify(self, "ok", "faces.withdrawn")

    @action(Right.PEOPLE_EDIT)
    async def previous(self) -> Any:
        """The page before this."""
        return rx.redirect(f"{PATH}?page={max(1, self.number - 1)}")

    @action(Right.PEOPLE_EDIT)
    async def following(self) -> Any:
        """The page after this."""
        return rx.redirect(f"{PATH}?page={min(self.pages, self.number + 1)}")

    def _shut(self) -> None:
        self._wanted = {}
        assign(self, changes=[], needs_assessment=False, policy_error="", assessment_error="", leaving="")

    async def _update(self, actor: Actor, _changed: frozenset[str]) -> None:
        await self._refresh(actor)

    async def _refresh(self, actor: Actor) -> None:
        locale, number, center = await locale_of(self), self.number, get_hub()
        made = await get_database().read(lambda s: view.page(s, actor.site_id, number, locale))
        assign(self, loaded=True, models=view.models(center, locale), **made)

    def _signed_out(self) -> None:
        self.ended, self.rows = True, []


def _changes(session: Session, site_id: str, wanted: dict[str, Any], locale: str) -> list[Row]:
    policy = face_policy.of_site(session, site_id)
    return view.changes(policy, face_policy.checked(policy, wanted), locale)
