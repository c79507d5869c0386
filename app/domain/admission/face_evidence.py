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
from app.domain.identity import booking_photos, faces

COMPARED = "compared"
# The source of what was held against the picture that a visitor added to the booking.
BOOKING_PHOTO = "booking_photo"


def is_comparison(row: EvidenceRow) -> bool:
    """Whether a face was held against a picture, not found among the regulars and not looked at by the guard."""
    return row.kind == Kind.FACE and f":{COMPARED}:" in row.nonce


def is_doubted(evidence: Sequence[EvidenceRow], *, of_documents: bool = False) -> bool:
    """Whether the last comparison that said anything speaks against the person; of those with a document, if so asked."""
    rows = [row for row in evidence if not (of_documents and is_of_booking(row))]
    found = [Result(row.result) for row in rows if is_comparison(row) and row.result not in SILENT]
    return bool(found) and found[-1] in FACE_REASONS


def is_recognition(row: EvidenceRow) -> bool:
    """Whether a camera found a face among the regulars."""
    return row.kind == Kind.FACE and bool(row.device_id) and not is_comparison(row)


def is_of_booking(row: EvidenceRow) -> bool:
    """Whether a face was held against the picture that the visitor added to the booking."""
    return row.kind == Kind.FACE and row.source == BOOKING_PHOTO


def has_spoken(evidence: Sequence[EvidenceRow]) -> bool:
    """Whether a comparison with a document's photo has said anything: it counts for more than a picture somebody sent."""
    return any(is_comparison(row) and not is_of_booking(row) and row.result not in SILENT for row in evidence)


def standing(session: Session, visitor_id: str | None, evidence: Sequence[EvidenceRow]) -> list[EvidenceRow]:
    """The rows without those that hang on a consent to a picture that was taken back since (L-3)."""
    if visitor_id is None or not any(is_of_booking(row) for row in evidence):
        return list(evidence)
    consent = booking_photos.agreed(session, visitor_id)
    since = consent.given_at if consent is not None else None
    return [row for row in evidence if not is_of_booking(row) or (since and row.recorded_at >= since)]


def without_withdrawn(
    session: Session, attempt: Attempt | Arrival, evidence: Sequence[Evidence], now: datetime
) -> Sequence[Evidence]:
    """The evidence as it stands now: what a face said under a consent that was taken back since says nothing (L-3, F-7)."""
    if attempt.visitor_id is None or not any(item.kind is Kind.FACE for item in evidence):
        return evidence
    rows = repository.evidence_of(session, attempt.id)
    known = not any(is_recognition(row) and row.result == Result.OK for row in rows) or faces.is_known(
        session, attempt.site_id, attempt.visitor_id, now
    )
    counting = {row.id for row in standing(session, attempt.visitor_id, rows)}
    silent = [row.id not in counting or (is_recognition(row) and not known) for row in rows]
    return [
        replace(item, result=Result.UNREADABLE) if taken_back else item
        for item, taken_back in zip(evidence, silent, strict=True)
    ]
