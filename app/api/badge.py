"""The printed badge as a page of its own that opens the browser's print dialogue (AD-15)."""

from __future__ import annotations

import html
import io
from zoneinfo import ZoneInfo

import segno
from fastapi import Request, Response
from sqlmodel import Session

from app.api.access import locale_of, router
from app.core import audit, crypto, i18n
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import Conflict
from app.core.masking import mask_name
from app.core.permissions import Right, needs
from app.domain.access.models import VisitorPass
from app.domain.access.service import badge_code
from app.domain.admission import repository as admission
from app.domain.people import repository as people
from app.domain.sites import repository as sites

routes = router()

PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title>
<meta name="robots" content="noindex"><link rel="stylesheet" href="/badge.css">
<main class="badge"><header><b>{site}</b><span>{title}</span></header>
<h1>{name}</h1><dl><dt>{to_label}</dt><dd>{unit}</dd><dt>{valid_label}</dt><dd>{window}</dd>
<dt>{heads_label}</dt><dd>{heads}</dd></dl><figure>{code}</figure><p>{rules}</p></main>
<script src="/badge.js"></script></html>"""


@routes.get("/badge/{visit_id}")
@needs(Right.DESK_USE)
async def badge(request: Request, visit_id: str) -> Response:
    """Name masked as set, unit, validity and a code for the way out; never more (AD-15)."""
    actor = current_actor()
    locale = i18n.pick_locale(actor.locale, locale_of(request))

    def work(session: Session) -> str:
        visit = admission.visit(session, visit_id)
        actor.require(Right.DESK_USE, visit.site_id)
        issued = session.get(VisitorPass, visit.pass_id) if visit.pass_id else None
        if issued is None or visit.left_at is not None:
            raise Conflict("badge_none")
        site = sites.site(session, visit.site_id)
        person = people.person(session, visit.visitor_id or "")
        picture = io.BytesIO()
        segno.make(badge_code(issued), error="m", micro=False).save(
            picture, kind="svg", scale=4, border=2, xmldecl=False
        )
        audit.record(session, actor, "badge.print", "visit", visit.id, site_id=site.id)
        zone = ZoneInfo(site.time_zone)
        window = (
            f"{visit.entered_at.astimezone(zone):%m-%d %H:%M} – {visit.due_at.astimezone(zone):%m-%d %H:%M}"
        )
        words = {
            "lang": locale,
            "title": i18n.text(locale, "badge.title"),
            "site": site.name,
            "name": mask_name(crypto.reveal(person, "name")),
            "to_label": i18n.text(locale, "badge.to"),
            "unit": sites.unit(session, visit.unit_id or "").label,
            "valid_label": i18n.text(locale, "badge.valid"),
            "window": window,
            "heads_label": i18n.text(locale, "badge.heads"),
            "heads": str(visit.head_count),
            "rules": i18n.text(locale, "badge.rules"),
        }
        escaped = {key: html.escape(value) for key, value in words.items()}
        return PAGE.format(code=picture.getvalue().decode(), **escaped)

    page = await get_database().write(work)
    return Response(
        page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store, private"}
    )
