"""The page of faces in words: policy, what a change of it does, models, gauge, people (masked)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.core import clock, crypto
from app.core.i18n import text
from app.core.masking import mask_name, mask_phone
from app.domain.identity import consents, face_policy, repository
from app.domain.identity.rules import FILING_PEOPLE, LIMITS, Liveness, Purpose, gauge_level
from app.domain.sites import repository as sites
from state.console_words import PAGE, Row, or_code, stamp

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.identity.models import ConsentRecord, FacePolicy, FaceTemplate
    from app.domain.people.models import Person
    from app.domain.sites.models import Site
    from app.runtime.hub import Hub

SWITCHES = ("verify", "recognise")
GAUGE_TONES = {0: "ok", 60: "wait", 80: "wait", 95: "no", 100: "no"}
MODEL_TONES = {"ready": "ok", "starting": "wait", "no_pack": "plain"}


def wanted(form: Mapping[str, Any]) -> dict[str, Any]:
    """The policy as a form says it; a switch that is off is not sent."""
    values: dict[str, Any] = {name: bool(form.get(name)) for name in SWITCHES}
    values |= {name: str(form[name]) for name in (*LIMITS, "liveness") if name in form}
    return values


def changes(policy: FacePolicy, values: Mapping[str, Any], locale: str) -> list[Row]:
    """Each value that would change: before, after, and what that does."""
    rows = []
    for name, value in values.items():
        before = getattr(policy, name)
        if value == before:
            continue
        case = f"{name}_{'on' if value else 'off'}" if name in SWITCHES else name
        rows.append(
            {
                "id": name,
                "on": "1" if value is True else "",
                "what": text(locale, f"faces.field.{name}"),
                "before": _value(name, before, locale),
                "after": _value(name, value, locale),
                "effect": text(locale, f"faces.effect.{case}"),
            }
        )
    return rows


def told(details: Mapping[str, Any], locale: str) -> str:
    """One change as the history of the policy tells it."""
    name = str(details.get("field", ""))
    before, after = (_value(name, details.get(key), locale) for key in ("from", "to"))
    return text(locale, "faces.told", field=text(locale, f"faces.field.{name}"), before=before, after=after)


def _value(name: str, value: Any, locale: str) -> str:
    if name in SWITCHES:
        return text(locale, "faces.on" if value else "faces.off")
    if name == "liveness":
        return text(locale, f"faces.liveness.{value}")
    if name == "template_days":
        return text(locale, "faces.days", days=str(value))
    return f"{int(value) / 100:.2f}" if isinstance(value, int) else str(value)


def models(center: Hub | None, locale: str) -> Row:
    """How the models are, and under which licence."""
    if center is None:
        return {"tone": "wait", "word": text(locale, "faces.models.starting"), "detail": "", "licence": ""}
    state = center.faces.state
    detail = text(locale, f"faces.pack.{state.detail}") if state.detail else ""
    licence = state.pack.licence if state.pack else ""
    return {
        "tone": MODEL_TONES.get(state.code, "no"),
        "word": text(locale, f"faces.models.{state.code}"),
        "detail": or_code(detail, state.detail),
        "name": state.pack.name if state.pack else "",
        "licence": or_code(text(locale, f"faces.licence.{licence}"), licence) if licence else "",
    }


def page(session: Session, site_id: str, number: int, locale: str) -> dict[str, Any]:
    """All of the page that the database knows."""
    site, policy = sites.site(session, site_id), face_policy.of_site(session, site_id)
    total = repository.count_agreed(session, site_id, Purpose.FACE_RECOGNISE)
    pages = max(1, -(-total // PAGE))
    number = min(number, pages)
    found = repository.agreed(session, site_id, Purpose.FACE_RECOGNISE, PAGE, (number - 1) * PAGE)
    return {
        "rows": [_row(person, consent, template, site, locale) for person, consent, template in found],
        "total": total,
        "number": number,
        "pages": pages,
        "recognises": policy.recognise,
        "policy": {
            "verify": "1" if policy.verify else "",
            "recognise": "1" if policy.recognise else "",
            "liveness": policy.liveness,
            "key": f"{policy.verify}{policy.recognise}{policy.liveness}",
        },
        "numbers": [_number(name, policy, locale) for name in LIMITS],
        "levels": [[level.value, text(locale, f"faces.liveness.{level}")] for level in Liveness],
        "assessment": _assessment(session, policy, locale),
        **_gauge(repository.count_people(session), locale),
    }


def _number(name: str, policy: FacePolicy, locale: str) -> Row:
    value, limit = getattr(policy, name), LIMITS[name]
    return {
        "id": name,
        "key": f"{name}-{value}",
        "label": text(locale, f"faces.field.{name}"),
        "hint": text(locale, f"faces.hint.{name}", low=limit.low, high=limit.high),
        "value": str(value),
        "low": str(limit.low),
        "high": str(limit.high),
    }


def _assessment(session: Session, policy: FacePolicy, locale: str) -> Row:
    row = repository.assessment(session, policy.assessment_id)
    if row is None:
        return {}
    return {
        "title": row.title,
        "line": text(locale, "faces.assessment_line", date=row.made_on.isoformat(), reference=row.reference),
    }


def _gauge(people: int, locale: str) -> dict[str, Any]:
    level = gauge_level(people)
    share = min(100, round(100 * people / FILING_PEOPLE))
    return {
        "gauge_share": share,
        "gauge": {
            "tone": GAUGE_TONES[level],
            "value": f"{people:,}",
            "detail": text(locale, "faces.gauge_detail", limit=f"{FILING_PEOPLE:,}"),
            "warning": gauge_warning(people, locale),
        },
    }


def gauge_warning(people: int, locale: str) -> str:
    """What there is to do at the level that the number of stored faces has reached; empty below all."""
    level = gauge_level(people)
    if not level:
        return ""
    key = "faces.gauge_full" if level == GAUGE_FULL else "faces.gauge_level"
    return text(locale, key, level=level, people=f"{people:,}")


GAUGE_FULL = 100


def _row(
    person: Person, consent: ConsentRecord, template: FaceTemplate | None, site: Site, locale: str
) -> Row:
    outdated = not consents.in_force(consent)
    tone, status = "wait", text(locale, "faces.not_captured")
    if outdated:
        status = text(locale, "faces.outdated")
    elif template is not None:
        over = clock.now() >= template.expires_at
        tone = "no" if over else "ok"
        day = stamp(template.expires_at, site.time_zone)[:10]
        status = text(locale, "faces.expired" if over else "faces.until", day=day)
    guardian = (
        text(
            locale, "faces.by_guardian", relation=text(locale, f"faces.relation.{consent.guardian_relation}")
        )
        if consent.guardian_relation
        else ""
    )
    return {
        "id": consent.id,
        "person": person.id,
        "name": mask_name(crypto.reveal(person, "name")) or text(locale, "person.erased"),
        "phone": mask_phone(crypto.reveal(person, "phone")),
        "agreed": stamp(consent.given_at, site.time_zone)[:10],
        "how": guardian,
        "tone": tone,
        "status": status,
        "ask": "1" if outdated else "",
        "act": text(
            locale, "faces.ask_again" if outdated else "faces.capture_again" if template else "faces.capture"
        ),
    }
