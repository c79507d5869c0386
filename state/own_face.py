"""One's own face on one's own phone: whether it is enrolled, and taking it back with one tap (L-3, ID-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import i18n
from app.core.actor import Actor
from app.core.i18n import text
from app.domain.identity import consents, repository
from app.domain.identity.rules import Channel, Purpose
from app.domain.sites import repository as sites

if TYPE_CHECKING:
    from sqlmodel import Session


def shown(session: Session, actor: Actor, locale: str) -> dict[str, str]:
    """What the phone says of the own face; nothing where there was never a consent, or none any more."""
    consent = repository.newest_consent(session, actor.person_id, Purpose.FACE_RECOGNISE)
    if consent is None or consent.withdrawn_at is not None:
        return {}
    zone = sites.site(session, consent.site_id).time_zone
    template = next(iter(repository.templates_of(session, actor.person_id)), None)
    given = i18n.format_date(consent.given_at, zone, locale)
    if template is None:
        return {"id": consent.id, "line": text(locale, "faces.own_agreed", day=given)}
    until = i18n.format_date(template.expires_at, zone, locale)
    return {"id": consent.id, "line": text(locale, "faces.own_stored", day=given, until=until)}


def withdraw(session: Session, actor: Actor) -> None:
    """Take the consent back; without one there is nothing to do."""
    consent = repository.newest_consent(session, actor.person_id, Purpose.FACE_RECOGNISE)
    if consent is not None:
        consents.withdraw(session, actor, consent.id, Channel.PORTAL)
