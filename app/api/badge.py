"""The printed badge as a page of its own that opens the browser's print dialogue (AD-15)."""

from __future__ import annotations

import html
import io

import segno
from fastapi import Request, Response
from sqlmodel import Session

from app.api.access import locale_of, router
from app.core import audit, i18n
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.permissions import Right, needs
from app.domain.admission.badges import Badge, badge_of

routes = router()

PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<meta name="robots" content="noindex"><link rel="stylesheet" href="/badge.css">
<main class="badge"><header><b>{site}</b><span>{title}</span></header>{demo}
<h1>{name}</h1><dl><dt>{to_label}</dt><dd>{unit}</dd><dt>{valid_label}</dt><dd>{window}</dd>
<dt>{heads_label}</dt><dd>{heads}</dd><dt>{lane_label}</dt><dd>{lane}</dd></dl>
<figure>{code}</figure><p>{rules}</p></main>
<script src="/badge.js"></script></html>"""


def page_of(badge: Badge, locale: str) -> str:
    """The badge as a page; what comes from outside is escaped."""
    picture = io.BytesIO()
    segno.make(badge.code, error="m", micro=False).save(picture, kind="svg", scale=4, border=2, xmldecl=False)
    words = {
        "lang": locale,
        "title": i18n.text(locale, "badge.title"),
        "site": badge.site,
        "name": badge.name,
        "to_label": i18n.text(locale, "badge.to"),
        "unit": badge.unit,
        "valid_label": i18n.text(locale, "badge.valid"),
        "window": badge.window,
        "heads_label": i18n.text(locale, "badge.heads"),
        "heads": str(badge.heads),
        "lane_label": i18n.text(locale, "badge.lane"),
        "lane": f"{badge.lane} · {badge.entered}",
        "rules": i18n.text(locale, "badge.rules"),
    }
    escaped = {key: html.escape(value) for key, value in words.items()}
    mark = html.escape(i18n.text(locale, "badge.demo"))
    demo = f'<div class="demo">{mark}</div>' if badge.demo else ""
    return PAGE.format(code=picture.getvalue().decode(), demo=demo, **escaped)


@routes.get("/badge/{visit_id}")
@needs(Right.DESK_USE)
async def badge(request: Request, visit_id: str) -> Response:
    """Name as the site has it printed, unit, validity and a code for the way out; never more (AD-15)."""
    actor = current_actor()
    locale = i18n.pick_locale(actor.locale, locale_of(request))

    def work(session: Session) -> Badge:
        made = badge_of(session, actor, visit_id)
        audit.record(session, actor, "badge.print", "visit", made.visit_id, site_id=made.site_id)
        return made

    page = page_of(await get_database().write(work), locale)
    return Response(
        page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store, private"}
    )
