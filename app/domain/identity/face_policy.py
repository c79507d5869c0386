"""What a site does with faces: off or on, how like, how long; recognising needs an impact assessment (F-1, F-5, F-6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.identity import repository
from app.domain.identity.models import FacePolicy, FacesChanged, ImpactAssessment
from app.domain.identity.rules import LIMITS, Liveness, Purpose, thresholds_fault

SWITCHES = ("verify", "recognise")


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a manager names an impact assessment, as typed."""

    title: str = ""
    made_on: str = ""
    made_by: str = field(default="", repr=False)
    reference: str = ""


def of_site(session: Session, site_id: str) -> FacePolicy:
    """The policy in force: comparing at the lane is on, for nothing is stored for it; recognising is off."""
    numbers: dict[str, Any] = {name: limit.default for name, limit in LIMITS.items()}
    return repository.face_policy(session, site_id) or FacePolicy(
        site_id=site_id, verify=True, recognise=False, liveness=Liveness.NONE, **numbers
    )


def checked(policy: FacePolicy, wanted: Mapping[str, str | int | bool]) -> dict[str, Any]:
    """The values that ``wanted`` would put into force, what is absent as it is; raises ``InvalidInput``."""
    values: dict[str, Any] = {
        name: inputs.count(wanted.get(name, getattr(policy, name)), name, limit.low, limit.high)
        for name, limit in LIMITS.items()
    }
    if fault := thresholds_fault(values):
        raise InvalidInput("face_thresholds", fault)
    liveness = wanted.get("liveness", policy.liveness)
    if liveness not in set(Liveness):
        raise InvalidInput("choice_wrong", "liveness")
    switches = {name: bool(wanted.get(name, getattr(policy, name))) for name in SWITCHES}
    return {**switches, **values, "liveness": str(liveness)}


def save(
    session: Session,
    actor: Actor,
    site_id: str,
    wanted: Mapping[str, str | int | bool],
    assessment: Assessment | None = None,
) -> int:
    """Put a policy into force and return how many values changed; each is an audit entry of its own.

    Raises ``InvalidInput`` beyond the limits, and where faces would be recognised without a named assessment.
    """
    actor.require(Right.POLICY_EDIT, site_id)
    policy = of_site(session, site_id)
    values = checked(policy, wanted)
    if values["recognise"] and not policy.recognise:
        policy.assessment_id = _record(session, actor, site_id, assessment or Assessment()).id
    changed = 0
    for name, value in values.items():
        before = getattr(policy, name)
        if value == before:
            continue
        setattr(policy, name, value)
        details = {"field": name, "from": before, "to": value}
        if name == "recognise" and value:
            details["assessment"] = policy.assessment_id
        audit.record(session, actor, "policy.faces", "site", site_id, site_id=site_id, details=details)
        changed += 1
    if changed:
        session.add(policy)
        session.flush()
        announce(session, FacesChanged(site_id))
    return changed


def _record(session: Session, actor: Actor, site_id: str, form: Assessment) -> ImpactAssessment:
    made_by = inputs.name(form.made_by, "made_by") if inputs.clean(form.made_by) else ""
    row = ImpactAssessment(
        id=new_id(),
        site_id=site_id,
        purpose=Purpose.FACE_RECOGNISE,
        title=_needed(form.title, "title"),
        made_on=_day(form.made_on),
        reference=_needed(form.reference, "reference"),
        recorded_by=actor.account_id or actor.kind,
        recorded_at=clock.now(),
    )
    if not made_by:
        raise InvalidInput("assessment_missing", "made_by")
    crypto.seal(row, "made_by", made_by)
    session.add(row)
    session.flush()
    audit.record(session, actor, "assessment.record", "assessment", row.id, site_id=site_id)
    return row


def _needed(value: str, name: str) -> str:
    text = inputs.text(value, name)
    if not text:
        raise InvalidInput("assessment_missing", name)
    return text


def _day(value: str) -> date:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidInput("assessment_missing", "made_on") from None
    if day > clock.now().date():
        raise InvalidInput("assessment_future", "made_on")
    return day
