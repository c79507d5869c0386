"""The admission rules once more, as a flat table: the oracle of the tests and the source of docs/admission.md.

The product gets to a verdict by a chain of functions; this table says the same by rows. A case gets the gravest level
with a row that holds, and all reasons of that level in the order of the table. Leaving is apart, as in the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.domain.admission.rules import (
    BookingFacts,
    Consent,
    Evidence,
    Facts,
    Kind,
    Outcome,
    Reason,
    Result,
    Risk,
    Watch,
)

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def booking(**changes: object) -> BookingFacts:
    """An approved booking whose window is open."""
    standard: dict[str, object] = {"status": "approved", "starts_at": NOW - HOUR, "ends_at": NOW + HOUR}
    return BookingFacts(**(standard | changes))  # type: ignore[arg-type]


BOOKINGS: dict[str, BookingFacts | None] = {
    "none": None,
    "open": booking(),
    "standing": booking(standing=True),
    "arrived": booking(status="arrived"),
    "early": booking(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR),
    "late": booking(ends_at=NOW - timedelta(seconds=1)),
    "not renewed": booking(renewed=False),
    "cancelled": booking(status="cancelled"),
    "completed": booking(status="completed"),
    "expired": booking(status="expired"),
    "of a later version": booking(status="pending_review"),
}
EVIDENCE = [()] + [(Evidence(kind, result),) for kind in Kind for result in Result]


@dataclass(frozen=True, slots=True)
class Case:
    """One arrival in the words of the table."""

    risk: Risk
    evidence: tuple[Evidence, ...]
    booking: str
    consent: Consent
    walk_in: bool
    inside: bool
    watch: Watch = Watch.CLEAR
    clock_trusted: bool = True
    needs_permit: bool = False
    missing: tuple[str, ...] = ()

    def facts(self) -> Facts:
        return Facts(
            risk=self.risk,
            evidence=self.evidence,
            booking=BOOKINGS[self.booking],
            walk_in=self.walk_in,
            missing_fields=self.missing,
            needs_permit=self.needs_permit,
            consent=self.consent,
            inside=self.inside,
            watch=self.watch,
            clock_trusted=self.clock_trusted,
        )

    def has(self, result: Result, *kinds: Kind) -> bool:
        """Whether such a result is there, of these kinds or of any."""
        return any(e.result is result and (not kinds or e.kind in kinds) for e in self.evidence)

    @property
    def nobody(self) -> bool:
        """Neither a good item nor a registered stranger: we do not know whom we talk about."""
        return not self.walk_in and not self.has(Result.OK)

    @property
    def needs_host(self) -> bool:
        return self.walk_in or self.booking == "none"

    @property
    def known_by_item(self) -> bool:
        return self.has(
            Result.OK, Kind.CODE, Kind.BADGE, Kind.SHORT_CODE, Kind.CARD, Kind.DOCUMENT, Kind.FACE
        )


Row = tuple[Outcome, Reason, Callable[[Case], bool]]
# fmt: off
TABLE: list[Row] = [
    (Outcome.REFUSE, Reason.BLOCKED,           lambda c: c.watch is Watch.BLOCK),
    (Outcome.REFUSE, Reason.BOOKING_CANCELLED, lambda c: c.booking in {"cancelled", "of a later version"}),
    (Outcome.REFUSE, Reason.BOOKING_USED,      lambda c: c.booking == "completed" and not c.inside),
    (Outcome.REFUSE, Reason.TOO_EARLY,         lambda c: c.booking == "early"),
    (Outcome.REFUSE, Reason.TOO_LATE,          lambda c: c.booking == "late" or (c.booking == "expired" and not c.inside)),
    (Outcome.REFUSE, Reason.NOT_RENEWED,       lambda c: c.booking == "not renewed"),
    (Outcome.REFUSE, Reason.HOST_DECLINED,     lambda c: c.consent is Consent.DECLINED),
    (Outcome.REFUSE, Reason.PASS_LOST,         lambda c: c.has(Result.LOST)),
    (Outcome.REFUSE, Reason.PASS_ENDED,        lambda c: c.has(Result.ENDED)),
    (Outcome.REFUSE, Reason.CARD_BLOCKED,      lambda c: c.has(Result.BLOCKED)),
    (Outcome.REFUSE, Reason.CODE_FOREIGN,      lambda c: c.nobody and c.has(Result.FOREIGN)),
    (Outcome.REFUSE, Reason.CODE_STALE,        lambda c: c.nobody and c.has(Result.STALE)),
    (Outcome.REFUSE, Reason.CODE_REPLAYED,     lambda c: c.nobody and c.has(Result.REPLAYED)),
    (Outcome.REFUSE, Reason.UNKNOWN_CARD,      lambda c: c.nobody and c.has(Result.UNKNOWN, Kind.CARD)),
    (Outcome.REFUSE, Reason.UNKNOWN_CODE,      lambda c: c.nobody and c.has(Result.UNKNOWN, *(set(Kind) - {Kind.CARD}))),

    (Outcome.REVIEW, Reason.WATCHED,           lambda c: c.watch is Watch.NOTIFY),
    (Outcome.REVIEW, Reason.CODE_FORGED,       lambda c: c.has(Result.FORGED)),
    (Outcome.REVIEW, Reason.DOCUMENT_OTHER_NAME, lambda c: c.has(Result.OTHER_NAME, Kind.DOCUMENT)),
    (Outcome.REVIEW, Reason.DOCUMENT_OTHER_NUMBER, lambda c: c.has(Result.OTHER_NUMBER, Kind.DOCUMENT)),
    (Outcome.REVIEW, Reason.DOCUMENT_EXPIRED,  lambda c: c.has(Result.EXPIRED, Kind.DOCUMENT)),
    (Outcome.REVIEW, Reason.DOCUMENT_ABNORMAL, lambda c: c.has(Result.ABNORMAL, Kind.DOCUMENT)),
    (Outcome.REVIEW, Reason.FACE_OTHER,        lambda c: c.has(Result.OTHER_FACE, Kind.FACE)),
    (Outcome.REVIEW, Reason.FACE_SPOOFED,      lambda c: c.has(Result.SPOOFED, Kind.FACE)),
    (Outcome.REVIEW, Reason.ALREADY_INSIDE,    lambda c: c.inside),
    (Outcome.REVIEW, Reason.CONSENT_TIMEOUT,   lambda c: c.consent is Consent.TIMED_OUT),
    (Outcome.REVIEW, Reason.CLOCK_UNSURE,      lambda c: c.has(Result.OK, Kind.CODE) and not c.clock_trusted),

    (Outcome.NEEDS,  Reason.READ_AGAIN,        lambda c: c.nobody and (c.has(Result.UNREADABLE) or c.has(Result.UNSURE))),
    (Outcome.NEEDS,  Reason.NOTHING_READ,      lambda c: c.nobody and not c.has(Result.UNREADABLE) and not c.has(Result.UNSURE)),
    (Outcome.NEEDS,  Reason.DETAILS_MISSING,   lambda c: not c.nobody and ((c.booking == "none" and not c.walk_in) or bool(c.missing))),
    (Outcome.NEEDS,  Reason.CONSENT_PENDING,   lambda c: not c.nobody and c.needs_host and c.consent is Consent.ASKED),
    (Outcome.NEEDS,  Reason.CONSENT_MISSING,   lambda c: not c.nobody and c.needs_host and c.consent in {Consent.NONE, Consent.TIMED_OUT}),
    (Outcome.NEEDS,  Reason.IDENTITY_MISSING,  lambda c: not c.nobody and c.risk is Risk.MEDIUM and not c.walk_in and not c.known_by_item),
    (Outcome.NEEDS,  Reason.DOCUMENT_MISSING,  lambda c: not c.nobody and (
        (c.risk is Risk.MEDIUM and c.walk_in and not c.known_by_item)
        or (c.risk is Risk.HIGH and not c.has(Result.OK, Kind.DOCUMENT)))),
    (Outcome.NEEDS,  Reason.PERMIT_MISSING,    lambda c: not c.nobody and c.needs_permit and not c.has(Result.OK, Kind.PERMIT)),

    (Outcome.ADMIT,  Reason.HOST_AGREED,       lambda c: c.needs_host),
    (Outcome.ADMIT,  Reason.STANDING,          lambda c: not c.needs_host and c.booking == "standing"),
    (Outcome.ADMIT,  Reason.BOOKED,            lambda c: not c.needs_host and c.booking != "standing"),
]
# fmt: on
LEAVING: list[tuple[Outcome, Reason]] = [
    (Outcome.ADMIT, Reason.LEAVING),
    (Outcome.REVIEW, Reason.NOT_INSIDE),
]
GRAVEST_FIRST = (Outcome.REFUSE, Outcome.REVIEW, Outcome.NEEDS, Outcome.ADMIT)


def expected(case: Case) -> tuple[Outcome, tuple[Reason, ...]]:
    """What the table says of a case."""
    holding = [(level, reason) for level, reason, holds in TABLE if holds(case)]
    level = next(level for level in GRAVEST_FIRST if any(level is found for found, _ in holding))
    return level, tuple(reason for found, reason in holding if found is level)
