"""The nearest of many faces is the nearest, whatever was put in and taken out before (ID-02)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.face_index import FaceIndex
from hardware.face_ports import Pack, Portrait

pytestmark = pytest.mark.req("ID-02")

DIMENSION = 8
PACK = Pack("p1", "test", "insightface", DIMENSION)
OTHER = Pack("p2", "test", "insightface", DIMENSION)


def portrait(seed: int, pack: Pack = PACK) -> Portrait:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    return Portrait(pack, (vector / np.linalg.norm(vector)).astype(np.float32))


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 90), st.integers(0, 10**6)), max_size=250
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, asked=st.integers(0, 10**6))
def test_it_finds_what_looking_at_each_finds(steps: list[tuple[str, int, int]], asked: int) -> None:
    index, oracle = FaceIndex(PACK), dict[str, Portrait]()
    for step, key, seed in steps:
        if step == "put":
            index.put(f"k{key}", portrait(seed))
            oracle[f"k{key}"] = portrait(seed)
        else:
            assert index.remove(f"k{key}") == (oracle.pop(f"k{key}", None) is not None)
    assert len(index) == len(oracle)
    assert all(key in index for key in oracle)
    found, wanted = index.search(portrait(asked)), portrait(asked).vector
    scores = sorted(
        (float(np.dot(one.vector.astype(np.float64), wanted)), key) for key, one in oracle.items()
    )
    if not scores:
        assert found is None
        return
    assert found is not None
    assert found.score == pytest.approx(scores[-1][0], abs=1e-5)
    assert float(np.dot(oracle[found.key].vector, wanted)) == pytest.approx(found.score, abs=1e-5)
    assert found.runner_up == pytest.approx(scores[-2][0] if len(scores) > 1 else -2.0, abs=1e-5)


@pytest.mark.req("ID-06")
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
def test_what_was_removed_is_overwritten_in_memory(count: int) -> None:
    index = FaceIndex(PACK)
    before = index._rows
    for number in range(count):
        index.put(f"k{number}", portrait(number))
    for number in range(0, count, 2):
        index.remove(f"k{number}")
    kept = {portrait(number).vector.tobytes() for number in range(1, count, 2)}
    rows = {row.tobytes() for row in index._rows if row.any()}
    assert rows == kept
    if before is not index._rows:
        assert not before.any(), "the smaller table it outgrew"
    index.clear()
    assert not index._rows.any()
    assert index.search(portrait(1)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        portrait(1, OTHER),
        Portrait(PACK, np.full(4, 0.5, np.float32)),
        Portrait(PACK, np.zeros(DIMENSION, np.float32)),
        Portrait(PACK, np.full(DIMENSION, np.nan, np.float32)),
    ],
    ids=["other pack", "other dimension", "no direction", "no number"],
)
def test_what_cannot_be_compared_is_refused(wrong: Portrait) -> None:
    index = FaceIndex(PACK)
    index.put("a", portrait(1))
    with pytest.raises(ValueError, match=r"other_pack|vector"):
        index.put("b", wrong)
    with pytest.raises(ValueError, match=r"other_pack|vector"):
        index.search(wrong)
    assert len(index) == 1
