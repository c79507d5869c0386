"""What a desk shows of a lane, worded in the guard's language: built from the database, never kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.core import clock, crypto, i18n, inputs
from app.core.i18n import text
from app.core.masking import mask_name, mask_phone
from app.domain.admission import repository as admission
from app.domain.admission import self_registration
from app.domain.admission.evidence import ZONE
from app.domain.admission.face_evidence import is_comparison, is_of_booking, standing
from app.domain.admission.models import Attempt, EvidenceRow, HostConsent
from app.domain.admission.rules import Outcome
from app.domain.admission.self_models import SelfRegistration
from app.domain.booking import repository as bookings
from app.domain.people import repository as people
from app.domain.sites import repository as sites
from app.domain.sites.models import Device, Site
from state import case_notices
from state.cameras import trouble_of
from state.completed import completed

if TYPE_CHECKING:
    from sqlmodel import Session

TONES = {Outcome.ADMIT: "ok", Outcome.NEEDS: "wait", Outcome.REVIEW: "eye", Outcome.REFUSE: "no"}
LAMPS = {"online": "ok", "starting": "wait", "fault": "wait", "offline": "no", "unavailable": "no"}
# What a guard can mend stands beside the lamp in a word of its own.
TOLD = {"paper_out", "paper_low", "cover_open"}
SOON = timedelta(hours=12)
RECENT = timedelta(minutes=30)
UNCLEAR = {"unreadable", "unsure"}

Row = dict[str, str]


@dataclass(slots=True)
class Arrival:
    """The person in front of the guard; the name is released while the arrival is open, and only then."""

    id: str = ""
    outcome: str = ""
    tone: str = "plain"
    title: str = ""
    detail: str = ""
    name: str = ""
    tag: str = ""
    since: int = 0
    walk_in: bool = False
    leaving: bool = False
    consent: str = ""
    consent_text: str = ""
    asked_since: int = 0
    snapshot: str = ""
    case: str = ""
    document_seen: bool = False
    faces_seen: int = 0
    needs_document: bool = False
    needs_permit: bool = False
    facts: list[Row] = field(default_factory=list)
    chips: list[Row] = field(default_factory=list)
    trail: list[Row] = field(default_factory=list)
    household: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class LaneView:
    """All that a lane's desk shows of the lane itself."""

    arrival: Arrival = field(default_factory=Arrival)
    waiting: list[Row] = field(default_factory=list)
    lights: list[Row] = field(default_factory=list)
    camera: str = ""
    camera_trouble: str = ""
    printer: str = ""
    last_words: str = ""
    last_status: str = ""
    last_at: int = 0
    registered: list[Row] = field(default_factory=list)


def lane_view(session: Session, lane_id: str, locale: str, chosen: str) -> LaneView:
    """The lane as its desk shows it; each table is asked once, for this runs at every event."""
    devices = sites.devices_of_lane(session, lane_id)
    camera = next((d for d in devices if d.driver == "camera" and d.enabled), None)
    view = LaneView(
        lights=[_light(device, locale) for device in devices],
        camera=camera.id if camera else "",
        camera_trouble=trouble_of(camera, locale),
        printer=next((d.id for d in devices if d.driver == "printer" and d.enabled), ""),
        registered=[_registered(row) for row in self_registration.waiting(session, lane_id)],
    )
    rows = admission.open_attempts(session, lane_id)
    newest = rows[-1] if rows else admission.latest_closed(session, lane_id)
    evidence = admission.evidence_of(session, newest.id) if newest else ()
    if newest is not None and evidence:
        read = evidence[-1]
        view.last_words = _words(read, locale)
        view.last_status = text(locale, f"attempt.{newest.status}")
        view.last_at = int(read.recorded_at.timestamp() * 1000)
    if rows:
        # An identified arrival comes before a stray read, and the guard's own choice before both.
        serving = next((row for row in rows if row.id == chosen), None) or next(
            (row for row in rows if row.booking_id), rows[-1]
        )
        site = sites.site(session, serving.site_id)
        known = evidence if serving is newest else admission.evidence_of(session, serving.id)
        view.arrival = arrival(session, serving, known, site, locale)
        view.waiting = [_waiting(session, row, site, locale) for row in rows if row.id != serving.id]
    return view


def _registered(row: SelfRegistration) -> Row:
    given = self_registration.details_of(row)
    return {
        "id": row.id,
        "time": f"{row.number:02d}",
        "title": f"{mask_name(given['name'])} {mask_phone(given['phone'])}".strip(),
        "detail": given["unit"],
        "tag": "",
        "tone": "",
    }


def arrival(
    session: Session, attempt: Attempt, evidence: Sequence[EvidenceRow], site: Site, locale: str
) -> Arrival:
    """One open arrival in words."""
    outcome = Outcome(attempt.outcome)
    consent = admission.consent_of(session, attempt.id) if attempt.walk_in else None
    view = Arrival(
        id=attempt.id,
        outcome=outcome,
        tone=TONES[outcome],
        title=text(locale, f"verdict.{'leave' if attempt.leaving and outcome is Outcome.ADMIT else outcome}"),
        detail=text(locale, "punct.list").join(text(locale, f"reason.{code}") for code in attempt.reasons),
        since=int(attempt.recorded_at.timestamp() * 1000),
        walk_in=attempt.walk_in,
        leaving=attempt.leaving,
        snapshot=f"/api/attempts/{attempt.id}/snapshot" if attempt.snapshot_id else "",
        case=case_notices.chip_of(session, attempt.id, evidence, locale),
        document_seen=any(row.kind == "document" and _settled(row) for row in evidence),
        faces_seen=sum(row.kind == "face" for row in evidence),
        needs_document=bool({"document_missing", "identity_missing"} & set(attempt.reasons)),
        needs_permit="permit_missing" in attempt.reasons,
        chips=[_chip(row, locale) for row in _shown(standing(session, attempt.visitor_id, evidence))],
        trail=_trail(session, attempt, evidence, consent, site, locale),
    )
    if attempt.booking_id:
        _fill_booking(session, view, attempt, site, locale)
    if consent is not None:
        _fill_consent(session, view, consent, site, locale)
    if attempt.walk_in:
        view.household = _household(session, attempt.unit_id or "")
    return view


def _fill_booking(session: Session, view: Arrival, attempt: Attempt, site: Site, locale: str) -> None:
    booking, visitor, unit = bookings.full(session, attempt.booking_id or "")
    host = crypto.reveal(people.person(session, booking.host_id), "name") if booking.host_id else ""
    view.name = crypto.reveal(visitor, "name") or text(locale, "person.erased")
    kind = text(locale, f"visitor_type.{booking.visitor_type}")
    view.tag = text(locale, "desk.tag", kind=kind, count=booking.head_count)
    window = i18n.format_window(booking.starts_at, booking.ends_at, clock.now(), site.time_zone, locale)
    plate = crypto.reveal(booking, "plate")
    pairs = [
        ("desk.to", f"{unit.label} · {mask_name(host)}" if host else unit.label),
        ("desk.time", window),
        ("desk.purpose", text(locale, f"purpose.{booking.purpose}")),
        ("desk.phone", mask_phone(crypto.reveal(visitor, "phone"))),
        ("desk.company", crypto.reveal(visitor, "company")),
        ("desk.plate", inputs.show_plate(plate)),
        ("desk.document_tail", crypto.reveal(visitor, "document_tail")),
        ("desk.completed", completed(session, booking.id, site, locale)),
    ]
    view.facts = [{"term": text(locale, key), "value": value} for key, value in pairs if value]


def _fill_consent(session: Session, view: Arrival, consent: HostConsent, site: Site, locale: str) -> None:
    view.consent = consent.status
    view.asked_since = int(consent.asked_at.timestamp() * 1000) if consent.status == "asked" else 0
    view.consent_text = _consent_text(session, consent, site, locale)


def _consent_text(session: Session, consent: HostConsent, site: Site, locale: str) -> str:
    if consent.status in {"asked", "timed_out"} or consent.answered_at is None:
        return text(locale, f"consent.{consent.status}")
    who = mask_name(crypto.reveal(people.person(session, consent.answered_by), "name"))
    return text(
        locale,
        f"consent.{consent.status}_by",
        who=who,
        time=i18n.format_time(consent.answered_at, site.time_zone),
        channel=text(locale, f"channel.{consent.channel}"),
    )


def _household(session: Session, unit_id: str) -> list[Row]:
    rows = []
    for member, person in people.members(session, unit_id):
        name, phone = crypto.reveal(person, "name"), crypto.reveal(person, "phone")
        rows.append(
            {"id": member.person_id, "name": f"{mask_name(name)} {mask_phone(phone)}", "phone": phone}
        )
    return [{"id": row["id"], "name": row["name"]} for row in rows]


def _settled(row: EvidenceRow) -> bool:
    """Whether a look of the guard's adds nothing: seen and good, or read or entered, whatever came of it."""
    return row.result == "ok" or (bool(row.device_id or row.source) and row.result != "unreadable")


def _shown(evidence: Sequence[EvidenceRow]) -> Sequence[EvidenceRow]:
    """The last item of each kind; one that failed after a good or bad one stands beside it, until one is read again."""
    last: dict[tuple[str, bool], EvidenceRow] = {}
    for row in evidence:
        failed = row.result in UNCLEAR
        if not failed:
            last.pop((row.kind, True), None)
        last[row.kind, failed] = row
    return list(last.values())


def _words(row: EvidenceRow, locale: str) -> str:
    if row.kind == "document" and row.source == ZONE:
        return text(locale, f"document_zone.{row.result}")
    if row.kind == "document" and row.source:
        return text(locale, f"document_typed.{row.result}")
    if row.kind == "document" and row.device_id:
        return text(locale, f"card_read.{row.result}")
    if is_comparison(row) and is_of_booking(row):
        return text(locale, f"face_read_booking.{row.result}")
    if is_comparison(row):
        return text(locale, f"face_read.{row.result}")
    if row.kind == "face" and not row.device_id:
        return text(locale, f"face_seen.{row.result}")
    return f"{text(locale, f'evidence.{row.kind}')} · {text(locale, f'result.{row.result}')}"


def _chip(row: EvidenceRow, locale: str) -> Row:
    good = row.result == "ok"
    tone = "ok" if good else ("wait" if row.result in UNCLEAR else "no")
    word = text(locale, f"evidence.{row.kind}")
    if row.kind == "face" or (row.kind == "document" and (row.device_id or row.source)):
        return {"text": _words(row, locale), "tone": tone}
    return {"text": word if good else f"{word} {text(locale, f'result.{row.result}')}", "tone": tone}


def _trail(
    session: Session,
    attempt: Attempt,
    evidence: Sequence[EvidenceRow],
    consent: HostConsent | None,
    site: Site,
    locale: str,
) -> list[Row]:
    moments: list[tuple[datetime, str]] = []
    moments += [(row.recorded_at, _words(row, locale)) for row in evidence]
    if attempt.walk_in:
        moments.append((attempt.recorded_at, text(locale, "trail.registered")))
    if consent is not None:
        moments.append((consent.asked_at, text(locale, "trail.asked")))
        if consent.answered_at is not None:
            moments.append((consent.answered_at, _consent_text(session, consent, site, locale)))
    moments.sort()
    rows = [
        {"time": i18n.format_time(at, site.time_zone) + at.strftime(":%S"), "text": words, "tone": ""}
        for at, words in moments[-6:]
    ]
    verdict = text(locale, f"verdict.{attempt.outcome}")
    rows.append({"time": "", "text": text(locale, "trail.verdict", verdict=verdict), "tone": "now"})
    return rows


def _waiting(session: Session, attempt: Attempt, site: Site, locale: str) -> Row:
    name = text(locale, "desk.unknown")
    if attempt.visitor_id:
        name = mask_name(crypto.reveal(people.person(session, attempt.visitor_id), "name"))
    return {
        "id": attempt.id,
        "time": i18n.format_time(attempt.recorded_at, site.time_zone),
        "title": name,
        "detail": text(locale, f"reason.{attempt.reasons[0]}") if attempt.reasons else "",
        "tone": TONES[Outcome(attempt.outcome)],
        "tag": text(locale, f"outcome.{attempt.outcome}"),
    }


def expected(session: Session, site: Site, locale: str) -> tuple[list[Row], int]:
    """Who is still expected today, masked, and how many."""
    now = clock.now()
    rows = [
        {
            "id": booking.id,
            "time": i18n.format_time(booking.starts_at, site.time_zone),
            "title": _party(mask_name(crypto.reveal(visitor, "name")), booking.head_count, locale),
            "detail": f"{unit.label} · {text(locale, f'purpose.{booking.purpose}')}",
            "tag": "" if booking.starts_at > now else text(locale, "desk.due"),
            "tone": "plain",
        }
        for booking, visitor, unit in bookings.expected(session, site.id, now, now + SOON, 30)
    ]
    return rows, bookings.count_expected(session, site.id, now, now + SOON)


def inside(session: Session, site: Site, locale: str) -> tuple[list[Row], list[Row]]:
    """Who is inside, and of them who has overstayed."""
    now = clock.now()
    rows, late = [], []
    for visit, visitor, unit in admission.inside(session, site.id):
        over = now - visit.due_at
        name = mask_name(crypto.reveal(visitor, "name")) if visitor else text(locale, "desk.unknown")
        minutes = int(over.total_seconds() // 60)
        row = {
            "id": visit.id,
            "time": i18n.format_time(visit.entered_at, site.time_zone),
            "title": _party(name, visit.head_count, locale),
            "detail": f"{unit.label if unit else ''} · {text(locale, f'purpose.{visit.purpose}')}",
            "tag": text(locale, "desk.overdue") if minutes > 0 else "",
            "tone": "no" if minutes > 0 else "plain",
        }
        rows.append(row)
        if minutes > 0:
            late.append({**row, "time": f"+{minutes // 60}:{minutes % 60:02d}"})
    return rows, late


def _party(name: str, heads: int, locale: str) -> str:
    return text(locale, "desk.party", name=name, count=heads) if heads > 1 else name


def _light(device: Device, locale: str) -> Row:
    """A device as colour and word; unknown is never shown as fine."""
    status = device.status if device.enabled else "disabled"
    lamp, trouble = LAMPS.get(status, "off"), trouble_of(device, locale)
    word = "" if status == "online" else text(locale, f"device.{status}")
    if trouble:
        word = text(locale, f"camera.short.{device.status_detail}")
    elif device.enabled and device.status_detail in TOLD:
        word = text(locale, f"lamp.{device.status_detail}")
        lamp = "wait" if lamp == "ok" else lamp
    return {
        "id": device.id,
        "name": device.name,
        "hint": trouble or device.name,
        "lamp": lamp,
        "word": word,
    }
