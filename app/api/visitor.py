"""The visitor's link, its second factor, and what the pass page needs to make the rotating code (S-15, S-19)."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlmodel import Session

from app.api.access import client_ip, router
from app.api.session import back, set_cookie
from app.core import clock, crypto
from app.core.actor import current_actor
from app.core.database import announce, get_database
from app.core.errors import GateError, NotFound
from app.core.permissions import Right, needs
from app.core.settings import get_settings
from app.domain.access import repository as access
from app.domain.access import service as access_service
from app.domain.access.rules import PassStatus
from app.domain.booking import links
from app.domain.booking import repository as bookings
from app.domain.booking.rules import LinkEnd
from app.domain.people import sessions as sign_ins
from app.domain.people.models import SessionEnded, WebSession
from app.runtime.sessions import VISITOR_COOKIE

routes = router()

# Says to the page's scripts whose pass this browser may show without a network. A mark, no secret: it opens nothing.
HOLDER_COOKIE = "gatehouse_pass"
MARK_BYTES = 8
SESSION_SECONDS = 30 * 86_400
LINK = re.compile(r"[A-Za-z0-9_\-]{24}")
PRIVATE = {
    "Cache-Control": "no-store, private",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}


@routes.get("/v/{link}")
@needs(Right.PUBLIC)
async def follow(link: str) -> Response:
    """The short address in a message; it leads to the page that asks for the second factor."""
    target = f"/pass?link={link}" if LINK.fullmatch(link) else "/pass?error=link_unknown"
    return RedirectResponse(target, 303, PRIVATE)


@routes.post("/api/visitor/open")
@needs(Right.PUBLIC)
async def open_link(
    request: Request, link: Annotated[str, Form()] = "", phone_tail: Annotated[str, Form()] = ""
) -> Response:
    """Check the second factor, ``phone_tail`` or the host's code, and give this browser a visitor session."""
    ip = client_ip(request)
    secret: str | None = None

    def work(session: Session) -> str | None:
        booking = links.open_link(session, link, phone_tail)
        if booking is None:
            return None
        return sign_ins.open_visitor_session(session, booking.id, links.until(session, booking), ip)

    try:
        sign_ins.check_address(ip)
        secret = await get_database().write(work)
    except GateError as error:
        known = f"/pass?link={link}&" if LINK.fullmatch(link) else "/pass?"
        query = "&".join([f"error={error.code}", *(f"{k}={v}" for k, v in error.params.items())])
        return RedirectResponse(known + query, 303, PRIVATE)
    if secret is None:
        known_link = await get_database().read(lambda session: links.look(session, link))
        wrong = "phone_tail_wrong" if known_link.by_phone else "open_code_wrong"
        return RedirectResponse(f"/pass?link={link}&error={wrong}", 303, PRIVATE)
    response = RedirectResponse("/pass", 303, PRIVATE)
    set_cookie(response, VISITOR_COOKIE, secret, SESSION_SECONDS)
    response.set_cookie(
        HOLDER_COOKIE,
        _mark(crypto.hash_secret(secret)),
        max_age=SESSION_SECONDS,
        samesite="strict",
        secure=get_settings().uses_tls,
    )
    return response


@routes.get("/api/visitor/pass")
@needs(Right.PASS_OWN)
async def own_pass() -> Response:
    """The secret of this visitor's own pass, from which the page makes codes, also without a network."""
    actor = current_actor()

    def work(session: Session) -> dict[str, Any]:
        issued = access.of_booking(session, actor.booking_id)
        booking = bookings.booking(session, actor.booking_id)
        if issued is None:
            raise NotFound("pass_unknown")
        end = links.end_of(session, booking)
        live = issued.status == PassStatus.ACTIVE and end is None
        over = PassStatus.EXPIRED if end is LinkEnd.EXPIRED else PassStatus.REVOKED
        ended = issued.status if issued.status != PassStatus.ACTIVE else over
        body: dict[str, Any] = {
            "status": "active" if live else str(ended),
            "holder": _mark(bytes.fromhex(actor.session_id)),
            "link": _mark(crypto.hash_secret(links.link_secret(booking))),
            "server_time": int(clock.now().timestamp() * 1000),
            "not_after": int(links.until(session, booking).timestamp()),
        }
        if live:
            body |= {
                "code_id": issued.code_id,
                "kid": issued.kid,
                "secret": base64.urlsafe_b64encode(access_service.secret_of(issued)).decode().rstrip("="),
                "short_code": crypto.reveal(issued, "short_code") or None,
            }
        return body

    return JSONResponse(await get_database().read(work), headers=PRIVATE)


@routes.post("/api/visitor/close")
@needs(Right.PASS_OWN)
async def close() -> Response:
    """Forget this visitor on this phone."""
    actor = current_actor()

    def work(session: Session) -> None:
        row = session.get(WebSession, bytes.fromhex(actor.session_id))
        if row is not None:
            session.delete(row)
            announce(session, SessionEnded([row.id]))

    await get_database().write(work)
    response = back("/pass", "closed")
    response.delete_cookie(VISITOR_COOKIE, path="/")
    response.delete_cookie(HOLDER_COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


def _mark(digest: bytes) -> str:
    return digest[:MARK_BYTES].hex()
