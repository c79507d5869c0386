"""What several pictures of one person come to, as a table (ID-02, ID-03)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.face_look import Look
from hardware.face_ports import Box, FaceFault, FaceOutcome, Liveness, Pack, Portrait, SeenFace
from hardware.face_verify import AGREEING, MOST_PICTURES, Comparison

PACK, OTHER_PACK = Pack("p1", "t", "insightface", 2), Pack("p2", "t", "insightface", 2)
REFERENCE = Portrait(PACK, np.array([1, 0], np.float32))
FACE = SeenFace(Box(0.2, 0.2, 0.4, 0.4), ((0.3, 0.3),) * 5, 0.9)
SAME, OTHER = 0.6, 0.3


def seen(score: float, live: bool | None = None, pack: Pack = PACK) -> Look:
    vector = np.array([score, np.sqrt(1 - score * score)], np.float32)
    return Look(face=FACE, quality=0.8, live=live, portrait=Portrait(pack, vector))


def fault(what: FaceFault) -> Look:
    return Look(fault=what)


FAKE = Look(face=FACE, quality=0.8, live=False)
NONE, PASSIVE = Liveness.NONE, Liveness.PASSIVE

TABLE = [
    ("the same", NONE, [seen(0.9)], FaceOutcome.SAME, None),
    ("the best counts", NONE, [seen(0.2), seen(0.4), seen(0.6)], FaceOutcome.SAME, None),
    ("between", NONE, [seen(0.4)] * 5, FaceOutcome.UNSURE, None),
    ("another, and enough agree", NONE, [seen(0.1)] * 3, FaceOutcome.OTHER, None),
    ("another, but too few say so", NONE, [seen(0.1)] * 2, FaceOutcome.UNSURE, None),
    ("one of them is unsure", NONE, [seen(0.1), seen(0.1), seen(0.31)], FaceOutcome.UNSURE, None),
    ("just below", NONE, [seen(0.599)] * 3, FaceOutcome.UNSURE, None),
    ("nothing came", NONE, [], FaceOutcome.UNREADABLE, FaceFault.NO_PICTURE),
    ("bad pictures", NONE, [fault(FaceFault.SMALL)] * 9, FaceOutcome.UNREADABLE, FaceFault.SMALL),
    ("a mask", NONE, [fault(FaceFault.COVERED)] * 9, FaceOutcome.UNREADABLE, FaceFault.COVERED),
    ("bad pictures and one good", NONE, [fault(FaceFault.DARK)] * 9 + [seen(0.8)], FaceOutcome.SAME, None),
    ("other models", NONE, [seen(0.9, pack=OTHER_PACK)], FaceOutcome.UNREADABLE, FaceFault.OTHER_PACK),
    ("alive and the same", PASSIVE, [seen(0.9, True)] * 2, FaceOutcome.SAME, None),
    ("alive once is not enough", PASSIVE, [seen(0.9, True)], FaceOutcome.UNREADABLE, FaceFault.NO_LIVENESS),
    ("a print", PASSIVE, [FAKE] * 3, FaceOutcome.SPOOFED, None),
    ("a print that once seems alive", PASSIVE, [FAKE, FAKE, seen(0.9, True)], FaceOutcome.SPOOFED, None),
    ("one bad moment", PASSIVE, [FAKE, seen(0.9, True), seen(0.9, True)], FaceOutcome.SAME, None),
    ("one bad moment alone", PASSIVE, [FAKE], FaceOutcome.UNREADABLE, FaceFault.NO_LIVENESS),
    ("cannot be told", PASSIVE, [seen(0.9, None)] * 3, FaceOutcome.UNREADABLE, FaceFault.NO_LIVENESS),
    ("alive and another", PASSIVE, [seen(0.1, True)] * 3, FaceOutcome.OTHER, None),
    ("life was not asked for", NONE, [seen(0.9, None)], FaceOutcome.SAME, None),
]  # fmt: skip


@pytest.mark.req("ID-02", "ID-03")
@pytest.mark.parametrize(
    ("level", "looks", "outcome", "what"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_verdict(level: Liveness, looks: list[Look], outcome: FaceOutcome, what: FaceFault | None) -> None:
    found = Comparison(REFERENCE, SAME, OTHER, level)
    for look in looks:
        found.take(look)
    verdict = found.verdict()
    assert (verdict.outcome, verdict.fault) == (outcome, what)
    reached = level if outcome in (FaceOutcome.SAME, FaceOutcome.OTHER, FaceOutcome.UNSURE) else Liveness.NONE
    assert (verdict.liveness, verdict.threshold, verdict.pack_id) == (reached, SAME, "p1")


LOOKS = st.one_of(
    st.builds(seen, st.floats(-1, 1), st.sampled_from([True, None])),
    st.just(FAKE),
    st.builds(fault, st.sampled_from(FaceFault)),
)


@given(st.lists(LOOKS, max_size=12), st.sampled_from([Liveness.NONE, Liveness.PASSIVE, Liveness.DEPTH]))
def test_nobody_is_suspected_by_too_few_pictures_or_taken_for_another_by_a_bad_one(
    looks: list[Look], level: Liveness
) -> None:
    found = Comparison(REFERENCE, SAME, OTHER, level)
    for look in looks:
        if found.settled:
            break
        found.take(look)
    verdict = found.verdict()
    if verdict.outcome is FaceOutcome.OTHER:
        assert len(found.scores) >= AGREEING
        assert max(found.scores) < OTHER
    if verdict.outcome is FaceOutcome.SPOOFED:
        assert found.needs_life
        assert found.fakes >= 2
    if verdict.outcome is FaceOutcome.SAME:
        assert max(found.scores) >= SAME
    assert (verdict.fault is not None) == (verdict.outcome is FaceOutcome.UNREADABLE)
    assert verdict.frames <= MOST_PICTURES


def test_it_is_settled_by_a_match_or_by_enough_pictures() -> None:
    found = Comparison(REFERENCE, SAME, OTHER)
    for _ in range(MOST_PICTURES - 1):
        found.take(seen(0.1))
        assert not found.settled
    found.take(seen(0.1))
    assert found.settled
    found = Comparison(REFERENCE, SAME, OTHER)
    found.take(seen(0.7))
    assert found.settled


@pytest.mark.parametrize(("same", "other"), [(0.3, 0.6), (1.1, 0.2), (0.5, -1.5), (float("nan"), 0.2)])
def test_thresholds_that_make_no_sense_are_refused(same: float, other: float) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        Comparison(REFERENCE, same, other)
