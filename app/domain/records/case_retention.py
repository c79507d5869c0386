"""Forgetting cases in time: first their pictures, then what was noted; what is open is kept until it is closed (RE-04)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.core import vault
from app.domain.admission.case_models import CaseFile
from app.domain.admission.case_rules import CaseStatus, PictureState
from app.domain.sites.models import SitePolicy
from app.domain.sites.rules import RiskClass
from app.domain.sites.times import retention_days

BATCH = 200


def purge(session: Session, policy: SitePolicy, now: datetime) -> int:
    """One batch of a site's closed cases whose time is over; returns how many changed."""
    changed = 0
    for case in _with_pictures(session, policy.site_id, now - timedelta(days=policy.picture_days)):
        _forget_pictures(session, case)
        changed += 1
    for risk in RiskClass:
        due = now - timedelta(days=retention_days(policy, risk))
        for case in _with_words(session, policy.site_id, risk, due):
            _forget_pictures(session, case)
            case.note, case.purged_at = None, now
            changed += 1
    return changed


def _closed(site_id: str, before: datetime) -> SelectOfScalar[CaseFile]:
    return (
        select(CaseFile)
        .where(CaseFile.site_id == site_id, CaseFile.status == CaseStatus.CLOSED)
        .where(col(CaseFile.closed_at) < before)
        .limit(BATCH)
    )


def _with_pictures(session: Session, site_id: str, before: datetime) -> list[CaseFile]:
    kept = (CaseFile.picture_id != "") | (CaseFile.document_id != "")
    return list(session.exec(_closed(site_id, before).where(kept)).all())


def _with_words(session: Session, site_id: str, risk: str, before: datetime) -> list[CaseFile]:
    query = _closed(site_id, before).where(CaseFile.risk_class == risk, col(CaseFile.purged_at).is_(None))
    return list(session.exec(query).all())


def _forget_pictures(session: Session, case: CaseFile) -> None:
    for file_id in filter(None, (case.picture_id, case.document_id)):
        vault.delete(file_id)
    if case.picture_id:
        case.picture_state = PictureState.EXPIRED
    case.picture_id = case.document_id = ""
    session.add(case)
