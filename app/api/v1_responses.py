"""Which errors the routes for other systems answer with, as the description of the API says it."""

from __future__ import annotations

from typing import Any

from app.api.v1_models import ErrorOut

Responses = dict[int | str, dict[str, Any]]

_CODES: dict[int, tuple[str, str]] = {
    401: (
        "Not known, not signed, or signed wrongly: `key_unknown`, `signature_missing`, `signature_wrong`, `signature_old`.",
        "signature_wrong",
    ),
    403: ("The key lacks the scope: `not_allowed`.", "not_allowed"),
    404: (
        "There is no such thing at the site of the key: `booking_unknown`, `host_unknown`.",
        "booking_unknown",
    ),
    409: (
        "The visitor has come, or the visit is over: `booking_over`; nothing to send the link to: `link_no_phone`.",
        "booking_over",
    ),
    422: (
        "A field is wrong, or a key came again with another request: `idempotency_reused`.",
        "field_missing",
    ),
    429: ("Too many requests; see `Retry-After`: `too_many`.", "too_many"),
    503: ("Busy; the same request may succeed in a moment: `database_busy`.", "database_busy"),
}


def _of(*statuses: int) -> Responses:
    found: Responses = {}
    for status in statuses:
        description, code = _CODES[status]
        example = {"error": code, "message": "…", "field": ""}
        found[status] = {
            "model": ErrorOut,
            "description": description,
            "content": {"application/json": {"example": example}},
        }
    return found


READ = _of(401, 403, 404, 422, 429, 503)
# Refused before anything of it is looked at, and so in plain words.
_LARGE = {"description": "The body is too large.", "content": {"text/plain": {"schema": {"type": "string"}}}}
WRITE: Responses = {**_of(401, 403, 404, 409, 422, 429, 503), 413: _LARGE}
