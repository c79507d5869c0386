"""The code that a lane shows for registering by one's own phone: on a screen that visitors can see (AD-06).

The screen belongs to the guard who is signed on there. It asks for a new code by itself and so does not count as the guard
being at work: when the session ends, the screen shows no code, and nobody can register where nobody sits.
"""

from __future__ import annotations

import html
import io
import re

import segno
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from app.api.access import locale_of, passive, router
from app.core import i18n
from app.core.actor import Actor, current_actor
from app.core.database import get_database
from app.core.errors import NotFound
from app.core.permissions import Right, needs
from app.core.settings import get_settings
from app.domain.admission import self_registration
from app.domain.duty import service as duty
from app.domain.sites import repository as sites

routes = router()

CODE = re.compile(r"[A-Za-z0-9_\-]{43}")
NO_STORE = {"Cache-Control": "no-store, private"}
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<link rel="stylesheet" href="/lane_code.css">
<main><p class="site">{site}</p>{demo}<h1>{title}</h1>
<figure><img id="code" src="/api/lane-code.svg" alt="{alt}"><p id="gone" role="status" hidden>{gone}</p></figure>
<ol><li>{first}</li><li>{second}</li><li>{third}</li></ol><p class="other">{other}</p></main>
<script src="/lane_code.js"></script></html>"""


def _lane(session: Session, actor: Actor) -> str:
    present = duty.present_duty(session, actor.account_id)
    if present is None:
        raise NotFound("lane_unknown")
    return present.lane_id


@routes.get("/lane-code")
@needs(Right.DESK_USE)
async def screen(request: Request) -> Response:
    """The screen: what to do, and the code of the lane that the guard is signed on to."""
    actor = current_actor()
    locale = i18n.pick_locale(actor.locale, locale_of(request))

    def load(session: Session) -> tuple[str, bool]:
        site = sites.site(session, sites.lane(session, _lane(session, actor)).site_id)
        return site.name, site.demo

    name, demo = await get_database().read(load)
    words = {
        key: html.escape(i18n.text(locale, f"lane_code.{key}"))
        for key in ("title", "alt", "gone", "first", "second", "third", "other")
    }
    mark = f'<p class="demo">{html.escape(i18n.text(locale, "common.demo"))}</p>' if demo else ""
    page = PAGE.format(lang=locale, site=html.escape(name), demo=mark, **words)
    return Response(page, media_type="text/html", headers=NO_STORE)


@routes.get("/api/lane-code.svg")
@needs(Right.DESK_USE)
@passive
async def picture(request: Request) -> Response:
    """The code of this minute as a picture; asked for again and again by the screen."""
    actor = current_actor()
    code = await get_database().read(
        lambda s: self_registration.code_of(s, actor, _lane(s, actor)),
    )
    base = get_settings().public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    drawn = io.BytesIO()
    segno.make(f"{base}/r/{code}", error="m", micro=False).save(
        drawn, kind="svg", scale=8, border=2, xmldecl=False, light="#fff", omitsize=True
    )
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=NO_STORE)


@routes.get("/r/{code}")
@needs(Right.PUBLIC)
async def follow(code: str) -> Response:
    """The address in the code; it leads to the form."""
    target = f"/register?code={code}" if CODE.fullmatch(code) else "/register"
    return RedirectResponse(target, 303, {**NO_STORE, "Referrer-Policy": "no-referrer"})
