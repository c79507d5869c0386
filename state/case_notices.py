"""Telling a supervisor at the desk of a new case, and every guard that one is open (AD-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.database import get_database
from app.core.i18n import text
from app.core.permissions import Right
from app.domain.admission import cases
from app.domain.admission.case_models import CaseFile
from app.domain.admission.case_rules import CaseStatus, alarm_of, title_of
from app.domain.admission.rules import Kind, Result
from app.domain.people import repository as people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from app.domain.admission.models import EvidenceRow

TOPIC = "case_opened"


def chip_of(session: Session, attempt_id: str, evidence: Sequence[EvidenceRow], locale: str) -> str:
    """The open case of an arrival by its number, for whoever serves it; asked only where something was found."""
    if not any(alarm_of(Kind(row.kind), Result(row.result)) for row in evidence):
        return ""
    case = cases.of_attempt(session, attempt_id)
    if case is None or case.status != CaseStatus.OPEN:
        return ""
    return text(locale, "cases.open_chip", case=title_of(case.year, case.number))


async def news(actor: Actor, after: str, locale: str) -> tuple[str, list[str]]:
    """What a supervisor was told after a message and has not read: the newest message, and a line for each open case."""
    if not actor.has(Right.DESK_REVIEW):
        return after, []

    def load(session: Session) -> tuple[str, list[str]]:
        newest, lines = after, []
        for message in people.unread(session, actor.person_id, TOPIC):
            if message.id <= after:
                continue
            newest = message.id
            case = session.get(CaseFile, message.payload["case"])
            if case is not None and case.status == CaseStatus.OPEN:
                lines.append(_line(session, case, locale))
        return newest, lines

    return await get_database().read(load)


def _line(session: Session, case: CaseFile, locale: str) -> str:
    codes = cases.reasons_of(session, [case.id])[case.id]
    why = text(locale, "punct.list").join(text(locale, f"cases.reason.{code}") for code in codes)
    return text(locale, "cases.notice", case=title_of(case.year, case.number), why=why)
