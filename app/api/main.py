"""All routes together; only those for other systems are described by a page, and that is our own."""

from __future__ import annotations

from fastapi import FastAPI

from app.api import (
    agents,
    badge,
    faces,
    health,
    imports,
    lane_code,
    lanes,
    media,
    session,
    v1_bookings,
    v1_directory,
    v1_docs,
    visitor,
    visitor_photo,
)
from app.api.headers import SafeHeaders

# What anybody may send before it is known who asks; a route that takes files says so itself.
MAX_BODY = 32_768


def create() -> FastAPI:
    """The HTTP application that Reflex's own is mounted under."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=MAX_BODY)
    for module in (
        session,
        visitor,
        visitor_photo,
        media,
        faces,
        badge,
        lane_code,
        imports,
        lanes,
        agents,
        health,
    ):
        api.include_router(module.routes)
    for module in (v1_bookings, v1_directory, v1_docs):
        api.include_router(module.routes)
    api.include_router(agents.sockets)
    api.add_middleware(SafeHeaders)
    return api
