"""The rules of the site: its risk class and what is asked of whom, each change explained before and kept after (SI-02, SI-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from app.core.actor import Actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.people import repository as people
from app.domain.records import repository as records
from app.domain.sites import repository as sites
from app.domain.sites import service as sites_service
from app.domain.sites.rules import RiskClass, Rule, VisitorField, VisitorKind, default_rule
from app.domain.sites.times import retention_days, set_times
from state import console_faces_view, console_times, tabs
from state.console_words import Row, assign, or_code, stamp, words_of
from state.guard import action, me
from state.shell import locale_of, notify

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.core.audit import AuditEntry

FIXED = {VisitorField.NAME, VisitorField.HEAD_COUNT}


class PolicyState(rx.State):
    """The policy page."""

    loaded: bool = False
    risk: str = ""
    risk_word: str = ""
    wanted: str = ""
    wanted_word: str = ""
    classes: list[Row] = []
    changes: list[Row] = []
    kind: str = VisitorKind.GUEST.value
    kinds: list[list[str]] = []
    rules: list[list[str]] = []
    fields: list[Row] = []
    history: list[Row] = []
    times: list[Row] = []
    checkout: str = ""
    checkouts: list[list[str]] = []
    nightly: str = ""
    times_error: str = ""

    @action(Right.POLICY_EDIT)
    async def enter(self) -> None:
        """Load of the page."""
        tabs.unwatch(self)
        locale = await locale_of(self)
        assign(
            self,
            wanted="",
            changes=[],
            times_error="",
            kinds=[[kind.value, text(locale, f"visitor_type.{kind}")] for kind in VisitorKind],
            rules=[[rule.value, text(locale, f"console.rule.{rule}")] for rule in Rule],
        )
        await self._refresh(me())

    @action(Right.POLICY_EDIT)
    async def consider(self, risk: str) -> None:
        """Show what another class would change, before it does."""
        if risk not in set(RiskClass):
            raise InvalidInput("choice_wrong", "risk_class")
        if risk == self.risk:
            self.wanted, self.changes = "", []
            return
        actor, locale = me(), await locale_of(self)
        self.changes = await get_database().read(
            lambda s: _changes(s, actor.site_id, RiskClass(risk), locale)
        )
        self.wanted, self.wanted_word = risk, text(locale, f"console.risk.{risk}")

    @action(Right.POLICY_EDIT)
    async def stay(self) -> None:
        """Leave the class as it is."""
        self.wanted, self.changes = "", []

    @action(Right.POLICY_EDIT)
    async def set_risk(self) -> None:
        """Put the class considered into force for the next visitor."""
        actor, wanted = me(), self.wanted
        if not wanted:
            return
        await get_database().write(lambda s: sites_service.set_risk_class(s, actor, actor.site_id, wanted))
        self.wanted, self.changes = "", []
        await self._refresh(actor)
        await notify(self, "ok", "console.policy.saved")

    @action(Right.POLICY_EDIT)
    async def choose_kind(self, kind: str) -> None:
        """The fields of another visitor type."""
        if kind not in set(VisitorKind):
            raise InvalidInput("choice_wrong", "visitor_type")
        self.kind = kind
        await self._refresh(me())

    @action(Right.POLICY_EDIT)
    async def save_fields(self, form: dict[str, Any]) -> None:
        """Put the rules that differ into force; each is one entry in the history."""
        actor, kind = me(), self.kind

        def work(session: Session) -> int:
            policy = sites_service.field_policy(session, sites.site(session, actor.site_id), kind)
            wanted = {name: str(form[f"rule_{name}"]) for name in policy if f"rule_{name}" in form}
            changed = {name: rule for name, rule in wanted.items() if rule != policy[name]}
            for name, rule in changed.items():
                sites_service.set_field_rule(session, actor, actor.site_id, kind, name, rule)
            return len(changed)

        count = await get_database().write(work)
        await self._refresh(actor)
        await notify(
            self, "ok" if count else "info", "console.policy.fields_saved" if count else "console.policy.same"
        )

    @action(Right.POLICY_EDIT)
    async def save_times(self, form: dict[str, Any]) -> None:
        """Put the times that differ into force; each is one entry in the history."""
        actor, checkout = me(), str(form.get("checkout", ""))
        try:
            wanted = console_times.read(form)
            count = await get_database().write(lambda s: set_times(s, actor, actor.site_id, checkout, wanted))
        except InvalidInput as error:
            locale, words = await locale_of(self), await words_of(self, error)
            label = text(locale, f"console.time.{error.field}")
            self.times_error = text(locale, "console.policy.time_fault", field=label, fault=words)
            return
        self.times_error = ""
        await self._refresh(actor)
        await notify(
            self, "ok" if count else "info", "console.policy.times_saved" if count else "console.policy.same"
        )

    async def _refresh(self, actor: Actor) -> None:
        locale, kind = await locale_of(self), self.kind
        made = await get_database().read(lambda s: _policy(s, actor.site_id, kind, locale))
        assign(self, loaded=True, **made)


def _class(risk: RiskClass, days: int, locale: str) -> Row:
    return {
        "id": risk.value,
        "word": text(locale, f"console.risk.{risk}"),
        "needs": text(locale, f"console.policy.needs.{risk}"),
        "days": text(locale, "console.policy.days", days=days),
    }


def _changes(session: Session, site_id: str, then: RiskClass, locale: str) -> list[Row]:
    """What another class would change: identification, what a guest is asked, how long visits are kept."""
    site = sites.site(session, site_id)
    now, present = RiskClass(site.risk_class), sites_service.field_policy(session, site, VisitorKind.GUEST)
    session.expunge(site)
    site.risk_class = then
    policy = sites_service.field_policy(session, site, VisitorKind.GUEST)
    needs = (text(locale, f"console.policy.needs.{risk}") for risk in (now, then))
    rows = [_change(text(locale, "console.policy.identification"), *needs)]
    for name, before in present.items():
        if policy[name] != before:
            words = (text(locale, f"console.rule.{rule}") for rule in (before, policy[name]))
            rows.append(_change(text(locale, f"console.field.{name}"), *words))
    times = sites.policy(session, site_id)
    kept = [retention_days(times, risk) for risk in (now, then)]
    if kept[0] != kept[1]:
        days = (text(locale, "console.policy.days", days=count) for count in kept)
        rows.append(_change(text(locale, "console.policy.retention"), *days))
    return rows


def _change(what: str, before: str, after: str) -> Row:
    return {"what": what, "before": before, "after": after}


def _policy(session: Session, site_id: str, kind: str, locale: str) -> dict[str, Any]:
    site = sites.site(session, site_id)
    policy = sites_service.field_policy(session, site, kind)
    fields = [
        {
            "id": f"rule_{name}",
            "key": f"{site.risk_class}-{kind}-{name}-{rule}",
            "label": text(locale, f"console.field.{name}"),
            "reason": text(locale, f"console.field_reason.{name}"),
            "rule": str(rule),
            "word": text(locale, f"console.rule.{rule}"),
            "fixed": "1" if name in FIXED else "",
            "usual": text(
                locale,
                "console.policy.usual",
                rule=text(locale, f"console.rule.{default_rule(name, site.risk_class, kind)}"),
            ),
        }
        for name, rule in policy.items()
    ]
    entries = records.audit_of(session, site_id, "policy.")
    names = people.usernames(session, [entry.actor for entry in entries])
    times = sites.policy(session, site_id)
    return {
        **console_times.shown(times, locale),
        "classes": [_class(risk, retention_days(times, risk), locale) for risk in RiskClass],
        "risk": site.risk_class,
        "risk_word": text(locale, f"console.risk.{site.risk_class}"),
        "fields": fields,
        "history": [
            {
                "id": str(entry.seq),
                "time": stamp(entry.at, site.time_zone)[:16],
                "who": names.get(entry.actor, text(locale, "console.system")),
                "text": _told(entry, locale),
            }
            for entry in entries
        ],
    }


def _told(entry: AuditEntry, locale: str) -> str:
    if entry.action == "policy.time":
        return console_times.told(entry.details, locale)
    if entry.action == "policy.faces":
        return console_faces_view.told(entry.details, locale)
    details = {key: str(value) for key, value in entry.details.items()}
    if entry.action == "policy.risk_class":
        before, after = (text(locale, f"console.risk.{details.get(key)}") for key in ("from", "to"))
        return text(locale, "console.policy.told_risk", before=before, after=after)
    if entry.action == "policy.field":
        return text(
            locale,
            "console.policy.told_field",
            kind=text(locale, f"visitor_type.{details.get('type')}"),
            field=text(locale, f"console.field.{details.get('field')}"),
            rule=text(locale, f"console.rule.{details.get('rule')}"),
        )
    return or_code(text(locale, f"audit.{entry.action}"), entry.action)
