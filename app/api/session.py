"""Signing in and out by plain HTML forms, so that the cookie is HttpOnly and no script is needed."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from app.api.access import router
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import GateError, TooMany
from app.core.permissions import Right, needs
from app.core.settings import get_settings
from app.domain.people import sessions as sign_ins
from app.runtime import installation
from app.runtime.sessions import COOKIE

routes = router("/api")


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """A session cookie that no script reads and no other site sends."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=get_settings().uses_tls,
    )


def back(page: str, code: str, **params: str | int) -> RedirectResponse:
    """Return to a form with the code of what went wrong."""
    query = "&".join([f"error={quote(code)}", *(f"{k}={quote(str(v))}" for k, v in params.items())])
    return RedirectResponse(f"{page}?{query}", 303)


@routes.post("/session")
@needs(Right.PUBLIC)
async def sign_in(username: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
    """Check user name and password; a locked account and a wrong password look alike to a stranger."""
    ip = current_actor().ip
    try:
        sign_ins.check_address(ip)
    except TooMany as error:
        return back("/login", error.code, **error.params)
    database = get_database()
    signed_in = await database.write(lambda s: sign_ins.sign_in(s, username, password, ip))
    if signed_in is None:
        minutes = await database.read(lambda s: sign_ins.locked_minutes(s, username))
        return (
            back("/login", "sign_in_locked", minutes=minutes) if minutes else back("/login", "sign_in_wrong")
        )
    sign_ins.address_limit.clear(ip)
    response = RedirectResponse("/", 303)
    set_cookie(response, COOKIE, signed_in.secret, int(sign_ins.LONGEST.total_seconds()))
    return response


@routes.post("/session/end")
@needs(Right.SIGNED_IN)
async def sign_out() -> Response:
    """End the session and forget the tab's state."""
    actor = current_actor()
    await get_database().write(lambda s: sign_ins.sign_out(s, actor))
    response = RedirectResponse("/login?bye=1", 303)
    response.delete_cookie(COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@routes.post("/setup")
@needs(Right.PUBLIC)
async def first_run(
    token: Annotated[str, Form()] = "",
    site_name: Annotated[str, Form()] = "",
    site_kind: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Make the first site and its manager with the word printed at the start."""

    def work(session: Session) -> None:
        installation.first_run(session, token, site_name, site_kind, name, username, password)

    try:
        sign_ins.check_address(current_actor().ip)
        await get_database().write(work)
    except GateError as error:
        return back("/setup", error.code, **error.params)
    return RedirectResponse("/login?ready=1", 303)
