"""The decision: one pure function from facts to a verdict with typed reasons (AD-03).

Nothing else in the product says who may enter. The desk, the demo panel, the check-in route and later the
kiosk and the lane agent gather facts and ask ``decide``; ``admit`` asks it again inside its transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """What the desk is told, mildest first."""

    ADMIT = "admit"
    NEEDS = "needs"
    REVIEW = "review"
    REFUSE = "refuse"


class Reason(StrEnum):
    """Why; the wording lies in the catalogues under ``reason.<code>``."""

    BOOKED = "booked"
    HOST_AGREED = "host_agreed"
    STANDING = "standing"
    LEAVING = "leaving"

    NOTHING_READ = "nothing_read"
    READ_AGAIN = "read_again"
    DETAILS_MISSING = "details_missing"
    IDENTITY_MISSING = "identity_missing"
    DOCUMENT_MISSING = "document_missing"
    PERMIT_MISSING = "permit_missing"
    CONSENT_MISSING = "consent_missing"
    CONSENT_PENDING = "consent_pending"

    ALREADY_INSIDE = "already_inside"
    NOT_INSIDE = "not_inside"
    CODE_FORGED = "code_forged"
    DOCUMENT_OTHER_NAME = "document_other_name"
    DOCUMENT_OTHER_NUMBER = "document_other_number"
    DOCUMENT_EXPIRED = "document_expired"
    DOCUMENT_ABNORMAL = "document_abnormal"
    FACE_OTHER = "face_other"
    FACE_SPOOFED = "face_spoofed"
    CLOCK_UNSURE = "clock_unsure"
    CONSENT_TIMEOUT = "consent_timeout"
    WATCHED = "watched"

    CODE_FOREIGN = "code_foreign"
    CODE_STALE = "code_stale"
    CODE_REPLAYED = "code_replayed"
    UNKNOWN_CARD = "unknown_card"
    UNKNOWN_CODE = "unknown_code"
    CARD_BLOCKED = "card_blocked"
    PASS_ENDED = "pass_ended"
    PASS_LOST = "pass_lost"
    BOOKING_CANCELLED = "booking_cancelled"
    BOOKING_USED = "booking_used"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NOT_RENEWED = "not_renewed"
    HOST_DECLINED = "host_declined"
    BLOCKED = "blocked"


class Kind(StrEnum):
    """What was presented or seen."""

    CODE = "code"
    BADGE = "badge"
    SHORT_CODE = "short_code"
    CARD = "card"
    NAME = "name"
    DOCUMENT = "document"
    PERMIT = "permit"
    FACE = "face"


class Result(StrEnum):
    """What came of it."""

    OK = "ok"
    UNREADABLE = "unreadable"
    FORGED = "forged"
    FOREIGN = "foreign"
    STALE = "stale"
    REPLAYED = "replayed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    ENDED = "ended"
    LOST = "lost"
    OTHER_NAME = "other_name"
    OTHER_NUMBER = "other_number"
    EXPIRED = "expired"
    ABNORMAL = "abnormal"
    OTHER_FACE = "other_face"
    SPOOFED = "spoofed"
    UNSURE = "unsure"


class Consent(StrEnum):
    """Where the host's answer stands for a visitor without a booking (AD-08)."""

    NONE = "none"
    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"


class Risk(StrEnum):
    """How much the place demands (SI-02)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Watch(StrEnum):
    """What the watch list says."""

    CLEAR = "clear"
    NOTIFY = "notify"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing presented."""

    kind: Kind
    result: Result


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """What the decision needs to know of a booking."""

    status: str
    starts_at: datetime
    ends_at: datetime
    early: timedelta = timedelta(0)
    late: timedelta = timedelta(0)
    standing: bool = False
    renewed: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one arrival at the moment of asking."""

    risk: Risk
    leaving: bool = False
    evidence: tuple[Evidence, ...] = ()
    booking: BookingFacts | None = None
    walk_in: bool = False
    missing_fields: tuple[str, ...] = ()
    needs_permit: bool = False
    consent: Consent = Consent.NONE
    inside: bool = False
    watch: Watch = Watch.CLEAR
    clock_trusted: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict: its outcome, all its reasons with the weightiest first, and the fields still missing."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...] = field(default=())


STRONG = frozenset({Kind.CODE, Kind.SHORT_CODE, Kind.CARD, Kind.BADGE, Kind.FACE})
# What says nothing either way: it takes nothing back and proves nothing.
SILENT = frozenset({Result.UNREADABLE, Result.UNSURE})
FAULT_REASONS = {
    Result.FOREIGN: Reason.CODE_FOREIGN,
    Result.STALE: Reason.CODE_STALE,
    Result.REPLAYED: Reason.CODE_REPLAYED,
    Result.BLOCKED: Reason.CARD_BLOCKED,
    Result.ENDED: Reason.PASS_ENDED,
    Result.LOST: Reason.PASS_LOST,
    Result.UNREADABLE: Reason.READ_AGAIN,
    Result.UNSURE: Reason.READ_AGAIN,
}
# What makes a document abnormal (AD-18); the first three are found by a reader, the last by either.
DOCUMENT_REASONS = {
    Result.OTHER_NAME: Reason.DOCUMENT_OTHER_NAME,
    Result.OTHER_NUMBER: Reason.DOCUMENT_OTHER_NUMBER,
    Result.EXPIRED: Reason.DOCUMENT_EXPIRED,
    Result.ABNORMAL: Reason.DOCUMENT_ABNORMAL,
}
# A face that is compared and does not fit (AD-18). One that is not shown, or not seen well, is no doubt (ID-06).
FACE_REASONS = {
    Result.OTHER_FACE: Reason.FACE_OTHER,
    Result.SPOOFED: Reason.FACE_SPOOFED,
}


def decide(facts: Facts, now: datetime) -> Decision:
    """The verdict on an arrival. Pure: the same facts at the same moment give the same verdict.

    Order: who leaves is let out; then what refuses outright; then what a supervisor must look at;
    then what is still missing; only an arrival with none of these is admitted.
    """
    if facts.leaving:
        return _decide_exit(facts)
    latest = _latest(facts)
    if refusals := _refusals(facts, latest, now):
        return Decision(Outcome.REFUSE, refusals)
    if reviews := _reviews(facts, latest):
        return Decision(Outcome.REVIEW, reviews)
    if needs := _needs(facts, latest):
        return Decision(Outcome.NEEDS, needs, facts.missing_fields)
    return Decision(Outcome.ADMIT, _grounds(facts))


def _latest(facts: Facts) -> dict[Kind, Result]:
    """What counts of each kind: the last result. A failed read takes back nothing, neither good nor bad."""
    latest: dict[Kind, Result] = {}
    for item in facts.evidence:
        if item.result not in SILENT or item.kind not in latest:
            latest[item.kind] = item.result
    return latest


def _decide_exit(facts: Facts) -> Decision:
    # Nobody is held at the way out; a person whose entry is unknown is looked at, not locked in.
    if facts.inside:
        return Decision(Outcome.ADMIT, (Reason.LEAVING,))
    return Decision(Outcome.REVIEW, (Reason.NOT_INSIDE, *_faults(facts)))


def _faults(facts: Facts) -> tuple[Reason, ...]:
    reasons = []
    for kind, result in _latest(facts).items():
        if result is Result.UNKNOWN:
            reasons.append(Reason.UNKNOWN_CARD if kind is Kind.CARD else Reason.UNKNOWN_CODE)
        elif result is Result.FORGED:
            reasons.append(Reason.CODE_FORGED)
        elif result in FAULT_REASONS:
            reasons.append(FAULT_REASONS[result])
    return tuple(dict.fromkeys(reasons))


def _refusals(facts: Facts, latest: dict[Kind, Result], now: datetime) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if facts.watch is Watch.BLOCK:
        found.append(Reason.BLOCKED)
    if facts.booking is not None:
        found += _booking_refusals(facts.booking, facts.inside, now)
    if facts.consent is Consent.DECLINED:
        found.append(Reason.HOST_DECLINED)
    found += _item_refusals(facts, latest)
    return tuple(dict.fromkeys(found))


def _item_refusals(facts: Facts, latest: dict[Kind, Result]) -> list[Reason]:
    # A bad item refuses only while nothing good stands beside it: a stale code must not cost the visitor
    # the way by name, card or document (S-18). What was reported lost or ended counts in any case.
    found: list[Reason] = []
    named = facts.walk_in or Result.OK in latest.values()
    for reason in _faults(facts):
        final = reason in {Reason.PASS_LOST, Reason.CARD_BLOCKED, Reason.PASS_ENDED}
        if reason not in {Reason.READ_AGAIN, Reason.CODE_FORGED} and (final or not named):
            found.append(reason)
    return found


def _booking_refusals(booking: BookingFacts, inside: bool, now: datetime) -> list[Reason]:
    if booking.status in {"completed", "expired"}:
        if not inside:
            return [Reason.BOOKING_USED if booking.status == "completed" else Reason.TOO_LATE]
    elif booking.status not in {
        "approved",
        "arrived",
    }:  # a state this rule does not know is never a permission
        return [Reason.BOOKING_CANCELLED]
    if now < booking.starts_at - booking.early:
        return [Reason.TOO_EARLY]
    if now > booking.ends_at + booking.late:
        return [Reason.TOO_LATE]
    return [] if booking.renewed else [Reason.NOT_RENEWED]


def _reviews(facts: Facts, latest: dict[Kind, Result]) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if facts.watch is Watch.NOTIFY:
        found.append(Reason.WATCHED)
    if any(item.result is Result.FORGED for item in facts.evidence):
        found.append(Reason.CODE_FORGED)
    document = latest.get(Kind.DOCUMENT)
    if document in DOCUMENT_REASONS:
        found.append(DOCUMENT_REASONS[document])
    face = latest.get(Kind.FACE)
    if face in FACE_REASONS:
        found.append(FACE_REASONS[face])
    if facts.inside:
        found.append(Reason.ALREADY_INSIDE)
    if facts.consent is Consent.TIMED_OUT:
        found.append(Reason.CONSENT_TIMEOUT)
    # While the clock stands behind a time already seen, a rotating code proves nothing (S-17).
    if latest.get(Kind.CODE) is Result.OK and not facts.clock_trusted:
        found.append(Reason.CLOCK_UNSURE)
    return tuple(found)


def _needs(facts: Facts, latest: dict[Kind, Result]) -> tuple[Reason, ...]:
    found: list[Reason] = []
    good = {kind for kind, result in latest.items() if result is Result.OK}
    if not good and not facts.walk_in:
        faults = _faults(facts)
        return faults or (Reason.NOTHING_READ,)
    if facts.booking is None and not facts.walk_in:
        found.append(Reason.DETAILS_MISSING)
    if facts.missing_fields:
        found.append(Reason.DETAILS_MISSING)
    if facts.walk_in or facts.booking is None:
        found += _consent_needs(facts.consent)
    found += _identity_needs(facts, good)
    if facts.needs_permit and Kind.PERMIT not in good:
        found.append(Reason.PERMIT_MISSING)
    return tuple(dict.fromkeys(found))


def _consent_needs(consent: Consent) -> list[Reason]:
    # No consent, no entry: only AGREED passes, whatever else becomes possible later (AD-08).
    if consent is Consent.AGREED:
        return []
    return [Reason.CONSENT_PENDING if consent is Consent.ASKED else Reason.CONSENT_MISSING]


def _identity_needs(facts: Facts, good: set[Kind]) -> list[Reason]:
    if facts.risk is Risk.LOW:
        return []
    if facts.risk is Risk.HIGH:
        return [] if Kind.DOCUMENT in good else [Reason.DOCUMENT_MISSING]
    if good & STRONG or Kind.DOCUMENT in good:
        return []
    return [Reason.DOCUMENT_MISSING if facts.walk_in else Reason.IDENTITY_MISSING]


def overruled(facts: Facts) -> Facts:
    """The facts as a supervisor who overrules takes them: what is under review is vouched for by a person.

    Only doubts can be overruled. Whatever refuses outright, and a host's missing consent, stay as they are.
    """
    # A doubtful document that is vouched for must not become the good item that a refused one lacked.
    vouched = not _item_refusals(facts, _latest(facts))
    cleared = tuple(
        Evidence(item.kind, Result.OK)
        if vouched and item.kind is Kind.DOCUMENT and item.result in DOCUMENT_REASONS
        else item
        for item in facts.evidence
        if item.result is not Result.FORGED and not (item.kind is Kind.FACE and item.result in FACE_REASONS)
    )
    watch = Watch.CLEAR if facts.watch is Watch.NOTIFY else facts.watch
    return replace(facts, evidence=cleared, watch=watch, inside=False, clock_trusted=True)


def _grounds(facts: Facts) -> tuple[Reason, ...]:
    if facts.walk_in or facts.booking is None:
        return (Reason.HOST_AGREED,)
    return (Reason.STANDING,) if facts.booking.standing else (Reason.BOOKED,)
