"""The ledger in words: attempts as rows, one attempt in full; names and phones stay masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.core import crypto, i18n
from app.core.i18n import text
from app.core.masking import mask_name, mask_phone
from app.domain.admission import repository as admission
from app.domain.people import repository as people
from app.domain.records import repository as records
from app.domain.sites import repository as sites
from state.console_words import Row, stamp, took

if TYPE_CHECKING:
    from sqlmodel import Session

    from app.domain.admission.models import Attempt, Visit
    from app.domain.people.models import Person
    from app.domain.sites.models import Site

STATUSES = ("open", "admitted", "refused", "set_aside", "left")
TONES = {"open": "wait", "admitted": "ok", "refused": "no", "left": "info"}
NONE = "—"


def visitor(person: Person | None, locale: str) -> str:
    """A visitor's name behind its mask."""
    if person is None:
        return NONE
    return mask_name(crypto.reveal(person, "name")) or text(locale, "person.erased")


def ledger(session: Session, site: Site, found: Sequence[records.LedgerRow], locale: str) -> list[Row]:
    """Rows of the ledger, newest first."""
    kinds = records.evidence_kinds(session, [attempt.id for attempt, *_ in found])
    return [
        {
            "id": attempt.id,
            "time": i18n.format_time(attempt.recorded_at, site.time_zone),
            "name": visitor(person, locale),
            "to": unit.label if unit else NONE,
            "how": _how(attempt, kinds.get(attempt.id, []), locale),
            "took": _took(attempt, visit),
            "tone": TONES.get(attempt.status, "plain"),
            "status": text(locale, f"attempt.{attempt.status}"),
            "why": _why(attempt, visit, locale),
        }
        for attempt, person, unit, visit in found
    ]


def _how(attempt: Attempt, kinds: Sequence[str], locale: str) -> str:
    words = [text(locale, f"evidence.{kind}") for kind in kinds]
    if attempt.walk_in:
        words.insert(0, text(locale, "console.walk_in"))
    return " + ".join(words) or NONE


def _took(attempt: Attempt, visit: Visit | None) -> str:
    if visit is not None and visit.attempt_id == attempt.id:
        return took(visit.serving_ms)
    if attempt.closed_at is None:
        return NONE
    return took(int((attempt.closed_at - attempt.recorded_at).total_seconds() * 1000))


def _why(attempt: Attempt, visit: Visit | None, locale: str) -> str:
    if visit is not None and visit.attempt_id == attempt.id and visit.exit_kind in records.UNSEEN:
        return text(locale, f"console.exit.{visit.exit_kind}")
    if attempt.status not in {"open", "refused"} or not attempt.reasons:
        return ""
    return text(locale, f"reason.{attempt.reasons[0]}")


def detail(session: Session, site: Site, row: records.LedgerRow, locale: str) -> tuple[list[Row], list[Row]]:
    """One attempt: its facts, and what was presented."""
    attempt, person, unit, visit = row
    lanes = {lane.id: f"{door.name} · {lane.name}" for lane, door in sites.lanes(session, site.id)}
    zone = site.time_zone
    comma = text(locale, "console.comma")
    pairs = [
        ("status", text(locale, f"attempt.{attempt.status}")),
        ("verdict", text(locale, f"outcome.{attempt.outcome}")),
        ("reasons", comma.join(text(locale, f"reason.{code}") for code in attempt.reasons)),
        ("missing", comma.join(text(locale, f"console.field.{code}") for code in attempt.missing)),
        ("name", visitor(person, locale)),
        ("phone", mask_phone(crypto.reveal(person, "phone")) if person else ""),
        ("to", unit.label if unit else ""),
        (
            "visitor_type",
            text(locale, f"visitor_type.{attempt.visitor_type}") if attempt.visitor_type else "",
        ),
        ("purpose", text(locale, f"purpose.{attempt.purpose}") if attempt.purpose else ""),
        ("head_count", str(attempt.head_count)),
        ("lane", lanes.get(attempt.lane_id, NONE)),
        ("recorded_at", stamp(attempt.recorded_at, zone)),
        ("closed_at", stamp(attempt.closed_at, zone) if attempt.closed_at else ""),
        ("closed_by", _who(session, attempt.closed_by, locale)),
        ("overruled_by", _who(session, attempt.forced_by, locale)),
        ("consent", _consent(session, attempt, zone, locale)),
        *_end(visit, zone, locale),
    ]
    facts = [{"term": text(locale, f"console.ledger.{key}"), "value": value} for key, value in pairs if value]
    evidence = [
        {
            "time": stamp(item.recorded_at, zone)[11:],
            "text": f"{text(locale, f'evidence.{item.kind}')} · {text(locale, f'result.{item.result}')}",
            "tone": "ok"
            if item.result == "ok"
            else ("wait" if item.result in {"unreadable", "unsure"} else "no"),
        }
        for item in admission.evidence_of(session, attempt.id)
    ]
    return facts, evidence


def _end(visit: Visit | None, zone: str, locale: str) -> list[tuple[str, str]]:
    """When and how a visit ended; one that nobody saw end has ended, but nobody has left."""
    if visit is None or visit.left_at is None:
        return []
    term = "ended_at" if visit.exit_kind in records.UNSEEN else "left_at"
    return [
        (term, stamp(visit.left_at, zone)),
        ("exit_kind", text(locale, f"console.exit.{visit.exit_kind}")),
    ]


def _who(session: Session, account_id: str, locale: str) -> str:
    if not account_id:
        return ""
    return people.usernames(session, [account_id]).get(account_id, text(locale, "console.system"))


def _consent(session: Session, attempt: Attempt, zone: str, locale: str) -> str:
    asked = admission.consent_of(session, attempt.id)
    if asked is None:
        return ""
    words = text(locale, f"console.consent.{asked.status}")
    return f"{words} · {stamp(asked.answered_at, zone)}" if asked.answered_at else words
