"""The decision: every combination against an independent table, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.admission.rules import (
    SILENT,
    Consent,
    Evidence,
    Facts,
    Kind,
    Outcome,
    Reason,
    Result,
    Risk,
    Watch,
    decide,
    overruled,
)
from tests.domain.admission_table import BOOKINGS, EVIDENCE, NOW, Case, booking, expected

GRAVITY = {Outcome.ADMIT: 0, Outcome.NEEDS: 1, Outcome.REVIEW: 2, Outcome.REFUSE: 3}
DENIED = {"cancelled", "completed", "expired", "early", "late", "not renewed", "of a later version"}

evidence_items = st.builds(Evidence, st.sampled_from(Kind), st.sampled_from(Result))
facts_of_any_kind = st.builds(
    Facts,
    risk=st.sampled_from(Risk),
    leaving=st.booleans(),
    evidence=st.lists(evidence_items, max_size=4).map(tuple),
    booking=st.sampled_from(list(BOOKINGS.values())),
    walk_in=st.booleans(),
    missing_fields=st.sampled_from([(), ("phone",)]),
    needs_permit=st.booleans(),
    consent=st.sampled_from(Consent),
    inside=st.booleans(),
    watch=st.sampled_from(Watch),
    clock_trusted=st.booleans(),
)
arrivals = facts_of_any_kind.map(lambda facts: replace(facts, leaving=False))


def disagreements(cases: Iterator[Case]) -> tuple[int, list[str]]:
    """How many cases there were, and those that the product decides otherwise than the table."""
    seen, wrong = 0, []
    for case in cases:
        seen += 1
        decision = decide(case.facts(), NOW)
        wanted = expected(case)
        if (decision.outcome, decision.reasons) != wanted:
            wrong.append(f"{case}\n    table: {wanted}\n    decide: {decision}")
    return seen, wrong


@pytest.mark.req("AD-03", "SI-02")
@pytest.mark.parametrize("risk", Risk)
def test_every_policy_evidence_booking_and_consent_is_decided_as_the_table_says(risk: Risk) -> None:
    combinations = product(EVIDENCE, BOOKINGS, Consent, (False, True), (False, True))
    seen, wrong = disagreements(Case(risk, *rest) for rest in combinations)
    assert seen == len(EVIDENCE) * len(BOOKINGS) * len(Consent) * 4
    assert not wrong, f"{len(wrong)} of {seen}, among them:\n" + "\n".join(wrong[:5])


@pytest.mark.req("AD-03")
def test_two_items_watch_list_clock_permit_and_missing_fields_are_decided_as_the_table_says() -> None:
    pairs = [
        (Evidence(kind, result), Evidence(other, Result.OK))
        for kind, result in product(Kind, Result)
        for other in (Kind.NAME, Kind.DOCUMENT, Kind.PERMIT)
        if other is not kind
    ]
    extras = ((False, ()), (True, ("phone",)))
    combinations = product(
        (Risk.MEDIUM, Risk.HIGH), pairs, ("open", "none"), (Consent.NONE, Consent.AGREED), (False, True), (False,),
        Watch, (True, False), extras,
    )  # fmt: skip
    seen, wrong = disagreements(Case(*rest, *extra) for *rest, extra in combinations)
    assert not wrong, f"{len(wrong)} of {seen}, among them:\n" + "\n".join(wrong[:5])


@pytest.mark.req("AD-08")
@given(arrivals)
def test_no_stranger_enters_without_the_hosts_consent(facts: Facts) -> None:
    stranger = replace(facts, walk_in=True)
    if stranger.consent is not Consent.AGREED:
        assert decide(stranger, NOW).outcome is not Outcome.ADMIT


@pytest.mark.req("AD-08")
@given(arrivals)
def test_nobody_without_a_booking_enters_without_the_hosts_consent(facts: Facts) -> None:
    unbooked = replace(facts, booking=None)
    if unbooked.consent is not Consent.AGREED:
        assert decide(unbooked, NOW).outcome is not Outcome.ADMIT


@pytest.mark.req("AD-03")
@given(arrivals, st.sampled_from(sorted(DENIED)))
def test_a_booking_that_is_cancelled_used_or_out_of_its_window_never_admits(facts: Facts, state: str) -> None:
    assert decide(replace(facts, booking=BOOKINGS[state]), NOW).outcome is not Outcome.ADMIT


@pytest.mark.req("AD-03")
@given(arrivals)
def test_blocked_or_declined_is_always_refused(facts: Facts) -> None:
    assert decide(replace(facts, watch=Watch.BLOCK), NOW).outcome is Outcome.REFUSE
    assert decide(replace(facts, consent=Consent.DECLINED), NOW).outcome is Outcome.REFUSE


@pytest.mark.req("AD-03")
@given(facts_of_any_kind, st.sampled_from(Kind))
def test_a_block_never_improves_the_outcome(facts: Facts, kind: Kind) -> None:
    before = GRAVITY[decide(facts, NOW).outcome]
    blocked_item = replace(facts, evidence=(*facts.evidence, Evidence(kind, Result.BLOCKED)))
    assert GRAVITY[decide(replace(facts, watch=Watch.BLOCK), NOW).outcome] >= before
    assert GRAVITY[decide(blocked_item, NOW).outcome] >= before


@pytest.mark.req("AD-16")
@given(facts_of_any_kind)
def test_nobody_is_refused_on_the_way_out(facts: Facts) -> None:
    assert decide(replace(facts, leaving=True), NOW).outcome is not Outcome.REFUSE


@pytest.mark.req("AD-16")
@given(facts_of_any_kind)
def test_whoever_is_inside_may_leave(facts: Facts) -> None:
    decision = decide(replace(facts, leaving=True, inside=True), NOW)
    assert (decision.outcome, decision.reasons) == (Outcome.ADMIT, (Reason.LEAVING,))


@given(facts_of_any_kind)
def test_the_same_facts_give_the_same_verdict(facts: Facts) -> None:
    assert decide(facts, NOW) == decide(replace(facts), NOW)


@pytest.mark.req("AD-03")
@given(facts_of_any_kind)
def test_every_verdict_has_a_reason_and_none_twice(facts: Facts) -> None:
    reasons = decide(facts, NOW).reasons
    assert reasons
    assert len(set(reasons)) == len(reasons)


@pytest.mark.req("AD-10")
@given(arrivals)
@example(
    Facts(
        Risk.MEDIUM,
        evidence=(Evidence(Kind.CODE, Result.FOREIGN), Evidence(Kind.DOCUMENT, Result.OTHER_NAME)),
        booking=booking(),
    )
)
def test_overruling_makes_no_admission_of_a_refusal(facts: Facts) -> None:
    if decide(facts, NOW).outcome is Outcome.REFUSE:
        assert decide(overruled(facts), NOW).outcome is not Outcome.ADMIT


@pytest.mark.req("AD-08", "AD-10")
@given(arrivals)
def test_overruling_makes_no_admission_of_a_missing_consent(facts: Facts) -> None:
    if (facts.walk_in or facts.booking is None) and facts.consent is not Consent.AGREED:
        assert decide(overruled(facts), NOW).outcome is not Outcome.ADMIT


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("before", [result for result in Result if result not in SILENT])
@pytest.mark.parametrize("silent", sorted(SILENT))
def test_a_failed_read_takes_nothing_back(kind: Kind, before: Result, silent: Result) -> None:
    read = Facts(Risk.MEDIUM, evidence=(Evidence(kind, before),), booking=booking())
    failed = replace(read, evidence=(*read.evidence, Evidence(kind, silent)))
    assert decide(failed, NOW) == decide(read, NOW)


@pytest.mark.req("AD-10")
@pytest.mark.parametrize(
    "doubt",
    [
        {"watch": Watch.NOTIFY},
        {"inside": True},
        {"clock_trusted": False},
        {"evidence": (Evidence(Kind.CODE, Result.OK), Evidence(Kind.DOCUMENT, Result.ABNORMAL))},
        {"evidence": (Evidence(Kind.CODE, Result.OK), Evidence(Kind.DOCUMENT, Result.OTHER_NAME))},
        {"evidence": (Evidence(Kind.DOCUMENT, Result.EXPIRED), Evidence(Kind.DOCUMENT, Result.UNREADABLE))},
        {"evidence": (Evidence(Kind.BADGE, Result.FORGED), Evidence(Kind.CODE, Result.OK))},
        {"evidence": (Evidence(Kind.CODE, Result.OK), Evidence(Kind.FACE, Result.OTHER_FACE))},
        {"evidence": (Evidence(Kind.CODE, Result.OK), Evidence(Kind.FACE, Result.SPOOFED))},
    ],
    ids=[
        "watched",
        "already inside",
        "clock",
        "document",
        "other name",
        "expired, then pulled away",
        "forged badge beside a good code",
        "another face",
        "a picture of a face",
    ],
)
def test_a_doubt_can_be_overruled(doubt: dict[str, object]) -> None:
    sound = Facts(Risk.MEDIUM, evidence=(Evidence(Kind.CODE, Result.OK),), booking=booking())
    doubtful = replace(sound, **doubt)  # type: ignore[arg-type]
    assert decide(doubtful, NOW).outcome is Outcome.REVIEW
    assert decide(overruled(doubtful), NOW).outcome is Outcome.ADMIT


@pytest.mark.req("ID-06")
@given(arrivals)
def test_a_face_that_is_not_shown_or_not_seen_well_never_worsens_the_verdict(facts: Facts) -> None:
    without = replace(facts, evidence=tuple(e for e in facts.evidence if e.kind is not Kind.FACE))
    for silent in SILENT:
        tried = replace(without, evidence=(*without.evidence, Evidence(Kind.FACE, silent)))
        assert decide(tried, NOW).outcome is decide(without, NOW).outcome


@pytest.mark.req("BK-07")
def test_a_stale_code_does_not_cost_the_way_by_name() -> None:
    facts = Facts(
        Risk.LOW,
        evidence=(Evidence(Kind.CODE, Result.STALE), Evidence(Kind.NAME, Result.OK)),
        booking=booking(),
    )
    assert decide(facts, NOW).outcome is Outcome.ADMIT


@pytest.mark.req("AD-03")
def test_the_latest_reading_of_a_kind_counts() -> None:
    stale_then_good = (Evidence(Kind.CODE, Result.STALE), Evidence(Kind.CODE, Result.OK))
    assert (
        decide(Facts(Risk.MEDIUM, evidence=stale_then_good, booking=booking()), NOW).outcome is Outcome.ADMIT
    )
    assert decide(Facts(Risk.MEDIUM, evidence=stale_then_good[::-1], booking=booking()), NOW).reasons == (
        Reason.CODE_STALE,
    )


@pytest.mark.req("AD-03")
@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (-1801, Reason.TOO_EARLY),
        (-1800, Reason.BOOKED),
        (3600 + 1800, Reason.BOOKED),
        (3600 + 1801, Reason.TOO_LATE),
    ],
)
def test_the_window_opens_early_and_closes_late_by_the_visitor_type(seconds: int, reason: Reason) -> None:
    half_hour = timedelta(minutes=30)
    window = booking(starts_at=NOW, ends_at=NOW + 2 * half_hour, early=half_hour, late=half_hour)
    facts = Facts(Risk.MEDIUM, evidence=(Evidence(Kind.CODE, Result.OK),), booking=window)
    assert decide(facts, NOW + timedelta(seconds=seconds)).reasons == (reason,)
