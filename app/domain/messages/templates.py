"""The texts of messages: the catalogue's, or a manager's own for a site."""

from __future__ import annotations

from sqlmodel import Session, select

from app.core import audit, clock, i18n
from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.permissions import Right
from app.domain.messages import rules
from app.domain.messages.models import MessageTemplate


def default(event: str, locale: str) -> str:
    """The catalogue's text of an event."""
    return i18n.text(locale, f"sms.{event}")


def own(session: Session, site_id: str) -> dict[tuple[str, str], str]:
    """What managers wrote, by event and language."""
    found = session.exec(select(MessageTemplate).where(MessageTemplate.site_id == site_id))
    return {(row.event, row.locale): row.text for row in found}


def text(session: Session, site_id: str, event: str, locale: str) -> str:
    """The text in force."""
    row = _row(session, site_id, event, locale)
    return row.text if row is not None else default(event, locale)


def save(session: Session, actor: Actor, event: str, locale: str, wanted: str) -> bool:
    """Put a text into force at the actor's site; False when it is in force already. Raises ``InvalidInput``."""
    actor.require(Right.POLICY_EDIT, actor.site_id)
    rules.event(event)
    if locale not in i18n.LOCALES:
        raise InvalidInput("choice_wrong", "locale")
    clean = "\n".join(" ".join(line.split()) for line in wanted.strip().splitlines())
    rules.check(event, clean)
    if clean == text(session, actor.site_id, event, locale):
        return False
    row = _row(session, actor.site_id, event, locale)
    if row is None:
        row = MessageTemplate(
            id=new_id(), site_id=actor.site_id, event=event, locale=locale, text="", changed_at=clock.now()
        )
    row.text, row.changed_at = clean, clock.now()
    session.add(row)
    session.flush()
    _note(session, actor, event, locale, "own")
    return True


def reset(session: Session, actor: Actor, event: str, locale: str) -> bool:
    """Go back to the catalogue's text; False when it is in force already."""
    actor.require(Right.POLICY_EDIT, actor.site_id)
    row = _row(session, actor.site_id, event, locale)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    _note(session, actor, event, locale, "default")
    return True


def _row(session: Session, site_id: str, event: str, locale: str) -> MessageTemplate | None:
    query = select(MessageTemplate).where(MessageTemplate.site_id == site_id, MessageTemplate.event == event)
    return session.exec(query.where(MessageTemplate.locale == locale)).first()


def _note(session: Session, actor: Actor, event: str, locale: str, to: str) -> None:
    details = {"event": event, "locale": locale, "to": to}
    audit.record(
        session, actor, "policy.message", "site", actor.site_id, site_id=actor.site_id, details=details
    )
