"""Which evidence of a face is a comparison with a picture, and what such a one says against the person (ID-06, AD-18)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.admission.models import EvidenceRow
from app.domain.admission.rules import FACE_REASONS, SILENT, Kind, Result

COMPARED = "compared"


def is_comparison(row: EvidenceRow) -> bool:
    """Whether a face was held against a picture, not found among the regulars and not looked at by the guard."""
    return row.kind == Kind.FACE and f":{COMPARED}:" in row.nonce


def is_doubted(evidence: Sequence[EvidenceRow]) -> bool:
    """Whether the last comparison that said anything speaks against the person."""
    found = [Result(row.result) for row in evidence if is_comparison(row) and row.result not in SILENT]
    return bool(found) and found[-1] in FACE_REASONS
