"""The rotating code as a text: made, read, judged by its step, and what it gives away."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access.rules import BADGE, DYNAMIC, CodeFault, is_genuine, make, parse, step_at, step_fault

GOLDEN = Path(__file__).parents[1] / "golden" / "pass_tokens.json"
VECTORS = json.loads(GOLDEN.read_text("utf-8"))["vectors"]
SECRET = bytes(range(32))
CODE_ID = "0123456789abcdef"
STEP = 59_845_938
START = STEP * 30.0

code_ids = st.binary(min_size=8, max_size=8).map(bytes.hex)
secrets = st.binary(min_size=32, max_size=32)
kids = st.integers(0, 255)
steps = st.integers(0, 2**32 - 1)


def secret_of(vector: dict[str, str]) -> bytes:
    return base64.urlsafe_b64decode(vector["secret"] + "=")


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("vector", VECTORS, ids=[v["what"] for v in VECTORS])
def test_a_golden_code_is_made_and_read(vector: dict) -> None:
    made = make(DYNAMIC, secret_of(vector), vector["kid"], vector["code_id"], vector["step"])
    assert made == vector["token"]
    read = parse(vector["token"])
    assert read is not None
    assert (read.kid, read.code_id, read.step) == (vector["kid"], vector["code_id"], vector["step"])
    assert is_genuine(read, secret_of(vector))


@given(st.sampled_from([DYNAMIC, BADGE]), secrets, kids, code_ids, steps)
def test_what_was_made_is_read_back(kind: str, secret: bytes, kid: int, code_id: str, step: int) -> None:
    read = parse(make(kind, secret, kid, code_id, step))
    assert read is not None
    assert (read.kind, read.kid, read.code_id, read.step) == (kind, kid, code_id, step)
    assert is_genuine(read, secret)


@pytest.mark.req("BK-07")
def test_a_code_fits_the_alphanumeric_mode_of_a_small_qr_code() -> None:
    code = make(DYNAMIC, SECRET, 1, CODE_ID, STEP)
    assert len(code) == 50
    assert set(code) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@given(st.text() | st.text("V1B1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=", min_size=40, max_size=60))
def test_no_text_makes_reading_fail(text: str) -> None:
    parse(text)
    parse("V1" + text)


@given(st.from_regex(r"\A(V1|B1)[A-Z2-7]{48}\Z"))
def test_nothing_made_up_is_genuine(text: str) -> None:
    read = parse(text)
    assert read is None or not is_genuine(read, SECRET)


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("position", range(50))
def test_a_code_with_one_character_changed_is_foreign_or_forged(position: int) -> None:
    code = make(DYNAMIC, SECRET, 1, CODE_ID, STEP)
    for other in "AZ27":
        if other != code[position]:
            read = parse(code[:position] + other + code[position + 1 :])
            assert read is None or not is_genuine(read, SECRET)


@pytest.mark.req("BK-07")
@pytest.mark.parametrize("length", [0, 1, 2, 10, 26, 49])
def test_a_truncated_code_is_foreign(length: int) -> None:
    assert parse(make(DYNAMIC, SECRET, 1, CODE_ID, STEP)[:length]) is None


@pytest.mark.req("BK-07")
@pytest.mark.parametrize(
    "text",
    ["", "HELLO", "https://example.com/v/abc", "V2" + "A" * 48, "V1" + "A" * 48, "V1" + "a" * 48, "粤B12345"],
)
def test_anything_else_is_foreign(text: str) -> None:
    assert parse(text) is None


@given(secrets, secrets)
def test_a_code_of_another_secret_is_forged(secret: bytes, other: bytes) -> None:
    read = parse(make(DYNAMIC, secret, 1, CODE_ID, STEP))
    assert read is not None
    assert is_genuine(read, other) == (secret == other)


def test_a_printed_badge_cannot_be_rewritten_into_a_dynamic_code() -> None:
    badge = make(BADGE, SECRET, 1, CODE_ID, STEP)
    read = parse(DYNAMIC + badge[2:])
    assert read is not None
    assert not is_genuine(read, SECRET)


@pytest.mark.req("BK-07")
@pytest.mark.parametrize(
    ("shown_for", "fault"),
    [
        (-33, CodeFault.EARLY),
        (-2.1, CodeFault.EARLY),
        (-2, None),
        (0, None),
        (29.9, None),
        (30, None),
        (34.9, None),
        (35, CodeFault.STALE),
        (60, CodeFault.STALE),
        (3600, CodeFault.STALE),
    ],
)
def test_a_code_lives_for_its_step_and_five_seconds(shown_for: float, fault: CodeFault | None) -> None:
    assert step_fault(STEP, START + shown_for) is fault


@pytest.mark.req("BK-07")
@given(st.floats(0, 30, exclude_max=True), st.floats(36, 10_000_000))
def test_a_screenshot_shown_36_s_later_is_stale_whenever_it_was_taken(taken: float, later: float) -> None:
    assert step_fault(step_at(START + taken), START + taken + later) is CodeFault.STALE


@pytest.mark.req("BK-07")
@given(secrets, st.text(min_size=2, max_size=20), st.from_regex(r"\A1[3-9][0-9]{9}\Z"))
def test_a_decoded_code_holds_no_personal_data(secret: bytes, name: str, phone: str) -> None:
    # All that is in it: version, key number, an opaque id, the step, and a MAC that nobody can invert.
    code = make(DYNAMIC, secret, 1, CODE_ID, STEP)
    raw = base64.b32decode(code[2:])
    assert raw[:14] == bytes((1, 1)) + bytes.fromhex(CODE_ID) + STEP.to_bytes(4)
    assert len(raw[14:]) == 16
    assert name.encode() not in raw[:14]
    assert phone.encode() not in raw
