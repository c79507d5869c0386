"""Cases: opened with the finding itself, in one transaction; added to, looked at and closed by a supervisor (AD-18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from app.core import audit, clock, crypto, inputs, outbox
from app.core.actor import SYSTEM, Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.admission.arrival import OPEN
from app.domain.admission.case_models import CaseChanged, CaseFile, CaseItem, CaseOpened
from app.domain.admission.case_rules import CaseOutcome, CaseStatus, PictureState, alarm_of
from app.domain.admission.models import Attempt
from app.domain.admission.rules import Kind, Result
from app.domain.sites import repository as sites
from app.domain.sites.models import SitePolicy, Unit
from app.domain.sites.rules import stricter


def note_finding(
    session: Session, attempt_id: str, kind: Kind, result: Result, device_id: str, found_at: datetime
) -> None:
    """Open a case when a document or face of an open arrival does not fit, once; what is found later is added to it.

    Nobody is held at the way out, so nothing of it makes a case.
    """
    reason = alarm_of(kind, result)
    if reason is None:
        return
    session.flush()
    query = select(Attempt.status, Attempt.leaving).where(Attempt.id == attempt_id)
    status, leaving = session.exec(query).one()
    if status != OPEN or leaving:
        return
    case = of_attempt(session, attempt_id)
    if case is None:
        case = _open(session, attempt_id, kind, reason)
    elif _is_told(session, case.id, reason, device_id, found_at):
        return
    else:
        announce(session, CaseChanged(case.site_id, case.lane_id))
    session.add(CaseItem(id=new_id(), case_id=case.id, reason=reason, device_id=device_id, found_at=found_at))
    session.flush()


def _open(session: Session, attempt_id: str, kind: Kind, reason: str) -> CaseFile:
    query = select(Attempt.site_id, Attempt.lane_id, Attempt.unit_id).where(Attempt.id == attempt_id)
    site_id, lane_id, unit_id = session.exec(query).one()
    site, now = sites.site(session, site_id), clock.now()
    unit = session.get(Unit, unit_id) if unit_id else None
    area_class = sites.area_class(session, unit.area_id) if unit else ""
    # Lanes wait for one another here alone: the numbers of a site go up without a gap.
    session.exec(select(SitePolicy.site_id).where(SitePolicy.site_id == site_id).with_for_update()).one()
    year = now.astimezone(ZoneInfo(site.time_zone)).year
    last = select(func.max(CaseFile.number)).where(CaseFile.site_id == site_id, CaseFile.year == year)
    case = CaseFile(
        id=new_id(),
        site_id=site_id,
        year=year,
        number=(session.exec(last).one() or 0) + 1,
        attempt_id=attempt_id,
        lane_id=lane_id,
        kind=kind,
        risk_class=stricter(site.risk_class, area_class),
        status=CaseStatus.OPEN,
        opened_at=now,
        picture_state=PictureState.PENDING,
    )
    session.add(case)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "case.open",
        "case",
        case.id,
        site_id=site_id,
        reason=reason,
        details={"attempt": attempt_id},
    )
    outbox.post(session, "inbox", "case_opened", site_id, {"case": case.id})
    announce(session, CaseOpened(site_id, lane_id, case.id))
    return case


def _is_told(session: Session, case_id: str, reason: str, device_id: str, found_at: datetime) -> bool:
    return any(
        (item.reason, item.device_id, item.found_at) == (reason, device_id, found_at)
        for item in items_of(session, case_id)
    )


def carry_over(session: Session, from_attempt: str | None, to_attempt: str) -> None:
    """The stranger with the case was registered: it goes on with the new arrival."""
    case = of_attempt(session, from_attempt) if from_attempt else None
    if case is not None and case.status == CaseStatus.OPEN:
        case.attempt_id = to_attempt
        session.add(case)
        session.flush()


def case(session: Session, site_id: str, case_id: str) -> CaseFile:
    """One case of a site; raises ``NotFound``."""
    found = session.get(CaseFile, case_id)
    if found is None or found.site_id != site_id:
        raise NotFound("case_unknown")
    return found


def of_attempt(session: Session, attempt_id: str) -> CaseFile | None:
    """The case of an arrival."""
    return session.exec(select(CaseFile).where(CaseFile.attempt_id == attempt_id)).first()


def items_of(session: Session, case_id: str) -> Sequence[CaseItem]:
    """What was found, in order."""
    return session.exec(select(CaseItem).where(CaseItem.case_id == case_id).order_by(col(CaseItem.id))).all()


def reasons_of(session: Session, case_ids: Sequence[str]) -> dict[str, list[str]]:
    """The reasons of some cases, each once, in the order they were found."""
    query = select(CaseItem).where(col(CaseItem.case_id).in_(case_ids)).order_by(col(CaseItem.id))
    found: dict[str, list[str]] = {case_id: [] for case_id in case_ids}
    for item in session.exec(query).all():
        if item.reason not in found[item.case_id]:
            found[item.case_id].append(item.reason)
    return found


def page(session: Session, site_id: str, status: str, limit: int, offset: int) -> Sequence[CaseFile]:
    """Cases of a site, newest first; those of one status, or all."""
    query = select(CaseFile).where(CaseFile.site_id == site_id)
    if status:
        query = query.where(CaseFile.status == status)
    newest = col(CaseFile.year).desc(), col(CaseFile.number).desc()
    return session.exec(query.order_by(*newest).limit(limit).offset(offset)).all()


def count(session: Session, site_id: str, status: str = "") -> int:
    """How many there are."""
    query = select(func.count()).select_from(CaseFile).where(CaseFile.site_id == site_id)
    return session.exec(query.where(CaseFile.status == status) if status else query).one()


def look(session: Session, actor: Actor, case_id: str) -> CaseFile:
    """Open a case file to read it; that somebody did is an audit entry."""
    actor.require(Right.CASE_VIEW)
    found = case(session, actor.site_id, case_id)
    audit.record(session, actor, "case.view", "case", found.id, site_id=found.site_id)
    return found


def picture(session: Session, actor: Actor, case_id: str, which: str) -> str:
    """The vault's name of a picture of a case, ``scene`` or ``document``; each look is an audit entry."""
    actor.require(Right.CASE_VIEW)
    found = case(session, actor.site_id, case_id)
    file_id = {"scene": found.picture_id, "document": found.document_id}.get(which, "")
    if not file_id:
        raise NotFound("file_unknown")
    audit.record(
        session, actor, "case.picture", "case", found.id, site_id=found.site_id, details={"which": which}
    )
    return file_id


def close(session: Session, actor: Actor, case_id: str, outcome: str, note: str) -> CaseFile:
    """End a case with what became of it and a note, which is sealed."""
    actor.require(Right.DESK_REVIEW)
    found = case(session, actor.site_id, case_id)
    if outcome not in set(CaseOutcome):
        raise InvalidInput("choice_wrong", "outcome")
    words = inputs.text(note, "note")
    if not words:
        raise InvalidInput("note_missing", "note")
    session.refresh(found, with_for_update=True)
    if found.status != CaseStatus.OPEN:
        raise Conflict("case_closed")
    found.status, found.outcome = CaseStatus.CLOSED, outcome
    found.closed_at, found.closed_by = clock.now(), actor.account_id
    crypto.seal(found, "note", words)
    session.add(found)
    audit.record(session, actor, "case.close", "case", found.id, site_id=found.site_id, reason=outcome)
    announce(session, CaseChanged(found.site_id, found.lane_id))
    return found


def keep_picture(session: Session, case_id: str, state: PictureState, file_id: str = "") -> bool:
    """Put down what became of the picture of the moment; the first word counts."""
    found = session.get(CaseFile, case_id)
    if found is None or found.picture_state != PictureState.PENDING:
        return False
    found.picture_id, found.picture_state = file_id, state
    session.add(found)
    announce(session, CaseChanged(found.site_id, found.lane_id))
    return True


def keep_document(session: Session, attempt_id: str, file_id: str) -> bool:
    """Put the photo of the document into the open case of an arrival; False where there is none, or has one already."""
    found = of_attempt(session, attempt_id)
    if found is None or found.document_id or found.status != CaseStatus.OPEN:
        return False
    found.document_id = file_id
    session.add(found)
    announce(session, CaseChanged(found.site_id, found.lane_id))
    return True


def miss_pictures(session: Session) -> int:
    """Say of cases whose picture was still to be taken when the server stopped that it was missed."""
    rows = session.exec(select(CaseFile).where(CaseFile.picture_state == PictureState.PENDING)).all()
    for row in rows:
        row.picture_state = PictureState.MISSED
        session.add(row)
    return len(rows)
