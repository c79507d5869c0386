"""Which evidence of a face is a comparison with a picture, and what such a one says against the person (ID-06, AD-18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from app.domain.admission import repository
from app.domain.admission.arrival import Arrival
from app.domain.admission.models import Attempt, EvidenceRow
from app.domain.admission.rules import FACE_REASONS, SILENT, Evidence, Kind, Result
from app.domain.identity import faces

COMPARED = "compared"


def is_comparison(row: EvidenceRow) -> bool:
    """Whether a face was held against a picture, not found among the regulars and not looked at by the guard."""
    return row.kind == Kind.FACE and f":{COMPARED}:" in row.nonce


def is_doubted(evidence: Sequence[EvidenceRow]) -> bool:
    """Whether the last comparison that said anything speaks against the person."""
    found = [Result(row.result) for row in evidence if is_comparison(row) and row.result not in SILENT]
    return bool(found) and found[-1] in FACE_REASONS


def is_recognition(row: EvidenceRow) -> bool:
    """Whether a camera found a face among the regulars."""
    return row.kind == Kind.FACE and bool(row.device_id) and not is_comparison(row)


def without_withdrawn(
    session: Session, attempt: Attempt | Arrival, evidence: Sequence[Evidence], now: datetime
) -> Sequence[Evidence]:
    """The evidence as it stands now: a face recognised under a consent that was taken back since says nothing (L-3, F-7)."""
    if attempt.visitor_id is None or Evidence(Kind.FACE, Result.OK) not in evidence:
        return evidence
    rows = repository.evidence_of(session, attempt.id)
    found = [is_recognition(row) and row.result == Result.OK for row in rows]
    if not any(found) or faces.is_known(session, attempt.site_id, attempt.visitor_id, now):
        return evidence
    return [
        replace(item, result=Result.UNREADABLE) if by_face else item
        for item, by_face in zip(evidence, found, strict=True)
    ]
