"""What the routes for other systems share: errors field by field, and each request answered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.api.access import GuardedRoute, check, error_response, locale_of
from app.core import i18n
from app.core.actor import Actor, current_actor
from app.core.database import get_database
from app.core.errors import GateError, InvalidInput
from app.domain.integration import requests
from app.domain.integration.requests import Asked, Reply
from app.domain.integration.rules import digest_of

MAX_BODY = 200_000
MAX_ERRORS = 20
CODES = {
    "missing": "field_missing",
    "json_invalid": "json_wrong",
    "string_too_long": "text_long",
    "string_too_short": "field_missing",
    "string_pattern_mismatch": "format_wrong",
    "greater_than_equal": "number_low",
    "less_than_equal": "number_high",
    "timezone_aware": "time_naive",
    "time_format": "time_format",
    "version_missing": "version_missing",
    "schema_unknown": "schema_unknown",
}
PARAMS = {"text_long": ("maximum", "max_length"), "number_low": ("low", "ge"), "number_high": ("high", "le")}


class V1Route(GuardedRoute):
    """A route whose errors name every field that is wrong, as the request names it."""

    # What a service calls a field, and where it stands in the request.
    fields: ClassVar[Mapping[str, str]] = {}

    def refused(self, request: Request, error: GateError) -> JSONResponse:
        """One error, with the field as the request names it."""
        if isinstance(error, InvalidInput):
            error.field = self.fields.get(error.field, error.field)
        answer = error_response(request, error)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def unreadable(self) -> GateError:
        """Bytes that are no JSON, whatever else they are."""
        return InvalidInput("json_wrong")

    def invalid(self, request: Request, error: RequestValidationError) -> JSONResponse:
        """Every field of the wrong form, the first one also as the error itself."""
        found = [_fault(locale_of(request), item) for item in error.errors()[:MAX_ERRORS]]
        return JSONResponse({**found[0], "errors": found}, 422, {"Cache-Control": "no-store"})


def _fault(locale: str, item: Any) -> dict[str, str]:
    code = CODES.get(str(item["type"]), "type_wrong")
    told: dict[str, str | int] = {}
    if code in PARAMS:
        name, source = PARAMS[code]
        told[name] = int(item.get("ctx", {}).get(source, 0))
    where = [str(part) for part in item["loc"][1:] if part != "json"] if code != "json_wrong" else []
    return {
        "error": code,
        "message": i18n.text(locale, f"error.{code}", **told),
        "field": ".".join(where)[:100],
    }


def router(prefix: str, route_class: type[V1Route] = V1Route) -> APIRouter:
    """A router whose every route is guarded like any other."""
    return APIRouter(prefix=prefix, route_class=route_class, dependencies=[Depends(check)])


async def answer_once(
    request: Request, idempotency_key: str, work: Callable[[Session, Actor], Reply]
) -> JSONResponse:
    """Do the work of a signed request once, in one transaction with the record that answers it the next time."""
    actor = current_actor()
    target = f"{request.url.path}?{request.url.query}"
    digest = digest_of(request.method, target, await request.body())
    asked = Asked(request.headers.get("webhook-id", ""), idempotency_key, digest)
    reply = await get_database().write(
        lambda session: requests.once(session, actor, asked, lambda s: work(s, actor))
    )
    headers = {"Cache-Control": "no-store", **({"Idempotent-Replayed": "true"} if reply.replayed else {})}
    return JSONResponse(reply.body, reply.status, headers)


async def answer(work: Callable[[Session, Actor], dict[str, Any]]) -> JSONResponse:
    """Answer a question that changes nothing."""
    actor = current_actor()
    body = await get_database().read(lambda session: work(session, actor))
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
