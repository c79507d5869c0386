"""Hosts and companies for other systems (I-12): found by the asker's own numbers, never by phone."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.api.v1_models import ID_PATTERN, CompanyOut, CompanyPut, DirectoryHostOut, HostPut
from app.api.v1_responses import READ, WRITE
from app.api.v1_route import MAX_BODY, answer, answer_once, router
from app.core.actor import Actor
from app.core.permissions import Right, needs
from app.domain.integration import directory
from app.domain.integration.directory import HostEntry
from app.domain.integration.requests import MAX_KEY, Reply
from app.domain.integration.rules import MAX_VERSION

routes = router("/api/v1")

ExtId = Annotated[str, Path(min_length=1, max_length=100, pattern=ID_PATTERN)]
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=MAX_KEY)]
CREATED = {**WRITE, 201: {"description": "Entered."}}


@routes.put("/hosts/{ext_id}", response_model=DirectoryHostOut, responses=CREATED, max_body_size=MAX_BODY)
@needs(Right.DIRECTORY_WRITE)
async def put_host(
    request: Request, ext_id: ExtId, body: HostPut, idempotency_key: IdempotencyKey = ""
) -> JSONResponse:
    """Enter or change a host. With `active` false access ends at once, and open invitations go to the deputy."""

    def work(session: Session, actor: Actor) -> Reply:
        entry = HostEntry(
            version=body.number or 0,
            name=body.name,
            phone=body.phone,
            unit=body.unit or "",
            unit_ext_id=body.unit_ext_id or "",
            deputy=body.deputy or "",
            active=body.active,
        )
        return directory.put_host(session, actor, ext_id, entry)

    return await answer_once(request, idempotency_key, work)


@routes.delete("/hosts/{ext_id}", response_model=DirectoryHostOut, responses=WRITE)
@needs(Right.DIRECTORY_WRITE)
async def remove_host(
    request: Request,
    ext_id: ExtId,
    version: Annotated[int | None, Query(ge=0, le=MAX_VERSION)] = None,
    idempotency_key: IdempotencyKey = "",
) -> JSONResponse:
    """End the access of a leaver. Without a `version` this is the newest word on them. An empty body is signed."""

    def work(session: Session, actor: Actor) -> Reply:
        return directory.remove_host(session, actor, ext_id, version)

    return await answer_once(request, idempotency_key, work)


@routes.get("/hosts/{ext_id}", response_model=DirectoryHostOut, responses=READ)
@needs(Right.DIRECTORY_READ)
async def get_host(ext_id: ExtId) -> JSONResponse:
    """One host of the site, masked."""
    return await answer(lambda session, actor: directory.get_host(session, actor, ext_id))


@routes.put("/companies/{ext_id}", response_model=CompanyOut, responses=CREATED, max_body_size=MAX_BODY)
@needs(Right.DIRECTORY_WRITE)
async def put_company(
    request: Request, ext_id: ExtId, body: CompanyPut, idempotency_key: IdempotencyKey = ""
) -> JSONResponse:
    """Enter or rename a company, or a department that receives visitors of its own."""

    def work(session: Session, actor: Actor) -> Reply:
        return directory.put_unit(session, actor, ext_id, body.number or 0, body.label, body.building or "")

    return await answer_once(request, idempotency_key, work)
