"""Bookings for other systems (BK-03): signed, idempotent, in the order of the asker's own versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from fastapi import Header, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.api.v1_models import (
    ID_PATTERN,
    ROW_PATTERN,
    BookingDone,
    BookingIn,
    BookingOut,
    BookingPage,
    CancelIn,
)
from app.api.v1_responses import READ, WRITE
from app.api.v1_route import MAX_BODY, V1Route, answer, answer_once, router
from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.permissions import Right, needs
from app.domain.booking.rules import BookingStatus, Purpose
from app.domain.identity.numbers import DocumentKind
from app.domain.integration import bookings
from app.domain.integration.bookings import MAX_PAGE
from app.domain.integration.bookings import Request as Visit
from app.domain.integration.hosts import Wanted
from app.domain.integration.requests import MAX_KEY, Reply, Reused
from app.domain.sites.rules import VisitorKind


class BookingRoute(V1Route):
    """Names fields as a booking's request does."""

    fields: ClassVar[Mapping[str, str]] = {
        "name": "visitor.name",
        "phone": "visitor.phone",
        "company": "visitor.company",
        "document": "visitor.document",
        "document_kind": "visitor.document_kind",
        "window": "from",
    }


routes = router("/api/v1/bookings", BookingRoute)

BookingId = Annotated[str, Path(pattern=ROW_PATTERN)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=MAX_KEY,
        description="The same key with the same body has the same answer and one effect, for seven days.",
    ),
]


@routes.post("", status_code=201, response_model=BookingDone, responses=WRITE, max_body_size=MAX_BODY)
@needs(Right.BOOKING_WRITE)
async def create(request: Request, body: BookingIn, idempotency_key: IdempotencyKey = "") -> JSONResponse:
    """Book a visit and issue its pass. A `ref` that is known makes it a change of that visit."""
    if idempotency_key and body.idempotency_key and idempotency_key != body.idempotency_key:
        raise Reused("idempotency_twice")

    def work(session: Session, actor: Actor) -> Reply:
        body.check_site(actor.site_id)
        return _warned(bookings.create(session, actor, _visit(body)), body)

    return await answer_once(request, idempotency_key or body.idempotency_key or "", work)


@routes.put("/{booking_id}", response_model=BookingDone, responses=WRITE, max_body_size=MAX_BODY)
@needs(Right.BOOKING_WRITE)
async def change(
    request: Request, booking_id: BookingId, body: BookingIn, idempotency_key: IdempotencyKey = ""
) -> JSONResponse:
    """Bring a visit to a newer version. Its pass moves with its time; for another visitor it is issued anew."""

    def work(session: Session, actor: Actor) -> Reply:
        body.check_site(actor.site_id)
        return _warned(bookings.change(session, actor, booking_id, _visit(body)), body)

    return await answer_once(request, idempotency_key, work)


@routes.post("/{booking_id}/cancel", response_model=BookingDone, responses=WRITE, max_body_size=MAX_BODY)
@needs(Right.BOOKING_WRITE)
async def cancel(
    request: Request, booking_id: BookingId, body: CancelIn, idempotency_key: IdempotencyKey = ""
) -> JSONResponse:
    """Call a visit off. The pass is dead with the answer, at the gate as well."""

    def work(session: Session, actor: Actor) -> Reply:
        return bookings.cancel(session, actor, booking_id, body.number or 0)

    return await answer_once(request, idempotency_key, work)


@routes.get("/{booking_id}", response_model=BookingOut, responses=READ)
@needs(Right.BOOKING_READ)
async def get(booking_id: BookingId) -> JSONResponse:
    """One visit of the site."""
    return await answer(lambda session, actor: bookings.get(session, actor, booking_id))


@routes.get("", response_model=BookingPage, responses=READ)
@needs(Right.BOOKING_READ)
async def page(
    cursor: Annotated[str, Query(pattern=r"^(?:[0-9a-f]{32})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    state: Annotated[BookingStatus | None, Query()] = None,
    ref: Annotated[str, Query(max_length=100, pattern=f"^$|{ID_PATTERN}")] = "",
) -> JSONResponse:
    """Visits of the site, oldest first. Ask again with `next` as the cursor until it is empty."""

    def work(session: Session, actor: Actor) -> dict[str, Any]:
        items, after = bookings.page(session, actor, after=cursor, limit=limit, state=state or "", ref=ref)
        return {"items": items, "next": after}

    return await answer(work)


def _visit(body: BookingIn) -> Visit:
    kind = body.visitor_type or VisitorKind.GUEST
    if kind not in set(VisitorKind):
        raise InvalidInput("choice_wrong", "visitor_type")
    return Visit(
        version=body.number or 0,
        host=Wanted(
            body.host.ext_id or "", body.host.name or "", body.host.unit or "", body.host.unit_ext_id or ""
        ),
        name=body.visitor.name,
        phone=body.visitor.phone or "",
        starts_at=body.from_,
        ends_at=body.to,
        ref=body.ref or "",
        company=body.visitor.company or "",
        document=body.visitor.document or "",
        document_kind=body.visitor.document_kind or DocumentKind.RESIDENT_ID,
        purpose=body.purpose or Purpose.OTHER,
        head_count=body.head_count,
        plate=body.plate or "",
        visitor_type=kind,
        urgent=body.urgent,
        notify=body.notify,
    )


def _warned(reply: Reply, body: BookingIn) -> Reply:
    reply.body["warnings"] += body.unused()
    return reply
