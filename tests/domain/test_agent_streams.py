"""Ordered, idempotent delivery as a rule: tables, and random deliveries against a plain list (AD-22)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sites.streams import KEPT, Contradiction, OutOfOrder, Progress, fresh_from


def numbered(*seqs: int) -> list[tuple[int, str]]:
    return [(seq, f"digest-{seq}") for seq in seqs]


def after(last: int) -> Progress:
    return Progress().advanced([f"digest-{seq}" for seq in range(1, last + 1)])


@pytest.mark.req("AD-22")
@pytest.mark.parametrize(
    ("last", "seqs", "fresh"),
    [
        (0, (1,), 0),
        (0, (1, 2, 3), 0),
        (3, (4,), 0),
        (3, (1, 2, 3), 3),
        (3, (3, 4), 1),
        (3, (2, 3, 4, 5), 2),
        (3, (), 0),
    ],
)
def test_what_is_known_is_passed_over_and_the_next_is_news(
    last: int, seqs: tuple[int, ...], fresh: int
) -> None:
    assert fresh_from(after(last), numbered(*seqs)) == fresh


@pytest.mark.req("AD-22")
@pytest.mark.parametrize(
    ("last", "seqs"),
    [(0, (2,)), (3, (5,)), (3, (4, 6)), (3, (2, 4)), (3, (5, 4)), (3, (4, 4)), (0, (3, 2, 1))],
)
def test_a_gap_names_the_number_that_is_due(last: int, seqs: tuple[int, ...]) -> None:
    with pytest.raises(OutOfOrder) as caught:
        fresh_from(after(last), numbered(*seqs))
    assert caught.value.expected == last + 1


@pytest.mark.req("AD-22")
def test_the_same_number_with_another_body_is_a_contradiction() -> None:
    with pytest.raises(Contradiction) as caught:
        fresh_from(after(3), [(2, "other"), (3, "digest-3")])
    assert caught.value.seq == 2


def test_what_lies_too_far_back_to_compare_is_a_repeat() -> None:
    long = after(3 * KEPT)
    assert len(long.recent) == KEPT
    assert long.digest(2 * KEPT) == ""
    assert long.digest(2 * KEPT + 1) == f"digest-{2 * KEPT + 1}"
    assert fresh_from(long, [(1, "whatever")]) == 1


@pytest.mark.req("AD-22")
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=60))
def test_however_batches_are_cut_repeated_and_reordered_the_record_is_a_prefix_of_what_was_sent(
    deliveries: list[tuple[int, int]],
) -> None:
    progress, recorded = Progress(), list[int]()
    for first, length in deliveries:
        batch = numbered(*range(first, first + length))
        try:
            start = fresh_from(progress, batch)
        except OutOfOrder:
            continue  # nothing of it counts
        fresh = batch[start:]
        recorded += [seq for seq, _ in fresh]
        progress = progress.advanced([digest for _, digest in fresh])
    assert recorded == list(range(1, len(recorded) + 1))
    assert progress.last_seq == len(recorded)
